//! The memory store keeps the contract.

use std::sync::Arc;

use countersign_store::{CheckpointSigner, Clock, MemoryJournal, conformance::Made};
use futures_util::future::{self, BoxFuture, FutureExt};

fn make(signer: Arc<dyn CheckpointSigner>, clock: Clock) -> BoxFuture<'static, Made> {
    let journal = Arc::new(MemoryJournal::with_clock(signer, clock));
    future::ready(Made {
        journal,
        keep: Box::new(()),
    })
    .boxed()
}

countersign_store::conformance_tests!(make);
