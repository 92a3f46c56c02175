//! What is counted and timed, for whoever watches the gate. Names follow OpenTelemetry's semantic conventions where there
//! is one, and begin with `countersign.` where there is none.
//!
//! INVARIANT: a label holds a word out of a short list that stands in the program or in the configuration, and never an
//! id, an address or anything a person typed.

use std::time::Duration;

use countersign_store::{Batch, CommitError};
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::{gate::Gate, ledger::read_checkpoint, trouble::Trouble};

/// Says what each measure is; to be called once, after a recorder was set.
pub fn describe() {
    describe_histogram!(
        COMMIT,
        Unit::Seconds,
        "from asking the store to keep something to its answer, by outcome"
    );
    describe_counter!(EVENTS, "events kept, by kind");
    describe_counter!(LETTERS, "letters and text messages, by what became of each");
    describe_counter!(HAND_OVERS, "grants handed to a backend, by its answer");
    describe_gauge!(HASHING, "hashes of PINs, running and waiting for a turn");
    describe_gauge!(LEDGER_SIZE, "entries that the newest checkpoint covers");
    describe_gauge!(BACKLOG, "pieces of work that are due, by queue");
    describe_gauge!(
        BACKLOG_AGE,
        Unit::Seconds,
        "for how long the oldest piece of a queue has been due"
    );
}

/// From asking the store to keep something to its answer, in seconds.
pub const COMMIT: &str = "countersign.store.commit.duration";
/// Events kept.
pub const EVENTS: &str = "countersign.events";
/// Letters and text messages.
pub const LETTERS: &str = "countersign.letters";
/// Grants handed to a backend.
pub const HAND_OVERS: &str = "countersign.hand_overs";
/// Hashes of PINs.
pub const HASHING: &str = "countersign.hashing";
/// Entries of the ledger.
pub const LEDGER_SIZE: &str = "countersign.ledger.size";
/// Work that is due.
pub const BACKLOG: &str = "countersign.work.due";
/// How late the oldest of it is, in seconds.
pub const BACKLOG_AGE: &str = "countersign.work.due.age";

/// Kinds of the events of a batch, to be counted once it is kept.
#[derive(Debug)]
pub(crate) struct Kinds(Vec<String>);

impl Kinds {
    pub(crate) fn of(batch: &Batch) -> Self {
        let events = batch.appends.iter().flat_map(|append| &append.events);
        Self(events.map(|event| event.kind.clone()).collect())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn kept(self) {
        for kind in self.0 {
            // Kinds are words of the program.
            counter!(EVENTS, "kind" => kind).increment(1);
        }
    }
}

/// Gives the word for what went wrong, if something did.
pub(crate) fn commit<T>(outcome: &Result<T, CommitError>, took: Duration) -> Option<&'static str> {
    let word = match outcome {
        Ok(_) => "kept",
        Err(CommitError::Conflict { .. }) => "conflict",
        Err(CommitError::Malformed(_)) => "malformed",
        Err(CommitError::Overloaded) => "overloaded",
        Err(CommitError::Unavailable(_)) => "not_known",
    };
    histogram!(COMMIT, "outcome" => word).record(took.as_secs_f64());
    outcome.is_err().then_some(word)
}

pub(crate) fn letter(outcome: &'static str) {
    counter!(LETTERS, "outcome" => outcome).increment(1);
}

pub(crate) fn hand_over(outcome: &'static str) {
    counter!(HAND_OVERS, "outcome" => outcome).increment(1);
}

impl Gate {
    /// Sets the gauges: what is under way at this moment.
    pub async fn measure(&self) -> Result<(), Trouble> {
        let (running, waiting) = self.hashing();
        gauge!(HASHING, "state" => "running").set(small(running));
        gauge!(HASHING, "state" => "waiting").set(small(waiting));
        let size = read_checkpoint(&self.checkpoint().await?)?.size;
        gauge!(LEDGER_SIZE).set(small(usize::try_from(size).unwrap_or(usize::MAX)));
        let now = self.now();
        let due = self.journal().backlog(now.0).await?;
        for queue in crate::work::queues() {
            let found = due.iter().find(|backlog| backlog.queue == queue);
            let (count, age_ms) = found.map_or((0, 0), |backlog| {
                (
                    backlog.due,
                    now.0.saturating_sub(backlog.oldest_due_ms).max(0),
                )
            });
            gauge!(BACKLOG, "queue" => queue)
                .set(small(usize::try_from(count).unwrap_or(usize::MAX)));
            let age = Duration::from_millis(age_ms.unsigned_abs());
            gauge!(BACKLOG_AGE, "queue" => queue).set(age.as_secs_f64());
        }
        Ok(())
    }
}

/// Exact up to 2^32; nothing that is measured here comes near.
fn small(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
