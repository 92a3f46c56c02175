//! The journal in PostgreSQL, for several gates at once.
//!
//! Each gate has one task that writes ([`writer`]) and some connections that read. The database is what they agree by:
//! whoever commits holds the head's row, so there is one sequencer at a time and nobody has to be elected. A gate learns of
//! another's commits by `NOTIFY`, and by asking every now and then in case that is lost.

mod address;
mod head;
mod moving;
mod schema;
mod statements;
mod writer;

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use countersign_ledger::{Appender, TILE_WIDTH, TilePath};
use futures_util::future::{BoxFuture, FutureExt};
use sqlx::{
    Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    task::AbortHandle,
    time::timeout,
};

pub use self::{
    address::{AddressError, PostgresAddress},
    moving::{MoveError, Moved, move_to_postgres},
};
use self::{
    head::LoadError,
    writer::{Request, Writer},
};
use crate::{
    Clock, OpenError,
    journal::{
        Backlog, Batch, CheckpointSigner, CommitError, Committed, Journal, KeyRange, Record,
        StoreError, StoredEvent, StreamKey, Work,
    },
    plan, tiles,
};

/// How long to wait for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection that was idle for longer is tried before it is used.
const TRUSTED: Duration = Duration::from_secs(1);

/// How many connections in a row may be found to have ended.
const MOST_ENDED: u32 = 16;

/// Rows of gates that have not written for so long are removed, in ms.
const GATE_FORGOTTEN_MS: i64 = 7 * 24 * 3_600_000;

/// The journal in a PostgreSQL database, for any number of programs at a time.
///
/// Dropping it ends it in the background; [`close`](Self::close) ends it and waits.
pub struct PostgresJournal {
    server: String,
    host: String,
    port: u16,
    requests: mpsc::Sender<Request>,
    readers: PgPool,
    listening: PgPool,
    clock: Clock,
    shared: Arc<Shared>,
    /// Those who learn of other gates' commits.
    watching: [AbortHandle; 2],
}

/// How to run a [`PostgresJournal`].
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// By which records expire.
    pub clock: Clock,
    /// Requests that may wait for the writer; further ones are [`CommitError::Overloaded`].
    pub queue: usize,
    /// Connections that read and take work, beside the one that writes and the one that listens.
    pub readers: u32,
    /// How often to ask whether another gate has written, in case the server's notification was lost.
    pub ask_every: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            queue: 4_096,
            readers: 8,
            ask_every: Duration::from_secs(1),
        }
    }
}

/// Reads, and reads again as long as that fails because a connection of the pool had ended without anybody noticing.
macro_rules! again {
    ($read:expr) => {{
        let mut left = MOST_ENDED;
        loop {
            match $read.await {
                Err(error) if left > 0 && has_ended(&error) => left -= 1,
                read => break read.map_err(unread),
            }
        }
    }};
}

/// What the writer tells everybody else.
struct Shared {
    published: RwLock<Published>,
    newest: watch::Sender<u64>,
    /// Of the head that is published.
    generation: AtomicU64,
}

/// The newest checkpoint this gate knows; its root is durable.
#[derive(Clone)]
struct Published {
    size: u64,
    note: String,
}

impl Shared {
    fn published(&self) -> Published {
        self.published
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn publish(&self, published: Published) {
        *self
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner) = published;
    }

    fn arrived(&self, generation: u64) {
        self.generation.store(generation, Ordering::Release);
    }

    fn knows(&self, generation: u64) -> bool {
        generation <= self.generation.load(Ordering::Acquire)
    }
}

impl PostgresJournal {
    /// Opens the database, whose tables are made if it has none, by the machine's clock.
    ///
    /// Must be called within a Tokio runtime, and the journal used within the same one.
    pub async fn open(
        address: &PostgresAddress,
        signer: Arc<dyn CheckpointSigner>,
    ) -> Result<Self, OpenError> {
        Self::open_with(address, signer, PostgresOptions::default()).await
    }

