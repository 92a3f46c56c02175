//! What a group of batches will do, decided before anything is written.
//!
//! Every implementation runs the same three steps: collect what the batches [`Needs`] to know,
//! look that up in one go as [`Facts`], and let a [`Group`] admit the batches one after another.
//! A batch is held against the facts and the effects of those admitted before it; one that
//! conflicts leaves no trace. What remains is a list of rows to write, at most one for each
//! record and piece of work. No clock, store or randomness here.

use std::collections::{BTreeMap, BTreeSet};

use crate::journal::{Batch, CommitError, Erasure, LEAF_BYTES_MAX, StoredEvent};

/// The longest name of a stream, record or piece of work, in bytes.
const KEY_BYTES_MAX: usize = 1_024;

/// The most a batch may hold altogether, in bytes.
const BATCH_BYTES_MAX: usize = 16 << 20;

/// A record's or work's place: its space or queue, and its key.
pub(crate) type Place = (&'static str, String);

/// Refuses a batch that no store could ever write, and says how many bytes it holds otherwise.
pub(crate) fn weigh(batch: &Batch) -> Result<usize, CommitError> {
    let mut bytes = 0_usize;
    let mut text = |what: &str, text: &str, most: usize| {
        bytes = bytes.saturating_add(text.len());
        if text.len() > most {
            Err(malformed(format!("{what} of {} bytes", text.len())))
        } else if text.contains('\0') {
            // PostgreSQL has no text with it, and SQLite's functions stop at it.
            Err(malformed(format!("{what} with a zero byte")))
        } else {
            Ok(())
        }
    };
    for erasure in &batch.erased {
        text("stream name", &erasure.stream.0, KEY_BYTES_MAX)?;
        if erasure.expected == 0 {
            return Err(malformed("an erasure of nothing"));
        }
    }
    if !batch.erased.is_empty() && batch.appends.is_empty() {
        return Err(malformed("an erasure that nothing records"));
    }
    for append in &batch.appends {
        text("stream name", &append.stream.0, KEY_BYTES_MAX)?;
        if append.events.is_empty() {
            return Err(malformed("an append without events"));
        }
        for event in &append.events {
            text("event kind", &event.kind, KEY_BYTES_MAX)?;
            text("event data", &event.data, BATCH_BYTES_MAX)?;
            if event.leaf.is_some_and(|leaf| leaf >= batch.leaves.len()) {
                return Err(malformed("an event of a leaf that is not in the batch"));
            }
        }
    }
    for write in &batch.records {
        text("record key", &write.key, KEY_BYTES_MAX)?;
        if let Some(value) = &write.value {
            text("record value", value, BATCH_BYTES_MAX)?;
        }
    }
    for new in &batch.work {
        text("work key", &new.key, KEY_BYTES_MAX)?;
        text("work body", &new.body, BATCH_BYTES_MAX)?;
    }
    for finished in &batch.finished {
        text("work key", &finished.key, KEY_BYTES_MAX)?;
    }
    for leaf in &batch.leaves {
        bytes = bytes.saturating_add(leaf.len());
        if leaf.len() > LEAF_BYTES_MAX {
            return Err(malformed(format!("a leaf of {} bytes", leaf.len())));
        }
    }
    if bytes > BATCH_BYTES_MAX {
        return Err(malformed(format!("{bytes} bytes in one batch")));
    }
    Ok(bytes)
}

fn malformed(what: impl Into<String>) -> CommitError {
    CommitError::Malformed(what.into())
}

/// Everything that must be looked up before batches can be admitted.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    pub(crate) streams: BTreeSet<String>,
    pub(crate) records: BTreeSet<Place>,
    pub(crate) work: BTreeSet<Place>,
}

impl Needs {
    pub(crate) fn add(&mut self, batch: &Batch) {
        let Self {
            streams,
            records,
            work,
        } = self;
        streams.extend(batch.appends.iter().map(|append| append.stream.0.clone()));
        streams.extend(batch.erased.iter().map(|erasure| erasure.stream.0.clone()));
        records.extend(
            batch
                .records
                .iter()
                .map(|write| (write.space, write.key.clone())),
        );
        work.extend(batch.work.iter().map(|new| (new.queue, new.key.clone())));
        work.extend(
            batch
                .finished
                .iter()
                .map(|done| (done.queue, done.key.clone())),
        );
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.streams.is_empty() && self.records.is_empty() && self.work.is_empty()
    }
}

