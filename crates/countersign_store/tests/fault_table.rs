//! Every write of the contract, on every store, by everything that can become of it; then the audit.
//!
//! `docs/generated/faults.txt` is what was found. Run with `COUNTERSIGN_BLESS=1` to write it again, and review that.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which clippy does not see as tests"
)]

use std::{fmt::Write as _, path::Path, sync::Arc};

use countersign_store::{
    Append, Batch, CommitError, Fault, Faulty, Journal, MemoryJournal, NewEvent, NewWork,
    PostgresAddress, PostgresJournal, SharedJournal, SqliteJournal, StreamKey, Write,
    conformance::RecordingSigner,
};
use countersign_testkit::postgres::{self, Cut, Proxy};

/// What of the contract only reads. Whatever is neither here nor a [`Write`] fails the test below.
const READS: [&str; 14] = [
    "read",
    "follow",
    "follow_back",
    "events_at",
    "get",
    "get_many",
    "count",
    "scan",
    "backlog",
    "checkpoint",
    "tile",
    "watch",
    // What it is, for the traces.
    "system",
    "server",
];

/// A method that is added to the contract and writes must be given its faults: the wrapper and this table know it by
/// [`Write`].
#[test]
fn no_write_of_the_contract_is_forgotten() {
    let contract = include_str!("../src/journal.rs");
    let (_, body) = contract.split_once("pub trait Journal").unwrap();
    let (body, _) = body.split_once("\n}\n").unwrap();
    let mut methods: Vec<&str> = body
        .lines()
        .filter_map(|line| line.strip_prefix("    fn "))
        .map(|line| line.split(['(', '<']).next().unwrap())
        .collect();
    methods.sort_unstable();
    let mut known: Vec<&str> = READS.to_vec();
    known.extend(Write::ALL.map(Write::method));
    known.sort_unstable();
    assert_eq!(
        methods, known,
        "say of every method whether it writes: in `Write`, or in the list of this test"
    );
}

#[tokio::test]
async fn every_write_by_every_fault_on_every_store() {
    let mut table = String::from(
        "What becomes of every write of the store's contract, whatever happens to it. Written by a test.\n\n",
    );
    line(
        &mut table,
        [
            "store",
            "write",
            "what happens",
            "the caller hears",
            "it is there",
            "the audit",
        ],
    );
    let folder = tempfile::tempdir().unwrap();
    let [memory, sqlite] = [(); 2].map(|()| Arc::new(RecordingSigner::default()));
    let store = Arc::new(MemoryJournal::new(memory.clone()));
    by_wrapper(&mut table, "memory", store, &memory).await;
    let store = SqliteJournal::open(folder.path().join("j.db"), sqlite.clone())
        .await
        .unwrap();
    by_wrapper(&mut table, "SQLite", Arc::new(store), &sqlite).await;

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/generated/faults.txt");
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    let Some(database) = postgres::database() else {
        assert!(written.starts_with(&table), "{table}");
        return;
    };
    let signer = Arc::new(RecordingSigner::default());
    let wire = Proxy::to(&database).unwrap();
    let address = PostgresAddress::parse(&wire.address()).unwrap();
    let store = PostgresJournal::open(&address, signer.clone())
        .await
        .unwrap();
    let store: SharedJournal = Arc::new(store);
    by_wrapper(&mut table, "PostgreSQL", store.clone(), &signer).await;
    let address = PostgresAddress::parse(&database.address()).unwrap();
    let truth = PostgresJournal::open(&address, signer.clone())
        .await
        .unwrap();
    by_wire(&mut table, &wire, &truth, &*store, &signer).await;

    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        std::fs::write(&file, &table).unwrap();
    } else {
        assert!(
            written == table,
            "docs/generated/faults.txt is not fresh; run with COUNTERSIGN_BLESS=1 to write it\n{table}"
        );
    }
}

/// The wrapper that callers are tested with.
async fn by_wrapper(
    table: &mut String,
    name: &str,
    store: SharedJournal,
    signer: &Arc<RecordingSigner>,
) {
    for write in Write::ALL {
        for fault in Fault::ALL {
            // Once.
            let mut fates = vec![fault];
            let faulty = Faulty::new(store.clone(), move |_| fates.pop().unwrap_or(Fault::None));
            let happens = match fault {
                Fault::None => "nothing bad",
                Fault::Lost => "it is lost on the way",
                Fault::Landed => "its answer is lost on the way back",
            };
            let found = tried(write, &faulty, &*store, signer, || {}, || {}).await;
            row(table, name, write, happens, &found);
        }
    }
}

