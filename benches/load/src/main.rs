//! Whole cases over real HTTP in an open loop: `cargo run --release -p countersign_benches_load -- sqlite`.
//!
//! The gate is the real program in a process of its own, on a real installation in a folder of its own. A case is opened by
//! the company's panel through the API; its customer uses the link, types an authenticator code, signs with a passkey
//! and confirms: six requests, two proofs that are both checked for real. The gate posts the grant to a panel in this
//! process, which verifies it offline, runs it and counts. Pages that only show something are not asked for.
//!
//! Cases arrive by a Poisson process whatever the gate does, and the first request of each is timed from when it should
//! have begun: a gate that stalls is charged for everybody who came meanwhile (no coordinated omission).
//!
//! Beside it, in the same run, what the disk and the database do by themselves.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program whose output is its purpose"
)]

mod case;
mod http;
mod panel;
mod probe;
mod site;
mod timing;

use std::{
    cell::RefCell,
    path::PathBuf,
    process::ExitCode,
    rc::Rc,
    time::{Duration, Instant},
};

use clap::Parser;
use tokio::task::{JoinSet, LocalSet};

use crate::{
    case::{STEPS, Times},
    panel::Panel,
    site::{Customers, Gate, Installation, cpu_of, memory_of},
    timing::{Dice, number, per_second, verdict},
};

/// Whatever went wrong, in words.
pub(crate) type Failed = Box<dyn std::error::Error>;

/// Whole cases over HTTP in an open loop, beside what the disk and the database can do.
#[derive(Debug, Parser)]
struct Arguments {
    /// `sqlite`, or the address of a `postgres://` database that may be written to.
    database: String,
    /// The `countersign` program; beside this one if left out.
    #[arg(long)]
    program: Option<PathBuf>,
    /// A folder on the disk to be measured; a new one in the system's place for such if left out.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Customers to be put beforehand; each can show one authenticator code in half a minute.
    #[arg(long, default_value_t = 8_000)]
    customers: usize,
    /// Cases a second to be offered one after the other, until the gate does not keep up.
    #[arg(long, value_delimiter = ',', default_values_t = [100.0, 200.0, 400.0, 600.0, 800.0, 1_000.0, 1_250.0, 1_500.0, 1_750.0, 2_000.0])]
    rates: Vec<f64>,
    /// Seconds for each rate.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Seconds at 70 % of the best rate.
    #[arg(long, default_value_t = 15.0)]
    steady_seconds: f64,
    /// Gates on the same database; PostgreSQL only.
    #[arg(long, default_value_t = 1)]
    gates: usize,
    /// Repeats the arrivals of a run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leaves the probes out.
    #[arg(long)]
    no_probes: bool,
    /// The probes and the store alone, no cases.
    #[arg(long)]
    probes_only: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = runtime.map_err(Failed::from).and_then(|runtime| {
        if !arguments.no_probes {
            probes(&arguments)?;
        }
        if arguments.probes_only {
            return Ok(());
        }
        LocalSet::new().block_on(&runtime, measure(&arguments))
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A folder of this run, removed at its end.
fn folder(arguments: &Arguments) -> Result<tempfile::TempDir, Failed> {
    Ok(match &arguments.folder {
        Some(within) => tempfile::tempdir_in(within)?,
        None => tempfile::tempdir()?,
    })
}

fn probes(arguments: &Arguments) -> Result<(), Failed> {
    let folder = folder(arguments)?;
    let (alone, mut alone_took) = probe::fsync(folder.path(), 1)?;
    let (sixteen, mut sixteen_took) = probe::fsync(folder.path(), 16)?;
    let sixteen_median = sixteen_took.quantile_ms(0.5);
    println!(
        "fsync of 4 KB: {alone:.0}/s by one thread (median {:.2} ms), {sixteen:.0}/s by 16 (median {sixteen_median:.2} ms)",
        alone_took.quantile_ms(0.5),
    );
    if arguments.database != "sqlite" {
        match probe::pgbench(&arguments.database) {
            Some(rate) => println!("pgbench -N, 16 clients: {rate:.0} transactions/s"),
            None => println!("pgbench: not here"),
        }
        return Ok(());
    }
    // As the gate's own: as many threads as there are cores.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    println!(
        "durable events, each with leaf, records and checkpoint, by our store and by SQLite alone (the same rows, as many a transaction):"
    );
    println!("  clients    ours/s   median      99th   a commit    bare/s   share");
    for clients in [1, 16, 64, 256] {
        let mut ours = runtime.block_on(probe::store(folder.path(), clients))?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of rows"
        )]
        let group = ours.events_per_commit.round() as usize;
        let bare = runtime.block_on(probe::bare_sqlite(folder.path(), group))?;
        let median = ours.latency.quantile_ms(0.5);
        let share = ours.events_per_second / bare;
        println!(
            "  {clients:7} {:9.0} {median:5.2} ms {:6.2} ms {:10.1} {bare:9.0}   {:4.0} %{}",
            ours.events_per_second,
            ours.latency.quantile_ms(0.99),
            ours.events_per_commit,
            share * 100.0,
            match clients {
                64 => format!(
                    "  (80: {}; median {:.1} times the 16-thread fsync's, at most 6: {})",
                    verdict(share >= 0.8),
                    median / sixteen_median,
                    verdict(median <= 6.0 * sixteen_median)
                ),
                256 => format!("  (80: {})", verdict(share >= 0.8)),
                _ => String::new(),
            }
        );
    }
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<(), Failed> {
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => std::env::current_exe()?.with_file_name("countersign"),
    };
    let folder = folder(arguments)?;
    let database = (arguments.database != "sqlite").then_some(arguments.database.as_str());
    let (panel, address) = Panel::start().await?;
    let installation =
        Installation::new(&program, folder.path().join("gate"), address, database).await?;
    let mut gates = Vec::new();
    for _ in 0..arguments.gates.max(1) {
        gates.push(installation.serve().await?);
    }
    let first = gates.first().ok_or("no gate")?;
    let known = first.known().await?;
    panel.trust(&known)?;
    let begin = Instant::now();
    let customers = Customers::put(
        first,
        &installation.token,
        &format!("l{}-", std::process::id()),
        arguments.customers,
    )
    .await?;
    println!(
        "{} customers with two proofs each, put in {:.1} s",
        arguments.customers,
        begin.elapsed().as_secs_f64()
    );

