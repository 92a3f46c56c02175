//! What every implementation of [`Journal`] must do, as tests.
//!
//! Each clause is a function over a [`Make`], which sets up one empty store; mount them all with
//! [`conformance_tests!`](crate::conformance_tests!). The clauses know nothing about any
//! implementation, so a store that passes may stand in for another.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "these functions are tests, kept in the library so that stores elsewhere can mount them"
)]

mod batches;
mod events;
mod ledger;
mod model;
mod reading;
mod records;
mod work;

use std::{
    any::Any,
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use countersign_ledger::{Checkpoint, KeyKind, NoteSigner, Policy, SecretKey, TilePath};
use futures_util::future::BoxFuture;

pub use batches::{
    a_batch_is_all_or_nothing, an_empty_batch_changes_nothing, malformed_batches_are_refused,
    one_batch_takes_effect_in_order, one_of_many_contenders_wins,
};
pub use events::{
    a_new_store_is_empty, erased_streams_are_gone_and_the_ledger_stays,
    events_come_back_as_written, followers_see_everything_once_in_order,
    streams_grow_only_at_the_expected_version,
};
pub use ledger::{
    checkpoints_only_grow_and_are_signed_once_per_size, leaves_are_covered_when_commit_returns,
    the_export_holds_the_whole_ledger, tiles_are_those_of_the_specification,
};
pub use model::agrees_with_the_model;
pub use reading::many_at_once_are_as_one_by_one;
pub use records::{
    expired_records_are_never_read_again, records_are_compared_and_swapped,
    scans_are_ordered_and_bounded,
};
pub use work::{
    leases_hold_until_they_run_out, no_work_is_leased_twice, work_is_moved_and_finished,
    work_keys_are_unique,
};

use crate::{
    Append, Batch, CheckpointSigner, Clock, Journal, NewEvent, RecordWrite, SharedJournal,
    StreamKey,
};

/// Sets up an empty store with this signer and clock.
pub type Make<'a> =
    &'a (dyn Fn(Arc<dyn CheckpointSigner>, Clock) -> BoxFuture<'static, Made> + Send + Sync);

/// A store set up, and whatever must live as long as it (a folder, a database).
pub struct Made {
    /// The store.
    pub journal: SharedJournal,
    /// Dropped after it.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Made").field(&self.journal).finish()
    }
}

/// Mounts every clause as a test of its own: `conformance_tests!(make)`, where `make` is a
/// function of the shape of [`conformance::Make`](Make).
#[macro_export]
macro_rules! conformance_tests {
    ($make:expr) => {
        $crate::conformance_tests!(@each $make;
            a_new_store_is_empty,
            events_come_back_as_written,
            streams_grow_only_at_the_expected_version,
            followers_see_everything_once_in_order,
            erased_streams_are_gone_and_the_ledger_stays,
            many_at_once_are_as_one_by_one,
            a_batch_is_all_or_nothing,
            an_empty_batch_changes_nothing,
            malformed_batches_are_refused,
            one_batch_takes_effect_in_order,
            one_of_many_contenders_wins,
            records_are_compared_and_swapped,
            expired_records_are_never_read_again,
            scans_are_ordered_and_bounded,
            work_keys_are_unique,
            leases_hold_until_they_run_out,
            work_is_moved_and_finished,
            no_work_is_leased_twice,
            leaves_are_covered_when_commit_returns,
            tiles_are_those_of_the_specification,
            checkpoints_only_grow_and_are_signed_once_per_size,
            the_export_holds_the_whole_ledger,
            agrees_with_the_model,
        );
    };
    (@each $make:expr; $($clause:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $clause() {
                $crate::conformance::$clause(&$make).await;
            }
        )*
    };
}

/// Signs with a key that everybody knows, and remembers what it signed.
#[derive(Debug)]
pub struct RecordingSigner {
    key: NoteSigner,
    signed: Mutex<Vec<(u64, [u8; 32])>>,
}

impl RecordingSigner {
    /// Every size and root signed so far, in order.
    pub fn signed(&self) -> Vec<(u64, [u8; 32])> {
        self.signed.lock().unwrap().clone()
    }

    /// The note this signer makes of a size and root; not remembered.
    pub fn note(&self, size: u64, root: [u8; 32]) -> String {
        let checkpoint = Checkpoint {
            origin: self.origin().to_owned(),
            size,
            root,
        };
        checkpoint.sign(&self.key).unwrap().to_string()
    }

    /// Holds the whole ledger of a store against its checkpoint, and against an earlier one if
    /// there is one, with the same audit that the offline checker runs.
    ///
    /// Answers with the checkpoint and all leaves in order.
    pub async fn audit(
        &self,
        journal: &dyn Journal,
        previous: Option<&Checkpoint>,
    ) -> (Checkpoint, Vec<Vec<u8>>) {
        let note = journal.checkpoint().await.unwrap();
        let checkpoint = Checkpoint::verify(&note, self.key.verifier()).unwrap();
        let mut tiles = BTreeMap::new();
        for path in crate::tiles::all(checkpoint.size) {
            let bytes = journal.tile(&path.to_string()).await.unwrap();
            tiles.insert(path, bytes.expect("a tile that the checkpoint covers"));
        }
        let policy = Policy::of_log(self.key.verifier().clone()).unwrap();
        let mut leaves = Vec::new();
        let source = |path: &TilePath| tiles.get(path).cloned();
        let visit = |_, bundle: &[&[u8]]| leaves.extend(bundle.iter().map(|leaf| leaf.to_vec()));
        countersign_ledger::audit(&source, &note, &policy, previous, visit).unwrap();
        (checkpoint, leaves)
    }
}

