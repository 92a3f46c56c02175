//! How many requests a second the SQLite journal makes durable, beside a bare fsync on the same
//! disk: `cargo run --release -p countersign_store --example group_commit [FOLDER]`.
//!
//! Each client commits one request after the other and waits for each: an event with its ledger
//! leaf (300 bytes), one record and one piece of work, covered by a checkpoint signed with
//! Ed25519. The probe appends 4 KB and calls fsync, one after the other. The round at 1 client
//! tells what a request costs; the later ones, how well they share.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a program to be run by hand, which prints what it measures"
)]

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use countersign_store::{
    Append, Batch, Journal, NewEvent, NewWork, RecordWrite, SqliteJournal, StreamKey,
    conformance::RecordingSigner,
};

const ROUND: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    let within = std::env::args_os()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = within.join(format!("countersign-group-commit-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    println!("clients   requests/s   p50 ms   p99 ms   requests/commit   bare fsync/s   ratio");
    for clients in [1, 16, 64, 256] {
        // In the same minute, because disks shared with others change from one to the next.
        let probe = probe(&folder);
        let path = folder.join(format!("{clients}.db"));
        let (mut latencies, checkpoints, took) = round(&path, clients).await;
        latencies.sort_unstable();
        let count = latencies.len();
        let at = |hundredths: usize| {
            latencies[(count * hundredths / 100).min(count - 1)].as_secs_f64() * 1e3
        };
        let rate = per_second(count, took);
        println!(
            "{clients:7}   {rate:10.0}   {:6.2}   {:6.2}   {:15.1}   {probe:12.0}   {:5.2}",
            at(50),
            at(99),
            per_second(count, Duration::from_secs(1))
                / per_second(checkpoints, Duration::from_secs(1)),
            rate / probe,
        );
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// Bare appends of 4 KB with an fsync each, a second.
fn probe(folder: &Path) -> f64 {
    let path = folder.join("probe");
    let mut file = File::create(&path).unwrap();
    let (started, mut count) = (Instant::now(), 0);
    while started.elapsed() < ROUND / 3 {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    let rate = per_second(count, started.elapsed());
    std::fs::remove_file(path).unwrap();
    rate
}

/// Each request's latency, how many checkpoints they shared, and how long it all took.
async fn round(path: &Path, clients: usize) -> (Vec<Duration>, usize, Duration) {
    let signer = Arc::new(RecordingSigner::default());
    let journal = Arc::new(SqliteJournal::open(path, signer.clone()).await.unwrap());
    let started = Instant::now();
    let clients = (0..clients).map(|client| {
        let journal = journal.clone();
        tokio::spawn(async move {
            let mut latencies = Vec::new();
            for turn in 0.. {
                let asked = Instant::now();
                journal.commit(request(client, turn)).await.unwrap();
                latencies.push(asked.elapsed());
                if started.elapsed() > ROUND {
                    break;
                }
            }
            latencies
        })
    });
    let mut latencies = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        latencies.extend(client.await.unwrap());
    }
    let took = started.elapsed();
    journal.close().await;
    // The first one is over the empty tree.
    (latencies, signer.signed().len() - 1, took)
}

fn request(client: usize, turn: u64) -> Batch {
    // Each case is a stream of about ten events.
    let (case, expected) = (turn / 10, turn % 10);
    let name = format!("customer-{client}/case-{case}");
    let data = format!("{{\"text\":\"{turn:0>280}\"}}");
    Batch {
        appends: vec![Append {
            stream: StreamKey(name.clone()),
            expected,
            events: vec![NewEvent {
                kind: "case.proved".into(),
                version: 1,
                at_ms: 0,
                data: data.clone(),
                leaf: Some(0),
            }],
        }],
        records: vec![RecordWrite {
            space: "cases",
            key: name.clone(),
            value: Some(data.clone()),
            expected: Some(expected),
            expires_ms: None,
        }],
        work: vec![NewWork {
            queue: "timer",
            key: format!("{name}/{turn}"),
            due_ms: i64::MAX,
            body: "{}".into(),
        }],
        leaves: vec![data.into_bytes()],
        ..Batch::default()
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