    let site = Site {
        gates,
        panel: panel.clone(),
        customers,
        token: installation.token.clone(),
    };
    let mut dice = Dice(arguments.seed);
    println!(
        "offered/s   done/s   failed   whole case, median and 99th   CPU a case: gate, load and panel"
    );
    let mut best = 0.0_f64;
    for rate in &arguments.rates {
        let round = site.round(*rate, arguments.seconds, &mut dice).await;
        let (done, mut whole) = (round.rate(), round.times.clone());
        let [.., whole] = &mut whole.0;
        println!(
            "{rate:9.0} {done:8.0} {:8}   {:9.1} ms {:11.1} ms   {:14.0} µs {:10.0} µs",
            round.failed.len(),
            whole.quantile_ms(0.5),
            whole.quantile_ms(0.99),
            round.gate_us(),
            round.load_us()
        );
        for why in round.failed.iter().take(3) {
            println!("            {why}");
        }
        best = best.max(done);
        if done < 0.9 * rate || !round.failed.is_empty() {
            break;
        }
    }
    println!(
        "best: {best:.0} whole cases a second (at least 1,500: {})",
        verdict(best >= 1_500.0)
    );

    let steady = 0.7 * best;
    let mut round = site
        .round(steady, arguments.steady_seconds, &mut dice)
        .await;
    println!(
        "at 70 % of that, {steady:.0} a second for {:.0} s: {} done, {} failed, {:.0} µs of the gate and {:.0} µs of load and panel a case",
        arguments.steady_seconds,
        round.done,
        round.failed.len(),
        round.gate_us(),
        round.load_us()
    );
    println!("  {:<30} {:>9} {:>9} {:>9}", "", "median", "90th", "99th");
    for (name, samples) in STEPS.iter().zip(&mut round.times.0) {
        let p99 = samples.quantile_ms(0.99);
        let goal = match *name {
            "whole case" => String::new(),
            "last proof to grant verified" => format!("  (100: {})", verdict(p99 <= 100.0)),
            _ => format!("  (25: {})", verdict(p99 <= 25.0)),
        };
        println!(
            "  {name:<30} {:>6.2} ms {:>6.2} ms {p99:>6.2} ms{goal}",
            samples.quantile_ms(0.5),
            samples.quantile_ms(0.9)
        );
    }
    for why in round.failed.iter().take(3) {
        println!("  {why}");
    }
    for gate in &site.gates {
        if let Some(memory) = memory_of(gate.id) {
            println!(
                "memory of the gate: {memory} MB (at most 150: {})",
                verdict(memory <= 150)
            );
        }
    }
    let (runs, twice, refused) = panel.books();
    println!(
        "the panel ran {runs} grants, {twice} of them twice, and refused {}",
        refused.len()
    );
    for why in refused.iter().take(3) {
        println!("  {why}");
    }
    let key = known
        .pointer("/ledger/key")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    let first = site.gates.first().ok_or("no gate")?;
    let whole = installation.verify_ledger(first, key).await?;
    println!(
        "the ledger {}",
        if whole { "verifies" } else { "DOES NOT VERIFY" }
    );
    if database.is_none() {
        println!(
            "the database has {:.0} MB",
            number(usize::try_from(
                std::fs::metadata(installation.database())?.len()
            )?) / 1_048_576.0
        );
    }
    for gate in site.gates {
        gate.end().await?;
    }
    let log = installation.log();
    if !log.is_empty() {
        println!(
            "the gate logged {} lines, the first: {}",
            log.lines().count(),
            log.lines().next().unwrap_or_default()
        );
    }
    if twice > 0 || !refused.is_empty() || !whole {
        return Err("what was measured is not right".into());
    }
    Ok(())
}

