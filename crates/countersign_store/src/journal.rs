//! The contract every store keeps.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

/// A store. All methods may be called from any task at any time.
pub trait Journal: Send + Sync + fmt::Debug {
    /// Writes the batch, all or nothing. On `Ok` it is durable, every read sees it, and its leaves are covered by a signed checkpoint whose size and root are stored.
    ///
    /// The parts take effect in the order `erased`, `appends`, `records`, `finished`, `work`, each held against those before it. A caller that stops waiting does not take the batch back.
    ///
    /// # Errors
    /// [`CommitError::Conflict`], [`CommitError::Malformed`] and [`CommitError::Overloaded`] mean that nothing was written.
    /// [`CommitError::Unavailable`] means nothing is known: the caller must read before it tries again.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Committed, CommitError>>;

    /// Events of one stream after this sequence (0 for all), in order. An unknown stream is empty.
    fn read(
        &self,
        stream: &StreamKey,
        after: u64,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>>;

    /// Events of all streams after this global position, in order of position, at most `limit`. Gaps (an erased stream leaves some) never fill later.
    fn follow(
        &self,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>>;

    /// One record, if it is there and has not expired by the store's [`Clock`](crate::Clock).
    fn get(
        &self,
        space: &'static str,
        key: &str,
    ) -> BoxFuture<'_, Result<Option<Record>, StoreError>>;

    /// Events of all streams before this global position (`u64::MAX` for the end), newest first, at most `limit`.
    fn follow_back(
        &self,
        before: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        Box::pin(crate::reading::follow_back(self, before, limit))
    }

    /// The events at these global positions, in order of position. Those that are not there (an erased stream's) are left out.
    fn events_at<'a>(
        &'a self,
        positions: &'a [u64],
    ) -> BoxFuture<'a, Result<Vec<StoredEvent>, StoreError>> {
        Box::pin(crate::reading::events_at(self, positions))
    }

    /// Records of a space by their keys, in the order of the keys' bytes; those that are not there, or have expired, are left out.
    fn get_many<'a>(
        &'a self,
        space: &'static str,
        keys: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Record>, StoreError>> {
        Box::pin(crate::reading::get_many(self, space, keys))
    }

    /// How many records a [`Journal::scan`] of this range would give, counted up to `limit`.
    fn count(
        &self,
        space: &'static str,
        range: KeyRange,
        limit: usize,
    ) -> BoxFuture<'_, Result<usize, StoreError>> {
        Box::pin(async move { Ok(self.scan(space, range, limit).await?.len()) })
    }

    /// Records of a space with `from <= key < to`, in the order of the keys' bytes (or its reverse), at most `limit`.
    fn scan(
        &self,
        space: &'static str,
        range: KeyRange,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, StoreError>>;

    /// Work of this queue that is due and not leased, in order of when it is due, at most `limit`; leased to the caller until `lease_until_ms`, whatever becomes of the caller.
    fn take_work(
        &self,
        queue: &'static str,
        now_ms: i64,
        lease_until_ms: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Work>, StoreError>>;

    /// How much of each queue is due, leased or not; queues of which nothing is may be left out. For whoever watches: a
    /// store that cannot tell says nothing.
    fn backlog(&self, now_ms: i64) -> BoxFuture<'_, Result<Vec<Backlog>, StoreError>> {
        let _ = now_ms;
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// The ledger's newest signed checkpoint (a signed note). Never one that is not durable.
    fn checkpoint(&self) -> BoxFuture<'_, Result<String, StoreError>>;

    /// A hash tile or entry bundle by its path under `/ledger/` (`tile/0/x001/067.p/5`, `tile/entries/000`), exactly the bytes C2SP tlog-tiles says; `None` if the tree has no such tile.
    fn tile(&self, path: &str) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>>;

    /// What it is, as OpenTelemetry's semantic conventions name databases (`db.system.name`).
    fn system(&self) -> &'static str {
        "other_sql"
    }

    /// Host and port of its server, where it has one.
    fn server(&self) -> Option<(&str, u16)> {
        None
    }

    /// Wakes whenever something was committed; the value is the newest global position.
    fn watch(&self) -> tokio::sync::watch::Receiver<u64>;
}

/// The longest leaf, in bytes: an entry bundle writes its length in two.
pub const LEAF_BYTES_MAX: usize = countersign_ledger::ENTRY_BYTES_MAX;

/// A shared store.
pub type SharedJournal = Arc<dyn Journal>;

/// Name of a stream: `partition/rest`. The partition (a customer, a person) is where a distributed engine would cut.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamKey(pub String);

/// One request's writes, at most 16 MiB. All streams and records belong to as few partitions as can be. No text holds a zero byte.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Streams whose events are forgotten for good. A batch that erases must also append, so that the newest event is never an erased one.
    pub erased: Vec<Erasure>,
    /// Events, by stream.
    pub appends: Vec<Append>,
    /// Records put or removed.
    pub records: Vec<RecordWrite>,
    /// Outbox entries and timers to add.
    pub work: Vec<NewWork>,
    /// Work to move or finish; fails the whole batch with [`CommitError::Conflict`] if it is already gone.
    pub finished: Vec<FinishedWork>,
    /// Ledger leaves, in order; each at most 65,535 bytes.
    pub leaves: Vec<Vec<u8>>,
}

