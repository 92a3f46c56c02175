//! The one task that writes.
//!
//! It takes all requests that are waiting, holds them against one look-up and each other, writes
//! what stands with a handful of statements, and commits once: a group shares its fsync. While
//! one group is on its way to the disk the next one gathers, so groups grow with the load.
//!
//! The root is committed with everything it covers; the checkpoint over it is signed only after
//! that. So a transaction that fails, or a kill between the two, never leaves a signature over a
//! root that did not come to be, and a size is signed for one root only, at whatever instruction
//! the program stops. A signed note is written down by the next transaction; after a crash before
//! that, it is signed again, over the same root.

use std::{fs::File, io, sync::Arc};

use countersign_ledger::TilePath;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{mpsc, oneshot};

use super::{
    Published, Shared,
    head::{self, Head, LoadError},
    statements::{self, Script},
};
use crate::{
    Clock,
    journal::{Batch, CheckpointSigner, CommitError, Committed, StoreError, Work},
    plan::{Group, Needs},
};

/// The most requests in one transaction.
const GROUP_MAX: usize = 512;

/// A transaction takes no further batch once it holds this many bytes.
const GROUP_BYTES: usize = 8 << 20;

/// How long expired records lie at least before some are deleted, in ms.
const SWEEP_EVERY_MS: i64 = 1_000;

/// What the writer can be asked.
#[derive(Debug)]
pub(super) enum Request {
    Commit {
        batch: Batch,
        bytes: usize,
        answer: oneshot::Sender<Result<Committed, CommitError>>,
    },
    Take(Take),
    /// Let the file grow to so many pages and no further.
    LimitPages(u32),
    /// Write down what is not, let go of the file, and end.
    Close(oneshot::Sender<()>),
}

#[derive(Debug)]
pub(super) struct Take {
    pub(super) queue: &'static str,
    pub(super) now_ms: i64,
    pub(super) lease_until_ms: i64,
    pub(super) limit: usize,
    pub(super) answer: oneshot::Sender<Result<Vec<Work>, StoreError>>,
}

pub(super) struct Writer {
    pub(super) options: SqliteConnectOptions,
    /// `None` after a failure: the head must be read again before anything is written.
    pub(super) connection: Option<SqliteConnection>,
    pub(super) head: Head,
    /// The newest checkpoint, while it is signed but not written down.
    pub(super) unstored: Option<(u64, String)>,
    pub(super) max_pages: Option<u32>,
    pub(super) swept_ms: i64,
    pub(super) signer: Arc<dyn CheckpointSigner>,
    pub(super) clock: Clock,
    pub(super) shared: Arc<Shared>,
    pub(super) faults: Faults,
    /// Held as long as there is anything to write.
    pub(super) lock: File,
}

/// Batches that wait for the end of their transaction, with what they were told so far.
type Waiting = Vec<(
    oneshot::Sender<Result<Committed, CommitError>>,
    Result<u64, CommitError>,
)>;

/// A transaction that did not succeed.
#[derive(Debug)]
enum Failure {
    /// Nothing of it was written.
    Undone(String),
    /// It may have been written.
    Unknown(String),
}

