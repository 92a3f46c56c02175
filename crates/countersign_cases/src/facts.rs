//! What is known about a customer at the moment of a decision.
//!
//! Gathered by the shell just before each decision, so that requirements are
//! always evaluated against the present, also at the moment of the grant.

use std::{collections::BTreeMap, fmt};

use countersign_language::{BackupGrade, HoldingId, ProofId};
use serde::{Deserialize, Serialize};

use crate::CaseId;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This many seconds later, saturating.
    #[must_use]
    pub fn plus_seconds(self, seconds: u64) -> Self {
        Self(
            self.0.saturating_add(
                i64::try_from(seconds)
                    .unwrap_or(i64::MAX / 1_000)
                    .saturating_mul(1_000),
            ),
        )
    }

    /// Whole seconds since `earlier`; zero if `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0) / 1_000).unwrap_or(0)
    }
}

impl fmt::Display for Timestamp {
    /// `2026-11-23 10:45 UTC`, for refusals; pages render times themselves.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0.div_euclid(60_000);
        let (days, minute) = (minutes.div_euclid(1_440), minutes.rem_euclid(1_440));
        let (year, month, day) = civil(days);
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {:02}:{:02} UTC",
            minute / 60,
            minute % 60
        )
    }
}

/// Year, month and day of this many days since 1970-01-01, in the proleptic Gregorian calendar.
/// Eras of 400 years begin on 1 March, so that the leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
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
    /// Wrong answers so far, for the words on the page; [`Facts::locked`] alone decides.
    pub tries: Vec<TriesFact>,
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

/// How many answers to a proof are left before it locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TriesFact {
    /// Which.
    pub proof: ProofId,
    /// Answers left.
    pub left: u32,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_dates() {
        let read = |ms: i64| Timestamp(ms).to_string();
        assert_eq!(read(0), "1970-01-01 00:00 UTC");
        assert_eq!(read(-1), "1969-12-31 23:59 UTC");
        assert_eq!(read(951_782_400_000), "2000-02-29 00:00 UTC");
        assert_eq!(read(951_868_800_000), "2000-03-01 00:00 UTC");
        assert_eq!(read(1_795_430_740_000), "2026-11-23 10:45 UTC");
        assert_eq!(read(4_107_542_399_000), "2100-02-28 23:59 UTC");
        assert_eq!(read(4_107_542_400_000), "2100-03-01 00:00 UTC");
        let _ = (read(i64::MAX), read(i64::MIN));
    }
}
