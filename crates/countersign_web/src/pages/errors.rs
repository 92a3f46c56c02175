//! When something did not work: what happened, why, one way on, a reference.

use askama::Template;
use countersign_service::Language;
use countersign_service::speech::Key;

use super::frame::{Banner, CustomerFrame, StaffFrame};
use super::icon::Icon;
use super::page::{Page, Spoken};
use super::parts::When;
use super::samples::{agent, at, customer, nobody};
use crate::words::{Machine, Typed};

/// An error in the frame of staff and public pages.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "error.html")]
pub struct StaffErrorPage {
    /// Frame; nobody signed in is fine.
    pub frame: StaffFrame,
    /// What happened.
    pub problem: Problem,
    /// For the log: `7Q4M-22`.
    pub reference: Option<String>,
}

/// An error in the frame of customer pages.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "link-error.html")]
pub struct CustomerErrorPage {
    /// Frame.
    pub frame: CustomerFrame,
    /// What happened.
    pub problem: Problem,
    /// For the log: `7Q4M-22`.
    pub reference: Option<String>,
}

/// What happened (UX 10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// 400: the form was posted from another site.
    Elsewhere,
    /// 400, 413, 415, 422 outside a form: the request cannot be read.
    Unreadable,
    /// 401.
    SignIn {
        /// Comes back to here.
        next: String,
    },
    /// 403: which role it needs, and which one has.
    Role {
        /// `Senior`
        needs: String,
        /// `Agent`
        have: String,
    },
    /// 404.
    Nothing,
    /// 409: somebody changed it meanwhile; where the new one is.
    Changed {
        /// The new one.
        href: String,
    },
    /// 410: the link is used up or has run out.
    Gone,
    /// 429.
    TooMany(When),
    /// 500, and it is known that nothing was changed.
    NotDone,
    /// 500, and it is not known.
    NotCertain {
        /// Where one can see.
        check: String,
    },
    /// 503.
    Busy,
}

impl Problem {
    pub(super) fn heading(&self) -> &'static str {
        match self {
            Self::Elsewhere => "This form came from somewhere else",
            Self::Unreadable => "This could not be read",
            Self::SignIn { .. } => "Sign in to go on",
            Self::Role { .. } => "You cannot open this",
            Self::Nothing => "There is nothing here",
            Self::Changed { .. } => "This changed while you were looking",
            Self::Gone => "This link is used up",
            Self::TooMany(_) => "Too many tries",
            Self::NotDone | Self::NotCertain { .. } => "This did not work",
            Self::Busy => "Back in a moment",
        }
    }

    /// The heading, for customers.
    fn key(&self) -> Key {
        match self {
            Self::Elsewhere => Key("problem-elsewhere"),
            Self::Unreadable => Key("problem-unreadable"),
            // Customers have no accounts and no roles here.
            Self::Nothing | Self::SignIn { .. } | Self::Role { .. } => Key("problem-nothing"),
            Self::Changed { .. } => Key("problem-changed"),
            Self::Gone => Key("problem-gone"),
            Self::TooMany(_) => Key("problem-too-many"),
            Self::NotDone | Self::NotCertain { .. } => Key("problem-not-done"),
            Self::Busy => Key("problem-busy"),
        }
    }

    /// The sentence under it, for customers.
    fn text_key(&self) -> Key {
        match self {
            Self::Elsewhere => Key("problem-elsewhere-text"),
            Self::Unreadable => Key("problem-unreadable-text"),
            Self::Nothing | Self::SignIn { .. } | Self::Role { .. } => Key("problem-nothing-text"),
            Self::Changed { .. } => Key("problem-changed-text"),
            Self::Gone => Key("problem-gone-text"),
            Self::TooMany(_) => Key("problem-too-many-text"),
            Self::NotDone => Key("problem-not-done-text"),
            Self::NotCertain { .. } => Key("problem-not-certain-text"),
            Self::Busy => Key("problem-busy-text"),
        }
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

pub(super) fn problems() -> Vec<(&'static str, Problem)> {
    vec![
        ("elsewhere", Problem::Elsewhere),
        ("unreadable", Problem::Unreadable),
        ("nothing", Problem::Nothing),
        (
            "changed",
            Problem::Changed {
                href: "/cases/CS-7F3K9Q".into(),
            },
        ),
        ("gone", Problem::Gone),
        ("too-many", Problem::TooMany(at("10:52"))),
        ("not-done", Problem::NotDone),
        (
            "not-certain",
            Problem::NotCertain {
                check: "/cases/CS-7F3K9Q".into(),
            },
        ),
        ("busy", Problem::Busy),
    ]
}

impl Page for StaffErrorPage {
    const NAME: &'static str = "error";

    fn samples() -> Vec<(&'static str, Self)> {
        let reference = Some("7Q4M-22".to_owned());
        let mut pages: Vec<_> = problems()
            .into_iter()
            .map(|(state, problem)| {
                (
                    state,
                    Self {
                        frame: agent(None, "/desk"),
                        problem,
                        reference: reference.clone(),
                    },
                )
            })
            .collect();
        pages.push((
            "role",
            Self {
                frame: agent(None, "/approvals"),
                problem: Problem::Role {
                    needs: "Senior".into(),
                    have: "Agent".into(),
                },
                reference: None,
            },
        ));
        pages.push((
            "sign-in",
            Self {
                frame: nobody("/desk"),
                problem: Problem::SignIn {
                    next: "/cases/CS-7F3K9Q?a=b&c".into(),
                },
                reference: None,
            },
        ));
        pages
    }
}

impl Page for CustomerErrorPage {
    const NAME: &'static str = "customer-error";

    fn samples() -> Vec<(&'static str, Self)> {
        Self::samples_in(Language::English)
    }
}

impl Spoken for CustomerErrorPage {
    fn samples_in(language: Language) -> Vec<(&'static str, Self)> {
        problems()
            .into_iter()
            .map(|(state, problem)| {
                (
                    state,
                    Self {
                        frame: customer(language),
                        problem,
                        reference: Some("7Q4M-22".into()),
                    },
                )
            })
            .collect()
    }
}
