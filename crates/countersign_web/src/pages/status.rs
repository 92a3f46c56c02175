//! What anybody reads: the status page, one incident, and subscribing to news by mail.

use askama::Template;
use countersign_service::speech::Key;
use countersign_service::{Language, Phase};

use super::frame::CustomerFrame;
use super::icon::Icon;
use super::page::{Page, Spoken};
use super::parts::{Errors, FieldError, When};
use super::samples::{at, customer, tomorrow_in};
use crate::words::Typed;

/// `GET /status`; subscribing posts `address` to `/status/subscribe`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "status.html")]
pub struct StatusPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// Newest first.
    pub current: Vec<StatusRow>,
    /// Newest first.
    pub past: Vec<StatusRow>,
    /// What was typed as an address that cannot be one.
    pub address: String,
    /// What was wrong (`address`).
    pub errors: Errors,
}

/// An incident on the status page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRow {
    /// `IN-7F3K9Q`
    pub id: String,
    /// In one sentence.
    pub headline: String,
    /// How it stands.
    pub phase: Phase,
    /// The last time anything was said.
    pub updated: When,
    /// The newest update's words.
    pub text: String,
    /// When the next one comes.
    pub next: Option<When>,
    /// It should have come by now.
    pub overdue: bool,
}

/// `GET /status/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "status-incident.html")]
pub struct StatusIncidentPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// As on the list.
    pub row: StatusRow,
    /// Newest first.
    pub updates: Vec<StatusUpdate>,
    /// Newest first; the first one counts.
    pub statements: Vec<StatusStatement>,
}

/// An update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusUpdate {
    /// From 1.
    pub number: u32,
    /// When.
    pub at: When,
    /// How it stood.
    pub phase: Phase,
    /// In one sentence.
    pub headline: String,
    /// More.
    pub text: String,
}

/// A version of the statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusStatement {
    /// From 1.
    pub version: u32,
    /// When.
    pub at: When,
    /// Its paragraphs.
    pub text: Vec<String>,
    /// What was signed.
    pub digest: String,
}

/// `GET /status/confirm/{token}`, `GET /status/leave/{token}`, and what follows.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "status-mail.html")]
pub struct SubscriptionPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// Where it stands.
    pub state: SubscriptionState,
}

/// Where a subscription stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionState {
    /// A letter is on its way, if the address is right.
    Asked,
    /// The link of that letter was opened; the token.
    Confirm(String),
    /// Confirmed.
    Confirmed,
    /// The link is used up.
    Gone,
    /// The link to leave was opened; the token.
    Leave(String),
    /// Left.
    Left,
}

impl StatusPage {
    fn heading(&self) -> Key {
        if self.current.is_empty() {
            Key("status-all-well")
        } else {
            Key("status-something")
        }
    }
}

impl StatusIncidentPage {
    fn heading(&self) -> String {
        if self.row.headline.is_empty() {
            self.frame.say("status-statement")
        } else {
            self.row.headline.clone()
        }
    }
}

/// How a phase reads.
pub fn phase_key(phase: &Phase) -> Key {
    match phase {
        Phase::Looking => Key("status-looking"),
        Phase::Found => Key("status-found"),
        Phase::Watching => Key("status-watching"),
        Phase::Over => Key("status-over"),
    }
}

impl SubscriptionPage {
    fn heading(&self) -> String {
        self.frame.say(match self.state {
            SubscriptionState::Asked => Key("status-asked-heading"),
            SubscriptionState::Confirm(_) => Key("status-confirm-heading"),
            SubscriptionState::Confirmed => Key("status-confirmed-heading"),
            SubscriptionState::Gone => Key("status-gone-heading"),
            SubscriptionState::Leave(_) => Key("status-leave-heading"),
            SubscriptionState::Left => Key("status-left-heading"),
        })
    }
}

fn sample_frame(language: Language, here: &str) -> CustomerFrame {
    let mut frame = customer(language);
    frame.here = here.into();
    frame.reference = None;
    frame.case = None;
    frame.can_stop = false;
    frame.works_until = None;
    frame.more_time = false;
    frame
}

fn sample_row(language: Language, phase: Phase) -> StatusRow {
    StatusRow {
        id: "IN-7F3K9Q".into(),
        headline: "Servers were erased without a request".into(),
        phase,
        updated: at("10:40"),
        text: "We have shut the door it came through, and look at every server it touched.".into(),
        next: (phase != Phase::Over).then(|| tomorrow_in(language)),
        overdue: false,
    }
}

impl Page for StatusPage {
    const NAME: &'static str = "status";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for StatusPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let page = |current: Vec<StatusRow>, past: Vec<StatusRow>| Self {
            frame: sample_frame(language, "/status"),
            current,
            past,
            address: String::new(),
            errors: Errors::default(),
        };
        let late = StatusRow {
            overdue: true,
            ..sample_row(language, Phase::Looking)
        };
        vec![
            (
                "well",
                page(Vec::new(), vec![sample_row(language, Phase::Over)]),
            ),
            ("empty", page(Vec::new(), Vec::new())),
            (
                "incident",
                page(vec![sample_row(language, Phase::Found)], Vec::new()),
            ),
            (
                "overdue",
                page(vec![late], vec![sample_row(language, Phase::Over)]),
            ),
            (
                "mistyped",
                Self {
                    address: "signe at halden".into(),
                    errors: Errors(vec![FieldError {
                        field: "address".into(),
                        message: language.say(Key("status-address-wrong")),
                    }]),
                    ..page(Vec::new(), Vec::new())
                },
            ),
        ]
    }
}

impl Page for StatusIncidentPage {
    const NAME: &'static str = "status-incident";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for StatusIncidentPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let update = |number, phase| StatusUpdate {
            number,
            at: at("10:40"),
            phase,
            headline: "Servers were erased without a request".into(),
            text: "We have shut the door it came through.".into(),
        };
        let statement = |version| {
            StatusStatement {
            version,
            at: at("12:00"),
            text: vec![
                "At 09:58 UTC on 23 November 2026 we erased the servers of two customers. We are sorry.".into(),
                "An old door of our panel was open. It is shut.".into(),
            ],
            digest: super::samples::DIGEST.into(),
        }
        };
        let page = |row, updates, statements| Self {
            frame: sample_frame(language, "/status/IN-7F3K9Q"),
            row,
            updates,
            statements,
        };
        let unnamed = StatusRow {
            headline: String::new(),
            text: String::new(),
            next: None,
            ..sample_row(language, Phase::Found)
        };
        vec![
            (
                "current",
                page(
                    sample_row(language, Phase::Found),
                    vec![update(2, Phase::Found), update(1, Phase::Looking)],
                    Vec::new(),
                ),
            ),
            (
                "corrected",
                page(
                    sample_row(language, Phase::Over),
                    vec![update(1, Phase::Over)],
                    vec![statement(2), statement(1)],
                ),
            ),
            ("statement", page(unnamed, Vec::new(), vec![statement(1)])),
        ]
    }
}

impl Page for SubscriptionPage {
    const NAME: &'static str = "status-mail";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for SubscriptionPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        let page = |state| Self {
            frame: sample_frame(language, "/status"),
            state,
        };
        let token = || "cs_status_x".to_owned();
        vec![
            ("asked", page(SubscriptionState::Asked)),
            ("confirm", page(SubscriptionState::Confirm(token()))),
            ("confirmed", page(SubscriptionState::Confirmed)),
            ("gone", page(SubscriptionState::Gone)),
            ("leave", page(SubscriptionState::Leave(token()))),
            ("left", page(SubscriptionState::Left)),
        ]
    }
}
