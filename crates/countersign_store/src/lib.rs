//! The journal: what must survive, behind one narrow contract.
//!
//! One [`Batch`] is one request's writes, all or nothing: events, records,
//! outbox entries, timers and ledger leaves. When [`Journal::commit`] returns
//! `Ok`, everything in it is durable, its leaves are in the tree, and a
//! checkpoint that covers them is signed and stored: all in one transaction.

#![warn(missing_docs)]

mod journal;

pub use journal::*;
