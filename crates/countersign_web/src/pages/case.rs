//! The case desk, the main page; and running a case.

use super::frame::StaffFrame;
use super::parts::{Act, Button, Checklist, Fact, Live, LogLine, Notice, Pill, When};

/// `GET /cases/{id}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CasePage {
    /// Frame.
    pub frame: StaffFrame,
    /// `CS-7F3K9Q`
    pub id: String,
    /// Short form of the action with the customer: `Reinstall a server of Halden Freight`.
    pub title: String,
    /// When it was opened.
    pub opened: When,
    /// Until when it can be finished.
    pub expires: Option<When>,
    /// How it stands.
    pub pill: Pill,
    /// Moves on by itself; `None` once it is finished.
    pub live: Option<Live>,
    /// The words.
    pub act: Act,
    /// How it ended, or what stands in the way.
    pub notice: Option<Notice>,
    /// What is still missing.
    pub checklist: Checklist,
    /// `4 still missing.`; bold in the bar.
    pub bar_count: String,
    /// `Next: Customer proves a passkey or an authenticator code.`
    pub bar_next: String,
    /// Left button of the bar.
    pub secondary: Option<Button>,
    /// Right button of the bar: the one primary action.
    pub primary: Option<Button>,
    /// The customer, masked until something was proven.
    pub customer: CustomerCard,
    /// The link that was just made; only ever shown to who made it.
    pub link: Option<CustomerLink>,
    /// Two digits to read out to a customer reached outside the chat.
    pub number: Option<String>,
    /// What to say.
    pub say: Option<SayThis>,
    /// Refusals of the same request before this case: `CS-7F2Q was stopped by the customer at 10:19.`
    pub earlier: Vec<String>,
    /// Newest first, at most 12.
    pub log: Vec<LogLine>,
    /// Who else is looking: names.
    pub also_here: Vec<String>,
    /// The opener may take it back (posts to `/cases/{id}/withdraw`).
    pub can_withdraw: bool,
}

/// The customer as the desk shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerCard {
    /// Their page.
    pub href: Option<String>,
    /// Facts.
    pub facts: Vec<Fact>,
    /// Names and addresses are still masked.
    pub masked: bool,
}

/// The customer's one-time link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerLink {
    /// The whole address.
    pub url: String,
    /// Until when it works.
    pub until: When,
}

/// The sentence to paste into the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SayThis {
    /// Before or after sending the link.
    OpenTheLink,
    /// After a refusal or a wrong proof.
    NoWayAround,
    /// While it waits.
    Waits,
    /// When it is done.
    Finished,
}

/// `GET /cases/{id}/run`; posts to the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPage {
    /// Frame.
    pub frame: StaffFrame,
    /// `CS-7F3K9Q`
    pub id: String,
    /// The words.
    pub act: Act,
    /// The action in lower case, after "Run: ": `reinstall a server`.
    pub verb: String,
    /// How it stands.
    pub state: RunState,
}

/// Before and after pressing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// To be confirmed.
    Ask {
        /// What was proven and by whom: `Support PIN`, `proven by the customer, 10:33:41`.
        proven: Vec<Fact>,
        /// `Takes effect now.`
        effect: String,
    },
    /// Handed over; no answer yet.
    Running,
    /// Done.
    Done {
        /// When.
        at: When,
        /// What happens next, who is told.
        next: Vec<String>,
    },
    /// It runs later.
    Waits {
        /// Until when.
        until: When,
        /// What happens next, who is told.
        next: Vec<String>,
    },
    /// No answer.
    Unknown,
    /// The backend said no; its reason code.
    Failed(String),
    /// Something is missing (again): a sentence.
    NotReady(String),
}
