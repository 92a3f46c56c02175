//! The journal in one SQLite file.
//!
//! One task writes ([`writer`]), four connections read; in WAL mode neither waits for the other.
//! `synchronous=FULL` makes every commit wait for the disk.

mod backup;
mod head;
mod recent;
mod schema;
mod statements;
mod writer;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    fmt,
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use countersign_ledger::{TILE_WIDTH, TilePath};
use futures_util::future::{self, BoxFuture, FutureExt};
use sqlx::{
    ConnectOptions, Connection as _, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::{mpsc, oneshot, watch};

pub use self::backup::backup_sqlite;

use self::{
    head::{Head, LoadError},
    recent::Recent,
    writer::{Faults, Request, Take, Writer},
};
use crate::{
    Clock, OpenError,
    journal::{
        Backlog, Batch, CheckpointSigner, CommitError, Committed, Journal, KeyRange, Record,
        StoreError, StoredEvent, StreamKey, Work,
    },
    plan, tiles,
};

/// Connections that read at the same time.
const READERS: u32 = 4;

/// How long a read or write waits for a connection or a lock of another program (a backup).
const PATIENCE: Duration = Duration::from_secs(5);

/// The journal in one SQLite file, for one program at a time.
///
/// Dropping it ends it in the background; [`close`](Self::close) ends it and waits.
pub struct SqliteJournal {
    path: PathBuf,
    requests: mpsc::Sender<Request>,
    readers: SqlitePool,
    clock: Clock,
    shared: Arc<Shared>,
}

/// How to run a [`SqliteJournal`].
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// By which records expire.
    pub clock: Clock,
    /// Requests that may wait for the writer; further ones are [`CommitError::Overloaded`].
    pub queue: usize,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            queue: 4_096,
        }
    }
}

/// What the writer tells everybody else.
struct Shared {
    published: RwLock<Published>,
    newest: watch::Sender<u64>,
    recent: Recent,
    /// Queues that were given something due since they were last looked into: whoever asks for it need not look first.
    queued: Mutex<BTreeSet<&'static str>>,
}

/// The newest checkpoint that is durable.
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

    /// Takes note of queues that have something due.
    fn queue(&self, queues: impl Iterator<Item = &'static str>) {
        let mut queued = self.queued.lock().unwrap_or_else(PoisonError::into_inner);
        queued.extend(queues);
    }

    /// Whether the queue was given something due since this was last asked.
    fn was_queued(&self, queue: &str) -> bool {
        let mut queued = self.queued.lock().unwrap_or_else(PoisonError::into_inner);
        queued.remove(queue)
    }
}

impl SqliteJournal {
    /// Opens the database, which is made if it is not there, by the machine's clock.
    ///
    /// Must be called within a Tokio runtime, and the journal used within the same one.
    pub async fn open(
        path: impl AsRef<Path>,
        signer: Arc<dyn CheckpointSigner>,
    ) -> Result<Self, OpenError> {
        Self::open_with(path, signer, SqliteOptions::default()).await
    }

    /// Opens the database with these options.
    pub async fn open_with(
        path: impl AsRef<Path>,
        signer: Arc<dyn CheckpointSigner>,
        options: SqliteOptions,
    ) -> Result<Self, OpenError> {
        Self::start(path.as_ref(), signer, options, Faults::default()).await
    }

