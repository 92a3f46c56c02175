//! Promises about procedures, proved or broken.
//!
//! A checked [`Procedure`](countersign_language::Procedure) is compiled into a
//! monotone [`System`] of facts and rules, exactly those of DESIGN §5, and
//! asked: [`check`] decides its promises, [`attacks`] lists all minimal
//! attacks up to a size, [`reach`] follows what somebody can do, [`lockout`]
//! what an honest customer still can, [`repair`] which single changes would
//! mend most, [`diff()`] what two versions differ in, [`advice()`] what usually goes wrong, [`judge`] what is against a
//! named rule set. Every verdict carries a [`certificate`] that an independent
//! checker verifies. Pure: no input or output, no clock, no randomness, and
//! the same answer every time. `docs/prover.md` states the rules and why the
//! algorithms are right.

#![warn(missing_docs)]

mod advice;
mod block;
pub mod certificate;
mod cheapest;
mod compromise;
mod cover;
mod cut;
mod diff;
pub mod draw;
mod filter;
mod graph;
pub mod json;
mod minimal;
mod narrate;
mod people;
pub mod progress;
mod questions;
mod reacher;
mod refute;
mod repair;
mod search;
mod system;
mod verdict;

pub use advice::{RULE_SETS, RuleSet, advice, judge};
pub use compromise::{Compromise, names, target_name};
pub use diff::{Diff, Difference, diff};
pub use narrate::{Attack, Step, What, length};
pub use questions::{
    Access, Attacks, Cheapest, Limits, Lockout, Reach, attacks, cheapest, lockout, reach,
};
pub use reacher::Reacher;
pub use repair::{Change, Repair, apply, repair};
pub use system::System;
pub use verdict::{Missing, Verdict, Way, check};
