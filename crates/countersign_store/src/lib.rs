//! The journal: what must survive, behind one narrow contract.
//!
//! One [`Batch`] is one request's writes, all or nothing: events, records,
//! outbox entries, timers and ledger leaves. When [`Journal::commit`] returns
//! `Ok`, everything in it is durable, its leaves are in the tree, and a
//! checkpoint that covers them is signed.

#![warn(missing_docs)]

mod clock;
pub mod conformance;
mod export;
mod faulty;
mod journal;
mod memory;
mod plan;
mod sqlite;
mod tiles;

pub use clock::Clock;
pub use export::{ExportError, export_ledger};
pub use faulty::{Fault, Faulty, Write};
pub use journal::*;
pub use memory::MemoryJournal;
pub use sqlite::{OpenError, SqliteJournal, SqliteOptions};