/// A stream to be forgotten: its events are deleted and are not read again, at whatever position. What the ledger holds of them, its leaves, stays.
///
/// The stream is then as one that never was, and may begin again at sequence 1; positions are not used twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Which stream.
    pub stream: StreamKey,
    /// How many events it must hold now; at least one.
    pub expected: u64,
}

/// Events for one stream.
#[derive(Debug, Clone)]
pub struct Append {
    /// Which stream; at most 1,024 bytes, as are all keys.
    pub stream: StreamKey,
    /// How many events it must hold now.
    pub expected: u64,
    /// The events; not empty.
    pub events: Vec<NewEvent>,
}

/// An event to be stored.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Kind, such as `case.proved`.
    pub kind: String,
    /// Version of the kind's shape.
    pub version: u16,
    /// When, in ms since the epoch.
    pub at_ms: i64,
    /// JSON.
    pub data: String,
    /// The leaf of this batch that commits to it, by index into [`Batch::leaves`].
    pub leaf: Option<usize>,
}

/// An event as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Global position, from 1, increasing.
    pub position: u64,
    /// Its stream.
    pub stream: StreamKey,
    /// Position in its stream, from 1, without gaps.
    pub sequence: u64,
    /// Kind.
    pub kind: String,
    /// Version of the kind's shape.
    pub version: u16,
    /// When, in ms since the epoch.
    pub at_ms: i64,
    /// JSON.
    pub data: String,
    /// Index in the ledger of the leaf that commits to it.
    pub leaf: Option<u64>,
}

/// A keyed document. Read models, sessions, counters and hashes live here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Key within its space.
    pub key: String,
    /// JSON.
    pub value: String,
    /// Grows by one with every write of this key, from 1; from 1 again once it was removed or has expired.
    pub revision: u64,
}

/// A record to put or remove.
#[derive(Debug, Clone)]
pub struct RecordWrite {
    /// Which space.
    pub space: &'static str,
    /// Key within it.
    pub key: String,
    /// The new value, or `None` to remove it.
    pub value: Option<String>,
    /// The revision it must have now: `Some(0)` for "must not exist", `None` for "whatever is there".
    pub expected: Option<u64>,
    /// When it may be forgotten, in ms since the epoch. An expired record is never read again.
    pub expires_ms: Option<i64>,
}

/// Which keys a scan covers.
#[derive(Debug, Clone)]
pub struct KeyRange {
    /// First key.
    pub from: String,
    /// One past the last key.
    pub to: String,
    /// Last first.
    pub reverse: bool,
}

/// Something to be done later, at least once.
#[derive(Debug, Clone)]
pub struct NewWork {
    /// `mail`, `run`, `timer` …
    pub queue: &'static str,
    /// Unique within the queue; adding the same key again changes nothing.
    pub key: String,
    /// When it is due, in ms since the epoch.
    pub due_ms: i64,
    /// JSON.
    pub body: String,
}

/// Work taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// Its queue.
    pub queue: String,
    /// Its key.
    pub key: String,
    /// JSON.
    pub body: String,
    /// How often it was taken before, by anybody; forgotten when it is done for good.
    pub attempts: u32,
}

/// How much of a queue is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// The queue.
    pub queue: String,
    /// Pieces that are due, being done among them.
    pub due: u64,
    /// When the oldest of them was due, in ms since the epoch.
    pub oldest_due_ms: i64,
}

/// Work to move or finish.
#[derive(Debug, Clone)]
pub struct FinishedWork {
    /// Its queue.
    pub queue: &'static str,
    /// Its key.
    pub key: String,
    /// `None`: done for good. `Some`: due again then, no longer leased.
    pub again_at_ms: Option<i64>,
    /// Fail the batch if it is gone (true), or do not mind (false).
    pub must_exist: bool,
}

/// What a commit wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Global position of the newest event in the store after this commit.
    pub position: u64,
    /// Ledger index of the first leaf of the batch; meaningless if it had none.
    pub first_leaf: u64,
    /// Size of the tree covered by the checkpoint.
    pub tree_size: u64,
}

/// Why a batch was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// A stream, record or piece of work was not as expected; nothing was written.
    #[error("something changed meanwhile: {what}")]
    Conflict {
        /// Which stream or record.
        what: String,
    },
    /// The batch can never be written (a leaf too long, an empty append); nothing was written.
    #[error("malformed batch: {0}")]
    Malformed(String),
    /// The store is full or overloaded; nothing was written.
    #[error("the store is overloaded")]
    Overloaded,
    /// It is not known whether the batch was written.
    #[error("the store did not answer: {0}")]
    Unavailable(String),
}

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store did not answer: {0}")]
pub struct StoreError(pub String);

/// Signs checkpoints for the store's sequencer: tree size and root in, signed note out.
pub trait CheckpointSigner: Send + Sync + fmt::Debug {
    /// The log's origin line.
    fn origin(&self) -> &str;
    /// A signed note over this size and root (C2SP tlog-checkpoint). Asked for one root per size only, and not before that root is durable; after a crash perhaps once more for the same one.
    fn sign(&self, size: u64, root: [u8; 32]) -> String;
}
