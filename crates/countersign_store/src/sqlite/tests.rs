use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::future::join_all;
use tempfile::TempDir;

use super::*;
use crate::{
    Append, FinishedWork, NewEvent, NewWork, RecordWrite,
    conformance::RecordingSigner,
    sqlite::writer::{Step, When},
};

/// A store in a folder of its own, whose database can be made to fail.
struct Bench {
    folder: TempDir,
    signer: Arc<RecordingSigner>,
    faults: Faults,
    time: Arc<AtomicI64>,
    journal: SqliteJournal,
}

impl Bench {
    async fn new() -> Self {
        Self::in_folder(tempfile::tempdir().unwrap()).await
    }

    async fn in_folder(folder: TempDir) -> Self {
        let (signer, faults) = (Arc::new(RecordingSigner::default()), Faults::default());
        let time = Arc::new(AtomicI64::new(1_000_000));
        let journal = open(&folder, &signer, &faults, &time).await;
        Self {
            folder,
            signer,
            faults,
            time,
            journal,
        }
    }

    async fn reopen(&mut self) {
        self.journal.close().await;
        self.journal = open(&self.folder, &self.signer, &self.faults, &self.time).await;
    }

    /// Checks that everything fits and that no size was signed for two roots.
    async fn audit(&self) {
        let (checkpoint, leaves) = self.signer.audit(&self.journal, None).await;
        let mut roots = std::collections::BTreeMap::new();
        for (size, root) in self.signer.signed() {
            assert_eq!(
                *roots.entry(size).or_insert(root),
                root,
                "two roots of size {size}"
            );
            assert!(
                size <= checkpoint.size,
                "signed {size}, have {}",
                checkpoint.size
            );
        }
        let events = self.journal.follow(0, usize::MAX).await.unwrap();
        assert_eq!(events.len(), leaves.len());
        for (event, leaf) in events.iter().zip(leaves) {
            assert_eq!(event.data.as_bytes(), leaf);
        }
    }

    async fn length(&self, name: &str) -> u64 {
        self.journal
            .read(&StreamKey(name.into()), 0)
            .await
            .unwrap()
            .len() as u64
    }

    async fn row<T>(&self, query: &'static str) -> T
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        sqlx::query_scalar(query)
            .fetch_one(&self.journal.readers)
            .await
            .unwrap()
    }
}

async fn open(
    folder: &TempDir,
    signer: &Arc<RecordingSigner>,
    faults: &Faults,
    time: &Arc<AtomicI64>,
) -> SqliteJournal {
    let time = time.clone();
    let options = SqliteOptions {
        clock: Clock::new(move || time.load(Ordering::SeqCst)),
        ..SqliteOptions::default()
    };
    SqliteJournal::start(
        &folder.path().join("j.db"),
        signer.clone(),
        options,
        faults.clone(),
    )
    .await
    .unwrap()
}

