//! "Is someone from this company talking to me?": who has the case of a spoken number open.

use askama::Template;
use countersign_service::Language;
use countersign_service::speech::Key;

use super::frame::CustomerFrame;
use super::icon::Icon;
use super::page::{Page, Spoken};
use super::parts::{Errors, FieldError, When};
use super::samples::{at, customer, words};
use crate::words::{Typed, Words};

/// `GET /is-it-us`; posts `number` to the same, so that it stands in no address.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "talking.html")]
pub struct TalkingPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// What was found.
    pub state: TalkingState,
    /// What was wrong (`number`).
    pub errors: Errors,
}

/// What a spoken number leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TalkingState {
    /// The question.
    Ask,
    /// Somebody.
    Somebody {
        /// `Maja`
        agent: String,
        /// It is a program of the company.
        program: bool,
        /// Since when the case is open.
        since: When,
        /// Whose account, as initials: `H••• F•••`.
        account: String,
        /// The words, masked.
        words: Words,
    },
    /// Nobody: never given, over, or another customer's. The same words.
    Nobody,
    /// Too many numbers were looked up; when to try again.
    TooMany(When),
}

impl TalkingPage {
    fn heading(&self) -> String {
        self.frame.say(match self.state {
            TalkingState::Ask => Key("talking-ask-heading"),
            TalkingState::Somebody { .. } => Key("talking-somebody-heading"),
            TalkingState::Nobody => Key("talking-nobody-heading"),
            TalkingState::TooMany(_) => Key("talking-too-many-heading"),
        })
    }
}

impl Page for TalkingPage {
    const NAME: &'static str = "talking";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for TalkingPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let mut frame = customer(language);
        frame.reference = None;
        frame.case = None;
        frame.can_stop = false;
        frame.works_until = None;
        frame.more_time = false;
        frame.asks_who = true;
        let page = |state, errors| Self {
            frame: frame.clone(),
            state,
            errors,
        };
        let somebody = |program| TalkingState::Somebody {
            agent: if program { "chatbot" } else { "Maja" }.into(),
            program,
            since: at("10:31"),
            account: "H••• F••• A•••".into(),
            words: words().masked(),
        };
        let none = Errors::default;
        vec![
            ("ask", page(TalkingState::Ask, none())),
            (
                "mistyped",
                page(
                    TalkingState::Ask,
                    Errors(vec![FieldError {
                        field: "number".into(),
                        message: language.say(Key("talking-mistyped")),
                    }]),
                ),
            ),
            ("somebody", page(somebody(false), none())),
            ("a-program", page(somebody(true), none())),
            ("nobody", page(TalkingState::Nobody, none())),
            ("too-many", page(TalkingState::TooMany(at("10:52")), none())),
        ]
    }
}
