//! The prover on seeded procedures: `cargo run --release -p countersign_benches --bin prover [-- N,N,… [SEEDS]]`.

#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a measurement prints, and indexes what it built itself"
)]

mod prover_family;

use std::time::Instant;

use countersign_language::{
    Assumption, Claim, HoldingKind, LossId, Procedure, Promise, Span, Target,
};
use countersign_prover::{Compromise, Limits, Reacher, System, check};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let sizes: Vec<usize> = arguments.first().map_or_else(
        || vec![10, 100, 1_000, 10_000, 100_000],
        |list| {
            list.split(',')
                .filter_map(|size| size.parse().ok())
                .collect()
        },
    );
    let seeds: u64 = arguments
        .get(1)
        .and_then(|seeds| seeds.parse().ok())
        .unwrap_or(5);
    let only = arguments.get(2).map(String::as_str);
    for size in sizes {
        for seed in 1..=seeds {
            one(size, seed, only);
        }
    }
}

fn one(size: usize, seed: u64, only: Option<&str>) {
    let family = prover_family::family(size, seed);
    let text = prover_family::text(&family);
    let (procedure, read) = timed(|| read(&text));
    let (system, compile) = timed(|| System::compile(&procedure));
    let on = [Target::Loss(LossId(0))];
    let (attacks, enumerate) = timed(|| system.attacks(&procedure, &on, 4, Limits::default()));
    let mut by_size = [0; 5];
    for set in &attacks.sets {
        by_size[set
            .iter()
            .map(|compromise| compromise.size())
            .sum::<usize>()] += 1;
    }
    if only == Some("attacks") {
        println!(
            "N {size} seed {seed}: attacks {} {by_size:?}",
            ms(enumerate)
        );
        return;
    }
    let (cheapest, cheap) = timed(|| system.cheapest(&procedure, &on, |_| 1));
    let cheapest = cheapest.map(|cheapest| (cheapest.price, cheapest.proved));
    let all: Vec<Compromise> = (0..procedure.holdings.len())
        .filter(|&at| procedure.holdings[at].kind != HoldingKind::State)
        .map(|at| {
            Compromise::Holding(countersign_language::HoldingId(
                u32::try_from(at).unwrap_or(0),
            ))
        })
        .collect();
    let mut reacher = Reacher::new(&system);
    reacher.ask(&system, &all);
    let (facts, reach) = timed(|| reacher.ask(&system, &all));
    let three = &all[..3.min(all.len())];
    let (_, thousand) = timed(|| {
        (0..1_000)
            .map(|_| reacher.ask(&system, three))
            .sum::<usize>()
    });
    let mut promises = Vec::new();
    for (secrets, channels, devices) in [(1, 1, 0), (1, 1, 1), (2, 1, 1)] {
        let (kept, took) = promise(&procedure, secrets, channels, devices);
        promises.push(format!(
            "{secrets}{channels}{devices} {} {}",
            if kept { "kept" } else { "broken" },
            ms(took)
        ));
    }
    println!(
        "N {size} seed {seed}: read {} compile {} | attacks {} {by_size:?}{} | cheapest {cheapest:?} {} | reach {facts} {} three {:.3}us | {}",
        ms(read),
        ms(compile),
        ms(enumerate),
        if attacks.complete() {
            ""
        } else {
            " INCOMPLETE"
        },
        ms(cheap),
        ms(reach),
        thousand * 1e3,
        promises.join(", "),
    );
}

/// One promise with a budget by kind, compiled and decided from the procedure.
fn promise(procedure: &Procedure, secrets: u32, channels: u32, devices: u32) -> (bool, f64) {
    let mut procedure = procedure.clone();
    let even_if = [
        (secrets, HoldingKind::Secret),
        (channels, HoldingKind::Channel),
        (devices, HoldingKind::Device),
    ]
    .into_iter()
    .filter(|&(count, _)| count > 0)
    .map(|(count, kind)| Assumption::AnyOfKind { count, kind })
    .collect();
    let claim = Claim::Never {
        even_if,
        targets: vec![Target::Loss(LossId(0))],
    };
    procedure.promises = vec![Promise {
        text: String::new(),
        claim,
        span: Span::default(),
    }];
    let (verdicts, took) = timed(|| check(&procedure));
    (verdicts[0].kept, took)
}

fn read(text: &str) -> Procedure {
    let reading = countersign_language::read(text);
    let Some(procedure) = reading.procedure else {
        println!(
            "{:#?}",
            reading.diagnostics.iter().take(3).collect::<Vec<_>>()
        );
        std::process::exit(2);
    };
    procedure
}

/// The result and how long it took, in seconds.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed().as_secs_f64())
}

fn ms(seconds: f64) -> String {
    format!("{:.3}ms", seconds * 1e3)
}
