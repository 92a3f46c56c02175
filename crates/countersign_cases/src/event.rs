//! What happened to a case. Stored for ever, so fields are only ever added.

use std::collections::BTreeMap;

use countersign_language::{ActionId, PathId, ProofId};
use serde::{Deserialize, Serialize};

use crate::{
    Actor, CaseId, ContactId, CustomerId, Digest, DrillPlan, EarlierRefusal, GrantId, Mark,
    MarkSalt, Outcome, StaffMember, Stopper, Timestamp,
};

/// One thing that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventKind {
    /// The case began.
    Opened {
        /// Its id.
        case: CaseId,
        /// For whom.
        customer: CustomerId,
        /// Name of the action.
        action: String,
        /// Its position in that version of the procedure, so that it need not be searched for.
        action_index: ActionId,
        /// Value by parameter name.
        parameters: BTreeMap<String, String>,
        /// Hexadecimal version of the procedure it was opened under.
        procedure: String,
        /// 128 random bits, hexadecimal.
        nonce: String,
        /// What everything about this case is bound to.
        digest: Digest,
        /// The sentence people see and sign, character for character.
        sentence: String,
        /// Who opened it.
        by: Actor,
        /// Why, in the opener's words.
        reason: Option<String>,
        /// Ticket or chat reference.
        reference: Option<String>,
        /// When it runs out.
        expires_at: Timestamp,
        /// Earlier refusals of the same request that the next person must see.
        earlier: Vec<EarlierRefusal>,
        /// Whether it is a case or a drill, to whoever holds the salt; `None` for a case from before there were drills.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mark: Option<Mark>,
    },
    /// The customer's link was used.
    LinkUsed,
    /// The customer proved something.
    Proved {
        /// What.
        proof: ProofId,
        /// What can be kept of it.
        evidence: Evidence,
    },
    /// The customer confirmed the sentence.
    Confirmed,
    /// The opener, or a colleague beside them, gave their word.
    Vouched {
        /// Who.
        by: StaffMember,
        /// For what.
        text: String,
    },
    /// A colleague signed.
    SignedOff {
        /// Who.
        by: StaffMember,
        /// Their assertion over the digest.
        evidence: Evidence,
    },
    /// A colleague refused: the end.
    Refused {
        /// Who.
        by: StaffMember,
        /// Why.
        reason: String,
        /// Until when the same request stays closed.
        closed_until: Timestamp,
    },
    /// Everything else of this path holds; these contacts are to be told.
    NoticesDue {
        /// For which path.
        path: PathId,
        /// Whom: those not asked for before in this case. The shell sends a notice to each.
        contacts: Vec<ContactId>,
        /// Contacts this path needs as well that an earlier `notices_due` of this case already named.
        named_before: Vec<ContactId>,
        /// Those of both lists that had not changed lately: at least one of them must be reached.
        settled: Vec<ContactId>,
    },
    /// A contact was told, or finally could not be.
    Notified {
        /// Whom.
        contact: ContactId,
        /// Handed over, or refused for good.
        handed_over: bool,
    },
    /// A wait began: every notice of the path was handed over.
    WaitStarted {
        /// Of which path.
        path: PathId,
        /// When it will be over.
        until: Timestamp,
        /// When the case now runs out: never before the wait is over and there was time to run it.
        expires_at: Timestamp,
    },
    /// What the wait was earned with no longer holds: the time counts for nothing.
    WaitVoid {
        /// Of which path.
        path: PathId,
    },
    /// A path is complete.
    Ready {
        /// Which.
        path: PathId,
        /// True where nobody needs to say "run": the customer opened it, or it waited.
        runs_by_itself: bool,
    },
    /// A requirement no longer holds; the case is open again.
    NoLongerReady {
        /// Which path.
        path: PathId,
    },
    /// A grant was made from a permit.
    Granted {
        /// By which path.
        path: PathId,
        /// Who said so.
        by: Actor,
        /// The grant's id.
        grant: GrantId,
    },
    /// The grant is being handed to the backend.
    HandedOver,
    /// What became of it. After `unknown`, one more `concluded` may follow.
    Concluded {
        /// What.
        outcome: Outcome,
    },
    /// It was stopped: the end.
    Stopped {
        /// By whom.
        by: Stopper,
        /// Their words.
        reason: Option<String>,
        /// Until when the same request stays closed.
        closed_until: Timestamp,
    },
    /// Somebody tried to stop it when it was too late; recorded all the same.
    StopCameTooLate {
        /// Who.
        by: Stopper,
        /// Their words.
        reason: Option<String>,
    },
    /// The opener took it back: the end.
    Withdrawn {
        /// Who.
        by: Actor,
    },
    /// It ran out: the end.
    Expired,
    /// It was a drill, and those who were asked are told.
    DrillTold {
        /// Opens the mark it was opened with.
        salt: MarkSalt,
        /// What that mark committed to.
        plan: DrillPlan,
    },
}

/// What can be kept of a proof or signature so that anyone can check it later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Nothing beyond the fact: a PIN, password or code leaves no trace worth keeping.
    None,
    /// A WebAuthn assertion whose challenge is the digest. All fields base64url without padding.
    Assertion {
        /// Which credential.
        credential: String,
        /// Its public key, COSE.
        public_key: String,
        /// `clientDataJSON`
        client_data: String,
        /// `authenticatorData`
        authenticator_data: String,
        /// The signature.
        signature: String,
    },
    /// The company's own checker answered (`using webhook`); who holds its answer recognises it by these.
    Checked {
        /// Which checker.
        checker: String,
        /// `webhook-id` of the message that carried the answer.
        id: String,
        /// SHA-256 of its body.
        body: Digest,
    },
}

impl Evidence {
    /// True for a signed assertion.
    pub fn is_assertion(&self) -> bool {
        matches!(self, Self::Assertion { .. })
    }
}
