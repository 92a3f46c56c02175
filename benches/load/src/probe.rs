//! What the disk and the database do by themselves, in the same minute.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use countersign_service::LogSigner;
use countersign_store::{Append, Batch, Journal, NewEvent, RecordWrite, SqliteJournal, StreamKey};
use sqlx::{
    Connection as _, QueryBuilder, Sqlite, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{
    Failed,
    timing::{Samples, number, per_second},
};

/// How long each probe runs.
const ROUND: Duration = Duration::from_secs(3);

/// Appends of 4 KB with an fsync each, by so many threads, each with a file of its own: a second, and what each took.
pub(crate) fn fsync(folder: &Path, threads: usize) -> Result<(f64, Samples), Failed> {
    let started = Instant::now();
    let running: Vec<_> = (0..threads)
        .map(|thread| {
            let path = folder.join(format!("probe-{thread}"));
            std::thread::spawn(move || -> std::io::Result<Samples> {
                let mut file = File::create(&path)?;
                let mut samples = Samples::default();
                while started.elapsed() < ROUND {
                    let begin = Instant::now();
                    file.write_all(&[7; 4_096])?;
                    file.sync_data()?;
                    samples.add(begin.elapsed());
                }
                std::fs::remove_file(path)?;
                Ok(samples)
            })
        })
        .collect();
    let mut all = Samples::default();
    for thread in running {
        all.extend(thread.join().map_err(|_| "a probe ended early")??);
    }
    Ok((per_second(all.len(), started.elapsed()), all))
}

/// What one durable event of a case is for the store: the event, its leaf, and the records of the decision beside it.
pub(crate) const EVENT_BYTES: usize = 420;
pub(crate) const LEAF_BYTES: usize = 130;
/// Sizes of the records that a decision writes: row, open list, desk, and something of its own.
pub(crate) const RECORD_BYTES: [usize; 4] = [900, 900, 120, 250];

/// What so many clients get from our store, each waiting for its own event.
pub(crate) struct Stored {
    pub(crate) events_per_second: f64,
    pub(crate) latency: Samples,
    pub(crate) events_per_commit: f64,
}

/// Our store with so many clients at once.
pub(crate) async fn store(folder: &Path, clients: usize) -> Result<Stored, Failed> {
    let path = folder.join(format!("store-{clients}.db"));
    let signer = LogSigner::new("localhost/ledger", &[7; 32])?;
    let journal = Arc::new(SqliteJournal::open(&path, Arc::new(signer)).await?);
    let started = Instant::now();
    let running: Vec<_> = (0..clients)
        .map(|client| {
            let journal = Arc::clone(&journal);
            tokio::spawn(async move {
                let mut samples = Samples::default();
                for turn in 0.. {
                    let begin = Instant::now();
                    journal.commit(decision(client, turn)).await?;
                    samples.add(begin.elapsed());
                    if started.elapsed() > ROUND {
                        break;
                    }
                }
                Ok::<_, countersign_store::CommitError>(samples)
            })
        })
        .collect();
    let mut latency = Samples::default();
    for client in running {
        latency.extend(client.await??);
    }
    let took = started.elapsed();
    journal.close().await;
    let mut connection =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path)).await?;
    let commits: i64 = sqlx::query_scalar("SELECT generation FROM head")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    std::fs::remove_file(path)?;
    Ok(Stored {
        events_per_second: per_second(latency.len(), took),
        events_per_commit: number(latency.len()) / number(usize::try_from(commits)?.max(1)),
        latency,
    })
}

fn decision(client: usize, turn: u64) -> Batch {
    let name = format!("c.{client}-{}/case.CS-{client}-{}", turn / 10, turn / 10);
    let text = |bytes: usize| format!("{{\"text\":\"{turn:0>bytes$}\"}}");
    let records = RECORD_BYTES.iter().zip(["case", "open", "desk", "seat"]);
    Batch {
        appends: vec![Append {
            stream: StreamKey(name.clone()),
            expected: turn % 10,
            events: vec![NewEvent {
                kind: "case.proved".to_owned(),
                version: 1,
                at_ms: 0,
                data: text(EVENT_BYTES),
                leaf: Some(0),
            }],
        }],
        records: records
            .map(|(bytes, space)| RecordWrite {
                space,
                key: name.clone(),
                value: Some(text(*bytes)),
                expected: None,
                expires_ms: None,
            })
            .collect(),
        leaves: vec![vec![7; LEAF_BYTES]],
        ..Batch::default()
    }
}

