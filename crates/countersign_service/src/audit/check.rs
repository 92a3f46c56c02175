//! The whole log looked through: the ledger computed again, and every event held against its leaf.
//!
//! Takes as long as it takes, in the background; pages show the last result with its time.

use std::sync::Arc;
use std::time::Duration;

use countersign_cases::Timestamp;
use countersign_grant::{Leaf, commitment};
use countersign_ledger::{Policy, TILE_WIDTH, TilePath, Tiles};
use countersign_store::SharedJournal;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::auditor;
use crate::{
    cases::CaseError,
    gate::Gate,
    ledger,
    records::{self, space},
    sessions::SignedInStaff,
    shell::Envelope,
    trouble::Trouble,
};

/// How old a result may become before the log is looked through again unasked.
const AGAIN_SECONDS: u64 = 86_400;

/// Events read at once.
const READ_MAX: usize = 1_000;

/// The least pause between two looks at whether one was asked for.
const PAUSE: Duration = Duration::from_millis(500);

const RESULT: &str = "result";
const ASKED: &str = "asked";

/// What looking through the whole log found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditCheck {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub milliseconds: u64,
    /// Entries of the ledger that were computed again.
    pub entries: u64,
    /// Events held against their leaves. Those of erased customers are no longer there; their leaves are.
    pub events: u64,
    /// The ledger's root, hexadecimal.
    pub root: String,
    /// The first thing that does not fit; `None` if everything does.
    pub finding: Option<AuditFinding>,
}

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFinding {
    /// Number of the entry, where it is one.
    pub entry: Option<u64>,
    /// What is wrong.
    pub what: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    at: Timestamp,
}

impl Gate {
    /// The last result, and since when one is being waited for.
    ///
    /// # Errors
    /// [`CaseError::NotAllowed`] without the console role `auditor`.
    pub async fn audit_check(
        &self,
        by: &SignedInStaff,
    ) -> Result<(Option<AuditCheck>, Option<Timestamp>), CaseError> {
        auditor(by)?;
        let result = self.load(space::AUDIT_CHECK, RESULT).await?;
        let asked = self.load::<Asked>(space::AUDIT_CHECK, ASKED).await?;
        Ok((
            result.map(|held| held.value),
            asked.map(|held| held.value.at),
        ))
    }

    /// Asks for the log to be looked through now; the worker does it.
    ///
    /// # Errors
    /// [`CaseError::NotAllowed`] without the console role `auditor`.
    pub async fn ask_for_audit_check(&self, by: &SignedInStaff) -> Result<(), CaseError> {
        auditor(by)?;
        let asked = Asked { at: self.now() };
        let write = records::put(space::AUDIT_CHECK, ASKED, &asked, None)?;
        self.write_records(vec![write])
            .await
            .map_err(Trouble::from)?;
        Ok(())
    }

