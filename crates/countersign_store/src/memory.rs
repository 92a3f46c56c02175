//! A store that forgets everything when the program ends: for tests, and the reference.

use std::{
    collections::BTreeMap,
    fmt,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use countersign_ledger::{Appender, TILE_WIDTH, TilePath};
use futures_util::future::{self, BoxFuture, FutureExt};
use tokio::sync::watch;

use crate::{
    Clock,
    journal::{
        Batch, CheckpointSigner, CommitError, Committed, Journal, KeyRange, Record, StoreError,
        StoredEvent, StreamKey, Work,
    },
    plan::{self, Facts, Group, Needs, RecordEffect, WorkEffect, has_expired},
    tiles,
};

/// The journal in memory.
///
/// One lock around everything, so each call sees and leaves a whole state. What SQLite does in
/// groups it does one batch at a time.
pub struct MemoryJournal {
    signer: Arc<dyn CheckpointSigner>,
    clock: Clock,
    state: Mutex<State>,
    newest: watch::Sender<u64>,
}

struct State {
    /// By position.
    events: BTreeMap<u64, StoredEvent>,
    /// Position of the newest event there ever was.
    position: u64,
    /// Positions of a stream's events.
    streams: BTreeMap<String, Vec<u64>>,
    records: BTreeMap<(String, String), HeldRecord>,
    work: BTreeMap<(String, String), HeldWork>,
    tree: Appender,
    /// The widest version of each tile, under its path when full.
    tiles: BTreeMap<TilePath, Vec<u8>>,
    checkpoint: String,
}

struct HeldRecord {
    value: String,
    revision: u64,
    expires_ms: Option<i64>,
}

struct HeldWork {
    due_ms: i64,
    leased_until_ms: Option<i64>,
    attempts: u32,
    body: String,
}

impl MemoryJournal {
    /// An empty journal by the machine's clock.
    pub fn new(signer: Arc<dyn CheckpointSigner>) -> Self {
        Self::with_clock(signer, Clock::system())
    }

    /// An empty journal by this clock.
    pub fn with_clock(signer: Arc<dyn CheckpointSigner>, clock: Clock) -> Self {
        let tree = Appender::empty();
        let checkpoint = signer.sign(tree.size(), tree.root());
        let state = State {
            events: BTreeMap::new(),
            position: 0,
            streams: BTreeMap::new(),
            records: BTreeMap::new(),
            work: BTreeMap::new(),
            tree,
            tiles: BTreeMap::new(),
            checkpoint,
        };
        Self {
            signer,
            clock,
            state: Mutex::new(state),
            newest: watch::Sender::new(0),
        }
    }

    /// The state, which no panic can leave half changed: nothing fallible runs in between.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, batch: Batch) -> Result<Committed, CommitError> {
        plan::weigh(&batch)?;
        let now_ms = self.clock.now_ms();
        let mut state = self.state();

        let mut needs = Needs::default();
        needs.add(&batch);
        let facts = state.look_up(&needs, now_ms);
        let mut group = Group::new(facts, state.position, state.tree.size(), now_ms);
        let first_leaf = group.admit(batch)?;
        let committed = Committed {
            position: group.position,
            first_leaf,
            tree_size: group.tree_size(),
        };
        if group.is_empty() {
            return Ok(committed);
        }

        state.append_leaves(&group.leaves, &*self.signer)?;
        state.forget_expired(now_ms);
        state.apply(group);
        // Under the lock, so that the newest position never steps back.
        self.newest.send_replace(committed.position);
        Ok(committed)
    }
}

impl State {
    fn look_up(&self, needs: &Needs, now_ms: i64) -> Facts {
        let mut facts = Facts::default();
        for stream in &needs.streams {
            if let Some(events) = self.streams.get(stream) {
                facts.streams.insert(stream.clone(), events.len() as u64);
            }
        }
        for place in &needs.records {
            if let Some(held) = self.records.get(&owned(place))
                && !has_expired(held.expires_ms, now_ms)
            {
                facts.records.insert(place.clone(), held.revision);
            }
        }
        for place in &needs.work {
            if self.work.contains_key(&owned(place)) {
                facts.work.insert(place.clone());
            }
        }
        facts
    }

    /// Before anything else of a batch, because it alone can fail.
    fn append_leaves(
        &mut self,
        leaves: &[Vec<u8>],
        signer: &dyn CheckpointSigner,
    ) -> Result<(), CommitError> {
        if leaves.is_empty() {
            return Ok(());
        }
        let mut tree = self.tree.clone();
        let changed = tree
            .append(leaves.iter().map(Vec::as_slice))
            .map_err(|error| CommitError::Malformed(error.to_string()))?;
        let checkpoint = signer.sign(tree.size(), tree.root());
        for (path, bytes) in changed.tiles {
            self.tiles.insert(path.with_width(TILE_WIDTH), bytes);
        }
        self.tree = tree;
        self.checkpoint = checkpoint;
        Ok(())
    }

