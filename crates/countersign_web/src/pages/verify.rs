//! The public page on which a receipt is checked.

use askama::Template;
use countersign_service::Language;
use countersign_service::speech::{Arg, Key};

use super::frame::CustomerFrame;
use super::icon::Icon;
use super::page::{Page, Spoken};
use super::parts::{Errors, Fact};
use super::samples::{DIGEST, customer, error, fact, machine, odd_words, words};
use super::told::Told;
use crate::words::{Typed, Words};

/// `GET /receipts/verify`, and what comes of `POST` (`receipt` pasted, or `file`) to the same.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "verify.html")]
pub struct VerifyPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// What came of it; `None` before anything was put in.
    pub outcome: Option<VerifyOutcome>,
    /// The ledger's public key, `name+id+key`.
    pub key: String,
    /// What was wrong (`receipt`).
    pub errors: Errors,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifyOutcome {
    /// Every event of it stands in the ledger, and it says what they say.
    Proved {
        /// The words.
        words: Words,
        /// It happened.
        happened: bool,
        /// What became of it, when, who signed, number and digest.
        facts: Vec<Fact>,
    },
    /// It proves nothing.
    NotProved {
        /// Why, as a sentence.
        why: Told,
        /// The same as the word programs are told.
        code: &'static str,
    },
}

impl VerifyPage {
    fn heading(&self) -> String {
        self.frame.say(match &self.outcome {
            None => Key("verify-title"),
            Some(VerifyOutcome::Proved { .. }) => Key("verify-title-good"),
            Some(VerifyOutcome::NotProved { .. }) => Key("verify-title-bad"),
        })
    }
}

impl Page for VerifyPage {
    const NAME: &'static str = "verify";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for VerifyPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let mut frame = customer(language);
        frame.can_stop = false;
        frame.works_until = None;
        frame.case = None;
        frame.reference = None;
        let page = |outcome, errors| {
            Self {
            frame: frame.clone(),
            outcome,
            key: "support.nordhamn.example/ledger+4e5b1a2c+AQb7y0mC1kq8s0fY1n2uQxk8mW5b6V7c8d9e0f1a2b3c".into(),
            errors,
        }
        };
        let proved = |words, happened| {
            Some(VerifyOutcome::Proved {
                words,
                happened,
                facts: vec![
                    fact(
                        &language.say("verify-became"),
                        &language.say(if happened {
                            Key("verify-happened")
                        } else {
                            Key("verify-stopped")
                        }),
                    ),
                    fact(&language.say("verify-when"), "23 Nov 2026, 10:45:10"),
                    fact(&language.say("verify-signed-by"), "Idris Bello"),
                    machine(&language.say("verify-number"), "CS-7F3K9Q"),
                    machine(&language.say("verify-digest"), DIGEST),
                    fact(
                        &language.say("verify-ledger"),
                        &language.tell(
                            "verify-ledger-size",
                            &[("events", Arg::Number(9)), ("entries", Arg::Number(88_213))],
                        ),
                    ),
                ],
            })
        };
        let none = Errors::default;
        vec![
            ("ask", page(None, none())),
            ("happened", page(proved(words(), true), none())),
            ("stopped", page(proved(words(), false), none())),
            ("odd-characters", page(proved(odd_words(), true), none())),
            (
                "not-proved",
                page(
                    Some(VerifyOutcome::NotProved {
                        why: Told::new(language, "verify-bad-event").with("number", "3"),
                        code: "event-not-proved",
                    }),
                    none(),
                ),
            ),
            (
                "empty",
                page(None, error("receipt", &language.say("verify-empty"))),
            ),
        ]
    }
}
