//! The workers: letters, timers, hand-overs, and asking after lost answers.
//!
//! Everything they do is queued by the commit that made it necessary, so what
//! a crash interrupts is taken up again, by the same code that does it the
//! first time.

use std::{future::Future, pin::pin, time::Duration};

use countersign_cases::{Actor, CaseId, Command, State};
use countersign_store::Work;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};
use tracing::{Instrument as _, field::Empty, info_span};

use crate::{
    adapters::{http::ANSWER_TIMEOUT, mailer::DELIVERY_TIMEOUT},
    cases::CaseError,
    checker_proof::QUESTION,
    decisions::TIMER,
    delivery::{ASK, RUN},
    device_push::PUSH,
    drills::DRILL,
    gate::Gate,
    notices::MAIL,
    reconcile::BACKEND_EVENT,
    records,
    traces::{self, TARGET},
    trouble::Trouble,
};

/// How much work is taken at once where it is done one after the other.
const TAKEN_MAX: usize = 16;

/// How long such work is the taker's.
const ROUND_SECONDS: u64 = 150;

/// The longest a worker sleeps while nothing is heard of: bounds how late it notices another gate's work on the same store.
const LOOK_AGAIN_SECONDS: u64 = 5;

/// Pause after a store that did not answer.
const AFTER_TROUBLE_SECONDS: u64 = 2;

/// A queue, and how its work is done.
struct Queue {
    name: &'static str,
    /// How much of it is done at the same time.
    most: usize,
    /// How long a piece is the taker's, in seconds: longer than it may take, and no longer than that needs, since what a
    /// killed gate had in hand waits for the rest of it. Outlived all the same (a machine that stood still), the piece is
    /// begun by another too, and then what it may do but once stands in its record.
    lease: u64,
}

/// What is added to the longest wait for an answer, in seconds: the commits before and after it.
const COMMITS: u64 = 30;

/// Counted by hand: asking the list for its length from a type is a circle to the compiler when it optimises.
const HOW_MANY: usize = 8;

/// Each has a worker of its own, so that a slow mail server keeps no timer waiting; and within one a slow backend keeps no
/// other waiting. Letters are few at once, for the mail server's sake.
const QUEUES: [Queue; HOW_MANY] = [
    queue(TIMER, 64, Duration::ZERO),
    queue(MAIL, 4, DELIVERY_TIMEOUT),
    queue(RUN, 64, ANSWER_TIMEOUT),
    queue(ASK, 16, ANSWER_TIMEOUT),
    queue(PUSH, 16, ANSWER_TIMEOUT),
    queue(QUESTION, 16, ANSWER_TIMEOUT),
    queue(DRILL, 2, Duration::ZERO),
    queue(BACKEND_EVENT, 1, Duration::ZERO),
];

const fn queue(name: &'static str, most: usize, answer: Duration) -> Queue {
    let lease = answer.as_secs() + COMMITS;
    Queue { name, most, lease }
}

impl Gate {
    /// Runs all workers until `shutdown` is done. Work in progress is finished first.
    pub async fn work(&self, shutdown: impl Future<Output = ()>) {
        let (stop, stopped) = watch::channel(false);
        let [timer, mail, run, ask, push, question, drill, event] =
            QUEUES.map(|queue| Box::pin(self.worker(queue, stopped.clone())));
        let ring = async {
            shutdown.await;
            // Nobody listening means that nobody is left to stop.
            let _ = stop.send(true);
            self.bells().ring_all();
        };
        let kept = Box::pin(self.keep_on(stopped.clone()));
        let followed = Box::pin(self.follow_procedure_on(stopped.clone()));
        let checked = Box::pin(self.check_on(stopped));
        tokio::join!(
            ring, timer, mail, run, ask, push, question, drill, event, kept, followed, checked
        );
    }

