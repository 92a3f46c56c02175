//! The public page on which a receipt is checked.

use askama::Template;
use countersign_service::Language;

use super::frame::CustomerFrame;
use super::icon::Icon;
use super::page::{Page, Spoken};
use super::parts::{Errors, Fact};
use super::samples::{DIGEST, customer, error, fact, machine, odd_words, words};
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
    /// Most bytes of a receipt, in words: `1 MB`.
    pub most: String,
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
    /// It proves nothing; why.
    NotProved(String),
}

impl VerifyPage {
    fn heading(&self) -> &'static str {
        match &self.outcome {
            None => "Check a receipt",
            Some(VerifyOutcome::Proved { .. }) => "This receipt is genuine",
            Some(VerifyOutcome::NotProved(_)) => "This receipt proves nothing",
        }
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
            most: "1 MB".into(),
            errors,
        }
        };
        let proved = |words, happened| {
            Some(VerifyOutcome::Proved {
                words,
                happened,
                facts: vec![
                    fact(
                        "What became of it",
                        if happened {
                            "It happened"
                        } else {
                            "It did not happen: stopped"
                        },
                    ),
                    fact("When", "23 Nov 2026, 10:45:10"),
                    fact("Signed by", "Idris Bello"),
                    machine("Receipt number", "CS-7F3K9Q"),
                    machine("Digest", DIGEST),
                    fact("In the ledger", "9 events, of 88,213 entries in all"),
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
                    Some(VerifyOutcome::NotProved(
                        "Event 3 is not proved: the record is not the one the ledger holds".into(),
                    )),
                    none(),
                ),
            ),
            (
                "empty",
                page(
                    None,
                    error("receipt", "Paste a receipt, or choose its file"),
                ),
            ),
        ]
    }
}
