//! One thread, one order: whose turn it is, is drawn from the seed.
//!
//! Every task is a future that is polled when it is drawn. It gives its turn
//! up wherever it calls the store or the world outside, so that any two
//! requests, workers and gates interleave in every way those calls allow. Time
//! stands still while anybody has something to do, but for the moments the
//! calls themselves take; when all sleep it goes on to the first who wakes.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use crate::naive::Dice;

/// The time that really passes, in milliseconds since 1970, and when the task whose turn it is wants to be woken.
#[derive(Debug)]
pub(super) struct Time {
    now: AtomicI64,
    wake: AtomicI64,
    rung: AtomicBool,
}

/// No wish to be woken at any time: at the next turn.
const AT_ONCE: i64 = i64::MIN;

impl Time {
    pub(super) const fn new(start: i64) -> Self {
        Self {
            now: AtomicI64::new(start),
            wake: AtomicI64::new(AT_ONCE),
            rung: AtomicBool::new(false),
        }
    }

    /// Wakes everybody, to look whether what they sleep for has come.
    pub(super) fn ring(&self) {
        self.rung.store(true, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    pub(super) fn pass(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::Relaxed);
    }

    pub(super) async fn sleep(&self, ms: i64) {
        let until = self.now().saturating_add(ms);
        poll_fn(|_| {
            if self.now() >= until {
                Poll::Ready(())
            } else {
                self.wake.store(until, Ordering::Relaxed);
                Poll::Pending
            }
        })
        .await;
    }

    /// Sleeps for this long, or until somebody rings.
    pub(super) async fn doze(&self, ms: i64) {
        let until = self.now().saturating_add(ms);
        let mut asleep = false;
        poll_fn(|_| {
            if std::mem::replace(&mut asleep, true) {
                return Poll::Ready(());
            }
            self.wake.store(until, Ordering::Relaxed);
            Poll::Pending
        })
        .await;
    }

    /// Sleeps until the flag is up, which somebody rings for.
    pub(super) async fn until(&self, flag: &AtomicBool) {
        poll_fn(|_| {
            if flag.load(Ordering::Relaxed) {
                Poll::Ready(())
            } else {
                self.wake.store(i64::MAX, Ordering::Relaxed);
                Poll::Pending
            }
        })
        .await;
    }

    fn asked(&self) -> i64 {
        self.wake.swap(AT_ONCE, Ordering::Relaxed)
    }
}

/// Gives the turn up once.
pub(super) async fn turn() {
    let mut given = false;
    poll_fn(|_| {
        if std::mem::replace(&mut given, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// The process ended before it answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost;

/// Carries something out within a process: once the process is dead, nothing of it goes on.
pub(super) async fn within<T>(
    dead: Arc<AtomicBool>,
    work: impl Future<Output = T>,
) -> Result<T, Lost> {
    let mut work = Box::pin(work);
    poll_fn(move |context| {
        if dead.load(Ordering::Relaxed) {
            return Poll::Ready(Err(Lost));
        }
        match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending if dead.load(Ordering::Relaxed) => Poll::Ready(Err(Lost)),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

struct Task {
    wake_at: i64,
    future: Pin<Box<dyn Future<Output = ()>>>,
}

/// All tasks.
pub(super) struct Tasks {
    time: Arc<Time>,
    dice: Dice,
    all: Vec<Task>,
    /// Turns given so far.
    pub(super) turns: u64,
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks")
            .field("turns", &self.turns)
            .finish_non_exhaustive()
    }
}

impl Tasks {
    pub(super) fn new(time: Arc<Time>, dice: Dice) -> Self {
        Self {
            time,
            dice,
            all: Vec::new(),
            turns: 0,
        }
    }

    pub(super) fn add(&mut self, future: impl Future<Output = ()> + 'static) {
        self.all.push(Task {
            wake_at: AT_ONCE,
            future: Box::pin(future),
        });
    }

    /// Gives turns until everybody is done or it is this late; `false` if `turns_max` turns were not enough.
    pub(super) fn run_until(&mut self, end: i64, turns_max: u64) -> bool {
        let last = self.turns.saturating_add(turns_max);
        let mut awake = Vec::new();
        while !self.all.is_empty() && self.time.now() < end {
            if self.turns >= last {
                return false;
            }
            let now = self.time.now();
            if self.time.rung.swap(false, Ordering::Relaxed) {
                for task in &mut self.all {
                    task.wake_at = AT_ONCE;
                }
            }
            awake.clear();
            awake.extend(
                self.all
                    .iter()
                    .enumerate()
                    .filter(|(_, task)| task.wake_at <= now)
                    .map(|(place, _)| place),
            );
            let Some(&place) = (!awake.is_empty()).then(|| self.dice.pick(&awake)) else {
                let next = self.all.iter().map(|task| task.wake_at).min();
                self.time
                    .pass(next.unwrap_or(end).min(end).saturating_sub(now));
                continue;
            };
            self.turns += 1;
            let Some(task) = self.all.get_mut(place) else {
                continue;
            };
            let mut context = Context::from_waker(Waker::noop());
            match task.future.as_mut().poll(&mut context) {
                Poll::Ready(()) => {
                    self.all.remove(place);
                    let _ = self.time.asked();
                }
                Poll::Pending => task.wake_at = self.time.asked(),
            }
        }
        true
    }

    /// Carries one thing out alone, while nobody else has a turn.
    pub(super) fn alone<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = Box::pin(work);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
                return done;
            }
            let asked = self.time.asked();
            let now = self.time.now();
            if asked > now {
                self.time.pass(asked - now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn order(seed: u64) -> Vec<(i64, i64)> {
        let time = Arc::new(Time::new(0));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Tasks::new(Arc::clone(&time), Dice(seed));
        for who in 0..4_i64 {
            let (time, seen) = (Arc::clone(&time), Arc::clone(&seen));
            tasks.add(async move {
                for _ in 0..4 {
                    seen.lock().unwrap().push((who, time.now()));
                    turn().await;
                }
                time.sleep(1_000 * who).await;
                seen.lock().unwrap().push((who, time.now()));
            });
        }
        assert!(tasks.run_until(10_000, 1_000));
        drop(tasks);
        Arc::try_unwrap(seen).unwrap().into_inner().unwrap()
    }

    #[test]
    fn a_seed_gives_one_order_and_another_seed_another() {
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }

    #[test]
    fn sleepers_wake_at_their_time_and_not_before() {
        let ends: Vec<_> = order(3).into_iter().filter(|(_, at)| *at > 0).collect();
        assert_eq!(ends, [(1, 1_000), (2, 2_000), (3, 3_000)]);
    }

    #[test]
    fn nothing_of_a_dead_process_goes_on() {
        let time = Arc::new(Time::new(0));
        let dead = Arc::new(AtomicBool::new(false));
        let tasks = Tasks::new(time, Dice(1));
        let killed = Arc::clone(&dead);
        let answer = tasks.alone(within(Arc::clone(&dead), async move {
            killed.store(true, Ordering::Relaxed);
            turn().await;
            "still there"
        }));
        assert_eq!(answer, Err(Lost));
    }
}