/// SQLite alone: the same rows, so many events a transaction, prepared statements, one connection that does nothing
/// else. No look-up, no conflict, no tree, no signature.
pub(crate) async fn bare_sqlite(folder: &Path, events_a_commit: usize) -> Result<f64, Failed> {
    let path = folder.join("bare.db");
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", "4000");
    let mut connection = SqliteConnection::connect_with(&options).await?;
    sqlx::raw_sql(
        "CREATE TABLE leaf (leaf_index INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
         CREATE TABLE event (stream TEXT NOT NULL, sequence INTEGER NOT NULL, position INTEGER NOT NULL UNIQUE,
             kind TEXT NOT NULL, version INTEGER NOT NULL, at_ms INTEGER NOT NULL, data TEXT NOT NULL, leaf INTEGER,
             PRIMARY KEY (stream, sequence)) STRICT, WITHOUT ROWID;
         CREATE TABLE record (space TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, expires_ms INTEGER,
             value TEXT NOT NULL, PRIMARY KEY (space, key)) STRICT, WITHOUT ROWID;",
    )
    .execute(&mut connection)
    .await?;
    let (started, mut turn, mut written) = (Instant::now(), 0_u64, 0_usize);
    while started.elapsed() < ROUND {
        let batches: Vec<Batch> = (0..events_a_commit.max(1))
            .map(|client| decision(client, turn))
            .collect();
        sqlx::query("BEGIN IMMEDIATE")
            .execute(&mut connection)
            .await?;
        write_rows(&mut connection, &batches, written, turn).await?;
        sqlx::query("COMMIT").execute(&mut connection).await?;
        written += batches.len();
        turn += 1;
    }
    let rate = per_second(written, started.elapsed());
    connection.close().await?;
    std::fs::remove_file(path)?;
    Ok(rate)
}

async fn write_rows(
    connection: &mut SqliteConnection,
    batches: &[Batch],
    written: usize,
    turn: u64,
) -> Result<(), Failed> {
    let position = i64::try_from(written)?;
    let numbered: Vec<(i64, &Batch)> = (position + 1..).zip(batches).collect();
    let mut leaves = QueryBuilder::<Sqlite>::new("INSERT INTO leaf (leaf_index, data) ");
    leaves.push_values(&numbered, |mut row, (position, batch)| {
        row.push_bind(*position)
            .push_bind(batch.leaves.first().map(Vec::as_slice));
    });
    leaves.build().execute(&mut *connection).await?;
    let mut events = QueryBuilder::<Sqlite>::new(
        "INSERT INTO event (stream, sequence, position, kind, version, at_ms, data, leaf) ",
    );
    let sequence = i64::try_from(turn % 10)? + 1;
    events.push_values(&numbered, |mut row, (position, batch)| {
        if let Some((append, event)) = batch
            .appends
            .first()
            .and_then(|append| Some((append, append.events.first()?)))
        {
            row.push_bind(append.stream.0.as_str())
                .push_bind(sequence)
                .push_bind(*position)
                .push_bind(event.kind.as_str())
                .push_bind(event.version)
                .push_bind(event.at_ms)
                .push_bind(event.data.as_str())
                .push_bind(*position);
        }
    });
    events.build().execute(&mut *connection).await?;
    let records: Vec<&RecordWrite> = batches.iter().flat_map(|batch| &batch.records).collect();
    for some in records.chunks(64) {
        let mut put = QueryBuilder::<Sqlite>::new(
            "INSERT INTO record (space, key, revision, expires_ms, value) ",
        );
        put.push_values(some, |mut row, write| {
            row.push_bind(write.space)
                .push_bind(write.key.as_str())
                .push_bind(sequence)
                .push_bind(write.expires_ms)
                .push_bind(write.value.as_deref());
        });
        put.push(
            " ON CONFLICT (space, key) DO UPDATE SET revision = excluded.revision, value = excluded.value",
        );
        put.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// `pgbench -N` (simple updates) with 16 clients: transactions a second. `None` where there is no pgbench.
pub(crate) fn pgbench(database: &str) -> Option<f64> {
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new("pgbench")
            .args(arguments)
            .arg(database)
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    run(&["-i", "-q", "-s", "10"])?;
    let told = run(&["-N", "-c", "16", "-j", "2", "-T", "10"])?;
    let line = told.lines().find(|line| line.starts_with("tps = "))?;
    line.split(' ').nth(2)?.parse().ok()
}