/// What the cases are played against.
struct Site {
    gates: Vec<Gate>,
    panel: Panel,
    customers: Customers,
    token: String,
}

/// What one rate came to.
struct Round {
    times: Times,
    failed: Vec<String>,
    done: usize,
    took: Duration,
    gate_cpu: Duration,
    load_cpu: Duration,
}

impl Round {
    fn rate(&self) -> f64 {
        per_second(self.done, self.took)
    }

    fn gate_us(&self) -> f64 {
        self.gate_cpu.as_secs_f64() * 1e6 / number(self.done.max(1))
    }

    fn load_us(&self) -> f64 {
        self.load_cpu.as_secs_f64() * 1e6 / number(self.done.max(1))
    }
}

impl Site {
    fn gate_cpu(&self) -> Duration {
        self.gates.iter().filter_map(|gate| cpu_of(gate.id)).sum()
    }

    async fn round(&self, rate: f64, seconds: f64, dice: &mut Dice) -> Round {
        let (gate_before, load_before) = (self.gate_cpu(), cpu_of(std::process::id()));
        let outcome: Rc<RefCell<(Times, Vec<String>, usize)>> = Rc::default();
        let mut running = JoinSet::new();
        let begin = Instant::now();
        let mut due = begin;
        let mut turn = 0_usize;
        loop {
            due += dice.pause(rate);
            if due.duration_since(begin).as_secs_f64() > seconds {
                break;
            }
            tokio::time::sleep_until(due.into()).await;
            turn += 1;
            let Some(mut customer) = self.customers.next() else {
                outcome
                    .borrow_mut()
                    .1
                    .push("no customer with an unused code was left; take more".to_owned());
                continue;
            };
            let Some(gate) = self.gates.get(turn % self.gates.len().max(1)) else {
                continue;
            };
            let (pool, panel) = (gate.pool.clone(), self.panel.clone());
            let (token, customers) = (self.token.clone(), self.customers.clone());
            let outcome = Rc::clone(&outcome);
            running.spawn_local(async move {
                let played = case::whole(&pool, &panel, &token, &mut customer, due).await;
                let mut outcome = outcome.borrow_mut();
                match played {
                    // One whose case is left unfinished could open no other.
                    Ok(times) => {
                        customers.back(customer);
                        outcome.0.extend(times);
                        outcome.2 += 1;
                    }
                    Err(error) => outcome.1.push(error.to_string()),
                }
            });
        }
        while running.join_next().await.is_some() {}
        let took = begin.elapsed();
        let (times, failed, done) = std::mem::take(&mut *outcome.borrow_mut());
        Round {
            times,
            failed,
            done,
            took,
            gate_cpu: self.gate_cpu().saturating_sub(gate_before),
            load_cpu: cpu_of(std::process::id())
                .unwrap_or_default()
                .saturating_sub(load_before.unwrap_or_default()),
        }
    }
}