    /// Opens the database of a program that is running, to read beside it: nothing can be written, and what is read is as
    /// that program last committed it. The position and the checkpoint stay those of the moment it was opened; the checkpoint
    /// is the newest whose signature is written down, which a running program does with its next transaction.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::Damaged`] also where no checkpoint is signed yet.
    pub async fn open_to_read(path: impl AsRef<Path>, clock: Clock) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let path = path.canonicalize().map_err(|source| OpenError::File {
            path: path.to_owned(),
            source,
        })?;
        let plain = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(false)
            .read_only(true)
            .busy_timeout(PATIENCE)
            .disable_statement_logging();
        schema::check(&plain).await?;
        let mut connection = SqliteConnection::connect_with(&plain).await?;
        let damaged = |what: &str| OpenError::Damaged {
            what: what.to_owned(),
        };
        // One transaction, so that all of the head is of one moment.
        sqlx::query("BEGIN").execute(&mut connection).await?;
        let loaded = match head::load(&mut connection).await {
            Ok(loaded) => loaded.ok_or_else(|| damaged("nothing was ever written"))?,
            Err(LoadError::Database(error)) => return Err(error.into()),
            Err(LoadError::Unsound(what)) => return Err(OpenError::Damaged { what }),
        };
        let (size, note) = head::newest_signed(&mut connection)
            .await?
            .ok_or_else(|| damaged("no checkpoint of it is signed"))?;
        connection.close().await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .connect_lazy_with(plain.pragma("query_only", "ON"));
        // Nobody is at the other end: whatever would write is refused.
        let (requests, _) = mpsc::channel(1);
        Ok(Self {
            path,
            requests,
            readers,
            clock,
            shared: Arc::new(Shared {
                published: RwLock::new(Published { size, note }),
                newest: watch::Sender::new(loaded.head.position),
                recent: Recent::default(),
                queued: Mutex::default(),
            }),
        })
    }

    async fn start(
        path: &Path,
        signer: Arc<dyn CheckpointSigner>,
        options: SqliteOptions,
        faults: Faults,
    ) -> Result<Self, OpenError> {
        let (path, lock) = claim(path)?;
        let plain = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(false)
            .busy_timeout(PATIENCE)
            .disable_statement_logging();
        schema::check(&plain).await?;
        let writing = plain
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .statement_cache_capacity(200)
            // On Apple's systems a plain fsync does not reach the disk.
            .pragma("fullfsync", "ON")
            // What is deleted is overwritten where that costs no extra write.
            .pragma("secure_delete", "FAST")
            .pragma("wal_autocheckpoint", "4000")
            .pragma("journal_size_limit", "67108864");
        let mut connection = SqliteConnection::connect_with(&writing).await?;
        schema::migrate(&mut connection).await?;
        let (head, note) = first_head(&mut connection, &*signer).await?;

        let size = head.tree.size();
        let (note, unstored) = if let Some(note) = note {
            (note, None)
        } else {
            // The last program ended between the transaction and the signature over its root.
            let note = signer.sign(size, head.tree.root());
            (note.clone(), Some((size, note)))
        };
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .connect_lazy_with(writing.clone().pragma("query_only", "ON"));
        let shared = Arc::new(Shared {
            published: RwLock::new(Published { size, note }),
            newest: watch::Sender::new(head.position),
            recent: Recent::default(),
            queued: Mutex::default(),
        });
        let (requests, waiting) = mpsc::channel(options.queue.max(1));
        let writer = Writer {
            options: writing,
            connection: Some(connection),
            head,
            unstored,
            max_pages: None,
            swept_ms: 0,
            signer,
            clock: options.clock.clone(),
            shared: shared.clone(),
            faults,
            lock,
        };
        tokio::spawn(writer.run(waiting));
        Ok(Self {
            path,
            requests,
            readers,
            clock: options.clock,
            shared,
        })
    }

    /// Lets the file grow to so many pages of 4,096 bytes and no further: a store that refuses
    /// early ([`CommitError::Overloaded`]) leaves the disk's other users their room. Takes effect
    /// before the next commit; a file that is larger already stays as it is.
    pub async fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        let sent = self.requests.send(Request::LimitPages(pages)).await;
        sent.map_err(|_| closed())
    }

    /// Finishes what was asked for, refuses everything else, and lets go of the file.
    pub async fn close(&self) {
        self.readers.close().await;
        let (answer, ended) = oneshot::channel();
        if self.requests.send(Request::Close(answer)).await.is_ok() {
            // An error means that the writer has ended, which is what was asked for.
            let _ = ended.await;
        }
    }

    async fn tile_of(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let Ok(path) = path.parse::<TilePath>() else {
            return Ok(None);
        };
        if !tiles::covers(self.shared.published().size, &path) {
            return Ok(None);
        }
        if let Some(bytes) = self.shared.recent.tile(&path) {
            return Ok(Some(bytes));
        }
        let bytes = match path {
            TilePath::Hashes { level, index, .. } => {
                let widest: Option<Vec<u8>> =
                    sqlx::query_scalar("SELECT data FROM tile WHERE level = ? AND tile_index = ?")
                        .bind(level)
                        .bind(int(index))
                        .fetch_optional(&self.readers)
                        .await
                        .map_err(unread)?;
                widest
                    .as_deref()
                    .and_then(|widest| path.cut(widest))
                    .map(<[u8]>::to_vec)
            }
            TilePath::Entries { index, width } => {
                let first = int(index * u64::from(TILE_WIDTH));
                let leaves: Vec<Vec<u8>> = sqlx::query_scalar(
                    "SELECT data FROM leaf WHERE leaf_index >= ? AND leaf_index < ? ORDER BY leaf_index",
                )
                .bind(first)
                .bind(first + i64::from(width))
                .fetch_all(&self.readers)
                .await
                .map_err(unread)?;
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
}

impl Journal for SqliteJournal {
    fn system(&self) -> &'static str {
        "sqlite"
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
        let later = move |events: &[StoredEvent]| -> Vec<StoredEvent> {
            let first = usize::try_from(after).unwrap_or(usize::MAX);
            events.get(first..).unwrap_or_default().to_vec()
        };
        let recent = &self.shared.recent;
        if let Some(events) = recent.stream(&stream.0) {
            return future::ready(Ok(later(&events))).boxed();
        }
        let (stream, turn) = (stream.0.clone(), recent.turn());
        async move {
            // A short stream is read whole, so that the next reader of it finds it in memory.
            let from = if after < recent::EVENTS_MAX as u64 {
                0
            } else {
                after
            };
            let rows = sqlx::query_as(statements::READ)
                .bind(&stream)
                .bind(int(from))
                .fetch_all(&self.readers);
            let found = rows.await.map(events).map_err(unread)?;
            if from == 0 {
                recent.keep_stream(turn, stream, &found);
            }
            Ok(if from == after { found } else { later(&found) })
        }
        .boxed()
    }

    fn follow(
        &self,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        async move {
            let rows = sqlx::query_as(statements::FOLLOW)
                .bind(int(after))
                .bind(at_most(limit))
                .fetch_all(&self.readers);
            rows.await.map(events).map_err(unread)
        }
        .boxed()
    }

    fn follow_back(
        &self,
        before: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEvent>, StoreError>> {
        async move {
            let rows = sqlx::query_as(statements::FOLLOW_BACK)
                .bind(int(before))
                .bind(at_most(limit))
                .fetch_all(&self.readers);
            rows.await.map(events).map_err(unread)
        }
        .boxed()
    }

    fn events_at<'a>(
        &'a self,
        positions: &'a [u64],
    ) -> BoxFuture<'a, Result<Vec<StoredEvent>, StoreError>> {
        async move {
            let rows = sqlx::query_as(statements::EVENTS_AT)
                .bind(statements::json(positions).map_err(unread)?)
                .fetch_all(&self.readers);
            rows.await.map(events).map_err(unread)
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
            let count: i64 = sqlx::query_scalar(statements::COUNT)
                .bind(space)
                .bind(range.from)
                .bind(range.to)
                .bind(self.clock.now_ms())
                .bind(at_most(limit))
                .fetch_one(&self.readers)
                .await
                .map_err(unread)?;
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
            let rows: Vec<(String, String, u64)> = sqlx::query_as(statements::GET_MANY)
                .bind(space)
                .bind(statements::json(keys).map_err(unread)?)
                .bind(self.clock.now_ms())
                .fetch_all(&self.readers)
                .await
                .map_err(unread)?;
            Ok(rows.into_iter().map(record).collect())
        }
        .boxed()
    }

    fn get(
        &self,
        space: &'static str,
        key: &str,
    ) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        let recent = &self.shared.recent;
        let now_ms = self.clock.now_ms();
        if let Some(known) = recent.record(space, key, now_ms) {
            return future::ready(Ok(known)).boxed();
        }
        let (key, turn) = (key.to_owned(), recent.turn());
        async move {
            let row: Option<(String, u64, Option<i64>)> = sqlx::query_as(statements::GET)
                .bind(space)
                .bind(&key)
                .bind(now_ms)
                .fetch_optional(&self.readers)
                .await
                .map_err(unread)?;
            let found = row
                .as_ref()
                .map(|(value, revision, expires_ms)| (value.as_str(), *revision, *expires_ms));
            recent.keep_record(turn, space, key.clone(), found);
            Ok(row.map(|(value, revision, _)| record((key, value, revision))))
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
            let rows: Vec<(String, String, u64)> = sqlx::query_as(statement)
                .bind(space)
                .bind(range.from)
                .bind(range.to)
                .bind(self.clock.now_ms())
                .bind(at_most(limit))
                .fetch_all(&self.readers)
                .await
                .map_err(unread)?;
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
        async move {
            if limit == 0 {
                return Ok(Vec::new());
            }
            if !self.shared.was_queued(queue) {
                // Most other askers find nothing, and need not wait for the writer to learn that.
                let due: Option<i64> = sqlx::query_scalar(statements::IS_WORK_DUE)
                    .bind(queue)
                    .bind(now_ms)
                    .fetch_optional(&self.readers)
                    .await
                    .map_err(unread)?;
                if due.is_none() {
                    return Ok(Vec::new());
                }
            }
            let (answer, answered) = oneshot::channel();
            let take = Take {
                queue,
                now_ms,
                lease_until_ms,
                limit,
                answer,
            };
            self.requests
                .send(Request::Take(take))
                .await
                .map_err(|_| closed())?;
            answered
                .await
                .unwrap_or_else(|_| Err(StoreError("the writer ended".into())))
        }
        .boxed()
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
        future::ready(Ok(self.shared.published().note)).boxed()
    }

    fn tile(&self, path: &str) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        let path = path.to_owned();
        async move { self.tile_of(&path).await }.boxed()
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.shared.newest.subscribe()
    }
}

