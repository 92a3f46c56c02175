//! Load and commit: the dull half of "decide first, then act".
//!
//! Every write of the gate goes through here. What is recorded is an
//! [`Entry`]: an event for a stream, the pseudonym it is about, and nothing
//! of it in the ledger but a salted commitment.

use std::{collections::BTreeSet, time::Instant};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::{Event, Timestamp};
use countersign_store::{
    Append, Batch, CommitError, Committed, NewEvent, RecordWrite, StoredEvent, StreamKey,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use tracing::{Instrument as _, field::Empty, info_span};

use crate::{
    adapters::dice,
    gate::Gate,
    ledger,
    measures::{self, Kinds},
    records::{self, Held, space},
    traces::{self, TARGET},
    trouble::Trouble,
};

/// How often a decision is made again because somebody else was faster.
const DECIDE_AGAIN_MAX: u32 = 16;

/// Something to be recorded.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// `case.proved`, `staff.signed_in` …
    pub(crate) kind: String,
    /// When.
    pub(crate) at: Timestamp,
    /// The case, as the ledger knows it.
    pub(crate) case: Option<String>,
    /// The customer, as the ledger knows them.
    pub(crate) customer: Option<String>,
    /// What happened.
    pub(crate) data: Value,
    /// SHA-256 of the grant, where the leaf must commit to one.
    pub(crate) grant: Option<[u8; 32]>,
}

impl Entry {
    pub(crate) fn new<T: Serialize>(
        kind: impl Into<String>,
        at: Timestamp,
        customer: Option<&str>,
        data: &T,
    ) -> Result<Self, Trouble> {
        Ok(Self {
            kind: kind.into(),
            at,
            case: None,
            customer: customer.map(str::to_owned),
            data: records::to_value(data)?,
            grant: None,
        })
    }

    /// What happened to a case: `case.opened`, `case.proved` …
    pub(crate) fn of_case(event: &Event, case: &str, customer: &str) -> Result<Self, Trouble> {
        let mut entry = Self::new("", event.at, Some(customer), event)?;
        let kind = entry.data.get("kind").and_then(Value::as_str);
        let kind = kind.ok_or_else(|| Trouble::Damaged("an event without a kind".to_owned()))?;
        entry.kind = format!("case.{kind}");
        entry.case = Some(case.to_owned());
        Ok(entry)
    }
}

/// What a stored event holds: the salt makes the ledger's commitment say nothing to whoever lacks it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Envelope {
    /// 32 random bytes, base64url. Erasing it with the record erases a person; the log stays whole.
    pub(crate) salt: String,
    /// What happened.
    pub(crate) data: Value,
}

/// The same, read for what happened alone and without a document in between.
#[derive(Debug, Deserialize)]
struct Enveloped<T> {
    data: T,
}

/// What a stored event says.
pub(crate) fn said_by<T: DeserializeOwned>(stored: &StoredEvent) -> Result<T, Trouble> {
    records::read_json::<Enveloped<T>>(&stored.data).map(|envelope| envelope.data)
}

impl Envelope {
    pub(crate) fn open(stored: &StoredEvent) -> Result<Self, Trouble> {
        records::read_json(&stored.data)
    }

    pub(crate) fn salt(&self) -> Result<[u8; ledger::SALT_BYTES], Trouble> {
        let bytes = URL_SAFE_NO_PAD
            .decode(&self.salt)
            .ok()
            .and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| Trouble::Damaged("a salt that is not one".to_owned()))
    }
}

impl Gate {
    /// One document.
    pub(crate) async fn load<T: DeserializeOwned>(
        &self,
        space: &'static str,
        key: &str,
    ) -> Result<Option<Held<T>>, Trouble> {
        let Some(record) = self.journal().get(space, key).await? else {
            return Ok(None);
        };
        Ok(Some(Held {
            value: records::read_json(&record.value)?,
            revision: record.revision,
        }))
    }

