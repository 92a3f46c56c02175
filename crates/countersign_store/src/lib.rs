//! The journal: what must survive, behind one narrow contract.
//!
//! One [`Batch`] is one request's writes, all or nothing: events, records, outbox entries,
//! timers and ledger leaves. When [`Journal::commit`] returns `Ok`, everything in it is durable,
//! its leaves are in the tree, and a checkpoint that covers them is signed.
//!
//! # The parts
//!
//! - [`Journal`] is the contract, [`conformance`] its clauses as tests. A store is whatever
//!   passes them.
//! - [`MemoryJournal`] forgets everything: for tests, and the reference.
//! - [`SqliteJournal`] keeps everything in one file, for one program.
//! - [`PostgresJournal`] keeps everything in PostgreSQL, for as many programs as there are.
//! - [`Faulty`] wraps any of them and loses writes, for tests of callers.
//! - [`export_ledger`] writes the ledger as static files.
//!
//! # Group commit
//!
//! A disk makes a few hundred to a few thousand writes durable in a second, whoever asks. So one
//! task writes: it takes all requests that wait, decides about each in memory, writes them with
//! a handful of statements and waits for the disk once. `examples/group_commit.rs` measures it
//! beside a bare fsync. Three runs on two cores shared with other work, *without* optimisation:
//!
//! | clients | requests a commit | requests/s | bare fsyncs/s | ratio |
//! |---|---|---|---|---|
//! | 1 | 1 | 96–577 | 174–1,052 | 0.35–0.68 |
//! | 16 | 10 | 606–2,734 | 177–3,197 | 0.9–3.5 |
//! | 64 | 39–40 | 1,318–3,240 | 145–1,206 | 2.7–10 |
//! | 256 | 134–150 | 2,189–4,132 | 117–5,120 | 0.8–20 |
//!
//! The disk changed by a factor of forty between runs; where it was fast, the unoptimised
//! program was what limited the rate.
//!
//! # One root per size
//!
//! A transaction stores the new root with everything that it covers. The signature over it is
//! made when, and only when, that is durable, and is written down by the next transaction. Signed
//! inside the transaction, as one might expect, a root would be signed already when the disk
//! turns out to be full, the program is killed, or (with several gates) another one was faster;
//! the next root of the same size would then be the second. After a crash between the two the
//! same root is signed again at the next start.

#![warn(missing_docs)]

mod clock;
pub mod conformance;
mod export;
mod faulty;
mod journal;
mod memory;
mod opening;
mod plan;
mod postgres;
mod reading;
mod sqlite;
mod tiles;

pub use clock::Clock;
pub use export::{ExportError, export_ledger};
pub use faulty::{Fault, Faulty, Write};
pub use journal::*;
pub use memory::MemoryJournal;
pub use opening::OpenError;
pub use postgres::{
    AddressError, MoveError, Moved, PostgresAddress, PostgresJournal, PostgresOptions,
    move_to_postgres,
};
pub use sqlite::{SqliteJournal, SqliteOptions, backup_sqlite};