impl fmt::Debug for SqliteJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteJournal")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Makes sure that the file is there and nobody else has it; answers with its one true path.
///
/// The lock is the operating system's, on a file beside the database: it ends with the program,
/// however that ends. (A lock on the database file itself could not be told from SQLite's own.)
pub(crate) fn claim(path: &Path) -> Result<(PathBuf, File), OpenError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::File { path, source }
    };
    match private().create_new(true).open(path) {
        Ok(made) => {
            made.sync_all().map_err(failed(path))?;
            sync_folder(path).map_err(failed(path))?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(path)(error)),
    }
    // Another name for the same file must lead to the same lock.
    let path = path.canonicalize().map_err(failed(path))?;
    let lock_path = path.with_added_extension("lock");
    let lock = private()
        .create(true)
        .open(&lock_path)
        .map_err(failed(&lock_path))?;
    match lock.try_lock() {
        Ok(()) => Ok((path, lock)),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path }),
        Err(TryLockError::Error(error)) => Err(failed(&lock_path)(error)),
    }
}

/// Where a ledger stands, for whoever moves it.
pub(crate) struct Newest {
    pub(crate) generation: u64,
    pub(crate) position: u64,
    pub(crate) size: u64,
    pub(crate) root: [u8; 32],
    /// The checkpoint over it.
    pub(crate) note: String,
    /// Whether that was signed just now.
    pub(crate) was_unsigned: bool,
}

