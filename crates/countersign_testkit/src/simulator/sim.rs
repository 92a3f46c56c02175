//! What everybody in one simulated company shares.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use countersign_cases::Timestamp;
use countersign_language::Procedure;
use countersign_ledger::Hash;
use countersign_service::{
    Gate, LogSigner,
    adapters::{
        clock::Clock,
        dice::{Dice as GateDice, SeededDice},
    },
};
use countersign_store::{Batch, CheckpointSigner, Journal, MemoryJournal};
use futures_util::future::BoxFuture;

use super::{
    outside::Post,
    tasks::{Lost, Time, within},
};
use crate::{
    auditor::{Acknowledged, Books, Put},
    naive::Dice,
};

/// When every simulated company begins: 23 November 2026.
pub(super) const BEGINNING: i64 = 1_795_430_700_000;

pub(super) const SECOND: i64 = 1_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// How many gates run on the one store.
pub(super) const GATES: usize = 2;

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often things go wrong, in ten-thousandths of every call. Each seed switches some off.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Odds {
    pub(super) lost: usize,
    pub(super) landed: usize,
    pub(super) later: usize,
    pub(super) full: usize,
    pub(super) dies: usize,
    pub(super) unread: usize,
    /// Of every letter and text message, in hundredths.
    pub(super) mail: usize,
    /// Of every grant that comes to a backend, in hundredths.
    pub(super) backend: usize,
    /// How far the clocks of the machines are apart, in seconds.
    pub(super) skew: usize,
}

impl Odds {
    fn drawn(dice: &mut Dice) -> Self {
        let mut maybe = |most: usize| {
            if dice.chance(35) {
                0
            } else {
                dice.below(most + 1)
            }
        };
        Self {
            lost: maybe(60),
            landed: maybe(60),
            later: maybe(40),
            full: maybe(30),
            dies: maybe(60),
            unread: maybe(8),
            mail: maybe(50),
            backend: maybe(70),
            skew: maybe(3),
        }
    }
}

/// One running gate.
pub(super) struct Process {
    pub(super) gate: Gate,
    pub(super) dead: Arc<AtomicBool>,
}

/// What the company and its customers mean by what they are about to send; it becomes true when the store has it.
#[derive(Debug, Default)]
pub(super) struct Expected {
    pub(super) puts: BTreeMap<String, Put>,
    pub(super) values: BTreeMap<(String, String), String>,
}

/// What everybody shares.
pub(super) struct Sim {
    pub(super) seed: u64,
    pub(super) time: Arc<Time>,
    pub(super) procedure: Arc<Procedure>,
    pub(super) procedure_text: String,
    pub(super) gate_dice: Arc<SeededDice>,
    pub(super) signer: Arc<Signer>,
    pub(super) books: Mutex<Books>,
    pub(super) expected: Mutex<Expected>,
    pub(super) late: Mutex<Vec<Batch>>,
    pub(super) post: Mutex<Post>,
    pub(super) skews: [Arc<AtomicI64>; GATES],
    pub(super) gates: Mutex<[Option<Arc<Process>>; GATES]>,
    journal: Arc<MemoryJournal>,
    fate: Mutex<Dice>,
    odds: Odds,
    quiet: AtomicBool,
    due: Mutex<BTreeSet<i64>>,
    story: Mutex<Vec<String>>,
    seen: Mutex<BTreeMap<&'static str, u64>>,
}

impl Sim {
    pub(super) fn new(seed: u64, procedure: Procedure, procedure_text: String) -> Option<Self> {
        let mut dice = Dice(seed ^ 0x0ddb_1a5e_5bad_5eed);
        let odds = Odds::drawn(&mut dice);
        let time = Arc::new(Time::new(BEGINNING));
        let gate_dice = Arc::new(SeededDice::new(seed));
        let signer = Arc::new(Signer::new(&*gate_dice)?);
        let store_time = Arc::clone(&time);
        let journal = Arc::new(MemoryJournal::with_clock(
            Arc::clone(&signer) as _,
            countersign_store::Clock::new(move || store_time.now()),
        ));
        Some(Self {
            seed,
            time,
            procedure: Arc::new(procedure),
            procedure_text,
            gate_dice,
            signer,
            books: Mutex::default(),
            expected: Mutex::default(),
            late: Mutex::default(),
            post: Mutex::default(),
            skews: [const { 0 }; GATES].map(|ms| Arc::new(AtomicI64::new(ms))),
            gates: Mutex::default(),
            journal,
            fate: Mutex::new(dice),
            odds,
            quiet: AtomicBool::new(true),
            due: Mutex::default(),
            story: Mutex::default(),
            seen: Mutex::default(),
        })
    }

    pub(super) fn journal(&self) -> &MemoryJournal {
        &self.journal
    }

    /// A number below `n`, from the dice of fate.
    pub(super) fn draw(&self, n: usize) -> usize {
        locked(&self.fate).below(n)
    }

    /// How often things go wrong now.
    pub(super) fn odds(&self) -> Odds {
        if self.quiet.load(Ordering::Relaxed) {
            Odds::default()
        } else {
            self.odds
        }
    }

