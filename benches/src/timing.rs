//! Clocks and summaries shared by the measurements.

use std::time::{Duration, Instant};

/// What one measurement answers.
pub(crate) type Measured = Result<(), Box<dyn std::error::Error>>;

/// How long `work` takes, and what it answers.
pub(crate) fn time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let answer = std::hint::black_box(work());
    (start.elapsed(), answer)
}

/// Single times of one operation.
#[derive(Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn add(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    /// The time that `share` of the samples do not exceed, in microseconds; 0.5 is the median.
    pub(crate) fn quantile_us(&mut self, share: f64) -> f64 {
        self.0.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a list of samples"
        )]
        let at = (share * (self.0.len().saturating_sub(1)) as f64).round() as usize;
        self.0
            .get(at)
            .map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
    }
}

/// Whether a goal is met, in a word.
pub(crate) fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}
