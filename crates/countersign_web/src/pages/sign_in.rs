//! Getting in: sign-in, and the invitation by which a new colleague registers the first passkey.

use askama::Template;

use super::frame::{Banner, StaffFrame};
use super::icon::Icon;
use super::page::Page;
use super::parts::When;
use super::samples::{at, nobody, on};
use crate::words::Typed;

/// `GET /sign-in`. Passkey: JSON `POST /sign-in/start` and `/sign-in/finish`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "sign-in.html")]
pub struct SignInPage {
    /// Nobody signed in.
    pub frame: StaffFrame,
    /// Whose gate: `Nordhamn Hosting`.
    pub organisation: String,
    /// `support.nordhamn.example`
    pub host: String,
    /// The company's own sign-in, if there is one.
    pub company: Option<CompanySignIn>,
    /// Path to go on to; hidden field `next`.
    pub next: String,
    /// Asks for the email first (for passkeys that are not discoverable).
    pub asks_email: bool,
    /// Why the last try did not work.
    pub problem: Option<SignInProblem>,
}

/// A link to the company's own sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanySignIn {
    /// `Nordhamn`
    pub name: String,
    /// A plain GET link.
    pub href: String,
}

/// Why signing in did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInProblem {
    /// The passkey prompt was closed.
    Cancelled,
    /// Not a passkey of this gate.
    Unknown,
    /// Not on shift; whom to ask.
    NotOnShift(String),
    /// Too many tries; when to try again.
    TooMany(When),
    /// The session ended; when.
    SignedOut(When),
    /// Signed out on purpose.
    Left,
    /// Signed in at the company, and has no account or no role here.
    NoAccount,
    /// The company's sign-in does not answer.
    CompanyAway,
    /// What the company's sign-in answered is not accepted.
    CompanyRefused,
}

/// `GET /invitation/{token}` → 303 `/invitation`. Passkey: JSON `POST /invitation/start` and `/invitation/finish`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "invitation.html")]
pub struct InvitationPage {
    /// Nobody signed in.
    pub frame: StaffFrame,
    /// Whose gate.
    pub organisation: String,
    /// `support.nordhamn.example`
    pub host: String,
    /// How it stands.
    pub state: InvitationState,
}

/// How an invitation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvitationState {
    /// To be accepted.
    Open {
        /// Who is invited.
        name: String,
        /// As what.
        role: String,
        /// Until when.
        until: When,
        /// The last try did not work.
        failed: bool,
    },
    /// Used, run out or never given: the same words.
    Gone,
}

impl SignInPage {
    fn is_error(&self) -> bool {
        matches!(
            self.problem,
            Some(
                SignInProblem::Cancelled
                    | SignInProblem::Unknown
                    | SignInProblem::NotOnShift(_)
                    | SignInProblem::TooMany(_)
                    | SignInProblem::NoAccount
                    | SignInProblem::CompanyAway
                    | SignInProblem::CompanyRefused
            )
        )
    }
}

impl InvitationPage {
    fn is_open(&self) -> bool {
        matches!(self.state, InvitationState::Open { .. })
    }

    fn is_error(&self) -> bool {
        matches!(self.state, InvitationState::Open { failed: true, .. })
    }
}

impl Page for SignInPage {
    const NAME: &'static str = "sign-in";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |problem| Self {
            frame: nobody("/sign-in"),
            organisation: "Nordhamn Hosting".into(),
            host: "support.nordhamn.example".into(),
            company: Some(CompanySignIn {
                name: "Nordhamn".into(),
                href: "/sign-in/company".into(),
            }),
            next: "/desk".into(),
            asks_email: false,
            problem,
        };
        vec![
            ("first", page(None)),
            (
                "passkey-only",
                Self {
                    company: None,
                    asks_email: true,
                    ..page(None)
                },
            ),
            ("cancelled", page(Some(SignInProblem::Cancelled))),
            ("unknown-passkey", page(Some(SignInProblem::Unknown))),
            (
                "not-on-shift",
                page(Some(SignInProblem::NotOnShift("Petra Holm".into()))),
            ),
            ("too-many", page(Some(SignInProblem::TooMany(at("10:52"))))),
            (
                "session-ended",
                page(Some(SignInProblem::SignedOut(at("18:00")))),
            ),
            ("signed-out", page(Some(SignInProblem::Left))),
            ("no-account", page(Some(SignInProblem::NoAccount))),
            ("company-away", page(Some(SignInProblem::CompanyAway))),
            ("company-refused", page(Some(SignInProblem::CompanyRefused))),
            (
                "demo",
                Self {
                    company: None,
                    frame: StaffFrame {
                        banner: Some(Banner::Demo("/".into())),
                        ..nobody("/sign-in")
                    },
                    ..page(None)
                },
            ),
        ]
    }
}

impl Page for InvitationPage {
    const NAME: &'static str = "invitation";

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |state| Self {
            frame: nobody("/invitation"),
            organisation: "Nordhamn Hosting".into(),
            host: "support.nordhamn.example".into(),
            state,
        };
        let open = |failed| InvitationState::Open {
            name: "Petra Holm".into(),
            role: "senior support agent".into(),
            until: on("2026-11-30T12:00:00+01:00", "30 Nov, 12:00"),
            failed,
        };
        vec![
            ("open", page(open(false))),
            ("failed", page(open(true))),
            ("gone", page(InvitationState::Gone)),
        ]
    }
}