    /// Opens the database with these options.
    pub async fn open_with(
        address: &PostgresAddress,
        signer: Arc<dyn CheckpointSigner>,
        options: PostgresOptions,
    ) -> Result<Self, OpenError> {
        let connect_options = address.options();
        let host = connect_options.get_host().to_owned();
        let port = connect_options.get_port();
        let mut connection = connect(&connect_options).await?;
        let (loaded, gate) = prepare(&mut connection, &*signer, &options.clock).await?;
        let size = loaded.head.tree.size();
        let (note, unstored) = if let Some(note) = loaded.note {
            (note, None)
        } else {
            // The root is durable, and whoever made it so has not written its signature down, or not yet.
            let note = signer.sign(size, loaded.head.tree.root());
            (note.clone(), Some((size, note)))
        };
        let readers = PgPoolOptions::new()
            .max_connections(options.readers.max(1))
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    let tried = meta.idle_for < TRUSTED || connection.ping().await.is_ok();
                    Ok(tried)
                })
            })
            .after_connect(|connection, _| Box::pin(writer::session(connection)))
            .connect_lazy_with(connect_options.clone());
        let listening = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(connect_options.clone());
        let shared = Arc::new(Shared {
            published: RwLock::new(Published { size, note }),
            newest: watch::Sender::new(loaded.head.position),
            generation: AtomicU64::new(loaded.head.generation),
        });
        let (requests, waiting) = mpsc::channel(options.queue.max(1));
        let wake = Arc::new(Notify::new());
        let writer = Writer {
            options: connect_options,
            connection: Some(connection),
            gate,
            head: loaded.head,
            unstored,
            swept_ms: 0,
            signer,
            clock: options.clock.clone(),
            shared: Arc::clone(&shared),
            wake: Arc::clone(&wake),
        };
        tokio::spawn(writer.run(waiting));
        let watching = [
            tokio::spawn(listen(
                listening.clone(),
                Arc::clone(&shared),
                Arc::clone(&wake),
                options.ask_every,
            ))
            .abort_handle(),
            tokio::spawn(ask(
                readers.clone(),
                Arc::clone(&shared),
                wake,
                options.ask_every,
            ))
            .abort_handle(),
        ];
        Ok(Self {
            server: address.to_string(),
            host,
            port,
            requests,
            readers,
            listening,
            clock: options.clock,
            shared,
            watching,
        })
    }

    /// Whether there is nothing of ours in the database yet; nothing is made.
    ///
    /// # Errors
    /// As [`open`](Self::open) would, before it looks at the ledger.
    pub async fn is_new(address: &PostgresAddress) -> Result<bool, OpenError> {
        let mut connection = connect(&address.options()).await?;
        let version = schema::version(&mut connection).await?;
        connection.close().await?;
        Ok(version == 0)
    }

    /// Finishes what was asked for, refuses everything else, and lets go of the database.
    pub async fn close(&self) {
        for task in &self.watching {
            task.abort();
        }
        self.readers.close().await;
        self.listening.close().await;
        let (answer, ended) = oneshot::channel();
        if self.requests.send(Request::Close(answer)).await.is_ok() {
            // An error means that the writer has ended, which is what was asked for.
            let _ = ended.await;
        }
    }

    /// Makes sure that what other gates have written before this call is known here.
    async fn up_to_date(&self) -> Result<(), StoreError> {
        let generation: i64 =
            again!(sqlx::query_scalar(statements::GENERATION).fetch_one(&self.readers))?;
        if self.shared.knows(uint(generation)) {
            return Ok(());
        }
        let (answer, followed) = oneshot::channel();
        self.requests
            .send(Request::Follow(answer))
            .await
            .map_err(|_| closed())?;
        followed.await.unwrap_or_else(|_| Err(closed()))
    }

    async fn tile_of(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let Ok(path) = path.parse::<TilePath>() else {
            return Ok(None);
        };
        if !tiles::covers(self.shared.published().size, &path) {
            self.up_to_date().await?;
            if !tiles::covers(self.shared.published().size, &path) {
                return Ok(None);
            }
        }
        let bytes = match path {
            TilePath::Hashes { level, index, .. } => {
                let widest: Option<Vec<u8>> = again!(
                    sqlx::query_scalar(statements::TILE)
                        .bind(i32::from(level))
                        .bind(int(index))
                        .fetch_optional(&self.readers)
                )?;
                let widest = match widest {
                    None if level == 0 => {
                        Some(head::hashes_of(&self.leaves(index, path.width()).await?))
                    }
                    widest => widest,
                };
                widest
                    .as_deref()
                    .and_then(|widest| path.cut(widest))
                    .map(<[u8]>::to_vec)
            }
            TilePath::Entries { index, width } => {
                let leaves = self.leaves(index, width).await?;
                let all = leaves.len() == usize::from(width);
                all.then(|| tiles::bundle(leaves.iter().map(Vec::as_slice)))
                    .flatten()
            }
        };
        match bytes {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(StoreError(format!(
                "the ledger lacks `{path}`, which its checkpoint covers"
            ))),
        }
    }

    /// The first so many leaves of a bundle.
    async fn leaves(&self, index: u64, width: u16) -> Result<Vec<Vec<u8>>, StoreError> {
        let first = int(index * u64::from(TILE_WIDTH));
        again!(
            sqlx::query_scalar(statements::LEAVES)
                .bind(first)
                .bind(first + i64::from(width))
                .fetch_all(&self.readers)
        )
    }

    async fn taken(
        &self,
        queue: &'static str,
        now_ms: i64,
        lease_until_ms: i64,
        limit: usize,
    ) -> Result<Vec<Work>, StoreError> {
        let mut rows: Vec<(String, String, i64, i64)> = sqlx::query_as(statements::TAKE_WORK)
            .bind(queue)
            .bind(now_ms)
            .bind(lease_until_ms)
            .bind(at_most(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(unread)?;
        // `RETURNING` promises no order.
        rows.sort_by(|(a, .., a_due), (b, .., b_due)| (a_due, a).cmp(&(b_due, b)));
        let work = |(key, body, attempts, _)| Work {
            queue: queue.to_owned(),
            key,
            body,
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        };
        Ok(rows.into_iter().map(work).collect())
    }
}

impl Drop for PostgresJournal {
    fn drop(&mut self) {
        for task in &self.watching {
            task.abort();
        }
    }
}

impl Journal for PostgresJournal {
    fn system(&self) -> &'static str {
        "postgresql"
    }

    fn server(&self) -> Option<(&str, u16)> {
        Some((&self.host, self.port))
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Committed, CommitError>> {
        async move {
            let bytes = plan::weigh(&batch)?;
            let (answer, answered) = oneshot::channel();
            match self.requests.try_send(Request::Commit {
                batch,
                bytes,
                answer,
            }) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(_)) => return Err(CommitError::Overloaded),
                Err(mpsc::error::TrySendError::Closed(_)) => {
                    return Err(CommitError::Unavailable(closed().0));
                }
            }
            answered
                .await
                .unwrap_or_else(|_| Err(CommitError::Unavailable("the writer ended".into())))
        }
        .boxed()
    }

    fn read(
        &self,
        stream: &StreamKey,
        after: u64,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        let stream = stream.0.clone();
        async move {
            let rows = again!(
                sqlx::query_as(statements::READ)
                    .bind(&stream)
                    .bind(int(after))
                    .fetch_all(&self.readers)
            )?;
            Ok(events(rows))
        }
        .boxed()
    }

    fn follow(
        &self,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        async move {
            let rows = again!(
                sqlx::query_as(statements::FOLLOW)
                    .bind(int(after))
                    .bind(at_most(limit))
                    .fetch_all(&self.readers)
            )?;
            Ok(events(rows))
        }
        .boxed()
    }

    fn follow_back(
        &self,
        before: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        async move {
            let rows = again!(
                sqlx::query_as(statements::FOLLOW_BACK)
                    .bind(int(before))
                    .bind(at_most(limit))
                    .fetch_all(&self.readers)
            )?;
            Ok(events(rows))
        }
        .boxed()
    }

    fn events_at<'a>(
        &'a self,
        positions: &'a [u64],
    ) -> BoxFuture<'a, Result<Vec<StoredEvent>, StoreError>> {
        async move {
            let positions: Vec<i64> = positions.iter().copied().map(int).collect();
            let rows = again!(
                sqlx::query_as(statements::EVENTS_AT)
                    .bind(&positions)
                    .fetch_all(&self.readers)
            )?;
            Ok(events(rows))
        }
        .boxed()
    }

    fn count(
        &self,
        space: &'static str,
        range: KeyRange,
        limit: usize,
    ) -> BoxFuture<'_, Result<usize, StoreError>> {
        async move {
            let count: i64 = again!(
                sqlx::query_scalar(statements::COUNT)
                    .bind(space)
                    .bind(&range.from)
                    .bind(&range.to)
                    .bind(self.clock.now_ms())
                    .bind(at_most(limit))
                    .fetch_one(&self.readers)
            )?;
            Ok(usize::try_from(count).unwrap_or(usize::MAX))
        }
        .boxed()
    }

    fn get_many<'a>(
        &'a self,
        space: &'static str,
        keys: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Record>, StoreError>> {
        async move {
            let rows: Vec<RecordRow> = again!(
                sqlx::query_as(statements::GET_MANY)
                    .bind(space)
                    .bind(keys)
                    .bind(self.clock.now_ms())
                    .fetch_all(&self.readers)
            )?;
            Ok(rows.into_iter().map(record).collect())
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
            let row: Option<RecordRow> = again!(
                sqlx::query_as(statements::GET)
                    .bind(space)
                    .bind(&key)
                    .bind(self.clock.now_ms())
                    .fetch_optional(&self.readers)
            )?;
            Ok(row.map(record))
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
            let statement = if range.reverse {
                statements::SCAN_BACK
            } else {
                statements::SCAN
            };
            let rows: Vec<RecordRow> = again!(
                sqlx::query_as(statement)
                    .bind(space)
                    .bind(&range.from)
                    .bind(&range.to)
                    .bind(self.clock.now_ms())
                    .bind(at_most(limit))
                    .fetch_all(&self.readers)
            )?;
            Ok(rows.into_iter().map(record).collect())
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
        self.taken(queue, now_ms, lease_until_ms, limit).boxed()
    }

    fn backlog(&self, now_ms: i64) -> BoxFuture<'_, Result<Vec<Backlog>, StoreError>> {
        async move {
            let rows: Vec<(String, i64, i64)> = sqlx::query_as(statements::BACKLOG)
                .bind(now_ms)
                .fetch_all(&self.readers)
                .await
                .map_err(unread)?;
            let backlog = |(queue, due, oldest_due_ms): (String, i64, i64)| Backlog {
                queue,
                due: due.unsigned_abs(),
                oldest_due_ms,
            };
            Ok(rows.into_iter().map(backlog).collect())
        }
        .boxed()
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<String, StoreError>> {
        async move {
            self.up_to_date().await?;
            Ok(self.shared.published().note)
        }
        .boxed()
    }

    fn tile(&self, path: &str) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        let path = path.to_owned();
        async move { self.tile_of(&path).await }.boxed()
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.shared.newest.subscribe()
    }
}