/// Opens a claimed database to be read, and looks at its ledger as a start does.
pub(crate) async fn sound(
    options: &SqliteConnectOptions,
    signer: &dyn CheckpointSigner,
) -> Result<(SqliteConnection, Newest), OpenError> {
    schema::check(options).await?;
    let mut connection = SqliteConnection::connect_with(options).await?;
    schema::migrate(&mut connection).await?;
    let (head, note) = first_head(&mut connection, signer).await?;
    let (size, root) = (head.tree.size(), head.tree.root());
    let newest = Newest {
        generation: head.generation,
        position: head.position,
        size,
        root,
        was_unsigned: note.is_none(),
        note: note.unwrap_or_else(|| signer.sign(size, root)),
    };
    Ok((connection, newest))
}

/// Files that nobody but the program's own user may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a new file's name as durable as its contents.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => {
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            File::open(folder)?.sync_all()
        }
        _ => Ok(()),
    }
}

/// The head to start from: the stored one if it is sound, a new one in a new database.
async fn first_head(
    connection: &mut SqliteConnection,
    signer: &dyn CheckpointSigner,
) -> Result<(Head, Option<String>), OpenError> {
    let loaded = head::load(connection).await.map_err(|error| match error {
        LoadError::Database(error) => OpenError::Database(error),
        LoadError::Unsound(what) => OpenError::Damaged { what },
    })?;
    match loaded {
        Some(loaded) if loaded.origin == signer.origin() => Ok((loaded.head, loaded.note)),
        Some(loaded) => Err(OpenError::OtherOrigin {
            found: loaded.origin,
            configured: signer.origin().to_owned(),
        }),
        None => {
            let head = Head::new();
            let mut transaction = connection.begin().await?;
            statements::insert_head(&mut transaction, signer.origin()).await?;
            statements::insert_root(&mut transaction, head.tree.size(), head.tree.root()).await?;
            transaction.commit().await?;
            Ok((head, None))
        }
    }
}

/// The columns of [`statements::READ`] and [`statements::FOLLOW`].
type EventRow = (u64, String, u64, String, u16, i64, String, Option<u64>);

fn events(rows: Vec<EventRow>) -> Vec<StoredEvent> {
    let event = |(position, stream, sequence, kind, version, at_ms, data, leaf)| StoredEvent {
        position,
        stream: StreamKey(stream),
        sequence,
        kind,
        version,
        at_ms,
        data,
        leaf,
    };
    rows.into_iter().map(event).collect()
}

fn record((key, value, revision): (String, String, u64)) -> Record {
    Record {
        key,
        value,
        revision,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "maps errors by value")]
fn unread(error: sqlx::Error) -> StoreError {
    StoreError(error.to_string())
}

fn closed() -> StoreError {
    StoreError("the store is closed".into())
}

/// SQLite's integers are signed; no count of ours comes near their end.
fn int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
