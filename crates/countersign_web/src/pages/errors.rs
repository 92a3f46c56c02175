//! When something did not work: what happened, why, one way on, a reference.

use super::frame::{CustomerFrame, StaffFrame};
use super::parts::When;

/// An error in the frame of staff and public pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffErrorPage {
    /// Frame; nobody signed in is fine.
    pub frame: StaffFrame,
    /// What happened.
    pub problem: Problem,
    /// For the log: `7Q4M-22`.
    pub reference: Option<String>,
}

/// An error in the frame of customer pages.
#[derive(Debug, Clone, PartialEq, Eq)]
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
