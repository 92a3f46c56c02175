//! The PostgreSQL store keeps the contract, alone and with other gates on the same database.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which clippy does not see as tests"
)]

mod contract;
mod cut;
mod gates;
mod opening;

use std::{sync::Arc, time::Duration};

use countersign_store::{
    Append, Batch, CheckpointSigner, Clock, FinishedWork, Journal, NewEvent, NewWork, OpenError,
    PostgresAddress, PostgresJournal, PostgresOptions, RecordWrite, StreamKey,
    conformance::RecordingSigner,
};
use countersign_testkit::postgres::Database;

async fn open_with(
    address: &str,
    signer: Arc<dyn CheckpointSigner>,
    clock: Clock,
) -> Result<PostgresJournal, OpenError> {
    let options = PostgresOptions {
        clock,
        readers: 3,
        ask_every: Duration::from_millis(50),
        ..PostgresOptions::default()
    };
    let address = PostgresAddress::parse(address).unwrap();
    PostgresJournal::open_with(&address, signer, options).await
}

async fn open(database: &Database, signer: &Arc<RecordingSigner>) -> PostgresJournal {
    open_with(&database.address(), signer.clone(), Clock::system())
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

async fn length(journal: &dyn Journal, name: &str) -> u64 {
    let events = journal.read(&StreamKey(name.into()), 0).await.unwrap();
    events.len() as u64
}

/// Checks that the whole ledger fits its checkpoint, that the events are its leaves in order, and that no signer of any
/// gate has signed two roots for one size.
async fn audit(journal: &dyn Journal, signers: &[&Arc<RecordingSigner>]) -> u64 {
    let mut roots = std::collections::BTreeMap::new();
    for signer in signers {
        for (size, root) in signer.signed() {
            let first = *roots.entry(size).or_insert(root);
            assert_eq!(first, root, "two roots of size {size}");
        }
    }
    let (checkpoint, leaves) = signers.first().unwrap().audit(journal, None).await;
    assert!(roots.keys().all(|size| *size <= checkpoint.size));
    let events = journal.follow(0, usize::MAX).await.unwrap();
    assert!(
        leaves
            .iter()
            .eq(events.iter().map(|event| event.data.as_bytes()))
    );
    for (position, event) in (1..).zip(&events) {
        assert_eq!(event.position, position);
        assert_eq!(event.leaf, Some(position - 1));
    }
    checkpoint.size
}
