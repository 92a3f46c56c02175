//! How often the expensive things may be asked for, per network and per subject.
//!
//! In memory and per process: this keeps a gate responsive. What must never be
//! exceeded (wrong answers, look-ups) is counted in the store.

use std::{
    collections::BTreeMap,
    fmt,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use countersign_cases::Timestamp;
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

/// How many answers one customer may give at once: several of every proof a path asks for, and far below what others
/// would feel. They come back evenly, within a minute.
const ANSWERS_AT_ONCE: i64 = 20;

/// In which time all of them come back, in ms.
const ANSWERS_BACK_MS: i64 = 60_000;

/// Answers by customer, from whatever network. Wrong ones are counted in the store and lock the proof; this only keeps a
/// flood of them from costing anything, and is the same for a customer who has the proof and one who has not.
///
/// Counted by the gate's own clock, so that the same requests at the same times are answered alike.
#[derive(Debug, Default)]
pub(crate) struct Answers(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    /// By customer: when all of theirs will be back (generic cell rate algorithm), ms since the epoch.
    back_ms: BTreeMap<String, i64>,
    since_tidied: usize,
}

impl Answers {
    /// Takes one of this customer's.
    pub(crate) fn take(&self, customer: &str, now: Timestamp) -> Result<(), TooMany> {
        const EACH_MS: i64 = ANSWERS_BACK_MS / ANSWERS_AT_ONCE;
        const TIDIED_EVERY: usize = 4_096;
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.since_tidied += 1;
        if taken.since_tidied >= TIDIED_EVERY {
            taken.since_tidied = 0;
            taken.back_ms.retain(|_, back| *back > now.0);
        }
        // A clock that was set back must not shut anybody out for longer than a flood does.
        let latest = now.0.saturating_add(ANSWERS_BACK_MS);
        let back = taken.back_ms.entry(customer.to_owned()).or_insert(now.0);
        *back = (*back).clamp(now.0, latest);
        let with_this = back.saturating_add(EACH_MS);
        if with_this > latest {
            let wait_ms = u64::try_from(with_this.saturating_sub(latest)).unwrap_or_default();
            return Err(TooMany {
                after_seconds: wait_ms.div_ceil(1_000),
            });
        }
        *back = with_this;
        Ok(())
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

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    #[test]
    fn a_customer_whose_answers_are_guessed_leaves_the_others_theirs() {
        let answers = Answers::default();
        let taken = (0..1_000)
            .filter(|_| answers.take("guessed", NOW).is_ok())
            .count();
        assert_eq!(taken, 20);
        assert_eq!(answers.take("other", NOW), Ok(()));
        let refused = answers.take("guessed", NOW).unwrap_err();
        assert_eq!(refused.after_seconds, 3);
        let later = NOW.plus_seconds(refused.after_seconds);
        assert_eq!(answers.take("guessed", later), Ok(()));
        assert!(answers.take("guessed", later).is_err());
        let all_back = later.plus_seconds(60);
        let taken = (0..1_000)
            .filter(|_| answers.take("guessed", all_back).is_ok())
            .count();
        assert_eq!(taken, 20);
    }

    #[test]
    fn a_clock_set_back_shuts_nobody_out_for_long() {
        let answers = Answers::default();
        assert_eq!(answers.take("a", NOW.plus_seconds(86_400)), Ok(()));
        assert_eq!(answers.take("a", NOW).unwrap_err().after_seconds, 3);
        assert_eq!(answers.take("a", NOW.plus_seconds(3)), Ok(()));
        assert_eq!(answers.take("b", NOW), Ok(()));
    }

    #[test]
    fn customers_who_answered_long_ago_take_no_memory() {
        let answers = Answers::default();
        for (customer, seconds) in (0..100_000_u32).zip(0..) {
            let now = NOW.plus_seconds(seconds);
            assert_eq!(answers.take(&customer.to_string(), now), Ok(()));
        }
        assert!(answers.0.lock().unwrap().back_ms.len() <= 4_200);
    }
}
