//! A customer's proof that the company itself looks at: its own checker is asked, and the page waits for the answer.

use askama::Template;
use countersign_service::Language;
use countersign_service::speech::Key;

use super::frame::CustomerFrame;
use super::icon::Icon;
use super::link::{ProofMethod, ProofState, ProofWay};
use super::link_samples::way;
use super::page::{Page, Spoken, together};
use super::parts::{Live, When};
use super::samples::{at, customer};
use super::told::{Tag, Told};
use crate::words::Typed;

/// `GET` and failed `POST /c/prove/{way}` for a proof by the company's own checker. The button posts to `/c/prove/{way}/check`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "link-check.html", blocks = ["state"])]
pub struct CheckProofPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// Which step this is, from 1.
    pub step: u32,
    /// Of how many.
    pub steps: u32,
    /// Which way.
    pub way: ProofWay,
    /// The company's name.
    pub company: String,
    /// The question that was asked, if there is one to follow.
    pub asked: Option<AskedCheck>,
    /// There are other ways.
    pub other_ways: bool,
    /// Why the last try did not work.
    pub problem: Option<CheckProblem>,
    /// Moves on by itself.
    pub live: Option<Live>,
}

/// A question that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedCheck {
    /// Until when it can be answered.
    pub until: When,
    /// How it stands.
    pub state: AskedState,
}

/// How a question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedState {
    /// Not answered yet.
    Waiting,
    /// Proved.
    Proved,
    /// Not to be answered any more, or refused: the page says why when it is opened again.
    Over,
}

/// Why it did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckProblem {
    /// The company could not confirm it: a try is gone.
    Refused,
    /// Closed; until when.
    Closed(When),
    /// Asked a moment ago; from when again.
    TooSoon(When),
    /// Asked too often in this case.
    NoMore,
    /// No answer in time.
    RanOut,
    /// It could not be asked, and it is not the customer's fault.
    Failed,
}

/// The part of the page that changes: heading and what comes next. No form is in it.
pub fn check_fragments(page: &CheckProofPage) -> String {
    together([page.as_state().render()])
}

impl CheckProblem {
    /// What is wrong, and what to do.
    fn told(&self, frame: &CustomerFrame) -> Told {
        match self {
            Self::Refused => frame.tell("check-refused"),
            Self::Closed(until) => frame.tell("proof-closed").with("until", until),
            Self::TooSoon(from) => frame.tell("check-too-soon").with("from", from),
            Self::NoMore => frame.tell("check-no-more"),
            Self::RanOut => frame.tell("check-ran-out"),
            Self::Failed => frame.tell("check-failed"),
        }
    }
}

impl CheckProofPage {
    fn heading(&self) -> Key {
        match self.asked.as_ref().map(|asked| asked.state) {
            None => Key("check-heading"),
            Some(AskedState::Waiting) => Key("check-waiting"),
            Some(AskedState::Proved) => Key("check-proved"),
            Some(AskedState::Over) => Key("check-over"),
        }
    }

    /// A link to this page.
    fn here(&self) -> Tag {
        Tag::link(&format!("/c/prove/{}", self.way.name))
    }
}

impl Page for CheckProofPage {
    const NAME: &'static str = "link-check";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for CheckProofPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let page = |state: Option<AskedState>, problem| Self {
            frame: customer(language),
            step: 1,
            steps: 2,
            way: way(
                "badge",
                "badge at the warehouse door",
                ProofMethod::Check,
                ProofState::Open,
            ),
            company: "Nordhamn Hosting".into(),
            live: (state == Some(AskedState::Waiting)).then(|| Live {
                events: "/c/prove/badge/check/events".into(),
                from: 7,
            }),
            asked: state.map(|state| AskedCheck {
                until: at("10:38"),
                state,
            }),
            other_ways: true,
            problem,
        };
        let wrong = |problem| page(None, Some(problem));
        vec![
            ("ask", page(None, None)),
            ("waiting", page(Some(AskedState::Waiting), None)),
            ("proved", page(Some(AskedState::Proved), None)),
            ("over", page(Some(AskedState::Over), None)),
            ("refused", wrong(CheckProblem::Refused)),
            ("closed", wrong(CheckProblem::Closed(at("11:34")))),
            ("ran-out", wrong(CheckProblem::RanOut)),
            ("too-soon", wrong(CheckProblem::TooSoon(at("10:36")))),
            ("no-more", wrong(CheckProblem::NoMore)),
            ("failed", wrong(CheckProblem::Failed)),
        ]
    }
}
