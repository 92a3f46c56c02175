//! The store as one process sees it: slow, forgetful, and the place where that process dies.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use countersign_store::{
    Batch, CommitError, Committed, Journal, KeyRange, MemoryJournal, Record, StoreError,
    StoredEvent, StreamKey, Work,
};
use futures_util::future::{BoxFuture, FutureExt, pending};
use serde_json::Value;
use tokio::sync::watch;

use super::{
    sim::{Sim, locked},
    tasks::turn,
};
use crate::auditor::Held;

/// What becomes of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Good,
    /// It never reaches the store; the caller hears that nothing is known.
    Lost,
    /// It goes through; the caller hears that nothing is known.
    Landed,
    /// The caller hears that nothing is known, and then, a while later, it goes through.
    Later,
    /// Nothing is written, and the store says so.
    Full,
    /// The process ends before the write leaves.
    DiesBefore,
    /// The process ends when the write has gone through and nobody has heard of it.
    DiesAfter,
}

/// The one store, through the eyes of one process.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) sim: Arc<Sim>,
    pub(super) dead: Arc<AtomicBool>,
}

const NOT_HEARD: &str = "the answer was lost";

impl Seen {
    async fn reach(&self) {
        turn().await;
        self.sim.moments_pass();
        self.sim.late_writes_land().await;
    }

    fn fate(&self) -> Fate {
        let odds = self.sim.odds();
        let fates = [
            (odds.lost, Fate::Lost, "write lost"),
            (odds.landed, Fate::Landed, "write landed, answer lost"),
            (odds.later, Fate::Later, "write landed late, answer lost"),
            (odds.full, Fate::Full, "store overloaded"),
            (odds.dies / 2, Fate::DiesBefore, "crash before a write"),
            (odds.dies / 2, Fate::DiesAfter, "crash after a write"),
        ];
        let mut drawn = self.sim.draw(10_000);
        for (odds, fate, what) in fates {
            if drawn < odds {
                self.sim.count(what);
                return fate;
            }
            drawn -= odds;
        }
        Fate::Good
    }

    async fn dies<T>(&self) -> T {
        self.dead.store(true, Ordering::Relaxed);
        self.sim.time.ring();
        pending().await
    }

    async fn read_fails(&self) -> Result<(), StoreError> {
        self.reach().await;
        if self.sim.draw(10_000) < self.sim.odds().unread {
            self.sim.count("read failed");
            return Err(StoreError(NOT_HEARD.into()));
        }
        Ok(())
    }
}

impl Sim {
    /// Writes, and keeps the customers' books where that changed what they have.
    pub(super) async fn write(&self, batch: Batch) -> Result<Committed, CommitError> {
        let changes = changes(&batch);
        // Looked at again later: by a machine whose clock is behind, or after one that died over it.
        let due: Vec<i64> = batch
            .work
            .iter()
            .map(|work| work.due_ms)
            .chain(batch.finished.iter().filter_map(|work| work.again_at_ms))
            .flat_map(|at| [at, at + 100_000])
            .collect();
        let committed = self.journal().commit(batch).await?;
        for at in due {
            self.due_at(at);
        }
        for change in changes {
            self.has_changed(change);
        }
        Ok(committed)
    }

    fn has_changed(&self, change: Change) {
        let Change {
            customer,
            kind,
            holding,
        } = change;
        let mut books = locked(&self.books);
        let expected = locked(&self.expected);
        if kind == "customer.put" {
            if let Some(put) = expected.puts.get(&customer) {
                books.puts.push(put.clone());
            }
            return;
        }
        let earlier = books
            .held
            .iter()
            .filter(|held| held.customer == customer && held.event.0 == kind)
            .count();
        let value = (kind != "customer.factor_removed")
            .then(|| {
                expected
                    .values
                    .get(&(customer.clone(), holding.clone()))
                    .cloned()
            })
            .flatten();
        books.held.push(Held {
            event: (kind, earlier),
            customer,
            holding,
            value,
        });
    }

    async fn late_writes_land(&self) {
        let due = {
            let mut late = locked(&self.late);
            if !late.is_empty() && self.draw(100) < 30 {
                Some(late.remove(0))
            } else {
                None
            }
        };
        if let Some(batch) = due {
            // Whatever came of it: nobody hears.
            let _ = self.write(batch).await;
        }
    }
}

