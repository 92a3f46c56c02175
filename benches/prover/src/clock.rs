//! Processor time, memory, and summaries of both.
//!
//! The machine is shared, so everything is the processor time of the one thread
//! that works, not the time on the wall.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What one measurement answers, and the processor time it took.
pub(crate) fn time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = now();
    let answer = std::hint::black_box(work());
    (now().saturating_sub(start), answer)
}

/// The least time of several runs of the same: what remains when the neighbours are quiet.
///
/// Runs at least once, and again until `enough` has been spent or fifty runs are made.
pub(crate) fn least<T>(enough: Duration, mut work: impl FnMut() -> T) -> (Duration, T) {
    let (mut best, mut answer) = time(&mut work);
    let mut spent = best;
    for _ in 1..50 {
        if spent >= enough {
            break;
        }
        let (took, again) = time(&mut work);
        spent += took;
        best = best.min(took);
        answer = again;
    }
    (best, answer)
}

/// Processor time of this thread.
fn now() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or(0),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    )
}

/// The most memory this process ever had, in megabytes; none where the system does not say.
pub(crate) fn peak_megabytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024)
}

/// A time in seconds with three digits and its unit.
pub(crate) fn say_seconds(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s if s >= 1e-6 => (s * 1e6, "µs"),
        s => (s * 1e9, "ns"),
    };
    let digits = match value {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}")
}