/// One turn of a stream: an event with its leaf, a record, one piece of work for the last.
fn turn(name: &str, expected: u64) -> Batch {
    let data = format!("\"{name} {expected}\"");
    Batch {
        erased: Vec::new(),
        appends: vec![Append {
            stream: StreamKey(name.into()),
            expected,
            events: vec![NewEvent {
                kind: "k".into(),
                version: 1,
                at_ms: 0,
                data: data.clone(),
                leaf: Some(0),
            }],
        }],
        records: vec![RecordWrite {
            space: "turns",
            key: name.into(),
            value: Some(data.clone()),
            expected: Some(expected),
            expires_ms: None,
        }],
        work: vec![NewWork {
            queue: "mail",
            key: format!("{name} {expected}"),
            due_ms: 0,
            body: "{}".into(),
        }],
        finished: vec![FinishedWork {
            queue: "mail",
            key: format!("{name} {}", expected.wrapping_sub(1)),
            again_at_ms: None,
            must_exist: expected > 0,
        }],
        leaves: vec![data.into_bytes()],
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hears {
    Written,
    NotWritten,
    Unknown,
}

/// The steps that fail, what the callers then hear, and whether it was written.
type Row = (Vec<(Step, When)>, Hears, bool);

/// Whichever step of a transaction fails, before or after it took effect: everybody in the group
/// hears the same, it is true, and the store goes on soundly.
#[tokio::test]
async fn a_second_program_reads_beside_the_one_that_writes_and_writes_nothing() {
    let bench = Bench::new().await;
    bench.journal.commit(turn("a", 0)).await.unwrap();
    let written_down = bench.journal.checkpoint().await.unwrap();
    // The signature of what this writes is written down by the next transaction only, as at any time while a gate runs.
    bench.journal.commit(turn("a", 1)).await.unwrap();
    let path = bench.folder.path().join("j.db");
    let beside = SqliteJournal::open_to_read(&path, Clock::system())
        .await
        .unwrap();
    assert_eq!(*beside.watch().borrow(), 2);
    assert_eq!(beside.checkpoint().await.unwrap(), written_down);
    // What is committed after it was opened is read as well.
    bench.journal.commit(turn("a", 2)).await.unwrap();
    let record = beside.get("turns", "a").await.unwrap().unwrap();
    assert_eq!(record.value, "\"a 2\"");
    assert_eq!(beside.follow(0, 10).await.unwrap().len(), 3);
    let refused = beside.commit(turn("b", 0)).await;
    assert!(matches!(refused, Err(CommitError::Unavailable(_))));
    let nothing = beside.take_work("q", 0, 1, 1).await;
    assert!(nothing.is_ok_and(|work| work.is_empty()));
    beside.close().await;
    bench.journal.commit(turn("a", 3)).await.unwrap();
    assert_eq!(bench.length("b").await, 0);
    bench.audit().await;
}

#[tokio::test]
async fn every_step_may_fail() {
    use {Hears::*, Step::*, When::*};
    let before_commit = [LookUp, Frame, Events, Records];
    let mut table: Vec<Row> = Vec::new();
    for step in before_commit {
        table.push((vec![(step, Before)], NotWritten, false));
        table.push((vec![(step, After)], NotWritten, false));
        table.push((vec![(step, After), (Reread, Before)], NotWritten, false));
    }
    table.push((vec![(Commit, Before)], Unknown, false));
    table.push((vec![(Commit, After)], Written, true));
    table.push((vec![(Commit, Before), (Reread, Before)], Unknown, false));
    table.push((vec![(Commit, After), (Reread, Before)], Unknown, true));
    table.push((vec![(Commit, After), (Reread, After)], Unknown, true));

    let mut bench = Bench::new().await;
    for (row, (faults, hears, landed)) in table.into_iter().enumerate() {
        let at = format!("{faults:?}");
        // So that there is a note to write down and time to sweep.
        bench
            .journal
            .commit(turn("ann/before", row as u64))
            .await
            .unwrap();
        bench.time.fetch_add(10_000, Ordering::SeqCst);
        *bench.faults.armed.lock().unwrap() = faults;

        let names = ["ann/a", "bob/b", "cyd/c"].map(|name| format!("{name}{row}"));
        let group = names
            .each_ref()
            .map(|name| bench.journal.commit(turn(name, 0)));
        for answer in join_all(group).await {
            let heard = match answer {
                Ok(_) => Written,
                Err(CommitError::Overloaded) => NotWritten,
                Err(CommitError::Unavailable(_)) => Unknown,
                Err(error) => panic!("{at}: {error}"),
            };
            assert_eq!(heard, hears, "{at}");
        }
        // As after any loss, the callers read (a later write settles what is known) and go on.
        if let Err(error) = bench
            .journal
            .commit(turn("ann/settles", bench.length("ann/settles").await))
            .await
        {
            assert_eq!(error, CommitError::Overloaded, "{at}");
            bench
                .journal
                .commit(turn("ann/settles", bench.length("ann/settles").await))
                .await
                .unwrap();
        }
        assert_eq!(
            *bench.faults.armed.lock().unwrap(),
            [],
            "every fault has struck"
        );
        for name in &names {
            assert_eq!(bench.length(name).await, u64::from(landed), "{at}");
            bench
                .journal
                .commit(turn(name, u64::from(landed)))
                .await
                .unwrap();
        }
        bench.audit().await;
    }
    let seen = bench.journal.follow(0, usize::MAX).await.unwrap();
    bench.reopen().await;
    bench.audit().await;
    assert_eq!(bench.journal.follow(0, usize::MAX).await.unwrap(), seen);
}

/// Work that could not be leased is not leased; whoever leased it unheard keeps it for the lease.
#[tokio::test]
async fn taking_work_may_fail() {
    let bench = Bench::new().await;
    bench.journal.commit(turn("ann/a", 0)).await.unwrap();
    let cases = [
        (vec![(Step::Begin, When::Before)], false),
        (vec![(Step::Begin, When::After)], false),
        (vec![(Step::Take, When::Before)], false),
        (vec![(Step::Take, When::After)], false),
        (vec![(Step::Commit, When::Before)], false),
        (
            vec![(Step::Commit, When::After), (Step::Reread, When::Before)],
            true,
        ),
    ];
    for (turn, (faults, leased)) in (0..).zip(cases) {
        let now = turn * 1_000;
        bench.faults.armed.lock().unwrap().extend(faults.clone());
        bench
            .journal
            .take_work("mail", now, now + 500, 9)
            .await
            .unwrap_err();
        assert_eq!(bench.faults.armed.lock().unwrap().len(), 0);
        let taken = bench
            .journal
            .take_work("mail", now, now + 500, 9)
            .await
            .unwrap();
        assert_eq!(taken.is_empty(), leased, "{faults:?}");
    }
    assert_eq!(
        bench
            .journal
            .take_work("mail", 5_500, 5_600, 9)
            .await
            .unwrap()
            .len(),
        1
    );
}

/// When there is no room the store says that nothing was written, serves reads, and recovers.
#[tokio::test]
async fn a_full_disk_is_survived() {
    let mut bench = Bench::new().await;
    bench.journal.limit_pages(80).await.unwrap();
    let large = |expected| Batch {
        records: vec![RecordWrite {
            space: "large",
            key: format!("{expected}"),
            value: Some("x".repeat(10_000)),
            expected: Some(0),
            expires_ms: None,
        }],
        ..turn("ann/a", expected)
    };
    let mut written = 0;
    let refused = loop {
        match bench.journal.commit(large(written)).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, CommitError::Overloaded);
    assert!(written > 3, "{written}");
    for _ in 0..5 {
        assert_eq!(
            bench.journal.commit(large(written)).await,
            Err(CommitError::Overloaded)
        );
        assert_eq!(bench.length("ann/a").await, written);
        assert_eq!(
            bench.journal.get("large", &format!("{written}")).await,
            Ok(None)
        );
        bench.audit().await;
    }
    // Room again.
    bench.journal.limit_pages(10_000).await.unwrap();
    bench.journal.commit(large(written)).await.unwrap();
    bench.audit().await;
    bench.reopen().await;
    bench.audit().await;
    assert_eq!(bench.length("ann/a").await, written + 1);
}

/// The same on a real disk that is really full: `COUNTERSIGN_SMALL_DISK` names an empty folder on
/// a file system of a few megabytes of its own. `./test` makes one where it may; without one the page limit above must do.
#[tokio::test]
async fn a_really_full_disk_is_survived() {
    let Some(disk) = std::env::var_os("COUNTERSIGN_SMALL_DISK").map(PathBuf::from) else {
        println!("left out: no small disk");
        return;
    };
    let ballast = disk.join("ballast");
    std::fs::write(&ballast, vec![7; 1 << 20]).unwrap();
    let mut bench = Bench::in_folder(TempDir::new_in(disk).unwrap()).await;
    let (mut expected, mut refused, mut unknown) = (0, 0, 0);
    while refused + unknown < 50 {
        match bench.journal.commit(turn("ann/a", expected)).await {
            Ok(_) => expected += 1,
            Err(CommitError::Overloaded) => refused += 1,
            Err(CommitError::Unavailable(why)) => {
                println!("unknown: {why}");
                unknown += 1;
            }
            Err(error) => panic!("{error}"),
        }
        assert_eq!(bench.length("ann/a").await, expected);
    }
    println!("{expected} written, {refused} refused, {unknown} unknown");
    assert!(refused > 40);
    bench.audit().await;
    std::fs::remove_file(ballast).unwrap();
    for _ in 0..20 {
        bench.journal.commit(turn("ann/a", expected)).await.unwrap();
        expected += 1;
    }
    bench.audit().await;
    bench.reopen().await;
    bench.audit().await;
    assert_eq!(bench.length("ann/a").await, expected);
}

/// Requests that wait together share one transaction, and so one fsync.
#[tokio::test]
async fn waiting_requests_share_a_transaction() {
    let bench = Bench::new().await;
    let names: Vec<_> = (0..100).map(|n| format!("ann/{n}")).collect();
    for answer in join_all(names.iter().map(|name| bench.journal.commit(turn(name, 0)))).await {
        assert_eq!(answer.unwrap().tree_size, 100);
    }
    assert_eq!(bench.row::<i64>("SELECT generation FROM head").await, 1);
    assert_eq!(bench.signer.signed().len(), 2);
    // A transaction in which everything conflicts is none.
    for answer in join_all(names.iter().map(|name| bench.journal.commit(turn(name, 0)))).await {
        answer.unwrap_err();
    }
    assert_eq!(bench.row::<i64>("SELECT generation FROM head").await, 1);
}

/// More requests than may wait are refused at once, and nothing of them is written.
#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions {
        queue: 3,
        ..SqliteOptions::default()
    };
    let signer = Arc::new(RecordingSigner::default());
    let journal = SqliteJournal::open_with(folder.path().join("j.db"), signer, options)
        .await
        .unwrap();
    // This runtime has one thread, so the writer cannot run before all have asked.
    let names: Vec<_> = (0..8).map(|n| format!("ann/{n}")).collect();
    let answers = join_all(names.iter().map(|name| journal.commit(turn(name, 0)))).await;
    let refused = answers
        .iter()
        .filter(|answer| **answer == Err(CommitError::Overloaded))
        .count();
    assert_eq!(refused, 5, "{answers:?}");
    assert_eq!(journal.follow(0, 99).await.unwrap().len(), 3);
    journal.commit(turn("ann/9", 0)).await.unwrap();
}