impl Writer {
    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut closed = None;
        while let Some(first) = requests.recv().await {
            let mut batches = Vec::new();
            let mut takes = Vec::new();
            let mut bytes_held = 0;
            let mut next = Some(first);
            while let Some(request) = next {
                match request {
                    Request::Commit {
                        batch,
                        bytes,
                        answer,
                    } => {
                        bytes_held += bytes;
                        batches.push((batch, answer));
                    }
                    Request::Take(take) => takes.push(take),
                    Request::LimitPages(pages) => {
                        self.max_pages = Some(pages);
                        // The limit is set where a connection is made.
                        self.disconnect().await;
                    }
                    Request::Close(answer) => {
                        requests.close();
                        closed = Some(answer);
                    }
                }
                let full = batches.len() + takes.len() >= GROUP_MAX || bytes_held >= GROUP_BYTES;
                next = if full { None } else { requests.try_recv().ok() };
            }
            self.write(batches, takes).await;
        }
        self.finish().await;
        if let Some(closed) = closed {
            // Whoever asked may have gone.
            let _ = closed.send(());
        }
    }

    /// Writes one group and answers everybody in it.
    async fn write(
        &mut self,
        batches: Vec<(Batch, oneshot::Sender<Result<Committed, CommitError>>)>,
        takes: Vec<Take>,
    ) {
        let mut waiting = Waiting::new();
        let mut taken = Vec::new();
        let outcome = match self.plan(batches, &mut waiting).await {
            Ok(group) => self.transact(&group, &takes, &mut taken).await,
            Err(failure) => Err(failure),
        };
        match outcome {
            Ok(()) => {
                metrics::histogram!("countersign.store.group.requests")
                    .record(f64::from(u32::try_from(waiting.len()).unwrap_or(u32::MAX)));
                let (position, tree_size) = (self.head.position, self.head.tree.size());
                for (answer, admitted) in waiting {
                    // Whoever asked may have gone: here and below.
                    let _ = answer.send(admitted.map(|first_leaf| Committed {
                        position,
                        first_leaf,
                        tree_size,
                    }));
                }
                for (take, work) in takes.into_iter().zip(taken) {
                    let _ = take.answer.send(Ok(work));
                }
            }
            Err(failure) => {
                let (error, why) = match failure {
                    Failure::Undone(why) => (CommitError::Overloaded, why),
                    Failure::Unknown(why) => (CommitError::Unavailable(why.clone()), why),
                };
                tracing::error!(
                    requests = waiting.len() + takes.len(),
                    why,
                    "the store could not write"
                );
                // Those that conflicted may have done so with what was not written after all.
                for (answer, _) in waiting {
                    let _ = answer.send(Err(error.clone()));
                }
                for take in takes {
                    let _ = take.answer.send(Err(StoreError(why.clone())));
                }
            }
        }
    }

    /// Decides which batches stand, without writing anything.
    async fn plan(
        &mut self,
        batches: Vec<(Batch, oneshot::Sender<Result<Committed, CommitError>>)>,
        waiting: &mut Waiting,
    ) -> Result<Group, Failure> {
        let now_ms = self.clock.now_ms();
        let mut needs = Needs::default();
        for (batch, _) in &batches {
            needs.add(batch);
        }
        let facts = match self.look_up(needs, now_ms).await {
            Ok(facts) => facts,
            Err(error) => {
                waiting.extend(batches.into_iter().map(|(_, answer)| (answer, Ok(0))));
                self.disconnect().await;
                return Err(Failure::Undone(error.to_string()));
            }
        };
        let mut group = Group::new(facts, self.head.position, self.head.tree.size(), now_ms);
        for (batch, answer) in batches {
            waiting.push((answer, group.admit(batch)));
        }
        Ok(group)
    }

    async fn look_up(
        &mut self,
        mut needs: Needs,
        now_ms: i64,
    ) -> Result<crate::plan::Facts, LoadError> {
        self.reconnect().await?;
        let known = self.shared.recent.look_up(&mut needs, now_ms);
        let Some(connection) = &mut self.connection else {
            return Err(not_connected().into());
        };
        let looked_up = self.faults.around(
            Step::LookUp,
            statements::look_up(connection, &needs, known, now_ms),
        );
        Ok(looked_up.await?)
    }

    /// Writes the group in one transaction. When it fails, what is known of its fate is told, and
    /// the writer stands where the database does.
    async fn transact(
        &mut self,
        group: &Group,
        takes: &[Take],
        taken: &mut Vec<Vec<Work>>,
    ) -> Result<(), Failure> {
        if group.is_empty() && takes.is_empty() {
            return Ok(());
        }
        let mut after = Head {
            generation: self.head.generation + 1,
            position: group.position,
            tree: self.head.tree.clone(),
        };
        let appended = after.tree.append(group.leaves.iter().map(Vec::as_slice));
        // Every batch was weighed before it came here.
        let changed = appended.map_err(|error| Failure::Undone(error.to_string()))?;
        let tiles: Vec<_> = changed
            .tiles
            .iter()
            .filter_map(|(path, bytes)| match path {
                TilePath::Hashes { level, index, .. } => Some((*level, *index, bytes.as_slice())),
                TilePath::Entries { .. } => None,
            })
            .collect();

        let written = self.write_rows(group, &after, &tiles, takes, taken).await;
        match written {
            Ok(Written::Nothing) => return Ok(()),
            Ok(Written::Everything) => {}
            Err(error) => {
                // The transaction dies with its connection.
                self.disconnect().await;
                return Err(Failure::Undone(error.to_string()));
            }
        }
        let Some(connection) = &mut self.connection else {
            return Err(Failure::Undone("no connection".into()));
        };
        let commit = async { sqlx::query("COMMIT").execute(connection).await };
        match self.faults.around(Step::Commit, commit).await {
            Ok(_) => {
                self.unstored = None;
                self.shared.recent.apply(group, changed.tiles);
                let now_ms = self.clock.now_ms();
                self.shared.queue(group.due(now_ms));
                self.advance(after);
                Ok(())
            }
            Err(error) => self.resolve(&after, &error).await,
        }
    }

    async fn write_rows(
        &mut self,
        group: &Group,
        after: &Head,
        tiles: &[(u8, u64, &[u8])],
        takes: &[Take],
        taken: &mut Vec<Vec<Work>>,
    ) -> sqlx::Result<Written> {
        let Self {
            connection: Some(connection),
            faults,
            ..
        } = self
        else {
            return Err(not_connected());
        };
        let now_ms = self.clock.now_ms();
        let mut script = Script::begin();
        if !takes.is_empty() {
            let begun = std::mem::take(&mut script).run(connection);
            faults.around(Step::Begin, begun).await?;
        }
        for take in takes {
            let Take {
                queue,
                now_ms,
                lease_until_ms,
                limit,
                ..
            } = *take;
            let work = statements::take_work(connection, queue, now_ms, lease_until_ms, limit);
            taken.push(faults.around(Step::Take, work).await?);
        }
        if group.is_empty() && taken.iter().all(Vec::is_empty) {
            sqlx::query("ROLLBACK").execute(connection).await?;
            return Ok(Written::Nothing);
        }

        let sweeps = now_ms.saturating_sub(self.swept_ms) >= SWEEP_EVERY_MS;
        if sweeps {
            script.sweep(now_ms)?;
        }
        if let Some((size, note)) = &self.unstored {
            script.note(*size, note)?;
        }
        let first_leaf = self.head.tree.size();
        let size = after.tree.size();
        if size > first_leaf {
            script.tree(tiles, size, after.tree.root())?;
        }
        script.head(after.generation, after.position, size)?;
        if !group.erased.is_empty() {
            script.erase(&group.erased)?;
        }
        script.work_and_removals(&group.work, &group.records)?;
        faults.around(Step::Frame, script.run(connection)).await?;
        if sweeps {
            self.swept_ms = now_ms;
        }
        faults
            .around(
                Step::Events,
                statements::insert_events(connection, first_leaf, &group.leaves, &group.events),
            )
            .await?;
        faults
            .around(
                Step::Records,
                statements::put_records(connection, &group.records),
            )
            .await?;
        if !group.erased.is_empty() {
            Script::end_erasure().run(connection).await?;
        }
        Ok(Written::Everything)
    }

    /// Finds out what became of a transaction whose `COMMIT` reported an error.
    async fn resolve(&mut self, after: &Head, error: &sqlx::Error) -> Result<(), Failure> {
        self.disconnect().await;
        if let Err(unread) = self.reconnect().await {
            return Err(Failure::Unknown(format!("{error}; then {unread}")));
        }
        if self.head.generation == after.generation {
            return Ok(());
        }
        // On a full disk the commit record itself did not fit. After any other error it may lie
        // in the log, and come to life if the program is killed before the next transaction
        // overwrites it.
        if is_full(error) {
            Err(Failure::Undone(error.to_string()))
        } else {
            Err(Failure::Unknown(error.to_string()))
        }
    }

    async fn disconnect(&mut self) {
        self.shared.recent.clear();
        if let Some(connection) = self.connection.take() {
            // It is of no more use whatever it answers.
            let _ = connection.close().await;
        }
    }

    /// Makes sure that there is a connection, and that the head is the database's.
    async fn reconnect(&mut self) -> Result<(), LoadError> {
        if self.connection.is_some() {
            return Ok(());
        }
        let options = match self.max_pages {
            Some(pages) => self
                .options
                .clone()
                .pragma("max_page_count", pages.to_string()),
            None => self.options.clone(),
        };
        let connect = async {
            let mut connection = SqliteConnection::connect_with(&options).await?;
            let loaded = head::load(&mut connection).await?;
            Ok::<_, LoadError>((connection, loaded))
        };
        let (connection, loaded) = self.faults.around(Step::Reread, connect).await?;
        let Some(loaded) = loaded else {
            return Err(LoadError::Unsound("the head is gone".into()));
        };
        self.connection = Some(connection);
        if loaded.head.generation != self.head.generation {
            // A transaction whose outcome was not heard has happened, its note included.
            self.unstored = None;
            self.advance(loaded.head);
        }
        Ok(())
    }

    /// Goes on from a head that is durable: signs, publishes and wakes.
    fn advance(&mut self, head: Head) {
        let size = head.tree.size();
        if size != self.head.tree.size() {
            let note = self.signer.sign(size, head.tree.root());
            self.unstored = Some((size, note.clone()));
            self.shared.publish(Published { size, note });
        }
        self.head = head;
        self.shared.newest.send_replace(self.head.position);
    }

    /// Writes down the last note and lets go of the file.
    async fn finish(&mut self) {
        if let (Some(connection), Some((size, note))) = (&mut self.connection, &self.unstored)
            && let Err(error) = statements::store_note(connection, *size, note).await
        {
            tracing::warn!(%error, "the newest checkpoint will be signed again at the next start");
        }
        self.disconnect().await;
        // Before whoever waits for the end is told.
        let _ = self.lock.unlock();
    }
}