impl fmt::Debug for PostgresJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresJournal")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// A connection to a server that is fit, set up for keyed statements.
async fn connect(options: &PgConnectOptions) -> Result<PgConnection, OpenError> {
    let unreachable = |why: String| OpenError::Unreachable {
        server: PostgresAddress::of(options.clone()).to_string(),
        why,
    };
    let mut connection = match timeout(PATIENCE, PgConnection::connect_with(options)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return Err(unreachable(said(&error))),
        Err(_) => return Err(unreachable("it does not answer".into())),
    };
    schema::fit(&mut connection).await?;
    writer::session(&mut connection).await?;
    Ok(connection)
}

/// What went wrong, in one line.
fn said(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

/// Brings the tables to our version, begins a ledger if there is none, and reads where it stands; a name for this gate.
async fn prepare(
    connection: &mut PgConnection,
    signer: &dyn CheckpointSigner,
    clock: &Clock,
) -> Result<(head::Loaded, String), OpenError> {
    let mut transaction = connection.begin().await?;
    schema::alone(&mut transaction).await?;
    let version = schema::version(&mut transaction).await?;
    schema::migrate(&mut transaction, version).await?;
    if version == 0 {
        begin_ledger(&mut transaction, signer.origin()).await?;
    }
    transaction.commit().await?;

    // One that sees one state, whatever other gates do meanwhile.
    let mut transaction = connection
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?;
    let loaded = head::load(&mut transaction)
        .await
        .map_err(|error| match error {
            LoadError::Database(error) => OpenError::Database(error),
            LoadError::Unsound(what) => OpenError::Damaged { what },
        })?;
    transaction.commit().await?;
    let Some(loaded) = loaded else {
        return Err(OpenError::HalfMigrated {
            what: "its ledger was never begun".into(),
        });
    };
    if loaded.origin != signer.origin() {
        return Err(OpenError::OtherOrigin {
            found: loaded.origin,
            configured: signer.origin().to_owned(),
        });
    }
    sqlx::query("DELETE FROM countersign.gate WHERE at_ms < $1")
        .bind(clock.now_ms().saturating_sub(GATE_FORGOTTEN_MS))
        .execute(&mut *connection)
        .await?;
    let gate = sqlx::query_scalar("SELECT gen_random_uuid()::text")
        .fetch_one(&mut *connection)
        .await?;
    Ok((loaded, gate))
}

async fn begin_ledger(connection: &mut PgConnection, origin: &str) -> sqlx::Result<()> {
    let tree = Appender::empty();
    sqlx::query(
        "INSERT INTO countersign.head (one, origin, generation, position, tree_size)
         VALUES (1, $1, 0, 0, 0)",
    )
    .bind(origin)
    .execute(&mut *connection)
    .await?;
    sqlx::query("INSERT INTO countersign.checkpoint (tree_size, root) VALUES (0, $1)")
        .bind(&tree.root()[..])
        .execute(connection)
        .await?;
    Ok(())
}

/// Wakes the writer when the server says that another gate has written.
async fn listen(pool: PgPool, shared: Arc<Shared>, wake: Arc<Notify>, again: Duration) {
    loop {
        let listened: sqlx::Result<()> = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.listen("countersign").await?;
            loop {
                let told = listener.recv().await?;
                if told
                    .payload()
                    .parse()
                    .is_ok_and(|generation| !shared.knows(generation))
                {
                    wake.notify_one();
                }
            }
        }
        .await;
        if let Err(error) = listened {
            tracing::debug!(%error, "nobody tells of other gates' commits; they are asked for");
        }
        tokio::time::sleep(again).await;
    }
}

