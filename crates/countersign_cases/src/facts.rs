//! What is known about a customer at the moment of a decision.
//!
//! Gathered by the shell just before each decision, so that requirements are
//! always evaluated against the present, also at the moment of the grant.

use std::collections::BTreeMap;

use countersign_language::{BackupGrade, HoldingId, ProofId};
use serde::{Deserialize, Serialize};

use crate::CaseId;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This many seconds later, saturating.
    #[must_use]
    pub fn plus_seconds(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX / 1_000).saturating_mul(1_000)))
    }

    /// Whole seconds since `earlier`; zero if `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0) / 1_000).unwrap_or(0)
    }
}

/// The time of a decision and what is known then.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The time.
    pub now: Timestamp,
    /// What is known.
    pub facts: &'a Facts,
}

/// What is known about one customer, in terms of the procedure the case was opened under.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Each holding the customer has, with when it last changed. A holding not listed is not held.
    pub holdings: Vec<HoldingFact>,
    /// Contacts live now or removed within [`NOTICE_REACH_SECONDS`].
    pub contacts: Vec<ContactFact>,
    /// Attributes of the customer, for `when customer.…` lines.
    pub attributes: BTreeMap<String, String>,
    /// Backup attestations for this customer, newest first.
    pub backups: Vec<BackupFact>,
    /// Proofs locked after too many wrong answers, across cases, agents and surfaces.
    pub locked: Vec<LockFact>,
    /// Earlier refusals and stops of the same request (customer, action, parameters) still cooling or recent, newest first.
    pub earlier: Vec<EarlierRefusal>,
    /// A case for the same customer and action that is not finished (an unknown outcome counts as not finished), other than this one.
    pub open_case: Option<CaseId>,
    /// When grants of this action were made for this customer, newest first.
    pub runs_for_customer: Vec<Timestamp>,
    /// When grants of this action were made in cases opened by this case's opener, newest first.
    pub runs_by_opener: Vec<Timestamp>,
}

/// A notice goes to contacts that were live within this many seconds: 30 days.
pub const NOTICE_REACH_SECONDS: u64 = 30 * 86_400;

/// A holding the customer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldingFact {
    /// Which.
    pub holding: HoldingId,
    /// When it last changed; `None` if it never did since it was first recorded.
    pub changed_at: Option<Timestamp>,
}

/// A contact of the customer: where a notice can go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactFact {
    /// Opaque id; the address itself stays in the shell.
    pub id: ContactId,
    /// The channel it serves.
    pub channel: HoldingId,
    /// When it replaced another; `None` for the first of its channel.
    pub changed_at: Option<Timestamp>,
    /// When it was removed; `None` while it is live.
    pub removed_at: Option<Timestamp>,
}

/// Opaque id of a contact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContactId(pub String);

/// A machine's word that a backup exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupFact {
    /// How much was checked.
    pub grade: BackupGrade,
    /// Where it is.
    pub place: String,
    /// When it was made.
    pub at: Timestamp,
}

/// A proof that may not be tried for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockFact {
    /// Which.
    pub proof: ProofId,
    /// Until when.
    pub until: Timestamp,
}

/// A refusal or stop of the same request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierRefusal {
    /// In which case.
    pub case: CaseId,
    /// When.
    pub at: Timestamp,
    /// True for a stop, false for a colleague's refusal.
    pub stopped: bool,
    /// Until when the same request stays closed.
    pub closed_until: Timestamp,
}