enum Written {
    Nothing,
    Everything,
}

/// Whether there was no room: `SQLITE_FULL`.
fn is_full(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == 13)
}

fn not_connected() -> sqlx::Error {
    io::Error::from(io::ErrorKind::NotConnected).into()
}

/// The places where the database can fail the writer, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    LookUp,
    /// Where work is taken; otherwise it is part of the frame.
    Begin,
    Take,
    /// Everything but the rows of which there are many.
    Frame,
    Events,
    Records,
    Commit,
    Reread,
}

/// In tests, makes chosen steps fail before or after they take effect; otherwise nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    #[cfg(test)]
    pub(super) armed: Arc<std::sync::Mutex<Vec<(Step, When)>>>,
}

#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Before,
    After,
}

impl Faults {
    #[cfg(not(test))]
    async fn around<T, E>(
        &self,
        _step: Step,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        work.await
    }

    #[cfg(test)]
    async fn around<T, E: From<sqlx::Error>>(
        &self,
        step: Step,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.strike(step, When::Before)?;
        let done = work.await?;
        self.strike(step, When::After)?;
        Ok(done)
    }

    #[cfg(test)]
    fn strike(&self, step: Step, when: When) -> sqlx::Result<()> {
        let mut armed = self.armed.lock().unwrap();
        match armed.iter().position(|fault| *fault == (step, when)) {
            Some(at) => {
                armed.remove(at);
                Err(io::Error::other(format!("a fault {when:?} {step:?}")).into())
            }
            None => Ok(()),
        }
    }
}
