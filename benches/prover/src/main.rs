//! The prover beside clingo and datafrog, on the same procedures in the same run.
//!
//! `cargo run --release -p countersign_benches_prover -- [OPTIONS]`
//!
//! - `--quick`: small procedures, under a minute
//! - `--sizes 10,1000`: how many actions
//! - `--seeds N`, `--peer-seeds N`: how many procedures of each size for ours, and how many of these for the peers
//! - `--limit SECONDS`: processor time for one process (100)
//! - `--only attacks,cheapest,promise,reach,hard`: these questions
//! - `--no-clingo`: without it
//! - `--plain`: clingo with the plainer encoding
//!
//! All times are processor time, of one thread. Two answers that differ end the
//! program with 1 once everything is printed.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a measurement prints, and indexes what it built itself"
)]

mod clock;
mod facts;
mod family;
mod frog;
mod hard;
mod ours;
mod price;
mod process;
mod report;
mod rules;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use countersign_language::Procedure;
use countersign_prover::names;
use serde_json::{Value, json};

use crate::{
    facts::Encoding,
    family::Shape,
    ours::ON,
    price::Prices,
    process::{Clingo, Outcome},
    report::{Report, Sample},
    rules::Rules,
};

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("answer", rest)) = arguments
        .split_first()
        .map(|(first, rest)| (first.as_str(), rest))
    {
        return match ours::answer(rest) {
            Ok(line) => {
                println!("{line}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{error}");
                ExitCode::from(2)
            }
        };
    }
    let options = match Options::read(&arguments) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    match Bench::new(options).and_then(Bench::run) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

struct Options {
    sizes: Vec<usize>,
    seeds: Option<u64>,
    peer_seeds: Option<u64>,
    limit: u64,
    only: Vec<String>,
    clingo: bool,
    encoding: Encoding,
    quick: bool,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            sizes: Vec::new(),
            seeds: None,
            peer_seeds: None,
            limit: 100,
            only: ["attacks", "cheapest", "promise", "reach", "hard"]
                .map(str::to_owned)
                .to_vec(),
            clingo: true,
            encoding: Encoding::Short,
            quick: false,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || {
                rest.next()
                    .ok_or_else(|| format!("`{argument}` wants a value"))
            };
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--no-clingo" => options.clingo = false,
                "--plain" => options.encoding = Encoding::Plain,
                "--limit" => options.limit = value()?.parse()?,
                "--seeds" => options.seeds = Some(value()?.parse()?),
                "--peer-seeds" => options.peer_seeds = Some(value()?.parse()?),
                "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
                "--sizes" => {
                    options.sizes = value()?
                        .split(',')
                        .map(str::parse)
                        .collect::<Result<_, _>>()?;
                }
                _ => return Err(format!("unknown option `{argument}`").into()),
            }
        }
        if options.sizes.is_empty() {
            options.sizes = if options.quick {
                vec![10, 100, 1_000]
            } else {
                vec![10, 100, 1_000, 10_000, 100_000]
            };
        }
        if options.quick {
            options.limit = options.limit.min(10);
        }
        Ok(options)
    }

    fn seeds(&self, size: usize) -> u64 {
        self.seeds.unwrap_or(match (self.quick, size) {
            (true, _) => 2,
            (false, 0..=10_000) => 10,
            _ => 3,
        })
    }

    fn peer_seeds(&self, size: usize) -> u64 {
        self.peer_seeds.unwrap_or(match (self.quick, size) {
            (true, _) | (_, 10_001..) => 1,
            _ => 3,
        })
    }

    fn wants(&self, question: &str) -> bool {
        self.only.iter().any(|only| only == question)
    }
}

struct Bench {
    options: Options,
    folder: PathBuf,
    clingo: Option<Clingo>,
    report: Report,
}

/// One procedure that everybody is asked about.
struct Instance {
    /// Family and size, as the report groups them.
    family: &'static str,
    size: usize,
    seed: u64,
    file: PathBuf,
    facts: PathBuf,
    procedure: Procedure,
    rules: Rules,
    /// The peers are asked too.
    peers: bool,
}

