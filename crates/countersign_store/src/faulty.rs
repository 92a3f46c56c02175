//! A store that loses or half-loses any write, for tests of its callers.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::watch;

use crate::journal::{
    Backlog, Batch, CommitError, Committed, Journal, KeyRange, Record, SharedJournal, StoreError,
    StoredEvent, StreamKey, Work,
};

/// What of the contract writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Write {
    /// [`Journal::commit`].
    Commit,
    /// [`Journal::take_work`], which writes leases.
    TakeWork,
}

impl Write {
    /// Every kind of write, for tables of faults.
    pub const ALL: [Self; 2] = [Self::Commit, Self::TakeWork];

    /// Its name in the contract.
    pub const fn method(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::TakeWork => "take_work",
        }
    }
}

/// What becomes of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// It goes through and says so.
    None,
    /// It never reaches the store; the caller hears that nothing is known.
    Lost,
    /// It goes through; the caller hears that nothing is known.
    Landed,
}

impl Fault {
    /// Every way a write can go.
    pub const ALL: [Self; 3] = [Self::None, Self::Lost, Self::Landed];
}

/// Wraps a store and lets a schedule decide the fate of each write.
///
/// The caller cannot tell [`Fault::Lost`] from [`Fault::Landed`], as it could not tell a
/// request that was cut off from an answer that was: both are [`CommitError::Unavailable`].
/// Reads always answer, so a caller that does as the contract says can find out.
pub struct Faulty {
    inner: SharedJournal,
    schedule: Mutex<Box<dyn FnMut(Write) -> Fault + Send>>,
}

impl Faulty {
    /// A store whose writes fare as the schedule says, which is asked once for each in turn.
    pub fn new(
        inner: SharedJournal,
        schedule: impl FnMut(Write) -> Fault + Send + 'static,
    ) -> Self {
        Self {
            inner,
            schedule: Mutex::new(Box::new(schedule)),
        }
    }

    fn fate(&self, write: Write) -> Fault {
        let mut schedule = self.schedule.lock().unwrap_or_else(PoisonError::into_inner);
        schedule(write)
    }
}

/// What the caller of a faulty write hears.
const NOT_HEARD: &str = "the answer was lost";

impl Journal for Faulty {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Committed, CommitError>> {
        async move {
            match self.fate(Write::Commit) {
                Fault::None => return self.inner.commit(batch).await,
                Fault::Lost => {}
                Fault::Landed => {
                    // Whatever came of it.
                    let _ = self.inner.commit(batch).await;
                }
            }
            Err(CommitError::Unavailable(NOT_HEARD.into()))
        }
        .boxed()
    }

    fn take_work(
        &self,
        queue: &'static str,
        now_ms: i64,
        lease_until_ms: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Work>, StoreError>> {
        async move {
            match self.fate(Write::TakeWork) {
                Fault::None => {
                    return self
                        .inner
                        .take_work(queue, now_ms, lease_until_ms, limit)
                        .await;
                }
                Fault::Lost => {}
                Fault::Landed => {
                    // Leased to somebody who does not know it.
                    let _ = self
                        .inner
                        .take_work(queue, now_ms, lease_until_ms, limit)
                        .await;
                }
            }
            Err(StoreError(NOT_HEARD.into()))
        }
        .boxed()
    }

    fn read(
        &self,
        stream: &StreamKey,
        after: u64,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        self.inner.read(stream, after)
    }

    fn follow(
        &self,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        self.inner.follow(after, limit)
    }

    fn follow_back(
        &self,
        before: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        self.inner.follow_back(before, limit)
    }

    fn events_at<'a>(
        &'a self,
        positions: &'a [u64],
    ) -> BoxFuture<'a, Result<Vec<StoredEvent>, StoreError>> {
        self.inner.events_at(positions)
    }

    fn count(
        &self,
        space: &'static str,
        range: KeyRange,
        limit: usize,
    ) -> BoxFuture<'_, Result<usize, StoreError>> {
        self.inner.count(space, range, limit)
    }

    fn get_many<'a>(
        &'a self,
        space: &'static str,
        keys: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Record>, StoreError>> {
        self.inner.get_many(space, keys)
    }

    fn get(
        &self,
        space: &'static str,
        key: &str,
    ) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        self.inner.get(space, key)
    }

    fn scan(
        &self,
        space: &'static str,
        range: KeyRange,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, StoreError>> {
        self.inner.scan(space, range, limit)
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<String, StoreError>> {
        self.inner.checkpoint()
    }

    fn tile(&self, path: &str) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        self.inner.tile(path)
    }

    fn backlog(&self, now_ms: i64) -> BoxFuture<'_, Result<Vec<Backlog>, StoreError>> {
        self.inner.backlog(now_ms)
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.inner.watch()
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faulty").field(&self.inner).finish()
    }
}