impl Default for RecordingSigner {
    fn default() -> Self {
        let key = SecretKey::from_seed(&[7; 32]).unwrap();
        let key = NoteSigner::new("conformance.example/ledger", KeyKind::Ed25519, key).unwrap();
        Self {
            key,
            signed: Mutex::default(),
        }
    }
}

impl CheckpointSigner for RecordingSigner {
    fn origin(&self) -> &str {
        self.key.verifier().name()
    }

    fn sign(&self, size: u64, root: [u8; 32]) -> String {
        self.signed.lock().unwrap().push((size, root));
        self.note(size, root)
    }
}

/// One empty store, its signer, and a clock that only the clause moves.
struct World {
    journal: SharedJournal,
    signer: Arc<RecordingSigner>,
    time: Arc<AtomicI64>,
    _keep: Box<dyn Any + Send + Sync>,
}

impl World {
    async fn new(make: Make<'_>) -> Self {
        let signer = Arc::new(RecordingSigner::default());
        let time = Arc::new(AtomicI64::new(1_000_000));
        let clock = Clock::new({
            let time = time.clone();
            move || time.load(Ordering::SeqCst)
        });
        let Made { journal, keep } = make(signer.clone(), clock).await;
        Self {
            journal,
            signer,
            time,
            _keep: keep,
        }
    }

    fn set_time(&self, now_ms: i64) {
        self.time.store(now_ms, Ordering::SeqCst);
    }

    /// Everything a reader can see, except work, which taking would change.
    async fn everything(&self) -> String {
        let all = crate::KeyRange {
            from: String::new(),
            to: "\u{10ffff}".into(),
            reverse: false,
        };
        let events = self.journal.follow(0, usize::MAX).await.unwrap();
        let mut records = Vec::new();
        for space in SPACES {
            records.push(
                self.journal
                    .scan(space, all.clone(), usize::MAX)
                    .await
                    .unwrap(),
            );
        }
        let checkpoint = self.journal.checkpoint().await.unwrap();
        format!("{events:?} {records:?} {checkpoint}")
    }
}

/// The spaces that clauses write to.
const SPACES: [&str; 2] = ["apples", "pears"];

fn stream(name: &str) -> StreamKey {
    StreamKey(name.into())
}

fn event(kind: &str, leaf: Option<usize>) -> NewEvent {
    NewEvent {
        kind: kind.into(),
        version: 1,
        at_ms: 17,
        data: r#"{"a":"\u0000ä"}"#.into(),
        leaf,
    }
}

fn append(name: &str, expected: u64, kinds: &[&str]) -> Append {
    Append {
        stream: stream(name),
        expected,
        events: kinds.iter().map(|kind| event(kind, None)).collect(),
    }
}

fn put(space: &'static str, key: &str, value: &str, expected: Option<u64>) -> RecordWrite {
    RecordWrite {
        space,
        key: key.into(),
        value: Some(value.into()),
        expected,
        expires_ms: None,
    }
}

fn remove(space: &'static str, key: &str, expected: Option<u64>) -> RecordWrite {
    RecordWrite {
        space,
        key: key.into(),
        value: None,
        expected,
        expires_ms: None,
    }
}

fn appends(appends: impl Into<Vec<Append>>) -> Batch {
    Batch {
        appends: appends.into(),
        ..Batch::default()
    }
}

fn records(records: impl Into<Vec<RecordWrite>>) -> Batch {
    Batch {
        records: records.into(),
        ..Batch::default()
    }
}

fn leaves(leaves: impl IntoIterator<Item = Vec<u8>>) -> Batch {
    Batch {
        leaves: leaves.into_iter().collect(),
        ..Batch::default()
    }
}

/// Asserts that the batch conflicts and that no reader can tell it was tried.
async fn assert_conflicts(world: &World, batch: Batch) {
    let before = world.everything().await;
    let answer = world.journal.commit(batch).await;
    assert!(
        matches!(answer, Err(crate::CommitError::Conflict { .. })),
        "{answer:?}"
    );
    assert_eq!(world.everything().await, before);
}

/// Asserts that the journal holds the record with this value and revision.
async fn assert_record(
    journal: &dyn Journal,
    space: &'static str,
    key: &str,
    is: Option<(&str, u64)>,
) {
    let found = journal.get(space, key).await.unwrap();
    let found = found
        .as_ref()
        .map(|record| (record.key.as_str(), record.value.as_str(), record.revision));
    assert_eq!(found, is.map(|(value, revision)| (key, value, revision)));
}