    /// Takes work as it becomes due, whenever there is room for more, and ends once all that was taken is done.
    async fn worker(&self, queue: Queue, mut stopped: watch::Receiver<bool>) {
        let Queue {
            name: queue,
            most,
            lease,
        } = queue;
        // Each in a task of its own: were they polled here, one that waits for a connection of the store would hold its turn
        // while this waits for another.
        let mut doing = JoinSet::new();
        let bell = self.bells().of(queue);
        let mut rung = pin!(bell.notified());
        let mut look = true;
        // There may be more than was taken: looked for again as soon as there is room.
        let mut more = false;
        let mut pause = LOOK_AGAIN_SECONDS;
        while !*stopped.borrow_and_update() {
            if look && doing.len() < most {
                // Armed before looking, so that what is queued in between is not missed.
                rung.set(bell.notified());
                let room = most - doing.len();
                (more, pause) = match self.take(queue, lease, room).await {
                    Ok(taken) => {
                        let filled = taken.len() >= room;
                        for work in taken {
                            let gate = self.clone();
                            doing.spawn(async move {
                                if let Err(trouble) = gate.do_work(queue, &work).await {
                                    tell_not_done(queue, &work, &trouble);
                                }
                            });
                        }
                        (filled, LOOK_AGAIN_SECONDS)
                    }
                    Err(trouble) => {
                        let code = trouble.code();
                        tracing::error!(queue, code, "worker could not do its work");
                        (false, AFTER_TROUBLE_SECONDS)
                    }
                };
            }
            let due = self.now().plus_seconds(pause);
            look = tokio::select! {
                Some(_) = doing.join_next() => more,
                () = rung.as_mut() => { rung.set(bell.notified()); more = true; true }
                _ = stopped.changed() => false,
                () = self.clock().sleep_until(due) => true,
                // The wall clock as well: a clock that stands still must not keep another gate's work waiting.
                () = tokio::time::sleep(Duration::from_secs(pause)) => true,
            };
        }
        while doing.join_next().await.is_some() {}
    }

    /// Does all work that is due now, and what comes of it, until there is none. For tests, the demo, and a last round before the end.
    pub async fn settle(&self) -> Result<(), Trouble> {
        loop {
            let mut done = 0;
            for queue in QUEUES {
                done += self.work_once(queue).await?;
            }
            if done == 0 {
                return Ok(());
            }
        }
    }

    /// Takes due work of one queue and does it, one after the other. Gives how much there was.
    async fn work_once(&self, queue: Queue) -> Result<usize, Trouble> {
        let queue = queue.name;
        let taken = self.take(queue, ROUND_SECONDS, TAKEN_MAX).await?;
        let mut trouble = None;
        for work in &taken {
            // One piece that cannot be done keeps no other waiting; its lease runs out and it is tried again.
            if let Err(error) = self.do_work(queue, work).await {
                tell_not_done(queue, work, &error);
                trouble.get_or_insert(error);
            }
        }
        trouble.map_or(Ok(taken.len()), Err)
    }

    async fn take(
        &self,
        queue: &'static str,
        lease: u64,
        most: usize,
    ) -> Result<Vec<Work>, Trouble> {
        let now = self.now();
        let lease_until = now.plus_seconds(lease);
        let taken = self.journal().take_work(queue, now.0, lease_until.0, most);
        Ok(taken.await?)
    }

    async fn do_work(&self, queue: &'static str, work: &Work) -> Result<(), Trouble> {
        let span = info_span!(
            target: TARGET,
            "work",
            otel.name = format!("work {queue}"),
            otel.kind = "consumer",
            countersign.queue = queue,
            countersign.attempt = work.attempts,
            "error.type" = Empty,
            otel.status_code = Empty,
        );
        let done = self.do_this(queue, work).instrument(span.clone()).await;
        if let Err(trouble) = &done {
            traces::failed(&span, trouble.code());
        }
        done
    }

    async fn do_this(&self, queue: &'static str, work: &Work) -> Result<(), Trouble> {
        match queue {
            TIMER => self.time_passed(work).await,
            MAIL => self.send_letter(work).await,
            RUN => self.deliver(work).await,
            ASK => self.ask_outcome(work).await,
            PUSH => self.follow_push(work).await,
            QUESTION => self.follow_question(work).await,
            DRILL => self.drill_step(work).await,
            BACKEND_EVENT => self.settle_backend_event(work).await,
            _ => Ok(()),
        }
    }

