//! Sums that can be added up: what is kept for each day and month.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts by name.
pub(crate) type Tally = BTreeMap<String, u64>;

/// What cases are told apart by: the filters of the page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Slice {
    /// Version of the procedure the case was opened under, hexadecimal.
    pub(crate) procedure: String,
    /// Name of the action.
    pub(crate) action: String,
    /// Who opened it: the widest role of the opener, `robot` or `customer`.
    pub(crate) team: String,
}

/// Sums over events of one slice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Rollup {
    /// Cases opened.
    pub(crate) opened: u64,
    /// Grants by path.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) granted: BTreeMap<String, Grants>,
    /// How cases ended, by path (empty before a grant), then outcome. `unknown` is no end: see [`Rollup::resolved`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) outcomes: BTreeMap<String, Tally>,
    /// Unknown outcomes that were known later, by path.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) resolved: Tally,
    /// Cases that ended without a grant, by the requirement that was missing next.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) missing: Tally,
    /// Cases that ran out or were taken back, by how far the customer had come.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) gave_up: Tally,
    /// Stops by whom: `customer`, `contact`, `too_late`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) stops: Tally,
    /// Seconds from opening to each step, by step.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) times: BTreeMap<String, Histogram>,
    /// Proofs made, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) proofs: Tally,
    /// Wrong answers by proof.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) wrong: Tally,
    /// Wrong answers that locked the proof, by proof.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) lockouts: Tally,
    /// Answers of colleagues by person.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) approvers: BTreeMap<String, Answers>,
    /// How long cases lay before a colleague answered, by hour of the week from Monday 00:00 UTC.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) hours: BTreeMap<u8, Waits>,
}

/// Grants by one path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grants {
    /// How many.
    pub(crate) count: u64,
    /// The path is not the first of its action.
    pub(crate) exception: bool,
}

/// What one colleague answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answers {
    /// Name as the newest of the answers has it.
    pub(crate) name: String,
    pub(crate) signed: u64,
    pub(crate) refused: u64,
    /// Seconds from the case's last change to the answer.
    pub(crate) seconds: Histogram,
}

/// Waiting times that are only averaged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waits {
    pub(crate) count: u64,
    pub(crate) seconds: u64,
}

/// Lengths of time in seconds, counted by size: exact below 128 s, then within 0.8 %.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(u32, u64)>", into = "Vec<(u32, u64)>")]
pub(crate) struct Histogram(BTreeMap<u32, u64>);

impl Histogram {
    /// Counts one.
    pub(crate) fn add(&mut self, seconds: u64) {
        *self.0.entry(bucket(seconds)).or_default() += 1;
    }

    /// How many were counted.
    pub(crate) fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// The length that the fraction `per_mille` of them do not exceed (nearest rank); `None` of none.
    pub(crate) fn quantile(&self, per_mille: u64) -> Option<u64> {
        let rank = (self.count() * per_mille).div_ceil(1_000).max(1);
        let mut seen = 0;
        for (bucket, count) in &self.0 {
            seen += count;
            if seen >= rank {
                return Some(middle(*bucket));
            }
        }
        None
    }

    fn take_away(&mut self, other: &Self) {
        for (bucket, count) in &other.0 {
            if let Some(held) = self.0.get_mut(bucket) {
                *held = held.saturating_sub(*count);
            }
        }
        self.0.retain(|_, count| *count > 0);
    }

    fn absorb(&mut self, other: &Self) {
        for (bucket, count) in &other.0 {
            *self.0.entry(*bucket).or_default() += count;
        }
    }
}

impl From<Vec<(u32, u64)>> for Histogram {
    fn from(pairs: Vec<(u32, u64)>) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl From<Histogram> for Vec<(u32, u64)> {
    fn from(histogram: Histogram) -> Self {
        histogram.0.into_iter().collect()
    }
}

/// 64 sizes for each doubling from 128 s on.
fn bucket(seconds: u64) -> u32 {
    if seconds < 128 {
        return u32::try_from(seconds).unwrap_or(127);
    }
    let doublings = seconds.ilog2();
    let top = u32::try_from(seconds >> (doublings - 6)).unwrap_or(127);
    128 + (doublings - 7) * 64 + (top - 64)
}

/// The middle of a size; the very number where the size holds one.
fn middle(bucket: u32) -> u64 {
    if bucket < 128 {
        return u64::from(bucket);
    }
    let (doublings, top) = ((bucket - 128) / 64 + 7, (bucket - 128) % 64 + 64);
    let width = 1_u64 << (doublings - 6);
    u64::from(top) * width + (width - 1) / 2
}

impl Rollup {
    /// Adds another's sums to these.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.opened += other.opened;
        for (path, grants) in &other.granted {
            let ours = self.granted.entry(path.clone()).or_default();
            ours.count += grants.count;
            ours.exception |= grants.exception;
        }
        for (path, outcomes) in &other.outcomes {
            add_all(self.outcomes.entry(path.clone()).or_default(), outcomes);
        }
        add_all(&mut self.resolved, &other.resolved);
        add_all(&mut self.missing, &other.missing);
        add_all(&mut self.gave_up, &other.gave_up);
        add_all(&mut self.stops, &other.stops);
        for (step, times) in &other.times {
            self.times.entry(step.clone()).or_default().absorb(times);
        }
        add_all(&mut self.proofs, &other.proofs);
        add_all(&mut self.wrong, &other.wrong);
        add_all(&mut self.lockouts, &other.lockouts);
        for (person, answers) in &other.approvers {
            let ours = self.approvers.entry(person.clone()).or_default();
            answers.name.clone_into(&mut ours.name);
            ours.signed += answers.signed;
            ours.refused += answers.refused;
            ours.seconds.absorb(&answers.seconds);
        }
        for (hour, waits) in &other.hours {
            let ours = self.hours.entry(*hour).or_default();
            ours.count += waits.count;
            ours.seconds += waits.seconds;
        }
    }

