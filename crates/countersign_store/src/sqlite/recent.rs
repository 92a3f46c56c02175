//! What was written or read a moment ago, kept in memory.
//!
//! A case's requests follow each other within seconds and read the same dozen records, each
//! time by a hop to a connection's thread and back. One program alone writes the file, so what
//! it wrote last is what there is: the writer puts every change here, once it is durable and
//! before anybody hears of it, and forgets everything whenever a transaction's fate is not plain.
//!
//! A key that is here is read from here, so a key never goes back in time for whoever reads it.
//! What a reader fetched is kept only if nothing was committed meanwhile; otherwise it may be
//! older than what there is.

use std::{
    collections::{BTreeMap, HashMap},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use countersign_ledger::TilePath;

use crate::{
    journal::{Record, StoredEvent},
    plan::{Facts, Group, Needs, RecordEffect},
};

/// About how much is kept, in bytes: what is forgotten costs a look into the file, and the gate's memory has a limit.
const BYTES_MAX: usize = 24 << 20;

/// The most full tiles and bundles kept: grants are proved against the newest ones.
const TILES_MAX: usize = 24;

/// Streams with more events are not kept; a case has about ten.
pub(super) const EVENTS_MAX: usize = 64;

/// What a map needs for an entry beside its bytes, roughly.
const ENTRY_BYTES: usize = 160;

/// The newest records, streams and tiles.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Grows with everything that is written or forgotten.
    turn: u64,
    /// What was last of use; when it has half of [`BYTES_MAX`], it becomes `old`, and what was `old` is forgotten.
    young: Generation,
    old: Generation,
    tiles: BTreeMap<TilePath, Arc<Vec<u8>>>,
}

#[derive(Debug, Default)]
struct Generation {
    bytes: usize,
    records: HashMap<&'static str, HashMap<String, Kept>>,
    streams: HashMap<String, Arc<Vec<StoredEvent>>>,
}

/// A record, or that there is none.
type Kept = Option<Arc<KeptRecord>>;

#[derive(Debug)]
struct KeptRecord {
    value: String,
    revision: u64,
    expires_ms: Option<i64>,
}

/// Before which writes a reader began to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn(u64);

impl Recent {
    /// To be asked before reading what is then given to [`keep_record`](Self::keep_record) or
    /// [`keep_stream`](Self::keep_stream).
    pub(super) fn turn(&self) -> Turn {
        Turn(self.inner().turn)
    }