    fn apply(&mut self, group: Group) {
        for stream in &group.erased {
            for position in self.streams.remove(stream).unwrap_or_default() {
                self.events.remove(&position);
            }
        }
        self.position = group.position;
        for event in group.events {
            self.streams
                .entry(event.stream.0.clone())
                .or_default()
                .push(event.position);
            self.events.insert(event.position, event);
        }
        for (place, effect) in group.records {
            match effect {
                RecordEffect::Put {
                    value,
                    revision,
                    expires_ms,
                } => {
                    self.records.insert(
                        owned(&place),
                        HeldRecord {
                            value,
                            revision,
                            expires_ms,
                        },
                    );
                }
                RecordEffect::Remove => {
                    self.records.remove(&owned(&place));
                }
            }
        }
        for (place, effect) in group.work {
            match effect {
                WorkEffect::Put { due_ms, body } => {
                    let held = HeldWork {
                        due_ms,
                        leased_until_ms: None,
                        attempts: 0,
                        body,
                    };
                    self.work.insert(owned(&place), held);
                }
                WorkEffect::Move { due_ms } => {
                    if let Some(held) = self.work.get_mut(&owned(&place)) {
                        held.due_ms = due_ms;
                        held.leased_until_ms = None;
                    }
                }
                WorkEffect::Remove => {
                    self.work.remove(&owned(&place));
                }
            }
        }
    }

    fn forget_expired(&mut self, now_ms: i64) {
        // Now and then, so that its cost is spread over the commits in between.
        if self.position.is_multiple_of(256) {
            self.records
                .retain(|_, held| !has_expired(held.expires_ms, now_ms));
        }
    }

    fn take(&mut self, queue: &str, now_ms: i64, lease_until_ms: i64, limit: usize) -> Vec<Work> {
        let mut due: Vec<_> = self
            .work
            .iter_mut()
            .filter(|((of, _), held)| {
                of == queue
                    && held.due_ms <= now_ms
                    && held.leased_until_ms.is_none_or(|until| until <= now_ms)
            })
            .collect();
        due.sort_by_key(|(place, held)| (held.due_ms, *place));
        due.into_iter()
            .take(limit)
            .map(|((queue, key), held)| {
                held.leased_until_ms = Some(lease_until_ms);
                held.attempts = held.attempts.saturating_add(1);
                Work {
                    queue: queue.clone(),
                    key: key.clone(),
                    body: held.body.clone(),
                    attempts: held.attempts - 1,
                }
            })
            .collect()
    }
}

fn owned((space, key): &plan::Place) -> (String, String) {
    ((*space).to_owned(), key.clone())
}

impl Journal for MemoryJournal {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Committed, CommitError>> {
        async move { self.write(batch) }.boxed()
    }

    fn read(
        &self,
        stream: &StreamKey,
        after: u64,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        let state = self.state();
        let of_stream = state.streams.get(&stream.0).map_or(&[][..], Vec::as_slice);
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        let events = of_stream
            .iter()
            .skip(skipped)
            .filter_map(|at| state.events.get(at))
            .cloned()
            .collect();
        future::ready(Ok(events)).boxed()
    }

    fn follow(
        &self,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        let events = self
            .state()
            .events
            .range((Bound::Excluded(after), Bound::Unbounded))
            .take(limit)
            .map(|(_, event)| event.clone())
            .collect();
        future::ready(Ok(events)).boxed()
    }

    fn get(
        &self,
        space: &'static str,
        key: &str,
    ) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        let now_ms = self.clock.now_ms();
        let place = (space.to_owned(), key.to_owned());
        let state = self.state();
        let record = state
            .records
            .get(&place)
            .filter(|held| !has_expired(held.expires_ms, now_ms))
            .map(|held| record(&place.1, held));
        future::ready(Ok(record)).boxed()
    }

    fn scan(
        &self,
        space: &'static str,
        range: KeyRange,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, StoreError>> {
        let now_ms = self.clock.now_ms();
        if range.from >= range.to {
            return future::ready(Ok(Vec::new())).boxed();
        }
        let state = self.state();
        let bounds = (space.to_owned(), range.from)..(space.to_owned(), range.to);
        let live = state
            .records
            .range(bounds)
            .filter(|(_, held)| !has_expired(held.expires_ms, now_ms))
            .map(|((_, key), held)| record(key, held));
        let records = if range.reverse {
            live.rev().take(limit).collect()
        } else {
            live.take(limit).collect()
        };
        future::ready(Ok(records)).boxed()
    }

    fn take_work(
        &self,
        queue: &'static str,
        now_ms: i64,
        lease_until_ms: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Work>, StoreError>> {
        async move { Ok(self.state().take(queue, now_ms, lease_until_ms, limit)) }.boxed()
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<String, StoreError>> {
        let checkpoint = self.state().checkpoint.clone();
        future::ready(Ok(checkpoint)).boxed()
    }

    fn tile(&self, path: &str) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        let state = self.state();
        let bytes = path
            .parse::<TilePath>()
            .ok()
            .filter(|path| tiles::covers(state.tree.size(), path))
            .and_then(|path| {
                let widest = state.tiles.get(&path.with_width(TILE_WIDTH))?;
                path.cut(widest).map(<[u8]>::to_vec)
            });
        future::ready(Ok(bytes)).boxed()
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}

fn record(key: &str, held: &HeldRecord) -> Record {
    Record {
        key: key.to_owned(),
        value: held.value.clone(),
        revision: held.revision,
    }
}

impl fmt::Debug for MemoryJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryJournal")
            .field("position", &*self.newest.borrow())
            .finish_non_exhaustive()
    }
}