    /// Takes another's sums out of these, which they were added to: what was a drill all along is no case.
    pub(crate) fn take_away(&mut self, other: &Self) {
        self.opened = self.opened.saturating_sub(other.opened);
        for (path, grants) in &other.granted {
            if let Some(ours) = self.granted.get_mut(path) {
                ours.count = ours.count.saturating_sub(grants.count);
            }
        }
        self.granted.retain(|_, grants| grants.count > 0);
        for (path, outcomes) in &other.outcomes {
            if let Some(ours) = self.outcomes.get_mut(path) {
                take_all(ours, outcomes);
            }
        }
        self.outcomes.retain(|_, tally| !tally.is_empty());
        take_all(&mut self.resolved, &other.resolved);
        take_all(&mut self.missing, &other.missing);
        take_all(&mut self.gave_up, &other.gave_up);
        take_all(&mut self.stops, &other.stops);
        for (step, times) in &other.times {
            if let Some(ours) = self.times.get_mut(step) {
                ours.take_away(times);
            }
        }
        self.times.retain(|_, times| !times.0.is_empty());
        take_all(&mut self.proofs, &other.proofs);
        take_all(&mut self.wrong, &other.wrong);
        take_all(&mut self.lockouts, &other.lockouts);
        for (person, answers) in &other.approvers {
            if let Some(ours) = self.approvers.get_mut(person) {
                ours.signed = ours.signed.saturating_sub(answers.signed);
                ours.refused = ours.refused.saturating_sub(answers.refused);
                ours.seconds.take_away(&answers.seconds);
            }
        }
        self.approvers
            .retain(|_, answers| answers.signed + answers.refused > 0);
        for (hour, waits) in &other.hours {
            if let Some(ours) = self.hours.get_mut(hour) {
                ours.count = ours.count.saturating_sub(waits.count);
                ours.seconds = ours.seconds.saturating_sub(waits.seconds);
            }
        }
        self.hours.retain(|_, waits| waits.count > 0);
    }

    /// How many cases ended so, whatever the path.
    pub(crate) fn ended(&self, outcome: &str) -> u64 {
        self.outcomes
            .values()
            .filter_map(|tally| tally.get(outcome))
            .sum()
    }
}

fn add_all(ours: &mut Tally, theirs: &Tally) {
    for (name, count) in theirs {
        *ours.entry(name.clone()).or_default() += count;
    }
}

fn take_all(ours: &mut Tally, theirs: &Tally) {
    for (name, count) in theirs {
        if let Some(held) = ours.get_mut(name) {
            *held = held.saturating_sub(*count);
        }
    }
    ours.retain(|_, count| *count > 0);
}

/// One more of this name.
pub(crate) fn count(tally: &mut Tally, name: &str) {
    *tally.entry(name.to_owned()).or_default() += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_kept_within_one_percent() {
        let mut last = 0;
        for seconds in (0..4_000_u64).chain((0..60).map(|n| 3_999 + n * 86_413)) {
            let at = bucket(seconds);
            assert!(at >= last, "sizes grow with the length");
            last = at;
            let error = middle(at).abs_diff(seconds);
            assert!(
                error * 127 <= seconds,
                "{seconds} s is kept as {}",
                middle(at)
            );
        }
        assert!(middle(bucket(u64::MAX)) > u64::MAX / 2);
    }

    #[test]
    fn quantiles_are_nearest_ranks() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(500), None);
        for seconds in 1..=100 {
            histogram.add(seconds);
        }
        assert_eq!(histogram.quantile(500), Some(50));
        assert_eq!(histogram.quantile(900), Some(90));
        assert_eq!(histogram.quantile(990), Some(99));
        assert_eq!(histogram.quantile(0), Some(1));
        assert_eq!(histogram.count(), 100);
        let text = serde_json::to_string(&histogram).unwrap();
        assert_eq!(serde_json::from_str::<Histogram>(&text).unwrap(), histogram);
    }
}
