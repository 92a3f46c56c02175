//! The one task of this gate that writes, beside those of other gates.
//!
//! As in `sqlite` it writes a group of requests in one transaction, and signs a root only once it is durable. Other gates
//! do the same on the same database, so each transaction
//!
//! 1. locks the head's row, which makes it the only sequencer until it ends,
//! 2. compares where the head stands with where it believes it to, and reads what others have written since if that differs,
//! 3. looks up, decides, writes, and moves the generation from the one to the next in the same statement,
//! 4. commits.
//!
//! A connection that is cut while it commits leaves a transaction of unknown fate. It still holds the lock, or has ended:
//! whoever locks the head after it therefore reads its fate for certain, in the row of this gate.

use std::{sync::Arc, time::Duration};

use sqlx::{Connection as _, PgConnection, Row as _, postgres::PgConnectOptions};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::timeout,
};

use super::{
    PATIENCE, Published, Shared, connect, has_ended,
    head::{self, Head, LoadError, Mark},
    int, statements,
};
use crate::{
    Clock, OpenError,
    journal::{Batch, CheckpointSigner, CommitError, Committed, StoreError},
    plan::{Group, Needs},
};

/// The most requests in one transaction.
const GROUP_MAX: usize = 512;

/// A transaction takes no further batch once it holds this many bytes.
const GROUP_BYTES: usize = 8 << 20;

/// How long expired records lie at least before some are deleted, in ms.
const SWEEP_EVERY_MS: i64 = 1_000;

/// How long a transaction may take, longer than the server lets any part of it take: after that its connection is given
/// up, and the transaction with it. (A gate that is stopped while it holds the head's lock holds up every other one; the
/// server ends its session after [`SESSION`]'s time.)
const TRANSACTION: Duration = Duration::from_secs(30);

/// Every statement finds its rows by their keys; a plan made while a table was small must not outlive that. (A way that is
/// switched off but has to be gone costs so much in the planner's eyes that it would compile the plan, for a second each.)
const SESSION: &str = "
    SET idle_in_transaction_session_timeout = '10s'; SET lock_timeout = '10s'; SET statement_timeout = '20s';
    SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";

/// What the writer can be asked.
#[derive(Debug)]
pub(super) enum Request {
    Commit {
        batch: Batch,
        bytes: usize,
        answer: oneshot::Sender<Result<Committed, CommitError>>,
    },
    /// Read what other gates have written.
    Follow(oneshot::Sender<Result<(), StoreError>>),
    /// Write down what is not, and end.
    Close(oneshot::Sender<()>),
}

pub(super) struct Writer {
    pub(super) options: PgConnectOptions,
    /// `None` after a failure.
    pub(super) connection: Option<PgConnection>,
    /// Unique among all gates there ever were.
    pub(super) gate: String,
    pub(super) head: Head,
    /// The newest checkpoint, while it is signed but not written down.
    pub(super) unstored: Option<(u64, String)>,
    pub(super) swept_ms: i64,
    pub(super) signer: Arc<dyn CheckpointSigner>,
    pub(super) clock: Clock,
    pub(super) shared: Arc<Shared>,
    /// Somebody else may have written.
    pub(super) wake: Arc<Notify>,
}

type Answer = oneshot::Sender<Result<Committed, CommitError>>;

