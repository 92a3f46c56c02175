//! The demo's clock: the machine's own, moved on by whoever runs the demo.

use std::time::Duration;

use countersign_cases::Timestamp;
use countersign_service::adapters::clock::{Clock, SystemClock};
use futures_util::future::BoxFuture;
use tokio::sync::watch;

/// Runs as the machine's clock does, some time before or after it, and can be moved on.
#[derive(Debug)]
pub(crate) struct DemoClock {
    offset_ms: watch::Sender<i64>,
}

impl DemoClock {
    /// Begins this long ago.
    pub(crate) fn begun(ago: Duration) -> Self {
        Self {
            offset_ms: watch::Sender::new(-millis(ago)),
        }
    }

    /// Moves on, and wakes whoever waited for a moment that is now reached.
    pub(crate) fn move_on(&self, by: Duration) {
        self.offset_ms
            .send_modify(|offset| *offset = offset.saturating_add(millis(by)));
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0.saturating_add(*self.offset_ms.borrow()))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let mut moved = self.offset_ms.subscribe();
        Box::pin(async move {
            loop {
                moved.mark_unchanged();
                let left_ms = at.0.saturating_sub(self.now().0);
                let Ok(left_ms @ 1..) = u64::try_from(left_ms) else {
                    return;
                };
                // An error would mean that the clock is gone, and it is borrowed here.
                let _moved =
                    tokio::time::timeout(Duration::from_millis(left_ms), moved.changed()).await;
            }
        })
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn moving_it_on_wakes_whoever_waited() {
        let clock = Arc::new(DemoClock::begun(Duration::from_mins(1)));
        let at = clock.now().plus_seconds(3_600);
        let waiting = tokio::spawn({
            let clock = Arc::clone(&clock);
            async move { clock.sleep_until(at).await }
        });
        clock.move_on(Duration::from_hours(1));
        tokio::time::timeout(Duration::from_secs(10), waiting)
            .await
            .expect("it woke")
            .expect("it returned");
        assert!(clock.now() >= at);
    }

    #[tokio::test]
    async fn a_moment_already_past_does_not_wait() {
        let clock = DemoClock::begun(Duration::ZERO);
        clock.sleep_until(clock.now()).await;
    }
}
