//! Kill -9 at random moments under load, then an audit of everything.
//!
//! The test runs itself as a second program: `writer_to_be_killed` commits from many clients and
//! says on its standard output what was acknowledged and what was signed. The parent kills it,
//! opens the database, and holds it against what it heard. A database lives through 50 kills.
//!
//! `COUNTERSIGN_CRASHES=300` sets how often (default 20).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy does not see as tests"
)]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use countersign_ledger::{Appender, Checkpoint};
use countersign_store::{
    Append, Batch, CheckpointSigner, FinishedWork, Journal, KeyRange, NewEvent, NewWork,
    RecordWrite, SqliteJournal, StreamKey, conformance::RecordingSigner,
};

const CLIENTS: u64 = 12;
const DATABASE: &str = "COUNTERSIGN_CRASH_DATABASE";

/// What client and turn write, all or nothing: an event with its leaf, two records that must
/// agree, and a piece of work in place of the last turn's.
fn turn(client: u64, turn: u64) -> Batch {
    let data = format!("{{\"client\":{client},\"turn\":{turn}}}");
    let record = |space| RecordWrite {
        space,
        key: format!("c{client:03}"),
        value: Some(data.clone()),
        expected: Some(turn),
        expires_ms: None,
    };
    Batch {
        erased: Vec::new(),
        appends: vec![Append {
            stream: stream(client),
            expected: turn,
            events: vec![NewEvent {
                kind: "turn".into(),
                version: 1,
                at_ms: 0,
                data: data.clone(),
                leaf: Some(0),
            }],
        }],
        records: vec![record("first"), record("second")],
        work: vec![NewWork {
            queue: "turns",
            key: format!("{client} {turn}"),
            due_ms: 0,
            body: data.clone(),
        }],
        finished: (turn > 0)
            .then(|| FinishedWork {
                queue: "turns",
                key: format!("{client} {}", turn - 1),
                again_at_ms: None,
                must_exist: true,
            })
            .into_iter()
            .collect(),
        leaves: vec![data.into_bytes()],
    }
}

fn stream(client: u64) -> StreamKey {
    StreamKey(format!("c{client:03}/turns"))
}

/// The program that gets killed; does nothing unless the test beside it starts it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writer_to_be_killed() {
    #[derive(Debug)]
    struct Telling(RecordingSigner);
    impl CheckpointSigner for Telling {
        fn origin(&self) -> &str {
            self.0.origin()
        }
        fn sign(&self, size: u64, root: [u8; 32]) -> String {
            // Before the signature exists.
            tell(&format!("signed {size} {}", hex(&root)));
            self.0.note(size, root)
        }
    }
    let Some(path) = std::env::var_os(DATABASE).map(PathBuf::from) else {
        return;
    };
    let journal = SqliteJournal::open(path, Arc::new(Telling(RecordingSigner::default())))
        .await
        .unwrap();
    let journal = Arc::new(journal);
    let clients = (0..CLIENTS).map(|client| {
        let journal = journal.clone();
        tokio::spawn(async move {
            let mut at = journal.read(&stream(client), 0).await.unwrap().len() as u64;
            loop {
                let committed = journal.commit(turn(client, at)).await.unwrap();
                tell(&format!("written {client} {at} {}", committed.first_leaf));
                at += 1;
            }
        })
    });
    // Until somebody kills it, but not for ever if nobody does.
    let clients: Vec<_> = clients.collect();
    tokio::time::sleep(Duration::from_secs(30)).await;
    drop(clients);
}

