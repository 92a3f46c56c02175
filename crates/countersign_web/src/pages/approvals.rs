//! Approvals: the queue of cases that need a signature, one of them, and declining it.

use super::frame::StaffFrame;
use super::parts::{Act, Errors, Fact, Live, Pill, Risk, When};
use crate::words::Words;

/// `GET /approvals?show=me|cannot|decided`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalsPage {
    /// Frame.
    pub frame: StaffFrame,
    /// Which tab.
    pub tab: ApprovalsTab,
    /// How many in each tab, in the order of [`ApprovalsTab::ALL`].
    pub counts: [u32; 3],
    /// Critical first, then the oldest.
    pub rows: Vec<ApprovalRow>,
    /// Cases that came since the page was rendered.
    pub new_since: u32,
    /// Moves on by itself.
    pub live: Option<Live>,
}

/// Tabs of the approvals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalsTab {
    /// This person can sign.
    ForMe,
    /// This person cannot, and why.
    CannotSign,
    /// Decided; kept for ever.
    Decided,
}

impl ApprovalsTab {
    /// In the order shown.
    pub const ALL: [Self; 3] = [Self::ForMe, Self::CannotSign, Self::Decided];
}

/// One case that needs, or had, a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRow {
    /// The case's id; the page is `/approvals/{id}`.
    pub id: String,
    /// Waiting, or decided, since.
    pub since: When,
    /// The words, whole.
    pub words: Words,
    /// How much it can hurt.
    pub risk: Option<Risk>,
    /// Who asked.
    pub asked_by: String,
    /// What will still be missing after this signature: `nothing`, `one more senior`, `24 h wait`.
    pub missing_after: String,
    /// Customer, masked where nothing is proven.
    pub customer: String,
    /// In the tab "Cannot sign": why. In "Decided": by whom and the reason.
    pub remark: Option<String>,
    /// In "Decided": how it stands.
    pub pill: Option<Pill>,
}

/// `GET /approvals/{id}`. Passkey: JSON `POST /approvals/{id}/sign/start` and `/sign/finish`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalPage {
    /// Frame.
    pub frame: StaffFrame,
    /// The case's id.
    pub id: String,
    /// The words.
    pub act: Act,
    /// Who asked: name.
    pub asked_by: String,
    /// Their reason, as typed.
    pub reason: String,
    /// Ticket or chat.
    pub reference: Option<String>,
    /// When.
    pub asked_at: When,
    /// What was proven: label and when, how.
    pub proven: Vec<Fact>,
    /// What was not proven, though the procedure has it in another way: `Account password`, `Passkey`.
    pub not_proven: Vec<String>,
    /// What speaks against it: earlier refusals, fresh changes, look-alikes. May be empty.
    pub against: Vec<String>,
    /// What was looked for: `recent refusal, recent change, look-alike address`.
    pub looked_for: String,
    /// Earlier cases of this account: `14 Sep: Reset a password (done)`.
    pub history: Vec<String>,
    /// What happens after signing, in order.
    pub after: Vec<String>,
    /// What this person can do.
    pub state: ApprovalState,
}

/// What a colleague can do with a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApprovalState {
    /// Sign or decline.
    Sign {
        /// Ask for the last four characters of this parameter (its label), for critical actions.
        type_last_four_of: Option<String>,
        /// Why the last try did not work.
        problem: Option<SignProblem>,
    },
    /// Somebody else must: the reason, and who can.
    Cannot {
        /// `You opened this case.`
        why: String,
        /// `This needs a senior support agent. On shift: Petra.`
        who_can: Option<String>,
    },
    /// No passkey to sign with yet.
    NoPasskey,
    /// This person has just signed.
    Signed {
        /// `Nothing is missing any more.`, `One more senior is needed.`
        still: String,
        /// The next case to decide.
        next: Option<String>,
    },
    /// Decided before: by whom, with what words.
    Declined {
        /// Who.
        by: String,
        /// When.
        at: When,
        /// Why.
        reason: String,
    },
    /// Enough people signed.
    Complete {
        /// Who.
        by: Vec<String>,
        /// When the last one did.
        at: When,
    },
    /// The customer stopped it.
    Stopped(When),
    /// The opener took it back.
    Withdrawn(When),
    /// It ran out.
    Expired(When),
}

/// Why signing did not work. Nothing was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignProblem {
    /// The prompt was closed.
    Cancelled,
    /// Not a passkey of this person.
    NotYours,
    /// The four characters are wrong.
    LastFour,
    /// Anything else.
    Failed,
}

/// `GET` and failed `POST /approvals/{id}/decline`; posts `reason`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclinePage {
    /// Frame.
    pub frame: StaffFrame,
    /// The case's id.
    pub id: String,
    /// The words.
    pub act: Act,
    /// The action in lower case, after "Decline: ".
    pub verb: String,
    /// What was typed.
    pub reason: String,
    /// For how long the same request then stays closed: `24 hours`.
    pub closed_for: String,
    /// What was wrong (`reason`).
    pub errors: Errors,
}