/// Each batch's first leaf, or why it does not stand.
type Admitted = Vec<Result<u64, CommitError>>;

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
        let wake = Arc::clone(&self.wake);
        let mut closed = None;
        loop {
            let first = tokio::select! {
                biased;
                first = requests.recv() => first,
                () = wake.notified() => {
                    if let Err(error) = self.follow().await {
                        tracing::warn!(%error, "what other gates have written could not be read");
                    }
                    continue;
                }
            };
            let Some(first) = first else { break };
            let (mut batches, mut answers) = (Vec::new(), Vec::new());
            let mut followers = Vec::new();
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
                        batches.push(batch);
                        answers.push(answer);
                    }
                    Request::Follow(answer) => followers.push(answer),
                    Request::Close(answer) => {
                        requests.close();
                        closed = Some(answer);
                    }
                }
                let full = batches.len() >= GROUP_MAX || bytes_held >= GROUP_BYTES;
                next = if full { None } else { requests.try_recv().ok() };
            }
            if !batches.is_empty() {
                self.write(batches, answers).await;
            }
            if !followers.is_empty() {
                let followed = self.follow().await;
                for answer in followers {
                    // Whoever asked may have gone: here and below.
                    let _ = answer.send(followed.clone());
                }
            }
        }
        self.finish().await;
        if let Some(closed) = closed {
            let _ = closed.send(());
        }
    }

    /// Writes one group and answers everybody in it.
    async fn write(&mut self, batches: Vec<Batch>, answers: Vec<Answer>) {
        let failure = match self.transact(batches).await {
            Ok(admitted) => {
                let (position, tree_size) = (self.head.position, self.head.tree.size());
                for (answer, admitted) in answers.into_iter().zip(admitted) {
                    let _ = answer.send(admitted.map(|first_leaf| Committed {
                        position,
                        first_leaf,
                        tree_size,
                    }));
                }
                return;
            }
            Err(failure) => failure,
        };
        let (error, why) = match failure {
            Failure::Undone(why) => (CommitError::Overloaded, why),
            Failure::Unknown(why) => (CommitError::Unavailable(why.clone()), why),
        };
        tracing::error!(requests = answers.len(), why, "the store could not write");
        // Those that conflicted may have done so with what was not written after all.
        for answer in answers {
            let _ = answer.send(Err(error.clone()));
        }
    }

    /// Writes what stands of the batches in one transaction. Answers, in their order, with each one's first leaf or why
    /// it does not stand.
    async fn transact(&mut self, batches: Vec<Batch>) -> Result<Admitted, Failure> {
        let prepared = match timeout(TRANSACTION, self.prepare(batches)).await {
            Ok(Ok(prepared)) => prepared,
            Ok(Err(error)) => {
                // The transaction dies with its connection.
                self.disconnect().await;
                return Err(Failure::Undone(error.to_string()));
            }
            Err(_) => {
                self.connection = None;
                return Err(Failure::Undone("the server took too long".into()));
            }
        };
        let (admitted, Some(after)) = prepared else {
            return Ok(prepared.0);
        };
        let Some(connection) = &mut self.connection else {
            return Err(Failure::Undone("no connection".into()));
        };
        // A query of its own, and not prepared: one message each way.
        let committed = timeout(TRANSACTION, sqlx::raw_sql("COMMIT").execute(connection)).await;
        match committed {
            Ok(Ok(_)) => {
                self.unstored = None;
                self.advance(after);
            }
            Ok(Err(error)) => self.resolve(after, &error.to_string()).await?,
            Err(_) => self.resolve(after, "the server took too long").await?,
        }
        Ok(admitted)
    }

    /// Everything of a transaction but its end, and the head after it; no head if there is nothing to write, and no
    /// transaction any more.
    async fn prepare(
        &mut self,
        batches: Vec<Batch>,
    ) -> Result<(Admitted, Option<Head>), LoadError> {
        let mut needs = Needs::default();
        for batch in &batches {
            needs.add(batch);
        }
        let now_ms = self.clock.now_ms();
        let facts = self.begin_and_look_up(&needs, now_ms).await?;
        let mut group = Group::new(facts, self.head.position, self.head.tree.size(), now_ms);
        let admitted = batches
            .into_iter()
            .map(|batch| group.admit(batch))
            .collect();
        let Self {
            connection: Some(connection),
            ..
        } = self
        else {
            return Err(not_connected());
        };
        if group.is_empty() {
            sqlx::raw_sql("ROLLBACK").execute(connection).await?;
            return Ok((admitted, None));
        }
        let mut after = Head {
            generation: self.head.generation + 1,
            position: group.position,
            tree: self.head.tree.clone(),
        };
        // Every batch was weighed before it came here.
        let changed = after
            .tree
            .append(group.leaves.iter().map(Vec::as_slice))
            .map_err(|error| LoadError::Unsound(error.to_string()))?;
        if now_ms.saturating_sub(self.swept_ms) >= SWEEP_EVERY_MS {
            statements::sweep(connection, now_ms).await?;
            self.swept_ms = now_ms;
        }
        statements::erase(connection, &group.erased).await?;
        let writing = statements::Writing {
            group: &group,
            note: self.unstored.as_ref(),
            tiles: &changed.tiles,
            root: after.tree.root(),
            gate: &self.gate,
            now_ms,
            from: (self.head.generation, self.head.tree.size()),
        };
        if !statements::write(connection, &writing).await? {
            return Err(LoadError::Unsound(
                "the head was moved while it was locked".into(),
            ));
        }
        Ok((admitted, Some(after)))
    }

    async fn begin_and_look_up(
        &mut self,
        needs: &Needs,
        now_ms: i64,
    ) -> Result<crate::plan::Facts, LoadError> {
        let was_idle = self.connection.is_some();
        let mark = match self.begin().await {
            // It may have ended long ago without anybody noticing.
            Err(error) if was_idle && has_ended(&error) => {
                self.connection = None;
                self.begin().await?
            }
            begun => begun?,
        };
        if !mark.is(&self.head) {
            self.read_on().await?;
        }
        let Some(connection) = &mut self.connection else {
            return Err(not_connected());
        };
        Ok(statements::look_up(connection, needs, now_ms).await?)
    }

    /// Begins a transaction as the only sequencer; answers with where the database stands.
    async fn begin(&mut self) -> sqlx::Result<Mark> {
        self.reconnect().await?;
        let Some(connection) = &mut self.connection else {
            return Err(std::io::Error::from(std::io::ErrorKind::NotConnected).into());
        };
        let rows = sqlx::raw_sql(statements::BEGIN)
            .fetch_all(connection)
            .await?;
        let row = rows.last().ok_or(sqlx::Error::RowNotFound)?;
        Ok(Mark::of((
            row.try_get(0)?,
            row.try_get(1)?,
            row.try_get(2)?,
            row.try_get(3)?,
        )))
    }

    /// Reads what other gates have written, outside of any transaction.
    async fn follow(&mut self) -> Result<(), StoreError> {
        let read = async {
            self.reconnect().await?;
            self.read_on().await
        };
        let failed = match timeout(TRANSACTION, read).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the server took too long".to_owned(),
        };
        self.connection = None;
        Err(StoreError(failed))
    }

    async fn read_on(&mut self) -> Result<(), LoadError> {
        let Some(connection) = &mut self.connection else {
            return Err(not_connected());
        };
        if let Some(head) = head::follow(connection, &self.head).await? {
            self.advance(head);
        }
        Ok(())
    }

    /// Finds out what became of a transaction whose `COMMIT` was not answered well.
    async fn resolve(&mut self, after: Head, error: &str) -> Result<(), Failure> {
        self.connection = None;
        let fate = async {
            // Waits for the transaction in question, if it has not ended.
            self.begin().await?;
            let Some(connection) = &mut self.connection else {
                return Err(not_connected());
            };
            let last: Option<i64> =
                sqlx::query_scalar("SELECT generation FROM countersign.gate WHERE gate = $1")
                    .bind(&self.gate)
                    .fetch_optional(&mut *connection)
                    .await?;
            sqlx::raw_sql("ROLLBACK").execute(connection).await?;
            Ok::<_, LoadError>(last.is_some_and(|last| last == int(after.generation)))
        };
        match timeout(TRANSACTION, fate).await {
            Ok(Ok(true)) => {
                self.unstored = None;
                self.advance(after);
                Ok(())
            }
            Ok(Ok(false)) => Err(Failure::Undone(error.to_owned())),
            Ok(Err(unread)) => {
                self.connection = None;
                Err(Failure::Unknown(format!("{error}; then {unread}")))
            }
            Err(_) => {
                self.connection = None;
                Err(Failure::Unknown(error.to_owned()))
            }
        }
    }

    async fn disconnect(&mut self) {
        if let Some(connection) = self.connection.take() {
            // It is of no more use whatever it answers.
            let _ = timeout(PATIENCE, connection.close()).await;
        }
    }

    /// Makes sure that there is a connection, and that its server is still fit to be written to.
    async fn reconnect(&mut self) -> sqlx::Result<()> {
        if self.connection.is_none() {
            let connection = connect(&self.options).await.map_err(|error| match error {
                OpenError::Database(error) => error,
                other => sqlx::Error::Configuration(other.to_string().into()),
            })?;
            self.connection = Some(connection);
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
        self.shared.arrived(self.head.generation);
        // Work and records wake as well as events, as they do in the other stores.
        self.shared.newest.send_replace(self.head.position);
    }

    /// Writes down the last note and goes.
    async fn finish(&mut self) {
        if let (Some(connection), Some((size, note))) = (&mut self.connection, &self.unstored) {
            let stored =
                sqlx::query("UPDATE countersign.checkpoint SET note = $2 WHERE tree_size = $1")
                    .bind(int(*size))
                    .bind(note)
                    .execute(&mut *connection);
            if let Err(error) = stored.await {
                tracing::warn!(%error, "the newest checkpoint will be signed again at the next start");
            }
            let gone = sqlx::query("DELETE FROM countersign.gate WHERE gate = $1")
                .bind(&self.gate)
                .execute(connection);
            // A row too many costs nothing; a later start removes it.
            let _ = gone.await;
        }
        self.disconnect().await;
    }
}

/// Sets up a writer's session.
pub(super) async fn session(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::raw_sql(SESSION).execute(connection).await?;
    Ok(())
}

fn not_connected() -> LoadError {
    LoadError::Database(std::io::Error::from(std::io::ErrorKind::NotConnected).into())
}
