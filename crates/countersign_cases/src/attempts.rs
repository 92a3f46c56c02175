//! Wrong answers: counted per customer and proof, across cases, agents and surfaces.
//!
//! The count goes up *before* an answer is looked at and is given back if the answer was right, so
//! that neither a crash nor many answers at once ever buy more tries than the limit. A right answer
//! gives back only its own try: somebody else's wrong answers stay counted. Wrong answers are
//! forgotten after the cooling time, and only time unlocks.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    policy::{LOCKED_SECONDS, WRONG_ANSWERS_MAX},
};

/// How many wrong answers lock a proof, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wrong answers until it locks; zero is treated as one.
    pub wrong_max: u32,
    /// How long it stays locked, and how long a wrong answer is remembered, in seconds.
    pub locked_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wrong_max: WRONG_ANSWERS_MAX,
            locked_seconds: LOCKED_SECONDS,
        }
    }
}

/// The count for one customer and one proof. A new one has no wrong answers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    next: u64,
    tries: Vec<Try>,
    locked_until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Try {
    number: u64,
    at: Timestamp,
}

/// One try, taken before the answer is looked at.
#[must_use = "the answer is looked at only after the reservation is stored"]
#[derive(Debug, PartialEq, Eq)]
pub struct Reservation {
    number: u64,
}

/// The proof is locked; no answer may be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked {
    /// Until when.
    pub until: Timestamp,
}

impl Tally {
    /// Takes one try. The tally must be stored before the answer is looked at.
    ///
    /// # Errors
    /// [`Locked`] if there is none left.
    pub fn reserve(&mut self, now: Timestamp, limits: &Limits) -> Result<Reservation, Locked> {
        self.forget(now, limits);
        if let Some(until) = self.locked_until {
            return Err(Locked { until });
        }
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.tries.push(Try { number, at: now });
        self.lock_if_full(now, limits);
        Ok(Reservation { number })
    }

    /// Gives one try back: its answer was right.
    pub fn give_back(&mut self, reservation: &Reservation, limits: &Limits) {
        let before = self.tries.len();
        self.tries.retain(|one| one.number != reservation.number);
        // Only the try that filled the tally may unlock it again, and only because it was no wrong answer.
        if self.tries.len() < before && self.tries.len() < wrong_max(limits) {
            self.locked_until = None;
        }
    }

    /// Until when the proof is locked, if it is.
    pub fn locked_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.locked_until.filter(|until| *until > now)
    }

    /// Tries left now.
    pub fn left(&self, now: Timestamp, limits: &Limits) -> u32 {
        let mut later = self.clone();
        later.forget(now, limits);
        let left = wrong_max(limits).saturating_sub(later.tries.len());
        u32::try_from(left).unwrap_or(u32::MAX)
    }

    /// Drops what time has settled.
    fn forget(&mut self, now: Timestamp, limits: &Limits) {
        match self.locked_until {
            Some(until) if until > now => {}
            Some(_) => {
                self.locked_until = None;
                self.tries.clear();
            }
            None => self
                .tries
                .retain(|one| now.seconds_since(one.at) < limits.locked_seconds),
        }
    }

    fn lock_if_full(&mut self, now: Timestamp, limits: &Limits) {
        if self.tries.len() >= wrong_max(limits) {
            self.locked_until = Some(now.plus_seconds(limits.locked_seconds));
        }
    }
}

fn wrong_max(limits: &Limits) -> usize {
    usize::try_from(limits.wrong_max.max(1)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3_600_000;

    fn wrong(tally: &mut Tally, at: i64) -> Result<(), Locked> {
        tally.reserve(Timestamp(at), &Limits::default()).map(drop)
    }

    #[test]
    fn five_wrong_answers_lock_for_a_day() {
        let mut tally = Tally::default();
        for minute in 0..5 {
            assert_eq!(wrong(&mut tally, minute), Ok(()));
        }
        let until = Timestamp(4 + 24 * HOUR);
        assert_eq!(wrong(&mut tally, 5), Err(Locked { until }));
        assert_eq!(wrong(&mut tally, until.0 - 1), Err(Locked { until }));
        assert_eq!(tally.left(Timestamp(until.0 - 1), &Limits::default()), 0);
        assert_eq!(tally.left(until, &Limits::default()), 5);
        assert_eq!(wrong(&mut tally, until.0), Ok(()));
    }

    #[test]
    fn a_right_answer_gives_back_only_its_own_try() {
        let mut tally = Tally::default();
        for at in 0..4 {
            wrong(&mut tally, at).unwrap();
        }
        let last = tally.reserve(Timestamp(4), &Limits::default()).unwrap();
        assert!(
            wrong(&mut tally, 5).is_err(),
            "the fifth try is taken while its answer is looked at"
        );
        tally.give_back(&last, &Limits::default());
        assert_eq!(tally.left(Timestamp(5), &Limits::default()), 1);
        wrong(&mut tally, 5).unwrap();
        assert!(wrong(&mut tally, 6).is_err());
    }

    #[test]
    fn a_clock_that_jumps_back_unlocks_nothing() {
        let mut tally = Tally::default();
        for _ in 0..5 {
            wrong(&mut tally, 1_000 * HOUR).unwrap();
        }
        assert!(wrong(&mut tally, 0).is_err());
    }

    #[test]
    fn a_crash_between_taking_and_giving_back_counts_as_wrong() {
        let mut tally = Tally::default();
        for at in 0..5 {
            let lost = tally.reserve(Timestamp(at), &Limits::default()).unwrap();
            drop(lost);
        }
        assert!(wrong(&mut tally, 6).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// However tries and right answers interleave, no cooling time ever sees more than the limit of answers that stayed wrong.
        #[test]
        fn never_more_wrong_answers_than_the_limit(steps in proptest::collection::vec((0..6 * HOUR, any::<bool>()), 1..200)) {
            let limits = Limits::default();
            let mut tally = Tally::default();
            let mut now = 0;
            let mut wrong: Vec<i64> = Vec::new();
            for (pause, right) in steps {
                now += pause;
                if let Ok(reservation) = tally.reserve(Timestamp(now), &limits) {
                    if right {
                        tally.give_back(&reservation, &limits);
                    } else {
                        wrong.push(now);
                    }
                }
                let recent = wrong.iter().filter(|at| now - **at < 24 * HOUR).count();
                prop_assert!(recent <= 5, "{recent} wrong answers within a day");
            }
        }
    }
}