/// One line in one write, so that a kill cannot cut it in two.
fn tell(line: &str) {
    std::io::stdout()
        .lock()
        .write_all(format!("\n~{line}\n").as_bytes())
        .unwrap();
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// All that was heard from all the killed.
#[derive(Default)]
struct Heard {
    /// First leaf of each client's turn.
    written: BTreeMap<(u64, u64), u64>,
    /// Root of each size.
    signed: BTreeMap<u64, String>,
}

impl Heard {
    fn line(&mut self, line: &str) -> bool {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["~written", client, turn, leaf] => {
                let place = (client.parse().unwrap(), turn.parse().unwrap());
                let leaf = leaf.parse().unwrap();
                assert_eq!(
                    self.written.insert(place, leaf),
                    None,
                    "written twice: {place:?}"
                );
                true
            }
            ["~signed", size, root] => {
                let size = size.parse().unwrap();
                let root = self
                    .signed
                    .entry(size)
                    .or_insert_with(|| root.to_owned())
                    .clone();
                assert_eq!(root, words[2], "two roots of size {size}");
                false
            }
            _ => false,
        }
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_and_nothing_is_half_done() {
    let crashes =
        std::env::var("COUNTERSIGN_CRASHES").map_or(20, |crashes| crashes.parse().unwrap());
    let seed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .subsec_nanos();
    let mut dice = u64::from(seed);
    let mut roll = |sides: u64| {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    println!("seed {seed}");
    let folder = tempfile::tempdir().unwrap();
    let (mut heard, mut previous) = (Heard::default(), None);
    let (mut written, mut signed) = (0, 0);
    for crash in 0..crashes {
        let path = folder.path().join(format!("{}.db", crash / 50));
        if crash % 50 == 0 {
            (heard, previous) = (Heard::default(), None);
        }
        let before = (heard.written.len(), heard.signed.len());
        // Mostly in the middle of its work, sometimes while it starts or recovers, sometimes after
        // so much that the write-ahead log has begun to go back into the database.
        let (after_lines, after) = match roll(10) {
            0 | 1 => (0, Duration::from_micros(roll(30_000))),
            2 => (1 + roll(1_500), Duration::from_micros(roll(3_000))),
            _ => (1 + roll(150), Duration::from_micros(roll(3_000))),
        };
        run_and_kill(&path, after_lines, after, &mut heard);
        previous = Some(audit(&path, &heard, previous.as_ref(), crash).await);
        written += heard.written.len() - before.0;
        signed += heard.signed.len() - before.1;
    }
    assert!(
        written as u64 > crashes * 10,
        "too little was written to mean anything: {written}"
    );
    println!("{crashes} kills, {written} acknowledged, {signed} checkpoints signed");
}

/// Runs the writer until it has told so many acknowledgements and some time has passed.
fn run_and_kill(path: &Path, after_lines: u64, after: Duration, heard: &mut Heard) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "writer_to_be_killed",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(DATABASE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told = 0;
    while told < after_lines {
        let line = lines.next().expect("the writer ended by itself").unwrap();
        told += u64::from(heard.line(&line));
    }
    std::thread::sleep(after);
    // SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it died counts as well.
    for line in lines {
        heard.line(&line.unwrap());
    }
}

async fn audit(
    path: &Path,
    heard: &Heard,
    previous: Option<&Checkpoint>,
    crash: u64,
) -> Checkpoint {
    let signer = Arc::new(RecordingSigner::default());
    let journal = SqliteJournal::open(path, signer.clone()).await.unwrap();
    let (checkpoint, leaves) = signer.audit(&journal, previous).await;

    // Every root that was ever signed is the root of these leaves: none contradicts another, and
    // none was signed of what did not come to be.
    let mut tree = Appender::empty();
    for (size, root) in &heard.signed {
        let from = usize::try_from(tree.size()).unwrap();
        let grown = leaves.get(from..usize::try_from(*size).unwrap());
        let grown = grown.expect("nothing is signed that is not there");
        tree.append(grown.iter().map(Vec::as_slice)).unwrap();
        assert_eq!(
            hex(&tree.root()),
            *root,
            "signed at {size}, after kill {crash}"
        );
    }

    // Each turn is there whole, up to the same point in every place it was written to.
    let all = KeyRange {
        from: "c".into(),
        to: "d".into(),
        reverse: false,
    };
    let [first, second] = ["first", "second"].map(|space| journal.scan(space, all.clone(), 999));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!(first, second);
    // A lease that has already run out, so that nothing changes for the next writer.
    let work = journal.take_work("turns", 0, 0, 999).await.unwrap();
    let mut pending: Vec<_> = work.into_iter().map(|work| work.key).collect();
    let (mut expected_pending, mut total) = (Vec::new(), 0);
    let mut records = first.iter();
    for client in 0..CLIENTS {
        let events = journal.read(&stream(client), 0).await.unwrap();
        for (turn, event) in (0_u64..).zip(&events) {
            assert_eq!(event.sequence, turn + 1);
            assert_eq!(
                event.data,
                format!("{{\"client\":{client},\"turn\":{turn}}}")
            );
            let leaf = event.leaf.unwrap();
            assert_eq!(
                leaves[usize::try_from(leaf).unwrap()],
                event.data.as_bytes()
            );
            if let Some(told) = heard.written.get(&(client, turn)) {
                assert_eq!(*told, leaf);
            }
        }
        total += events.len();
        if let Some(last) = events.last() {
            let record = records.next().expect("a record for every stream");
            assert_eq!(
                (&record.value, record.revision),
                (&last.data, last.sequence)
            );
            expected_pending.push(format!("{client} {}", last.sequence - 1));
        }
        let acknowledged = heard
            .written
            .range((client, 0)..(client + 1, 0))
            .next_back();
        let acknowledged = acknowledged.map_or(0, |((_, turn), _)| turn + 1);
        assert!(
            events.len() as u64 >= acknowledged,
            "client {client} lost turns after kill {crash}"
        );
    }
    assert_eq!(records.next(), None);
    pending.sort();
    expected_pending.sort();
    assert_eq!(pending, expected_pending);
    assert_eq!(leaves.len(), total);
    let positions = journal.follow(0, usize::MAX).await.unwrap();
    assert!((1..=total as u64).eq(positions.iter().map(|event| event.position)));
    journal.close().await;
    checkpoint
}