    /// Documents of a range, in key order or its reverse.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        space: &'static str,
        range: countersign_store::KeyRange,
        limit: usize,
    ) -> Result<Vec<T>, Trouble> {
        let found = self.journal().scan(space, range, limit).await?;
        found
            .iter()
            .map(|record| records::read_json(&record.value))
            .collect()
    }

    /// Documents only, without any event: nothing a person decided.
    pub(crate) async fn write_records(&self, records: Vec<RecordWrite>) -> Result<(), CommitError> {
        self.commit(Batch {
            records,
            ..Batch::default()
        })
        .await
        .map(|_| ())
    }

    /// Adds an entry to a batch: the event with its salt, and its leaf.
    pub(crate) fn record(
        &self,
        batch: &mut Batch,
        stream: &StreamKey,
        expected: u64,
        entries: Vec<Entry>,
    ) -> Result<(), Trouble> {
        let mut events = Vec::with_capacity(entries.len());
        for entry in entries {
            let salt = dice::random_bytes::<{ ledger::SALT_BYTES }>(self.dice());
            let leaf = batch.leaves.len();
            batch.leaves.push(ledger::leaf(&entry, &salt)?);
            let salt = URL_SAFE_NO_PAD.encode(salt);
            events.push(NewEvent {
                kind: entry.kind,
                version: 1,
                at_ms: entry.at.0,
                data: records::write_json(&Envelope {
                    salt,
                    data: entry.data,
                })?,
                leaf: Some(leaf),
            });
        }
        if !events.is_empty() {
            batch.appends.push(Append {
                stream: stream.clone(),
                expected,
                events,
            });
        }
        Ok(())
    }

    /// Adds an entry to a stream that is only ever appended to, at its present end.
    pub(crate) async fn log(
        &self,
        batch: &mut Batch,
        stream: &StreamKey,
        entry: Entry,
    ) -> Result<(), Trouble> {
        let head = self.load::<u64>(space::HEAD, &stream.0).await?;
        let (length, revision) = head.map_or((0, 0), |held| (held.value, held.revision));
        self.record(batch, stream, length, vec![entry])?;
        batch.records.push(records::put(
            space::HEAD,
            stream.0.clone(),
            &(length + 1),
            Some(revision),
        )?);
        Ok(())
    }

    /// Commits a batch whole. `Unavailable` is passed on: the caller reads before it tries again.
    pub(crate) async fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        let kinds = Kinds::of(&batch);
        let journal = self.journal();
        let (server, port) = journal.server().unzip();
        let span = info_span!(
            target: TARGET,
            "commit",
            otel.name = "COMMIT",
            otel.kind = "client",
            db.system.name = journal.system(),
            db.operation.name = "COMMIT",
            server.address = server,
            server.port = port,
            countersign.events = kinds.count(),
            "error.type" = Empty,
            otel.status_code = Empty,
        );
        let asked = Instant::now();
        let committed = journal.commit(batch).instrument(span.clone()).await;
        if let Some(word) = measures::commit(&committed, asked.elapsed()) {
            traces::failed(&span, word);
        }
        if committed.is_ok() {
            kinds.kept();
        }
        committed
    }

    /// Whether the first event of a batch's append to this stream is stored: the answer a lost answer did not give.
    async fn was_written(&self, sent: &Append) -> Result<bool, Trouble> {
        let stored = self.journal().read(&sent.stream, sent.expected).await?;
        // The salt is random, so equal data is the same write and no other.
        Ok(stored
            .first()
            .zip(sent.events.first())
            .is_some_and(|(stored, sent)| stored.data == sent.data))
    }

    /// Commits a batch. `false`: somebody else changed what it was built on, so read and decide again.
    ///
    /// A lost answer is looked up before anything else: the batch's first event carries a random salt, so finding it is finding this write.
    pub(crate) async fn committed(&self, batch: Batch, tries: &mut Tries) -> Result<bool, Trouble> {
        if is_empty(&batch) {
            return Ok(true);
        }
        let sent = batch.appends.first().cloned();
        let queued = due_at_once(&batch, self.now());
        match self.commit(batch).await {
            Ok(_) => {
                for queue in queued {
                    self.bells().ring(queue);
                }
                Ok(true)
            }
            Err(CommitError::Conflict { what }) => {
                tracing::debug!(what, "deciding again");
                tries.0 += 1;
                if tries.0 >= DECIDE_AGAIN_MAX {
                    return Err(Trouble::Busy);
                }
                tokio::task::yield_now().await;
                Ok(false)
            }
            Err(CommitError::Unavailable(why)) => {
                tracing::warn!(
                    why,
                    "the store did not say whether it committed; reading back"
                );
                let Some(sent) = sent else {
                    return Err(Trouble::Uncertain);
                };
                // A write that is not there yet may still be under way, so it is never simply made again.
                if self.was_written(&sent).await.unwrap_or(false) {
                    Ok(true)
                } else {
                    Err(Trouble::Uncertain)
                }
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// How often a decision was made again.
#[derive(Debug, Default)]
pub(crate) struct Tries(u32);

/// The queues that a batch gives something to do now. What is due later wakes nobody: whoever woke would find nothing.
fn due_at_once(batch: &Batch, now: Timestamp) -> BTreeSet<&'static str> {
    let due = batch.work.iter().filter(|work| work.due_ms <= now.0);
    due.map(|work| work.queue).collect()
}

fn is_empty(batch: &Batch) -> bool {
    batch.appends.is_empty()
        && batch.records.is_empty()
        && batch.work.is_empty()
        && batch.finished.is_empty()
        && batch.leaves.is_empty()
}
