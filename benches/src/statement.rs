//! Checking a statement of 10,000 words, beside the same and four times as long of one phrase.

use countersign_statements::check;

use crate::timing::{Samples, time, verdict};

const WORDS: usize = 10_000;
const RUNS: usize = 20;

pub(crate) fn run() {
    let corpus = include_str!("../../crates/countersign_statements/corpus/learned.toml");
    let prose = corpus
        .split("\"\"\"")
        .skip(1)
        .step_by(2)
        .collect::<String>();
    let text = prose
        .split_inclusive(' ')
        .cycle()
        .take(WORDS)
        .collect::<String>();
    let (first, report) = time(|| check(&text));
    println!(
        "{} words, the first time, rules read and compiled: {:.1} ms",
        report.words,
        first.as_secs_f64() * 1e3
    );
    let mut samples = Samples::default();
    for _ in 0..RUNS {
        samples.add(time(|| check(&text)).0);
    }
    let median_ms = samples.quantile_us(0.5) / 1e3;
    println!(
        "after that, median of {RUNS}: {median_ms:.1} ms (goal 50 ms: {})",
        verdict(median_ms <= 50.0)
    );
    for phrase in ["isolated ", "customers may have been not ", "1 2 3 "] {
        let of = |bytes: usize| phrase.repeat(bytes / phrase.len());
        let (short, long) = (of(text.len()), of(text.len() * 4));
        let (one, _) = time(|| check(&short));
        let (four, _) = time(|| check(&long));
        println!(
            "`{phrase}` over and over: {:.1} ms; four times as long, {:.1} times the time",
            one.as_secs_f64() * 1e3,
            four.as_secs_f64() / one.as_secs_f64()
        );
    }
}