/// What was looked up; whatever is not in it does not exist.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Events in each stream.
    pub(crate) streams: BTreeMap<String, u64>,
    /// Revision of each record that has not expired.
    pub(crate) records: BTreeMap<Place, u64>,
    /// Work there is.
    pub(crate) work: BTreeSet<Place>,
}

/// What becomes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RecordEffect {
    Put {
        value: String,
        revision: u64,
        expires_ms: Option<i64>,
    },
    Remove,
}

/// What becomes of a piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WorkEffect {
    /// New, whatever was there before.
    Put {
        due_ms: i64,
        body: String,
    },
    /// Still the same, due then and not leased.
    Move {
        due_ms: i64,
    },
    Remove,
}

/// Batches admitted so far, and what they will write.
#[derive(Debug)]
pub(crate) struct Group {
    facts: Facts,
    now_ms: i64,
    /// Global position of the newest event.
    pub(crate) position: u64,
    /// Size of the tree before the group.
    base_size: u64,
    /// Streams whose events written before this group are forgotten.
    pub(crate) erased: BTreeSet<String>,
    pub(crate) events: Vec<StoredEvent>,
    pub(crate) leaves: Vec<Vec<u8>>,
    streams: BTreeMap<String, u64>,
    pub(crate) records: BTreeMap<Place, RecordEffect>,
    pub(crate) work: BTreeMap<Place, WorkEffect>,
}

impl Group {
    /// An empty group on top of a store with this newest position and tree size.
    pub(crate) fn new(facts: Facts, position: u64, tree_size: u64, now_ms: i64) -> Self {
        Self {
            facts,
            now_ms,
            position,
            base_size: tree_size,
            erased: BTreeSet::new(),
            events: Vec::new(),
            leaves: Vec::new(),
            streams: BTreeMap::new(),
            records: BTreeMap::new(),
            work: BTreeMap::new(),
        }
    }

    /// Size of the tree once the group is written.
    pub(crate) fn tree_size(&self) -> u64 {
        self.base_size + self.leaves.len() as u64
    }

    /// Whether nothing would change.
    pub(crate) fn is_empty(&self) -> bool {
        self.erased.is_empty()
            && self.events.is_empty()
            && self.leaves.is_empty()
            && self.records.is_empty()
            && self.work.is_empty()
    }

