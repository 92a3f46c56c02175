//! What people and machines ask of a case.

use std::collections::BTreeMap;

use countersign_language::{ProofId, RoleId};
use serde::{Deserialize, Serialize};

use crate::{CaseId, ContactId, CustomerId, Digest, Evidence, Mark, MarkSalt, PersonId};

/// One thing asked of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Open it; only for [`crate::Case::none`].
    Open(Opening),
    /// The customer's one-time link was used by its first POST ("Yes, I asked for this").
    UseLink,
    /// The customer proved something, on the customer's own page, for this digest.
    Prove {
        /// What.
        proof: ProofId,
        /// The digest the proof was made for.
        digest: Digest,
        /// What can be kept of it (an assertion, or nothing).
        evidence: Evidence,
    },
    /// The customer confirms the sentence: always the customer's last step.
    Confirm {
        /// The digest of the words that were read.
        digest: Digest,
    },
    /// The opener gives their word for a `confirms` line; where a path has such lines of two roles, a
    /// colleague gives theirs for the other.
    Vouch {
        /// Who.
        by: StaffMember,
        /// The words of the line.
        text: String,
    },
    /// A colleague signs.
    SignOff {
        /// Who.
        by: StaffMember,
        /// The digest their passkey signed.
        digest: Digest,
        /// The assertion.
        evidence: Evidence,
    },
    /// A colleague refuses.
    Refuse {
        /// Who.
        by: StaffMember,
        /// Why; 10 to 500 characters.
        reason: String,
    },
    /// The customer, or anyone notified, stops it.
    Stop {
        /// Who.
        by: Stopper,
        /// Their words, if any.
        reason: Option<String>,
    },
    /// The opener takes it back.
    Withdraw {
        /// Who; the opener or the customer.
        by: Actor,
    },
    /// A notice reached, or finally could not reach, a contact.
    Notified {
        /// Which contact.
        contact: ContactId,
        /// Handed over, or refused for good.
        handed_over: bool,
    },
    /// Time passed: a wait may be over, the case may have expired.
    Tick,
    /// Grant it now. The only command whose decision carries a [`crate::Permit`].
    Run {
        /// Who says so; the gate itself where the case runs by itself.
        by: Actor,
        /// 128 random bits that name the grant.
        grant: GrantId,
        /// What opens the case's mark as that of a case; `None` for a case without one.
        salt: Option<MarkSalt>,
    },
    /// The grant is about to be handed to the backend; after this a stop is too late.
    HandOver,
    /// What the backend answered, or what asking it later showed.
    Conclude(Outcome),
}

/// A request to run one action with fixed parameters for one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Its id.
    pub case: CaseId,
    /// For whom.
    pub customer: CustomerId,
    /// Name of the action.
    pub action: String,
    /// Value by parameter name; exactly the action's parameters.
    pub parameters: BTreeMap<String, String>,
    /// Who opens it.
    pub by: Actor,
    /// Why, in the opener's words; data, never a condition.
    pub reason: Option<String>,
    /// Ticket or chat reference; data, never a condition.
    pub reference: Option<String>,
    /// 128 random bits.
    pub nonce: [u8; 16],
    /// What says, to whoever holds its salt, whether this is a case or a drill.
    pub mark: Mark,
}

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The customer, on the customer's page or through the company's own panel.
    Customer,
    /// A member of staff, or a robot with a staff role.
    Staff(StaffMember),
    /// The gate itself, when time or completeness says so.
    Gate,
}

/// A signed-in member of staff. Roles are those of the procedure the case was opened under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffMember {
    /// The human being; two accounts of one person share it.
    pub person: PersonId,
    /// Name as colleagues and customers read it.
    pub name: String,
    /// Roles held.
    pub roles: Vec<RoleId>,
    /// True if this person is the customer the case concerns, or is tied to them.
    pub concerned: bool,
    /// True for a program; a program never signs and never vouches.
    pub robot: bool,
}

/// Who stopped a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopper {
    /// The customer on their page.
    Customer,
    /// Whoever holds the stop link sent to this contact.
    Contact(ContactId),
}

/// What became of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The backend did it.
    Done,
    /// The backend refused or failed, and says nothing changed.
    Failed {
        /// The backend's reason code.
        reason: String,
    },
    /// No answer: it may or may not have happened.
    Unknown,
}

/// 128 random bits that name a grant (its `jti`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GrantId(pub [u8; 16]);