/// Wakes the writer when another gate has written and nobody has said so.
async fn ask(pool: PgPool, shared: Arc<Shared>, wake: Arc<Notify>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let generation: sqlx::Result<i64> = sqlx::query_scalar(statements::GENERATION)
            .fetch_one(&pool)
            .await;
        if generation.is_ok_and(|generation| !shared.knows(uint(generation))) {
            wake.notify_one();
        }
    }
}

/// Whether this says that the connection is no more: cut, or ended by the server (class 57, operator intervention).
fn has_ended(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

/// The columns of [`statements::READ`] and its like.
type EventRow = (i64, String, i64, String, i32, i64, String, Option<i64>);

fn events(rows: Vec<EventRow>) -> Vec<StoredEvent> {
    let event =
        |(position, stream, sequence, kind, version, at_ms, data, leaf): EventRow| StoredEvent {
            position: uint(position),
            stream: StreamKey(stream),
            sequence: uint(sequence),
            kind,
            version: u16::try_from(version).unwrap_or(u16::MAX),
            at_ms,
            data,
            leaf: leaf.map(uint),
        };
    rows.into_iter().map(event).collect()
}

type RecordRow = (String, String, i64);

fn record((key, value, revision): RecordRow) -> Record {
    Record {
        key,
        value,
        revision: uint(revision),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "maps errors by value")]
fn unread(error: sqlx::Error) -> StoreError {
    StoreError(said(&error))
}

fn closed() -> StoreError {
    StoreError("the store is closed".into())
}

/// PostgreSQL's integers are signed; no count of ours comes near their end.
fn int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Back again: what is written is never negative.
fn uint(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
