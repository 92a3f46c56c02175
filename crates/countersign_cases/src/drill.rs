//! What tells a drill from a case, to nobody who does not hold its salt.
//!
//! Every case is opened with a [`Mark`]: 32 bytes that look random. A case's mark commits to "this is a case", that of a
//! drill to "this is a drill", with what is planned; which of the two it is shows only with the salt. A permit needs the mark
//! opened as that of a case ([`Earnest`]), so a drill cannot be granted by anybody: there is no salt that opens its mark
//! so, and finding one is finding a second preimage of SHA-256. Afterwards the drill's own salt is told, and whoever reads
//! the record of the opening can check that it was a drill from its first moment, and that no case became one later.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Actor, Case, Digest, Event, EventKind, Timestamp};

/// What a case's mark is made of, before the salt. 24 bytes each, so that neither can be read as the other.
const CASE_DOMAIN: &[u8; 24] = b"countersign/mark/case/1\0";
const DRILL_DOMAIN: &[u8; 24] = b"countersign/mark/drill/1";

/// 32 random bytes that open a mark. Secret while the case runs.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MarkSalt(Digest);

impl MarkSalt {
    /// Of 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Digest(bytes))
    }
}

impl fmt::Debug for MarkSalt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MarkSalt(…)")
    }
}

/// SHA-256 over a domain, a [`MarkSalt`] and, for a drill, its [`DrillPlan`]: says nothing without the salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(Digest);

impl Mark {
    /// The mark of a case.
    pub fn of_case(salt: &MarkSalt) -> Self {
        Self::made(CASE_DOMAIN, salt, &[])
    }

    /// The mark of a drill: over the RFC 8785 canonical JSON of its plan.
    pub fn of_drill(salt: &MarkSalt, plan: &DrillPlan) -> Self {
        Self::made(DRILL_DOMAIN, salt, &plan.canonical())
    }

    fn made(domain: &[u8], salt: &MarkSalt, rest: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(domain);
        hash.update(salt.0.0);
        hash.update(rest);
        Self(Digest(hash.finalize().into()))
    }
}

/// What a drill's mark commits to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillPlan {
    /// Name of the scenario that was played.
    pub scenario: String,
    /// Id of the plan: who made it, and when, is an event of its own.
    pub plan: String,
}

impl DrillPlan {
    fn canonical(&self) -> Vec<u8> {
        let plan = serde_json::json!({ "plan": self.plan, "scenario": self.scenario });
        #[expect(
            clippy::expect_used,
            reason = "canonical JSON fails on numbers that are not finite, and there are no numbers here"
        )]
        serde_json_canonicalizer::to_vec(&plan).expect("strings have a canonical form")
    }
}

/// The witness that a case is no drill. A [`crate::Permit`] is made of one and of nothing else.
///
/// Made only by opening the case's own mark. It cannot be built:
///
/// ```compile_fail,E0423
/// fn forge() -> countersign_cases::Earnest {
///     countersign_cases::Earnest(())
/// }
/// ```
///
/// nor had from the witness of the opposite:
///
/// ```compile_fail,E0277
/// fn turn(drill: countersign_cases::Drill) -> countersign_cases::Earnest {
///     drill.into()
/// }
/// ```
///
/// and a drill has no way to a permit:
///
/// ```compile_fail,E0277
/// fn grant(drill: countersign_cases::Drill) -> countersign_cases::Permit {
///     drill.into()
/// }
/// ```
#[derive(Debug)]
pub struct Earnest(());

impl Earnest {
    /// Opens the mark of a case as that of a case. A case stored before there were marks has none, and is no drill.
    pub fn of(case: &Case, salt: Option<&MarkSalt>) -> Option<Self> {
        let opened = case.opened()?;
        let earnest = match (&opened.mark, salt) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(mark), Some(salt)) => *mark == Mark::of_case(salt),
        };
        earnest.then_some(Self(()))
    }
}

/// The witness that a case was a drill from its first moment.
#[derive(Debug)]
pub struct Drill<'a> {
    case: &'a Case,
    salt: MarkSalt,
    plan: DrillPlan,
}

impl<'a> Drill<'a> {
    /// Opens the mark of a case as that of a drill.
    pub fn of(case: &'a Case, salt: MarkSalt, plan: DrillPlan) -> Option<Self> {
        let mark = case.opened()?.mark?;
        (mark == Mark::of_drill(&salt, &plan)).then_some(Self { case, salt, plan })
    }

    /// What says so: the case is taken back if nobody ended it, and its mark is opened for all to check. Nothing, where it was told before.
    pub fn told(self, now: Timestamp) -> Vec<Event> {
        if self.case.drill().is_some() {
            return Vec::new();
        }
        let taken_back = self
            .case
            .state()
            .is_live()
            .then_some(EventKind::Withdrawn { by: Actor::Gate });
        let told = EventKind::DrillTold {
            salt: self.salt,
            plan: self.plan,
        };
        taken_back
            .into_iter()
            .chain([told])
            .map(|kind| Event { at: now, kind })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mark_is_both() {
        let plan = DrillPlan {
            scenario: "hurried_caller".to_owned(),
            plan: "p1".to_owned(),
        };
        let other = DrillPlan {
            plan: "p2".to_owned(),
            ..plan.clone()
        };
        let (salt, another) = (MarkSalt::new([7; 32]), MarkSalt::new([8; 32]));
        let all = [
            Mark::of_case(&salt),
            Mark::of_case(&another),
            Mark::of_drill(&salt, &plan),
            Mark::of_drill(&salt, &other),
            Mark::of_drill(&another, &plan),
        ];
        for (at, mark) in all.iter().enumerate() {
            assert!(all.iter().skip(at + 1).all(|later| later != mark));
        }
        assert_eq!(format!("{salt:?}"), "MarkSalt(…)");
    }
}