    /// A wait may be over, a case may have run out, or it may be ready to run by itself.
    async fn time_passed(&self, work: &Work) -> Result<(), Trouble> {
        let case: CaseId = records::read_json(&work.body)?;
        self.tick(&case).await?;
        self.finish(TIMER, &work.key, None).await
    }

    /// Lets time do what it does to a case, and runs it if it runs by itself.
    pub(crate) async fn tick(&self, case: &CaseId) -> Result<(), Trouble> {
        let ticked = match self.apply(case, |_| Ok(Command::Tick)).await {
            Ok(applied) => applied,
            Err(CaseError::Trouble(trouble)) => return Err(trouble),
            // Over, or gone: time changes nothing any more.
            Err(_) => return Ok(()),
        };
        if !matches!(
            ticked.state,
            State::Ready {
                runs_by_itself: true,
                ..
            }
        ) {
            return Ok(());
        }
        match self.grant(case, |_| Actor::Gate).await {
            Err(CaseError::Trouble(trouble)) => Err(trouble),
            // A requirement lapsed, or somebody was faster: the case says so itself.
            Err(error) => {
                tracing::info!(case = case.0, code = error.code(), "not run by itself");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }

    /// Numbers of events of a case, from the present one on, each once it is durable. Ends when the gate does.
    pub async fn case_versions(&self, case: &CaseId) -> Result<CaseVersions, CaseError> {
        let news = self.journal().watch();
        let loaded = self.load_case(case).await?;
        Ok(CaseVersions {
            gate: self.clone(),
            stream: loaded.stream(),
            seen: loaded.case.version(),
            first: true,
            news,
        })
    }
}

/// One bell for each queue, so that a commit wakes only the worker it has something for: every look into a queue is a
/// statement of the store.
#[derive(Debug)]
pub(crate) struct Bells([(&'static str, Notify); HOW_MANY]);

impl Default for Bells {
    fn default() -> Self {
        Self(QUEUES.map(|queue| (queue.name, Notify::new())))
    }
}

impl Bells {
    /// Wakes whoever waits for this queue now.
    pub(crate) fn ring(&self, queue: &str) {
        self.of(queue).notify_waiters();
    }

    fn ring_all(&self) {
        for (_, bell) in &self.0 {
            bell.notify_waiters();
        }
    }

    fn of(&self, queue: &str) -> &Notify {
        let [first, ..] = &self.0;
        let found = self.0.iter().find(|(name, _)| *name == queue);
        // A queue that nobody works at does not exist; its bell would be any.
        &found.unwrap_or(first).1
    }
}

/// Names of the queues.
pub(crate) fn queues() -> impl Iterator<Item = &'static str> {
    QUEUES.into_iter().map(|queue| queue.name)
}

fn tell_not_done(queue: &str, work: &Work, trouble: &Trouble) {
    let (key, code) = (&work.key, trouble.code());
    tracing::error!(queue, key, code, "work not done");
}

/// Follows one case. [`CaseVersions::next`] gives its newest version whenever that grew.
#[derive(Debug)]
pub struct CaseVersions {
    gate: Gate,
    stream: countersign_store::StreamKey,
    seen: u64,
    first: bool,
    news: watch::Receiver<u64>,
}

impl CaseVersions {
    /// The next version: at once for the present one, later for each change. `None` once the store is gone.
    pub async fn next(&mut self) -> Option<u64> {
        if std::mem::take(&mut self.first) {
            return Some(self.seen);
        }
        loop {
            self.news.changed().await.ok()?;
            // A store that does not answer now is asked again with the next news.
            let Ok(newer) = self.gate.journal().read(&self.stream, self.seen).await else {
                continue;
            };
            if let Some(last) = newer.last() {
                self.seen = last.sequence;
                return Some(self.seen);
            }
        }
    }

    /// As a stream.
    pub fn into_stream(self) -> impl futures_util::Stream<Item = u64> + Send {
        futures_util::stream::unfold(self, async |mut versions| {
            versions.next().await.map(|version| (version, versions))
        })
    }
}