    /// Queues that this gives something due.
    pub(crate) fn due(&self, now_ms: i64) -> impl Iterator<Item = &'static str> {
        self.work
            .iter()
            .filter_map(move |((queue, _), effect)| match effect {
                WorkEffect::Put { due_ms, .. } | WorkEffect::Move { due_ms } => {
                    (*due_ms <= now_ms).then_some(*queue)
                }
                WorkEffect::Remove => None,
            })
    }

    /// Takes the batch in whole, or says what it conflicts with and stays as it was.
    ///
    /// Answers with the ledger index of the batch's first leaf.
    pub(crate) fn admit(&mut self, batch: Batch) -> Result<u64, CommitError> {
        let first_leaf = self.tree_size();
        let mut streams = BTreeMap::new();
        let mut records = BTreeMap::new();
        let mut work = BTreeMap::new();
        let mut events = Vec::new();

        for erasure in &batch.erased {
            let name = &erasure.stream.0;
            let length = streams
                .get(name)
                .copied()
                .unwrap_or_else(|| self.length(name));
            if length != erasure.expected {
                return Err(other_length(name, length, erasure.expected));
            }
            streams.insert(name.clone(), 0);
        }

        for append in batch.appends {
            let name = &append.stream.0;
            let length = streams
                .get(name)
                .copied()
                .unwrap_or_else(|| self.length(name));
            if length != append.expected {
                return Err(other_length(name, length, append.expected));
            }
            let mut sequence = length;
            for event in append.events {
                sequence += 1;
                events.push(StoredEvent {
                    position: self.position + events.len() as u64 + 1,
                    stream: append.stream.clone(),
                    sequence,
                    kind: event.kind,
                    version: event.version,
                    at_ms: event.at_ms,
                    data: event.data,
                    leaf: event.leaf.map(|leaf| first_leaf + leaf as u64),
                });
            }
            streams.insert(append.stream.0, sequence);
        }

        for write in batch.records {
            let place = (write.space, write.key);
            let revision = match records.get(&place) {
                Some(effect) => self.revision_after(effect),
                None => self.revision(&place),
            };
            if write.expected.is_some_and(|expected| expected != revision) {
                return Err(conflict(format!("record `{}/{}`", place.0, place.1)));
            }
            let effect = match write.value {
                Some(value) => RecordEffect::Put {
                    value,
                    revision: revision + 1,
                    expires_ms: write.expires_ms,
                },
                None => RecordEffect::Remove,
            };
            records.insert(place, effect);
        }

        // Finished before added: what a batch adds is there afterwards, even under the key of
        // what it finished.
        for finished in batch.finished {
            let place = (finished.queue, finished.key);
            let before = work.get(&place).or_else(|| self.work.get(&place));
            let exists = before.map_or_else(
                || self.facts.work.contains(&place),
                |effect| !matches!(effect, WorkEffect::Remove),
            );
            if !exists {
                if finished.must_exist {
                    return Err(conflict(format!("work `{}/{}` is gone", place.0, place.1)));
                }
                continue;
            }
            let effect = match (finished.again_at_ms, before) {
                (None, _) => WorkEffect::Remove,
                (Some(due_ms), Some(WorkEffect::Put { body, .. })) => WorkEffect::Put {
                    due_ms,
                    body: body.clone(),
                },
                (Some(due_ms), _) => WorkEffect::Move { due_ms },
            };
            work.insert(place, effect);
        }
        for new in batch.work {
            let place = (new.queue, new.key);
            let exists = work
                .get(&place)
                .or_else(|| self.work.get(&place))
                .map_or_else(
                    || self.facts.work.contains(&place),
                    |effect| !matches!(effect, WorkEffect::Remove),
                );
            if !exists {
                work.insert(
                    place,
                    WorkEffect::Put {
                        due_ms: new.due_ms,
                        body: new.body,
                    },
                );
            }
        }

        for Erasure { stream, .. } in batch.erased {
            self.events.retain(|event| event.stream != stream);
            self.erased.insert(stream.0);
        }
        self.position += events.len() as u64;
        self.events.extend(events);
        self.leaves.extend(batch.leaves);
        self.streams.extend(streams);
        self.records.extend(records);
        self.work.extend(work);
        Ok(first_leaf)
    }

    fn length(&self, stream: &str) -> u64 {
        let known = self
            .streams
            .get(stream)
            .or_else(|| self.facts.streams.get(stream));
        known.copied().unwrap_or(0)
    }

    fn revision(&self, place: &Place) -> u64 {
        match self.records.get(place) {
            Some(effect) => self.revision_after(effect),
            None => self.facts.records.get(place).copied().unwrap_or(0),
        }
    }

    fn revision_after(&self, effect: &RecordEffect) -> u64 {
        match effect {
            RecordEffect::Put {
                revision,
                expires_ms,
                ..
            } if !has_expired(*expires_ms, self.now_ms) => *revision,
            RecordEffect::Put { .. } | RecordEffect::Remove => 0,
        }
    }
}

/// Whether a record that may be forgotten then is forgotten now.
pub(crate) fn has_expired(expires_ms: Option<i64>, now_ms: i64) -> bool {
    expires_ms.is_some_and(|expires| expires <= now_ms)
}

fn other_length(stream: &str, length: u64, expected: u64) -> CommitError {
    conflict(format!(
        "stream `{stream}` holds {length} events, not {expected}"
    ))
}

fn conflict(what: String) -> CommitError {
    CommitError::Conflict { what }
}
