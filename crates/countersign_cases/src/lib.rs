//! Pure decisions about cases.
//!
//! [`decide`] says what happens, [`evolve`] what is then the case. Neither
//! reads a clock, draws randomness, or looks at a store: the time and what is
//! known at that time come in as a [`Moment`]. One decision function serves
//! every surface: page, API, chat, command line, machine.
//!
//! `docs/cases.md` says in words what is decided here.

#![warn(missing_docs)]

pub mod attempts;
mod case;
mod checklist;
mod command;
mod decide;
mod drill;
mod evaluate;
mod event;
mod facts;
mod id;
mod permit;
pub mod policy;
mod refusal;
mod request;
mod words;

pub use case::*;
pub use checklist::*;
pub use command::*;
pub use decide::{Decision, decide};
pub use drill::{Drill, DrillPlan, Earnest, Mark, MarkSalt};
pub use evaluate::may_run;
pub use event::*;
pub use facts::*;
pub use id::*;
pub use permit::{Permit, PermitContents};
pub use refusal::{NotYet, Refusal};
pub use request::{Piece, canonical_request, digest, sentence, sentence_pieces};
