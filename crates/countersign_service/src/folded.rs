//! Cases as their events made them, kept in memory for the next step.
//!
//! The steps of a case follow each other within seconds, and each begins by folding all of its events; those of the step
//! before need not be read from their JSON again. Events are never changed, so what was folded stays right, and what came
//! since is read from the store each time: nothing is believed here that another gate could have moved on.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use countersign_cases::{Case, evolve};

use crate::{
    gate::Gate,
    records::{self, CaseRow},
    shell::said_by,
    trouble::Trouble,
};

/// Twice this many cases are kept at most, about 2 KB each.
const KEPT_MAX: usize = 2_048;

/// The cases that were last of use.
#[derive(Debug, Default)]
pub(crate) struct Folded(Mutex<Generations>);

/// By the case's random name in the ledger, which no two cases share, not even one that was erased and one that came by the
/// same id later.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<String, Case>,
    /// What was young before; forgotten when it is that once more.
    old: HashMap<String, Case>,
}

impl Folded {
    fn get(&self, name: &str) -> Option<Case> {
        let kept = self.kept();
        kept.young.get(name).or_else(|| kept.old.get(name)).cloned()
    }

    fn put(&self, name: &str, case: &Case) {
        let mut kept = self.kept();
        if kept.young.len() >= KEPT_MAX {
            kept.old = mem::take(&mut kept.young);
        }
        // A slower reader never takes back what a faster one has folded.
        let known = kept.young.get(name).map_or(0, Case::version);
        if case.version() > known {
            kept.young.insert(name.to_owned(), case.clone());
        }
    }

    /// Forgets all of them: somebody was erased.
    pub(crate) fn clear(&self) {
        *self.kept() = Generations::default();
    }

    fn kept(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    /// The case of this row, with every event that is stored.
    pub(crate) async fn case_of(&self, row: &CaseRow) -> Result<Case, Trouble> {
        let mut case = self.folded().get(&row.pseudonym).unwrap_or_else(Case::none);
        let stream = records::case_stream(&row.customer, &row.case);
        let newer = self.journal().read(&stream, case.version()).await?;
        if newer.is_empty() {
            return Ok(case);
        }
        for stored in &newer {
            case = evolve(case, &said_by(stored)?);
        }
        self.folded().put(&row.pseudonym, &case);
        Ok(case)
    }
}

#[cfg(test)]
mod tests {
    use countersign_cases::{Event, EventKind, Timestamp};

    use super::*;

    /// A case of so many events; what they say does not matter here.
    fn case(events: i64) -> Case {
        Case::replay((0..events).map(|at| Event {
            at: Timestamp(at),
            kind: EventKind::LinkUsed,
        }))
    }

    #[test]
    fn the_newest_of_a_case_stays_and_the_longest_unused_goes() {
        let folded = Folded::default();
        folded.put("a", &case(3));
        folded.put("a", &case(2));
        assert_eq!(folded.get("a").map(|case| case.version()), Some(3));
        for number in 0..KEPT_MAX {
            folded.put(&number.to_string(), &case(1));
        }
        assert!(folded.get("a").is_some() && folded.get("0").is_some());
        for number in 0..KEPT_MAX {
            folded.put(&format!("later {number}"), &case(1));
        }
        assert!(folded.get("a").is_none());
        folded.put("b", &case(1));
        folded.clear();
        assert!(folded.get("b").is_none());
    }
}
