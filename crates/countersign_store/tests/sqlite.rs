//! The SQLite store keeps the contract.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not see as tests"
)]

use std::sync::Arc;

use countersign_store::{CheckpointSigner, Clock, SqliteJournal, SqliteOptions, conformance::Made};
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
