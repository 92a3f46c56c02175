//! The auditor: says what must never have happened, from what happened.
//!
//! It is given the event list, the ledger, the procedure as it was checked, and
//! the books of everybody but the gate ([`Books`]): the letters as they were
//! carried, the answers as they were typed, what came to the backends and what
//! they did. It shares no code with `countersign_cases` or with the gate: who
//! was allowed to do what is worked out here a second time, plainly and slowly.
//! The numbers of what it finds are those of the invariants in
//! `docs/ARCHITECTURE.md`.

mod backends;
mod books;
mod customers;
mod ledger;
mod life;
mod paths;
mod proofs;

use std::fmt;

pub use self::books::{
    Account, Acknowledged, Answer, Attempt, Books, Carried, Contact, Done, Happened, Heard, Held,
    Letter, Put,
};
use self::{customers::Customers, life::Life};

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Which invariant of `docs/ARCHITECTURE.md` it breaks.
    pub invariant: u8,
    /// What, in words.
    pub what: String,
}

impl Finding {
    /// Something seen by others than the auditor.
    pub fn outside(invariant: u8, what: impl Into<String>) -> Self {
        Self {
            invariant,
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariant {}: {}", self.invariant, self.what)
    }
}

/// What is found, in no particular order.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn unless(&mut self, holds: bool, invariant: u8, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Finding {
                invariant,
                what: what(),
            });
        }
    }
}

/// Looks at everything. Nothing found is an empty list.
pub fn audit(books: &Books) -> Vec<Finding> {
    let mut found = Findings::default();
    ledger::check(books, &mut found);
    let customers = Customers::new(books);
    let lives = life::lives(books, &mut found);
    for life in &lives {
        life::check(books, life, &lives, &mut found);
        paths::check(books, &customers, life, &lives, &mut found);
    }
    proofs::check(books, &customers, &lives, &mut found);
    backends::check(books, &lives, &mut found);
    acknowledged(books, &lives, &mut found);
    found.0.sort();
    found.0.dedup();
    found.0
}

/// What the gate said it had done is there, and what it says of a case is what its events say.
fn acknowledged(books: &Books, lives: &[Life<'_>], found: &mut Findings) {
    for said in &books.acknowledged {
        let life = lives.iter().find(|life| life.case == said.case);
        let there = life.is_some_and(|life| {
            let by_then = || {
                life.events
                    .iter()
                    .filter(|event| event.sequence <= said.version)
            };
            by_then().count() as u64 == said.version
                && by_then().any(|event| said.kinds.contains(&event.kind.as_str()))
        });
        found.unless(there, 11, || {
            format!(
                "{}: `{}` was acknowledged at version {} and is not there",
                said.case,
                said.kinds.join("` or `"),
                said.version
            )
        });
    }
    for life in lives {
        if let Some(word) = books.standing.get(&life.case) {
            let own = life.state_in_the_end();
            found.unless(own.is_called(word), 11, || {
                format!(
                    "{}: the gate says `{word}`, its events say {own:?}",
                    life.case
                )
            });
        }
    }
}
