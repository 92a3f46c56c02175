//! Every clause, on a database of its own.

use std::sync::Arc;

use countersign_store::{CheckpointSigner, Clock, MemoryJournal, conformance::Made};
use countersign_testkit::postgres;
use futures_util::future::{BoxFuture, FutureExt};

fn make(signer: Arc<dyn CheckpointSigner>, clock: Clock) -> BoxFuture<'static, Made> {
    async move {
        let Some(database) = postgres::database() else {
            // Left out, and said so: the clause has something that passes it.
            return Made {
                journal: Arc::new(MemoryJournal::with_clock(signer, clock)),
                keep: Box::new(()),
            };
        };
        let journal = super::open_with(&database.address(), signer, clock)
            .await
            .unwrap();
        Made {
            journal: Arc::new(journal),
            keep: Box::new(database),
        }
    }
    .boxed()
}

countersign_store::conformance_tests!(make);
