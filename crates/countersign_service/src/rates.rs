//! How often the expensive things may be asked for, per network and per subject.
//!
//! In memory and per process: this keeps a gate responsive. What must never be
//! exceeded (wrong answers, look-ups) is counted in the store.

use std::{fmt, num::NonZeroU32, time::Duration};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// A limiter by key; the key is a network, an account, a case.
pub struct Rate(DefaultKeyedRateLimiter<String>);

/// Too many; come back later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many tries; come back in {after_seconds} s")]
pub struct TooMany {
    /// In how many seconds, rounded up.
    pub after_seconds: u64,
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rate")
            .field("keys", &self.0.len())
            .finish_non_exhaustive()
    }
}

impl Rate {
    /// So many a minute, all at once if need be. Zero is treated as one.
    pub fn per_minute(count: u32) -> Self {
        Self(RateLimiter::keyed(Quota::per_minute(
            NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN),
        )))
    }

    /// Takes one.
    pub fn take(&self, key: &str) -> Result<(), TooMany> {
        self.0.check_key(&key.to_owned()).map_err(|not_until| {
            use governor::clock::{Clock as _, DefaultClock};
            let wait: Duration = not_until.wait_time_from(DefaultClock::default().now());
            TooMany {
                after_seconds: wait.as_secs() + 1,
            }
        })
    }

    /// Forgets keys that have nothing counted against them; to be called now and then.
    pub fn tidy(&self) {
        self.0.retain_recent();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_count() {
        let rate = Rate::per_minute(2);
        assert_eq!(rate.take("a"), Ok(()));
        assert_eq!(rate.take("a"), Ok(()));
        assert!(
            rate.take("a")
                .is_err_and(|too_many| (1..=31).contains(&too_many.after_seconds))
        );
        assert_eq!(rate.take("b"), Ok(()));
    }
}
