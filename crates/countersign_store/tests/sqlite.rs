//! The SQLite store keeps the contract.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not see as tests"
)]

use std::sync::Arc;

use countersign_store::{
    Append, Batch, CheckpointSigner, Clock, Erasure, Journal as _, NewEvent, RecordWrite,
    SqliteJournal, SqliteOptions, StreamKey,
    conformance::{Made, RecordingSigner},
};
use futures_util::future::{BoxFuture, FutureExt};

fn make(signer: Arc<dyn CheckpointSigner>, clock: Clock) -> BoxFuture<'static, Made> {
    async move {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions {
            clock,
            ..SqliteOptions::default()
        };
        let journal = SqliteJournal::open_with(folder.path().join("journal.db"), signer, options)
            .await
            .unwrap();
        Made {
            journal: Arc::new(journal),
            keep: Box::new(folder),
        }
    }
    .boxed()
}

countersign_store::conformance_tests!(make);

/// What was erased is not in the files any more, free pages included.
#[tokio::test]
async fn nothing_of_an_erased_stream_is_left_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let signer = Arc::new(RecordingSigner::default());
    let journal = SqliteJournal::open(&path, signer).await.unwrap();
    let event = |data: String| NewEvent {
        kind: "k".into(),
        version: 1,
        at_ms: 0,
        data,
        leaf: None,
    };
    let append = |name: &str, data: String| Append {
        stream: StreamKey(name.into()),
        expected: 0,
        events: vec![event(data)],
    };
    let record = |value: Option<String>| RecordWrite {
        space: "s",
        key: "ann".into(),
        value,
        expected: None,
        expires_ms: None,
    };
    // Long enough to fill pages of its own, which go to the list of free ones as they are.
    let secret = "the-name-of-ann ".repeat(4_000);
    let written = Batch {
        appends: vec![
            append("ann/a", format!("\"{secret}\"")),
            append("ann/b", "\"the-name-of-ann, short\"".into()),
            append("bob/a", "\"the-name-of-bob\"".into()),
        ],
        records: vec![record(Some(format!("\"{secret}\"")))],
        ..Batch::default()
    };
    journal.commit(written).await.unwrap();
    let erase = |name: &str| Erasure {
        stream: StreamKey(name.into()),
        expected: 1,
    };
    let erased = Batch {
        erased: vec![erase("ann/a"), erase("ann/b")],
        appends: vec![append("gate/log", "{}".into())],
        records: vec![record(None)],
        ..Batch::default()
    };
    journal.commit(erased).await.unwrap();
    journal.close().await;
    let mut looked = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let holds = |what: &str| bytes.windows(what.len()).any(|at| at == what.as_bytes());
        assert!(!holds("the-name-of-ann"));
        looked += usize::from(holds("the-name-of-bob"));
    }
    assert_eq!(looked, 1, "the search finds what is there");
}
