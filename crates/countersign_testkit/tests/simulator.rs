//! Two hundred companies under faults, every one of them judged; and a seed is the same company every time, byte for byte.
//!
//! By hand and without end: `cargo run -p countersign_testkit --release -- simulate --seeds 1..1000000`

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which clippy does not see as tests"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use countersign_testkit::simulator::{Run, run};

/// How many seeds each part plays.
const SEEDS_EACH: u64 = 10;

fn play(seed: u64) -> Run {
    let run = run(seed).unwrap();
    if !run.findings.is_empty() {
        let mut words = format!("seed {seed} ({})\n", run.procedure);
        for line in &run.story {
            let _ = writeln!(words, "{line}");
        }
        for finding in &run.findings {
            let _ = writeln!(words, "seed {seed}: {finding}");
        }
        panic!("{words}");
    }
    run
}

fn part(part: u64) {
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in part * SEEDS_EACH..(part + 1) * SEEDS_EACH {
        for (what, times) in play(seed).seen {
            *seen.entry(what).or_default() += times;
        }
    }
    // Of what a part cannot do without; everything else happens in one part or another, see below.
    for what in ["case opened", "proof made", "granted", "answer not right"] {
        assert!(
            seen.contains_key(what),
            "part {part} never saw `{what}`: {seen:#?}"
        );
    }
}

macro_rules! parts {
    ($($name:ident = $number:literal),+ $(,)?) => {$(
        #[test]
        fn $name() {
            part($number);
        }
    )+};
}

parts! {
    seeds_0 = 0, seeds_10 = 1, seeds_20 = 2, seeds_30 = 3, seeds_40 = 4, seeds_50 = 5, seeds_60 = 6, seeds_70 = 7,
    seeds_80 = 8, seeds_90 = 9, seeds_100 = 10, seeds_110 = 11, seeds_120 = 12, seeds_130 = 13, seeds_140 = 14,
    seeds_150 = 15, seeds_160 = 16, seeds_170 = 17, seeds_180 = 18, seeds_190 = 19,
}

/// Plays the two hundred seeds in turn until each of these has happened.
fn happens(what: &[&'static str]) {
    let mut missing: BTreeSet<&str> = what.iter().copied().collect();
    for seed in 0..200 {
        if missing.is_empty() {
            return;
        }
        let seen = play(seed).seen;
        missing.retain(|what| !seen.contains_key(what));
    }
    panic!("in two hundred seeds this never happened: {missing:?}");
}

#[test]
fn every_end_of_a_case_happens() {
    happens(&[
        "granted",
        "outcome done",
        "outcome failed",
        "outcome unknown",
        "stopped",
        "stop came too late",
        "refused by a colleague",
        "withdrawn",
        "case ran out",
        "wait began",
        "signed by a colleague",
        "own sign-off refused",
        "closed request refused",
        "right answer, and the way was closed",
    ]);
}

#[test]
fn every_fault_of_stores_and_processes_happens() {
    happens(&[
        "crash before a write",
        "crash after a write",
        "gate started again",
        "request lost with its gate",
        "write lost",
        "write landed, answer lost",
        "write landed late, answer lost",
        "store overloaded",
        "read failed",
        "clock set back",
        "clock ahead",
        "machine slept for hours",
    ]);
}

#[test]
fn every_fault_of_the_world_outside_happens() {
    happens(&[
        "letter lost",
        "letter doubled",
        "letter late",
        "letter refused",
        "letter not taken yet",
        "letter taken, gate told later",
        "backend out of reach",
        "backend never got it",
        "backend got it late",
        "backend said no",
        "contact changed",
        "old signature tried",
        "old passkey answer tried",
        "somebody else's code tried",
        "second seat taken",
    ]);
}

#[test]
fn a_seed_is_the_same_company_every_time() {
    for seed in [3, 5, 26] {
        let (once, again) = (play(seed), play(seed));
        assert!(
            once.event_list() == again.event_list(),
            "seed {seed}: another event list"
        );
        assert_eq!(once.story, again.story, "seed {seed}: another story");
        assert_eq!(
            once.books.leaves, again.books.leaves,
            "seed {seed}: another ledger"
        );
        assert_eq!(
            once.books.signed, again.books.signed,
            "seed {seed}: other checkpoints"
        );
        assert_eq!(
            once.books.letters, again.books.letters,
            "seed {seed}: other letters"
        );
        assert_eq!(
            once.books.attempts, again.books.attempts,
            "seed {seed}: other grants"
        );
        assert_eq!(once.turns, again.turns);
    }
}

#[test]
fn another_seed_is_another_company() {
    assert_ne!(play(1).event_list(), play(8).event_list());
}