struct Change {
    customer: String,
    kind: String,
    holding: String,
}

fn changes(batch: &Batch) -> Vec<Change> {
    let mut changes = Vec::new();
    for append in &batch.appends {
        let Some(customer) = append
            .stream
            .0
            .strip_prefix("c.")
            .and_then(|rest| rest.strip_suffix("/account"))
        else {
            continue;
        };
        for event in &append.events {
            if matches!(
                event.kind.as_str(),
                "customer.put"
                    | "customer.factor_put"
                    | "customer.factor_removed"
                    | "customer.enrolled"
                    | "customer.passkey_added"
            ) {
                let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
                let holding = data
                    .pointer("/data/holding")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                changes.push(Change {
                    customer: customer.to_owned(),
                    kind: event.kind.clone(),
                    holding: holding.to_owned(),
                });
            }
        }
    }
    changes
}

impl Journal for Seen {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Committed, CommitError>> {
        async move {
            self.reach().await;
            let unknown = || Err(CommitError::Unavailable(NOT_HEARD.into()));
            match self.fate() {
                Fate::Good => {
                    let committed = self.sim.write(batch).await;
                    turn().await;
                    committed
                }
                Fate::Lost => unknown(),
                Fate::Landed => {
                    let _ = self.sim.write(batch).await;
                    turn().await;
                    unknown()
                }
                Fate::Later => {
                    locked(&self.sim.late).push(batch);
                    unknown()
                }
                Fate::Full => Err(CommitError::Overloaded),
                Fate::DiesBefore => self.dies().await,
                Fate::DiesAfter => {
                    let _ = self.sim.write(batch).await;
                    self.dies().await
                }
            }
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
            self.reach().await;
            let take = async || {
                let taken = self
                    .sim
                    .journal()
                    .take_work(queue, now_ms, lease_until_ms, limit)
                    .await;
                if taken.as_ref().is_ok_and(|taken| !taken.is_empty()) {
                    self.sim.due_at(lease_until_ms);
                    self.sim.due_at(lease_until_ms + 100_000);
                }
                taken
            };
            // Looking is far more common than finding.
            let fate = if self.sim.draw(4) == 0 {
                self.fate()
            } else {
                Fate::Good
            };
            match fate {
                Fate::Good => take().await,
                Fate::Lost | Fate::Full => Err(StoreError(NOT_HEARD.into())),
                Fate::Landed | Fate::Later => {
                    // Leased to somebody who does not know it.
                    let _ = take().await;
                    Err(StoreError(NOT_HEARD.into()))
                }
                Fate::DiesBefore => self.dies().await,
                Fate::DiesAfter => {
                    let _ = take().await;
                    self.dies().await
                }
            }
        }
        .boxed()
    }

    fn read(
        &self,
        stream: &StreamKey,
        after: u64,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        let stream = stream.clone();
        async move {
            self.read_fails().await?;
            self.sim.journal().read(&stream, after).await
        }
        .boxed()
    }

    fn follow(
        &self,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        async move {
            self.read_fails().await?;
            self.sim.journal().follow(after, limit).await
        }
        .boxed()
    }

    fn get(
        &self,
        space: &'static str,
        key: &str,
    ) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        let key = key.to_owned();
        async move {
            self.read_fails().await?;
            self.sim.journal().get(space, &key).await
        }
        .boxed()
    }

    fn scan(
        &self,
        space: &'static str,
        range: KeyRange,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, StoreError>> {
        async move {
            self.read_fails().await?;
            self.sim.journal().scan(space, range, limit).await
        }
        .boxed()
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<String, StoreError>> {
        async move {
            self.read_fails().await?;
            self.sim.journal().checkpoint().await
        }
        .boxed()
    }

    fn tile(&self, path: &str) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        let path = path.to_owned();
        async move {
            self.read_fails().await?;
            self.sim.journal().tile(&path).await
        }
        .boxed()
    }

    fn watch(&self) -> watch::Receiver<u64> {
        MemoryJournal::watch(self.sim.journal())
    }
}