    /// Looks through the log if that was asked for, or was last done a day ago. Gives whether it did.
    pub async fn check_log_if_due(&self) -> Result<bool, Trouble> {
        let asked = self.load::<Asked>(space::AUDIT_CHECK, ASKED).await?;
        let last = self.load::<AuditCheck>(space::AUDIT_CHECK, RESULT).await?;
        let old = last.is_none_or(|last| self.now().seconds_since(last.value.at) >= AGAIN_SECONDS);
        if asked.is_none() && !old {
            return Ok(false);
        }
        let result = self.check_log().await?;
        let mut writes = vec![records::put(space::AUDIT_CHECK, RESULT, &result, None)?];
        // Who asked again meanwhile waits for the next round.
        if let Some(asked) = asked {
            writes.push(records::remove(
                space::AUDIT_CHECK,
                ASKED,
                Some(asked.revision),
            ));
        }
        match self.write_records(writes).await {
            Ok(()) | Err(countersign_store::CommitError::Conflict { .. }) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Looks now and then whether a check is due, until told to stop.
    pub(crate) async fn check_on(&self, mut stopped: watch::Receiver<bool>) {
        let mut news = self.news();
        while !*stopped.borrow_and_update() {
            news.mark_unchanged();
            if let Err(trouble) = self.check_log_if_due().await {
                tracing::error!(code = trouble.code(), "the log was not looked through");
            }
            let rest = async {
                tokio::time::sleep(PAUSE).await;
                if news.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = rest => {}
                _ = stopped.changed() => {}
            }
        }
    }

    /// Computes the ledger again from its entries, and holds every event against the leaf that commits to it.
    pub async fn check_log(&self) -> Result<AuditCheck, Trouble> {
        let begun = std::time::Instant::now();
        let at = self.now();
        let checkpoint = self.journal().checkpoint().await?;
        let read = ledger::read_checkpoint(&checkpoint)?;
        let mut check = AuditCheck {
            at,
            milliseconds: 0,
            entries: read.size,
            events: 0,
            root: countersign_cases::Digest(read.root).to_string(),
            finding: None,
        };
        let policy = self
            .settings()
            .log_verifier
            .parse()
            .ok()
            .and_then(|log| Policy::of_log(log).ok())
            .ok_or_else(|| Trouble::Damaged("the log's key cannot be read".to_owned()))?;
        let journal = Arc::clone(self.journal());
        let runtime = tokio::runtime::Handle::current();
        // Hashing a long log holds a thread for seconds: none that answers requests.
        let found = tokio::task::spawn_blocking(move || {
            let source = Source { journal, runtime };
            countersign_ledger::audit(&source, &checkpoint, &policy, None, |_, _| {})
                .map(|_| ())
                .map_err(|finding| finding.to_string())
        })
        .await
        .map_err(|_| Trouble::Damaged("the ledger could not be computed again".to_owned()))?;
        check.finding = match found {
            Ok(()) => {
                self.first_event_that_differs(read.size, &mut check.events)
                    .await?
            }
            Err(what) => Some(AuditFinding { entry: None, what }),
        };
        check.milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(check)
    }

    async fn first_event_that_differs(
        &self,
        size: u64,
        checked: &mut u64,
    ) -> Result<Option<AuditFinding>, Trouble> {
        let mut bundle = Bundle::default();
        let mut after = 0;
        loop {
            let events = self.journal().follow(after, READ_MAX).await?;
            let Some(last) = events.last() else {
                return Ok(None);
            };
            after = last.position;
            for event in &events {
                let differs = |what: &str| {
                    Some(AuditFinding {
                        entry: Some(event.position),
                        what: what.to_owned(),
                    })
                };
                let Some(index) = event.leaf else {
                    return Ok(differs("no leaf of the ledger commits to it"));
                };
                if index >= size {
                    // Written after this check began.
                    return Ok(None);
                }
                bundle.turn_to(self, index, size).await?;
                let said = Envelope::open(event)
                    .and_then(|envelope| Ok((envelope.salt()?, ledger::record(&envelope.data)?)));
                let fits = said.is_ok_and(|(salt, record)| {
                    bundle
                        .leaf(index)
                        .is_some_and(|leaf| leaf.commitment == commitment(&salt, record.as_bytes()))
                });
                if !fits {
                    return Ok(differs("it is not what its leaf commits to"));
                }
                *checked += 1;
            }
            tokio::task::yield_now().await;
        }
    }
}

/// The entry bundle that is being read along.
#[derive(Default)]
struct Bundle {
    number: Option<u64>,
    bytes: Vec<u8>,
}

impl Bundle {
    async fn turn_to(&mut self, gate: &Gate, index: u64, size: u64) -> Result<(), Trouble> {
        let full = u64::from(TILE_WIDTH);
        let number = index / full;
        if self.number == Some(number) {
            return Ok(());
        }
        let path = TilePath::Entries {
            index: number,
            width: u16::try_from((size - number * full).min(full)).unwrap_or(TILE_WIDTH),
        };
        let bytes = gate.journal().tile(&path.to_string()).await?;
        self.bytes =
            bytes.ok_or_else(|| Trouble::Damaged("an entry bundle is missing".to_owned()))?;
        self.number = Some(number);
        Ok(())
    }

    fn leaf(&self, index: u64) -> Option<Leaf> {
        let place = usize::try_from(index % u64::from(TILE_WIDTH)).ok()?;
        let entries = countersign_ledger::entries(&self.bytes)?;
        Leaf::decode(entries.get(place)?).ok()
    }
}

/// The journal's tiles for a reader that cannot wait.
struct Source {
    journal: SharedJournal,
    runtime: tokio::runtime::Handle,
}

impl Tiles for Source {
    fn tile(&self, path: &TilePath) -> Option<Vec<u8>> {
        let path = path.to_string();
        self.runtime
            .block_on(async { self.journal.tile(&path).await.ok().flatten() })
    }
}
