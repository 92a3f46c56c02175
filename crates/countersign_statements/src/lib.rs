//! Public statements after an incident, held against what is known about apologies that help.
//!
//! [`check`] says of a text which of the eight things an effective statement does it does, and where it does one of the
//! four that it does not. Rules are data (`rules/en.toml`); there is no model, no network and no clock. Each finding
//! quotes its words, says why in one sentence, and what a better sentence would *do*; it never writes that sentence.
//! [`compare`] finds facts that versions of one statement tell differently.
//!
//! The eight and the four follow R. J. Lewicki, B. Polin and R. B. Lount, "An Exploration of the Structure of Effective
//! Apologies" (2016), and B. H. Kim et al. on when taking the blame helps; docs/statements.md says what we changed.

mod bytes;
mod facts;
mod incident;
mod moment;
mod report;
mod rules;
mod text;

pub use bytes::{Decoded, Encoding, decode};
pub use facts::{Disagreement, Fact, FactKind, compare};
pub use incident::{Contradiction, Field, Filled, Incident, contradictions, fill};
pub use report::{Fault, Met, Quality, Report};
pub use rules::{FAULTS_MAX, Rules, RulesError};

/// Longest text that is read, in bytes; what follows is left out and the report says so.
pub const LONGEST: usize = 1 << 20;

/// Checks a statement in English.
pub fn check(text: &str) -> Report {
    Rules::english().check(text)
}
