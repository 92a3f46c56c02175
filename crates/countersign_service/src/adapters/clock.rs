//! The only source of the time.
//!
//! Everything that needs to know or await a moment takes a [`Clock`], so that
//! the demo can live through a day in twenty seconds and tests never sleep.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use countersign_cases::Timestamp;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

/// Tells the time and wakes at one.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Returns once [`Clock::now`] is at or after `at`; at once if it already is.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()>;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// The longest nap between two looks at the system clock: bounds how late a
/// sleeper wakes after somebody set the clock forward.
const NAP: Duration = Duration::from_secs(30);

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                let left_ms = at.0.saturating_sub(self.now().0);
                let Ok(left_ms @ 1..) = u64::try_from(left_ms) else {
                    return;
                };
                tokio::time::sleep(Duration::from_millis(left_ms).min(NAP)).await;
            }
        })
    }
}

/// A clock that stands still until told otherwise, and never goes back. For the demo and for tests.
#[derive(Debug)]
pub struct SettableClock {
    now_ms: watch::Sender<i64>,
}

impl SettableClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self {
            now_ms: watch::Sender::new(start.0),
        }
    }

    /// Moves on by `by`, and wakes whoever waited for a time now reached.
    pub fn advance(&self, by: Duration) {
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.now_ms
            .send_modify(|now_ms| *now_ms = now_ms.saturating_add(by_ms));
    }

    /// Moves on to `to`; does nothing if that is in the past.
    pub fn set(&self, to: Timestamp) {
        self.now_ms.send_if_modified(|now_ms| {
            let forward = to.0 > *now_ms;
            *now_ms = to.0.max(*now_ms);
            forward
        });
    }
}

impl Clock for SettableClock {
    fn now(&self) -> Timestamp {
        Timestamp(*self.now_ms.borrow())
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let mut watcher = self.now_ms.subscribe();
        Box::pin(async move {
            // The sender lives in `self`, which this future borrows, so the channel cannot close.
            let _reached = watcher.wait_for(|now_ms| *now_ms >= at.0).await.is_ok();
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_exactly_when_its_time_is_reached() {
        let clock = Arc::new(SettableClock::new(Timestamp(1_000)));
        let sleeper = {
            let clock = Arc::clone(&clock);
            tokio::spawn(async move {
                clock.sleep_until(Timestamp(61_000)).await;
                clock.now()
            })
        };
        clock.advance(Duration::from_millis(59_999));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_millis(1));
        assert_eq!(sleeper.await.unwrap(), Timestamp(61_000));
    }

    #[tokio::test]
    async fn a_time_already_past_does_not_wait() {
        SettableClock::new(Timestamp(5))
            .sleep_until(Timestamp(5))
            .await;
        SystemClock.sleep_until(Timestamp(0)).await;
    }

    #[test]
    fn a_settable_clock_never_goes_back() {
        let clock = SettableClock::new(Timestamp(100));
        clock.set(Timestamp(50));
        assert_eq!(clock.now(), Timestamp(100));
        clock.set(Timestamp(150));
        assert_eq!(clock.now(), Timestamp(150));
    }

    #[tokio::test]
    async fn the_system_clock_does_not_wake_early() {
        let until = Timestamp(SystemClock.now().0 + 5);
        SystemClock.sleep_until(until).await;
        assert!(SystemClock.now() >= until);
    }
}