/// Readers do not wait for the writer, not even for one that is stuck.
#[tokio::test]
async fn reads_do_not_wait_for_the_writer() {
    let bench = Bench::new().await;
    bench.journal.commit(turn("ann/a", 0)).await.unwrap();
    let mut other = SqliteConnection::connect(&format!("sqlite:{}", bench.journal.path.display()))
        .await
        .unwrap();
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let stuck = bench.journal.commit(turn("ann/a", 1));
    let reads = async {
        for _ in 0..50 {
            assert_eq!(bench.length("ann/a").await, 1);
            assert!(bench.journal.get("turns", "ann/a").await.unwrap().is_some());
            assert!(
                bench
                    .journal
                    .tile("tile/entries/000.p/1")
                    .await
                    .unwrap()
                    .is_some()
            );
        }
        sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    };
    let (stuck, ()) = tokio::join!(stuck, reads);
    stuck.unwrap();
    assert_eq!(bench.length("ann/a").await, 2);
}

/// A note that the last program did not write down is signed again, over the same root.
#[tokio::test]
async fn a_checkpoint_that_was_not_written_down_is_signed_again() {
    let mut bench = Bench::new().await;
    bench.journal.commit(turn("ann/a", 0)).await.unwrap();
    let checkpoint = bench.journal.checkpoint().await.unwrap();
    assert_eq!(
        bench
            .row::<i64>("SELECT count(*) FROM checkpoint WHERE note IS NULL")
            .await,
        1
    );
    bench.reopen().await;
    assert_eq!(
        bench
            .row::<i64>("SELECT count(*) FROM checkpoint WHERE note IS NULL")
            .await,
        0
    );
    assert_eq!(bench.journal.checkpoint().await.unwrap(), checkpoint);
    assert_eq!(
        bench.signer.signed().len(),
        2,
        "a stored note is not signed again"
    );

    let path = bench.journal.path.clone();
    bench.journal.close().await;
    let mut other = SqliteConnection::connect(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    sqlx::query("UPDATE checkpoint SET note = NULL WHERE tree_size = 1")
        .execute(&mut other)
        .await
        .unwrap();
    other.close().await.unwrap();
    bench.reopen().await;
    assert_eq!(bench.journal.checkpoint().await.unwrap(), checkpoint);
    bench.audit().await;
}

/// No statement reads more of a table than it must.
#[tokio::test]
async fn no_statement_scans_a_table() {
    use statements::*;
    let bench = Bench::new().await;
    for statement in [
        READ,
        FOLLOW,
        GET,
        SCAN,
        SCAN_BACK,
        IS_WORK_DUE,
        LOOK_UP,
        SWEEP,
        REMOVE_RECORDS,
        MOVE_WORK,
        REMOVE_WORK,
        TAKE_WORK,
    ] {
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain)
            .fetch_all(&bench.journal.readers)
            .await
            .unwrap();
        assert!(!plan.is_empty());
        for (.., step) in plan {
            let harmless = ["VIRTUAL TABLE", "CONSTANT ROW", "SCAN (subquery", "SCAN j "];
            let scans = step.starts_with("SCAN") && !harmless.iter().any(|ok| step.contains(ok));
            assert!(
                !scans && !step.contains("TEMP B-TREE FOR ORDER BY"),
                "{step} in {statement}"
            );
        }
    }
}
