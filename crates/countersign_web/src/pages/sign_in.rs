//! Getting in: sign-in, and the invitation by which a new colleague registers the first passkey.

use super::frame::StaffFrame;
use super::parts::When;

/// `GET /sign-in`. Passkey: JSON `POST /sign-in/start` and `/sign-in/finish`.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// People to be in the demonstration: posts `person` to `/sign-in/demo`.
    pub demo: Vec<DemoPerson>,
}

/// A link to the company's own sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanySignIn {
    /// `Nordhamn`
    pub name: String,
    /// A plain GET link.
    pub href: String,
}

/// Somebody one may be in the demonstration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoPerson {
    /// Value of the field `person`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Role.
    pub role: String,
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
}

/// `GET /invitation/{token}` → 303 `/invitation`. Passkey: JSON `POST /invitation/start` and `/invitation/finish`.
#[derive(Debug, Clone, PartialEq, Eq)]
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