/// A real connection, really cut.
async fn by_wire(
    table: &mut String,
    wire: &Proxy,
    truth: &dyn Journal,
    store: &dyn Journal,
    signer: &Arc<RecordingSigner>,
) {
    type Happens<'a> = (Write, &'a str, &'a (dyn Fn() + Sync));
    let down = || wire.down();
    let before = || wire.cut_once(Cut::BeforeCommit);
    let after = || wire.cut_once(Cut::AfterCommit);
    let stays_before = || wire.stay_down_after(Cut::BeforeCommit);
    let stays_after = || wire.stay_down_after(Cut::AfterCommit);
    let after_update = || wire.cut_once(Cut::AfterUpdate);
    let rows: [Happens<'_>; 7] = [
        (Write::Commit, "no connection", &down),
        (
            Write::Commit,
            "the connection is cut before COMMIT",
            &before,
        ),
        (Write::Commit, "the connection is cut after COMMIT", &after),
        (
            Write::Commit,
            "cut before COMMIT, and none comes back",
            &stays_before,
        ),
        (
            Write::Commit,
            "cut after COMMIT, and none comes back",
            &stays_after,
        ),
        (Write::TakeWork, "no connection", &down),
        (
            Write::TakeWork,
            "the connection is cut after it is taken",
            &after_update,
        ),
    ];
    for (write, happens, make_it_happen) in rows {
        let found = tried(write, store, truth, signer, make_it_happen, || wire.up()).await;
        row(table, "PostgreSQL", write, happens, &found);
    }
}

/// What a caller heard, and what was there.
struct Found {
    hears: &'static str,
    there: bool,
    leaves: u64,
}

/// One write by the store that fares badly, looked at through one that does not.
async fn tried(
    write: Write,
    store: &dyn Journal,
    truth: &dyn Journal,
    signer: &Arc<RecordingSigner>,
    before: impl Fn(),
    after: impl Fn(),
) -> Found {
    let stream = StreamKey("ann/a".into());
    let length = async || truth.read(&stream, 0).await.unwrap().len() as u64;
    let from = length().await;
    // Something to take, and a connection that is open.
    truth.commit(batch(from)).await.unwrap();
    store.read(&stream, 0).await.unwrap();
    let (hears, there) = match write {
        Write::Commit => {
            before();
            let answer = store.commit(batch(from + 1)).await;
            after();
            let there = length().await == from + 2;
            let hears = match answer {
                Ok(_) => "done",
                Err(CommitError::Overloaded) => "nothing was written",
                Err(CommitError::Unavailable(_)) => "nothing is known",
                Err(error) => panic!("{error}"),
            };
            (hears, there)
        }
        Write::TakeWork => {
            before();
            let answer = store.take_work("mail", 0, 1_000, 99).await;
            after();
            let left = truth.take_work("mail", 0, 1_000, 99).await.unwrap();
            let hears = match answer {
                Ok(taken) if !taken.is_empty() => "done",
                Ok(_) => "nothing was there",
                Err(_) => "nothing is known",
            };
            (hears, left.is_empty())
        }
    };
    // What must hold whatever happens.
    assert!(there || hears != "done", "acknowledged and not there");
    assert!(
        !there || hears != "nothing was written",
        "there, and denied"
    );
    // The store itself goes on, and so does its caller, who reads first.
    let now = length().await;
    store.commit(batch(now)).await.unwrap();
    let (_, leaves) = signer.audit(store, None).await;
    let events = truth.follow(0, usize::MAX).await.unwrap();
    assert!(
        leaves
            .iter()
            .eq(events.iter().map(|event| event.data.as_bytes()))
    );
    let mut roots = std::collections::BTreeMap::new();
    for (size, root) in signer.signed() {
        assert_eq!(*roots.entry(size).or_insert(root), root, "one root a size");
    }
    Found {
        hears,
        there,
        leaves: leaves.len() as u64,
    }
}

fn batch(expected: u64) -> Batch {
    Batch {
        appends: vec![Append {
            stream: StreamKey("ann/a".into()),
            expected,
            events: vec![NewEvent {
                kind: "k".into(),
                version: 1,
                at_ms: 0,
                data: expected.to_string(),
                leaf: Some(0),
            }],
        }],
        work: vec![NewWork {
            queue: "mail",
            key: expected.to_string(),
            due_ms: 0,
            body: "{}".into(),
        }],
        leaves: vec![expected.to_string().into_bytes()],
        ..Batch::default()
    }
}

fn row(table: &mut String, store: &str, write: Write, happens: &str, found: &Found) {
    let there = if found.there { "yes" } else { "no" };
    let audit = format!("whole, {} leaves", found.leaves);
    line(
        table,
        [store, write.method(), happens, found.hears, there, &audit],
    );
}

fn line(table: &mut String, [store, write, happens, hears, there, audit]: [&str; 6]) {
    writeln!(
        table,
        "{store:<11} {write:<10} {happens:<40} {hears:<20} {there:<12} {audit}"
    )
    .unwrap();
}