impl Bench {
    fn new(options: Options) -> Result<Self, Failure> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
            PathBuf::from,
        );
        let folder = target.join("bench-prover");
        std::fs::create_dir_all(&folder)?;
        let clingo = if options.clingo {
            match Clingo::ready(&folder) {
                Ok(clingo) => Some(clingo),
                Err(why) => {
                    println!("clingo is left out: {why}");
                    None
                }
            }
        } else {
            println!("clingo is left out: --no-clingo");
            None
        };
        println!(
            "processor time of one thread; at most {} s for one process; clingo {} with {}.lp; datafrog 2",
            options.limit,
            process::CLINGO,
            options.encoding.name()
        );
        #[expect(clippy::cast_precision_loss, reason = "seconds that somebody waits")]
        let report = Report::new(options.limit as f64);
        Ok(Self {
            options,
            folder,
            clingo,
            report,
        })
    }

    /// Measures everything; false if two answers differ.
    fn run(mut self) -> Result<bool, Failure> {
        let usual = ["attacks", "cheapest", "promise", "reach"];
        let sizes = if usual.iter().any(|question| self.options.wants(question)) {
            self.options.sizes.clone()
        } else {
            Vec::new()
        };
        for size in sizes {
            for seed in 1..=self.options.seeds(size) {
                let peers = seed <= self.options.peer_seeds(size);
                let text = family::text(Shape::USUAL, size, seed);
                self.usual(&self.instance("usual", size, seed, &text, peers)?)?;
            }
        }
        if self.options.wants("hard") {
            self.hard()?;
        }
        self.report.print();
        Ok(self.report.agree())
    }

    fn instance(
        &self,
        family: &'static str,
        size: usize,
        seed: u64,
        text: &str,
        peers: bool,
    ) -> Result<Instance, Failure> {
        let name = format!("{family}-{size}-{seed}");
        let file = self.folder.join(format!("{name}.procedure"));
        let facts = self.folder.join(format!("{name}.lp"));
        std::fs::write(&file, text)?;
        let procedure = ours::procedure(text)?;
        let rules = Rules::of(&procedure);
        let peers = peers && self.clingo.is_some();
        if peers {
            let encoding = self.options.encoding;
            let text = facts::text(&rules, &procedure, Prices(seed), ON, encoding);
            std::fs::write(&facts, text)?;
        }
        let paths = procedure.actions.iter().flat_map(|action| &action.paths);
        let (paths, lines) = paths.fold((0, 0), |(paths, lines), path| {
            (paths + 1, lines + path.lines.len())
        });
        println!(
            "\n{name}: {} KB of text, {} actions, {paths} paths, {lines} lines, {} primitives",
            text.len() / 1024,
            procedure.actions.len(),
            rules.primitives.len()
        );
        Ok(Instance {
            family,
            size,
            seed,
            file,
            facts,
            procedure,
            rules,
            peers,
        })
    }

    fn usual(&mut self, instance: &Instance) -> Result<(), Failure> {
        if self.options.wants("reach") {
            self.reach(instance)?;
        }
        if self.options.wants("promise") {
            self.promises(instance)?;
        }
        if self.options.wants("cheapest") {
            self.cheapest(instance)?;
        }
        if self.options.wants("attacks") {
            self.attacks(instance, 4)?;
        }
        Ok(())
    }

    fn hard(&mut self) -> Result<(), Failure> {
        let quick = self.options.quick;
        let sets: &[(usize, usize)] = if quick {
            &[(30, 50)]
        } else {
            &[(60, 100), (90, 160), (120, 220)]
        };
        for &(secrets, clauses) in sets {
            for seed in 1..=if quick { 1 } else { 3 } {
                let text = hard::hitting_sets(secrets, clauses, seed);
                let instance = self.instance("hitting sets", secrets, seed, &text, true)?;
                self.cheapest(&instance)?;
            }
        }
        let size = if quick { 100 } else { 1_000 };
        for seed in 1..=if quick { 1 } else { 3 } {
            let text = family::text(Shape::DENSE, size, seed);
            let instance = self.instance("dense", size, seed, &text, true)?;
            self.cheapest(&instance)?;
            self.attacks(&instance, 4)?;
        }
        for secrets in if quick { vec![20] } else { vec![60, 100] } {
            let text = hard::threshold(4, secrets);
            let instance = self.instance("4 of", secrets, 1, &text, secrets <= 60)?;
            self.attacks(&instance, 4)?;
        }
        Ok(())
    }

    fn attacks(&mut self, instance: &Instance, at_most: usize) -> Result<(), Failure> {
        let question = format!("attacks:{at_most}");
        let ours = process::ours(self.options.limit, &question, &instance.file)?;
        let peer = self.clingo(instance, &question, &["--configuration=handy", ""])?;
        let complete = matches!(
            &ours,
            Outcome::Done(done) if done.answer["complete_to"] == json!(at_most)
        );
        let sets = |sets: &Value| -> Vec<Vec<String>> {
            serde_json::from_value(sets.clone()).unwrap_or_default()
        };
        let mut remark = String::new();
        if let Outcome::Done(done) = &ours {
            let count = done.answer["sets"].as_array().map_or(0, Vec::len);
            remark = format!("{count} sets");
            if !complete {
                let to = &done.answer["complete_to"];
                remark = format!("{remark}, stopped: complete to size {to}");
            }
        }
        let agree = both(&ours, peer.as_ref(), |ours, peer| {
            let mut theirs: Vec<Vec<String>> = sets_of(instance, &peer["sets"])
                .into_iter()
                .map(|set| names(&instance.procedure, &set))
                .collect();
            theirs.sort_unstable();
            !complete || sets(&ours["sets"]) == theirs
        });
        self.report.add(
            Sample::new("attacks", instance.family, instance.size, ours, peer)
                .agreeing(agree)
                .saying(remark),
        );
        Ok(())
    }

    fn cheapest(&mut self, instance: &Instance) -> Result<(), Failure> {
        let question = format!("cheapest:{}", instance.seed);
        let ours = process::ours(self.options.limit, &question, &instance.file)?;
        let strategies = [
            "--opt-strategy=usc",
            "--opt-strategy=usc,k,0,5",
            "--opt-strategy=bb",
        ];
        let peer = self.clingo(instance, "cheapest", &strategies)?;
        let agree = both(&ours, peer.as_ref(), |ours, peer| {
            ours["proved"] == json!(false) || ours["cost"] == peer["cost"]
        });
        let remark = match &ours {
            Outcome::Done(done) if done.answer["proved"] == json!(false) => {
                format!("price {}, not proved", done.answer["cost"])
            }
            Outcome::Done(done) => format!("price {}", done.answer["cost"]),
            Outcome::Late => String::new(),
        };
        self.report.add(
            Sample::new("cheapest", instance.family, instance.size, ours, peer)
                .agreeing(agree)
                .saying(remark),
        );
        Ok(())
    }

    /// The greatest budget of a ladder that is kept, and the least that is broken.
    fn promises(&mut self, instance: &Instance) -> Result<(), Failure> {
        let ladder = [
            "1,0,0", "1,1,0", "1,1,1", "2,1,1", "2,2,1", "2,2,2", "3,2,2", "3,3,3", "4,4,4",
        ];
        let mut kept: Option<(&str, Outcome)> = None;
        let mut broken: Option<(&str, Outcome)> = None;
        for budget in ladder {
            let question = format!("promise:{budget}");
            let ours = process::ours(self.options.limit, &question, &instance.file)?;
            let holds = match &ours {
                Outcome::Done(done) => done.answer["kept"] == json!(true),
                Outcome::Late => false,
            };
            if holds {
                kept = Some((budget, ours));
            } else {
                broken = Some((budget, ours));
                break;
            }
        }
        for (name, found) in [("promise kept", kept), ("promise broken", broken)] {
            let Some((budget, ours)) = found else {
                continue;
            };
            let peer = self.clingo(
                instance,
                &format!("promise:{budget}"),
                &["", "--configuration=handy"],
            )?;
            let agree = both(&ours, peer.as_ref(), |ours, peer| {
                ours["decided"] == json!(false) || ours["kept"] == peer["kept"]
            });
            let undecided =
                matches!(&ours, Outcome::Done(done) if done.answer["decided"] == json!(false));
            self.report.add(
                Sample::new(name, instance.family, instance.size, ours, peer)
                    .agreeing(agree)
                    .saying(format!(
                        "{budget} secrets, channels, devices{}",
                        if undecided { "; not decided" } else { "" }
                    )),
            );
        }
        Ok(())
    }

    fn reach(&mut self, instance: &Instance) -> Result<(), Failure> {
        let outcome = process::ours(self.options.limit, "reach", &instance.file)?;
        let Outcome::Done(done) = outcome else {
            println!("  reach: over the limit");
            return Ok(());
        };
        let seconds = |part: &str| done.answer[part].as_f64().unwrap_or(f64::NAN);
        let hot = |work: f64| {
            Outcome::Done(process::Done {
                read: 0.0,
                work,
                parts: Vec::new(),
                megabytes: done.megabytes,
                answer: Value::Null,
                options: String::new(),
            })
        };
        let agree = Some(done.answer["agree"] == json!(true));
        let build = clock::say_seconds(seconds("frog_build"));
        for (name, ours, peer, remark) in [
            (
                "reach",
                "full",
                "frog_full",
                format!("its relations made in {build} more"),
            ),
            ("reach of three", "three", "frog_three", String::new()),
        ] {
            self.report.add(
                Sample::new(
                    name,
                    instance.family,
                    instance.size,
                    hot(seconds(ours)),
                    Some(hot(seconds(peer))),
                )
                .agreeing(agree)
                .saying(remark),
            );
        }
        Ok(())
    }

    fn clingo(
        &self,
        instance: &Instance,
        question: &str,
        strategies: &[&str],
    ) -> Result<Option<Outcome>, Failure> {
        let Some(clingo) = self.clingo.as_ref().filter(|_| instance.peers) else {
            return Ok(None);
        };
        clingo
            .best(
                self.options.limit,
                self.options.encoding.name(),
                question,
                &instance.facts,
                strategies,
            )
            .map(Some)
    }
}

/// Whether two finished answers agree; nothing if one is missing.
fn both(
    ours: &Outcome,
    peer: Option<&Outcome>,
    agree: impl FnOnce(&Value, &Value) -> bool,
) -> Option<bool> {
    match (ours, peer) {
        (Outcome::Done(ours), Some(Outcome::Done(peer))) => Some(agree(&ours.answer, &peer.answer)),
        _ => None,
    }
}

/// Sets of primitives by number, as the prover names them.
fn sets_of(instance: &Instance, sets: &Value) -> Vec<Vec<countersign_prover::Compromise>> {
    let sets: Vec<Vec<usize>> = serde_json::from_value(sets.clone()).unwrap_or_default();
    sets.iter()
        .map(|set| instance.rules.compromises(set))
        .collect()
}