    /// The record; `Some(None)` if it is known that there is none.
    #[expect(
        clippy::option_option,
        reason = "not known, and known not to be there, are two things"
    )]
    pub(super) fn record(
        &self,
        space: &'static str,
        key: &str,
        now_ms: i64,
    ) -> Option<Option<Record>> {
        let kept = self.inner().record(space, key)?;
        let kept = kept.filter(|kept| kept.is_live(now_ms));
        Some(kept.map(|kept| Record {
            key: key.to_owned(),
            value: kept.value.clone(),
            revision: kept.revision,
        }))
    }

    /// Keeps what a reader found.
    pub(super) fn keep_record(
        &self,
        turn: Turn,
        space: &'static str,
        key: String,
        found: Option<(&str, u64, Option<i64>)>,
    ) {
        let kept = found.map(|(value, revision, expires_ms)| {
            Arc::new(KeptRecord {
                value: value.to_owned(),
                revision,
                expires_ms,
            })
        });
        let mut inner = self.inner();
        if inner.turn == turn.0 && inner.record(space, &key).is_none() {
            inner.put_record(space, key, kept);
        }
    }

    /// All events of a stream.
    pub(super) fn stream(&self, stream: &str) -> Option<Arc<Vec<StoredEvent>>> {
        self.inner().stream(stream)
    }

    /// Keeps all events of a stream, which a reader found.
    pub(super) fn keep_stream(&self, turn: Turn, stream: String, events: &[StoredEvent]) {
        if events.len() > EVENTS_MAX {
            return;
        }
        let events = Arc::new(events.to_vec());
        let mut inner = self.inner();
        if inner.turn == turn.0 && inner.stream(&stream).is_none() {
            inner.put_stream(stream, events);
        }
    }

    /// The tile, if it, or a wider version of it, was made a moment ago.
    pub(super) fn tile(&self, path: &TilePath) -> Option<Vec<u8>> {
        let widest = Arc::clone(self.inner().tiles.get(&widest(path))?);
        path.cut(&widest).map(<[u8]>::to_vec)
    }

    /// Says of what a group needs whatever is known here, and leaves the rest in `needs`.
    pub(super) fn look_up(&self, needs: &mut Needs, now_ms: i64) -> Facts {
        let mut facts = Facts::default();
        let mut inner = self.inner();
        needs.streams.retain(|stream| {
            let Some(events) = inner.stream(stream) else {
                return true;
            };
            facts.streams.insert(stream.clone(), events.len() as u64);
            false
        });
        needs.records.retain(|place| {
            let Some(kept) = inner.record(place.0, &place.1) else {
                return true;
            };
            if let Some(kept) = kept.filter(|kept| kept.is_live(now_ms)) {
                facts.records.insert(place.clone(), kept.revision);
            }
            false
        });
        facts
    }

    /// Takes over what a transaction that is durable has changed.
    pub(super) fn apply(&self, group: &Group, tiles: Vec<(TilePath, Vec<u8>)>) {
        let mut inner = self.inner();
        inner.turn += 1;
        for stream in &group.erased {
            inner.forget_stream(stream);
        }
        for event in &group.events {
            inner.append(event);
        }
        for ((space, key), effect) in &group.records {
            let kept = match effect {
                RecordEffect::Put {
                    value,
                    revision,
                    expires_ms,
                } => Some(Arc::new(KeptRecord {
                    value: value.clone(),
                    revision: *revision,
                    expires_ms: *expires_ms,
                })),
                RecordEffect::Remove => None,
            };
            inner.put_record(space, key.clone(), kept);
        }
        for (path, bytes) in tiles {
            inner.tiles.insert(widest(&path), Arc::new(bytes));
        }
        while inner.tiles.len() > TILES_MAX {
            let oldest = inner
                .tiles
                .keys()
                .min_by_key(|path| (level(path), path.index()))
                .copied();
            let Some(oldest) = oldest else { break };
            inner.tiles.remove(&oldest);
        }
    }

    /// Forgets everything: it is not known what the file holds now.
    pub(super) fn clear(&self) {
        let mut inner = self.inner();
        *inner = Inner {
            turn: inner.turn + 1,
            ..Inner::default()
        };
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeptRecord {
    fn is_live(&self, now_ms: i64) -> bool {
        self.expires_ms.is_none_or(|expires| expires > now_ms)
    }
}

impl Inner {
    fn record(&mut self, space: &'static str, key: &str) -> Option<Kept> {
        let find = |generation: &Generation| generation.records.get(space)?.get(key).cloned();
        if let Some(kept) = find(&self.young) {
            return Some(kept);
        }
        let kept = find(&self.old)?;
        self.put_record(space, key.to_owned(), kept.clone());
        Some(kept)
    }

    fn put_record(&mut self, space: &'static str, key: String, kept: Kept) {
        let bytes = key.len() + kept.as_ref().map_or(0, |kept| kept.value.len()) + ENTRY_BYTES;
        self.young
            .records
            .entry(space)
            .or_default()
            .insert(key, kept);
        self.grow(bytes);
    }

    fn stream(&mut self, stream: &str) -> Option<Arc<Vec<StoredEvent>>> {
        if let Some(events) = self.young.streams.get(stream) {
            return Some(Arc::clone(events));
        }
        let events = Arc::clone(self.old.streams.get(stream)?);
        self.put_stream(stream.to_owned(), Arc::clone(&events));
        Some(events)
    }

    fn put_stream(&mut self, stream: String, events: Arc<Vec<StoredEvent>>) {
        let bytes = events.iter().map(size_of).sum::<usize>() + stream.len() + ENTRY_BYTES;
        self.young.streams.insert(stream, events);
        self.grow(bytes);
    }

    fn forget_stream(&mut self, stream: &str) {
        self.young.streams.remove(stream);
        self.old.streams.remove(stream);
    }

    fn append(&mut self, event: &StoredEvent) {
        let before = match self.stream(&event.stream.0) {
            Some(events) => events,
            None if event.sequence == 1 => Arc::default(),
            None => return,
        };
        if before.len() as u64 + 1 != event.sequence || before.len() >= EVENTS_MAX {
            self.forget_stream(&event.stream.0);
            return;
        }
        let bytes = size_of(event);
        let kept = self
            .young
            .streams
            .entry(event.stream.0.clone())
            .or_insert(before);
        Arc::make_mut(kept).push(event.clone());
        self.grow(bytes + if event.sequence == 1 { ENTRY_BYTES } else { 0 });
    }

    /// Counts what was added; what is written over is counted twice until its generation goes.
    fn grow(&mut self, bytes: usize) {
        self.young.bytes += bytes;
        if self.young.bytes > BYTES_MAX / 2 {
            self.old = mem::take(&mut self.young);
        }
    }
}

fn size_of(event: &StoredEvent) -> usize {
    event.data.len() + event.stream.0.len() + event.kind.len() + ENTRY_BYTES
}

/// Under which path the widest version of a tile is kept.
fn widest(path: &TilePath) -> TilePath {
    path.with_width(countersign_ledger::TILE_WIDTH)
}

/// Tiles of higher levels are few and needed for every proof: those of the leaves go first.
fn level(path: &TilePath) -> u8 {
    match path {
        TilePath::Hashes { level, .. } => *level,
        TilePath::Entries { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Append, Batch, Erasure, NewEvent, RecordWrite, StreamKey};

    fn wrote(recent: &Recent, batch: Batch) {
        let mut needs = Needs::default();
        needs.add(&batch);
        let facts = recent.look_up(&mut needs, 0);
        let mut group = Group::new(facts, 0, 0, 0);
        group.admit(batch).unwrap();
        recent.apply(&group, Vec::new());
    }

    fn put(key: &str, value: &str, expires_ms: Option<i64>) -> Batch {
        Batch {
            records: vec![RecordWrite {
                space: "s",
                key: key.to_owned(),
                value: Some(value.to_owned()),
                expected: None,
                expires_ms,
            }],
            ..Batch::default()
        }
    }

    #[expect(clippy::option_option, reason = "as `Recent::record`")]
    fn value(recent: &Recent, key: &str) -> Option<Option<String>> {
        let known = recent.record("s", key, 0)?;
        Some(known.map(|record| record.value))
    }

    #[test]
    fn what_a_reader_fetched_before_a_write_is_not_kept() {
        let recent = Recent::default();
        let before = recent.turn();
        wrote(&recent, put("other", "new", None));
        recent.keep_record(before, "s", "one".to_owned(), Some(("old", 1, None)));
        assert_eq!(value(&recent, "one"), None);
        recent.keep_record(recent.turn(), "s", "one".to_owned(), Some(("old", 1, None)));
        assert_eq!(value(&recent, "one"), Some(Some("old".to_owned())));
        // What was written stays, whatever a reader brings.
        recent.keep_record(recent.turn(), "s", "other".to_owned(), None);
        assert_eq!(value(&recent, "other"), Some(Some("new".to_owned())));
        recent.clear();
        assert_eq!(value(&recent, "other"), None);
    }

    #[test]
    fn an_expired_record_is_none_and_begins_again() {
        let recent = Recent::default();
        wrote(&recent, put("one", "short", Some(5)));
        assert!(recent.record("s", "one", 4).unwrap().is_some());
        assert!(recent.record("s", "one", 5).unwrap().is_none());
        let mut needs = Needs::default();
        needs.add(&put("one", "again", None));
        let facts = recent.look_up(&mut needs, 5);
        assert!(needs.is_empty() && facts.records.is_empty());
    }

    #[test]
    fn streams_grow_in_step_or_are_not_known() {
        let recent = Recent::default();
        let stream = StreamKey("c.1/case.1".to_owned());
        let append = |expected: u64| Batch {
            appends: vec![Append {
                stream: stream.clone(),
                expected,
                events: vec![NewEvent {
                    kind: "k".to_owned(),
                    version: 1,
                    at_ms: 0,
                    data: "{}".to_owned(),
                    leaf: None,
                }],
            }],
            ..Batch::default()
        };
        for expected in 0..EVENTS_MAX as u64 {
            wrote(&recent, append(expected));
            let known = recent.stream(&stream.0).unwrap();
            assert_eq!(known.len() as u64, expected + 1);
            assert!(
                known
                    .iter()
                    .zip(1..)
                    .all(|(event, at)| event.sequence == at)
            );
        }
        // Too long from here on: the file knows it.
        wrote(&recent, append(EVENTS_MAX as u64));
        assert!(recent.stream(&stream.0).is_none());

        let recent = Recent::default();
        wrote(&recent, append(0));
        wrote(
            &recent,
            Batch {
                erased: vec![Erasure {
                    stream: stream.clone(),
                    expected: 1,
                }],
                ..append(0)
            },
        );
        assert_eq!(recent.stream(&stream.0).unwrap().len(), 1);
    }

    #[test]
    fn memory_is_bounded_and_the_newest_stays() {
        let recent = Recent::default();
        let large = "x".repeat(64 << 10);
        for number in 0..1_000 {
            wrote(&recent, put(&format!("{number}"), &large, None));
        }
        let inner = recent.inner();
        assert!(
            inner.young.bytes <= BYTES_MAX / 2 && inner.old.bytes <= BYTES_MAX / 2 + (65 << 10)
        );
        drop(inner);
        assert!(value(&recent, "999").is_some() && value(&recent, "0").is_none());
    }
}