    /// Whether things may go wrong from now on.
    pub(super) fn set_quiet(&self, quiet: bool) {
        self.quiet.store(quiet, Ordering::Relaxed);
    }

    /// A call takes a moment.
    pub(super) fn moments_pass(&self) {
        let ms = self.draw(4);
        self.time.pass(i64::try_from(ms).unwrap_or(0));
    }

    pub(super) fn position(&self) -> u64 {
        *self.journal.watch().borrow()
    }

    pub(super) fn count(&self, what: &'static str) {
        *locked(&self.seen).entry(what).or_default() += 1;
    }

    pub(super) fn seen(&self) -> BTreeMap<&'static str, u64> {
        locked(&self.seen).clone()
    }

    /// A line of the story.
    pub(super) fn tell(&self, line: impl fmt::Display) {
        let ms = self.time.now() - BEGINNING;
        let (day, rest) = (ms.div_euclid(DAY), ms.rem_euclid(DAY));
        let clock = format!(
            "{:02}:{:02}:{:02}.{:03}",
            rest / HOUR,
            rest / MINUTE % 60,
            rest / SECOND % 60,
            rest % SECOND
        );
        locked(&self.story).push(format!("day {day:>3} {clock}  {line}"));
    }

    pub(super) fn story(&self) -> Vec<String> {
        locked(&self.story).clone()
    }

    /// There will be something for a worker to do then.
    pub(super) fn due_at(&self, at: i64) {
        locked(&self.due).insert(at);
        self.time.ring();
    }

    /// Whether there is anything to do by now. Asked once, it is somebody's; now and then two hear of it.
    fn is_due(&self) -> bool {
        let now = self.time.now();
        let keeps = self.draw(3) == 0;
        let mut due = locked(&self.due);
        let later = due.split_off(&(now + 1));
        let is_due = !due.is_empty();
        if keeps {
            due.extend(later);
        } else {
            *due = later;
        }
        is_due
    }

    /// A worker rests until something is due and a moment longer, now and then much longer. A real one looks every few
    /// seconds as well; here that would be all that ever happens.
    pub(super) async fn rest(&self) {
        while !self.is_due() {
            let now = self.time.now();
            let next = locked(&self.due).range(now + 1..).next().copied();
            let until = next.map_or(2 * HOUR, |at| at - now).min(2 * HOUR);
            self.time.doze(until).await;
        }
        let late = if self.draw(25) == 0 {
            20 * MINUTE
        } else {
            6 * SECOND
        };
        let drawn = self.draw(usize::try_from(late).unwrap_or(1));
        self.time.sleep(i64::try_from(drawn).unwrap_or(0)).await;
    }

    /// One of the gates that run now.
    pub(super) fn a_gate(&self) -> Option<Arc<Process>> {
        let running: Vec<_> = locked(&self.gates)
            .iter()
            .flatten()
            .filter(|process| !process.dead.load(Ordering::Relaxed))
            .cloned()
            .collect();
        if running.is_empty() {
            return None;
        }
        running.get(self.draw(running.len())).cloned()
    }

    /// Asks some gate something. [`Lost`] if it died meanwhile, or none runs.
    pub(super) async fn ask<T, F>(&self, work: impl FnOnce(Gate) -> F) -> Result<T, Lost>
    where
        F: Future<Output = T>,
    {
        let Some(process) = self.a_gate() else {
            self.time.sleep(5 * SECOND).await;
            return Err(Lost);
        };
        within(Arc::clone(&process.dead), work(process.gate.clone())).await
    }

    /// The gate said yes, with these events of the case by then.
    pub(super) fn acknowledged(&self, case: &str, version: u64, kinds: &'static [&'static str]) {
        locked(&self.books).acknowledged.push(Acknowledged {
            case: case.to_owned(),
            version,
            kinds,
        });
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim")
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// A machine's clock: the time that really passes, and how far this machine is off.
#[derive(Debug)]
pub(super) struct MachineClock {
    pub(super) time: Arc<Time>,
    pub(super) skew: Arc<AtomicI64>,
}

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.time.now() + self.skew.load(Ordering::Relaxed))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let left = at.0 - self.now().0;
            self.time.sleep(left.max(0)).await;
        })
    }
}

/// Signs checkpoints, and remembers every one.
#[derive(Debug)]
pub(super) struct Signer {
    inner: LogSigner,
    pub(super) signed: Mutex<Vec<(u64, Hash)>>,
}

impl Signer {
    fn new(dice: &dyn GateDice) -> Option<Self> {
        let seed = countersign_service::adapters::dice::random_bytes(dice);
        Some(Self {
            inner: LogSigner::new("support.acme.example/ledger", &seed).ok()?,
            signed: Mutex::default(),
        })
    }

    pub(super) fn verifier(&self) -> &countersign_ledger::VerifierKey {
        self.inner.verifier()
    }
}

impl CheckpointSigner for Signer {
    fn origin(&self) -> &str {
        self.inner.origin()
    }

    fn sign(&self, size: u64, root: Hash) -> String {
        locked(&self.signed).push((size, root));
        self.inner.sign(size, root)
    }
}
