//! `cargo run -p countersign_testkit --release -- simulate --seeds 1..1000000`
//!
//! Plays seeds until they are through or one of them shows something that must
//! never be; then it prints the seed, what was found, and the story.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write as _},
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use countersign_testkit::simulator::{Run, run};

const USAGE: &str =
    "usage: countersign_testkit simulate [--seeds FROM..TO] [--jobs N] [--story] [--keep-going]

  --seeds FROM..TO  which seeds, the last one not included; or one number (default 1..201)
  --jobs N          how many at once (default 1)
  --story           print what everybody did, also where nothing is wrong
  --keep-going      go on after a seed that shows something wrong
";

/// How often progress is told.
const TOLD_EVERY: Duration = Duration::from_secs(10);

struct Options {
    from: u64,
    to: u64,
    jobs: usize,
    story: bool,
    keep_going: bool,
}

fn main() -> ExitCode {
    let Some(options) = options(std::env::args().skip(1)) else {
        say(USAGE);
        return ExitCode::from(2);
    };
    if simulate(&options) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn options(mut given: impl Iterator<Item = String>) -> Option<Options> {
    if given.next()? != "simulate" {
        return None;
    }
    let mut options = Options {
        from: 1,
        to: 201,
        jobs: 1,
        story: false,
        keep_going: false,
    };
    while let Some(flag) = given.next() {
        match flag.as_str() {
            "--seeds" => {
                let seeds = given.next()?;
                (options.from, options.to) = if let Some((from, to)) = seeds.split_once("..") {
                    (from.parse().ok()?, to.parse().ok()?)
                } else {
                    let one: u64 = seeds.parse().ok()?;
                    (one, one.checked_add(1)?)
                };
            }
            "--jobs" => options.jobs = given.next()?.parse().ok().filter(|jobs| *jobs > 0)?,
            "--story" => options.story = true,
            "--keep-going" => options.keep_going = true,
            _ => return None,
        }
    }
    Some(options)
}

#[derive(Default)]
struct Sum {
    seeds: u64,
    events: u64,
    turns: u64,
    wrong: u64,
    seen: BTreeMap<&'static str, (u64, u64)>,
}

impl Sum {
    fn add(&mut self, run: &Run) {
        self.seeds += 1;
        self.events += run.books.events.len() as u64;
        self.turns += run.turns;
        self.wrong += u64::from(!run.findings.is_empty());
        for (what, count) in &run.seen {
            let (all, seeds) = self.seen.entry(what).or_default();
            *all += count;
            *seeds += 1;
        }
    }
}

/// True if nothing was found.
fn simulate(options: &Options) -> bool {
    let (next, over) = (AtomicU64::new(options.from), AtomicBool::new(false));
    let sum = Mutex::new(Sum::default());
    let began = Instant::now();
    let told = Mutex::new(began);
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= options.to {
                        return;
                    }
                    let failed = play(seed, options, &sum);
                    if failed && !options.keep_going {
                        over.store(true, Ordering::Relaxed);
                    }
                    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                    if told.elapsed() > TOLD_EVERY {
                        *told = Instant::now();
                        progress(&sum, began);
                    }
                }
            });
        }
    });
    progress(&sum, began);
    let sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    say(&format!(
        "\n{:>10}  {:>8}  what happened\n",
        "times", "in seeds"
    ));
    for (what, (all, seeds)) in &sum.seen {
        say(&format!("{all:>10}  {seeds:>8}  {what}\n"));
    }
    sum.wrong == 0
}

fn play(seed: u64, options: &Options, sum: &Mutex<Sum>) -> bool {
    let locked = |add: &dyn Fn(&mut Sum)| {
        add(&mut sum.lock().unwrap_or_else(PoisonError::into_inner));
    };
    match run(seed) {
        Ok(run) => {
            locked(&|sum| sum.add(&run));
            let failed = !run.findings.is_empty();
            if failed || options.story {
                tell(&run, failed && options.keep_going && !options.story);
            }
            failed
        }
        Err(error) => {
            locked(&|sum| sum.wrong += 1);
            say(&format!("seed {seed}: {error}\n"));
            true
        }
    }
}

fn tell(run: &Run, short: bool) {
    let mut words = format!("\nseed {} ({})\n", run.seed, run.procedure);
    if !short {
        for line in &run.story {
            words.push_str(line);
            words.push('\n');
        }
    }
    for finding in &run.findings {
        let _ = writeln!(words, "seed {}: {finding}", run.seed);
    }
    say(&words);
}

fn progress(sum: &Mutex<Sum>, began: Instant) {
    let sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
    let seconds = began.elapsed().as_secs_f64().max(0.001);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate for people needs three digits"
    )]
    let rate = sum.seeds as f64 / seconds;
    say(&format!(
        "{} seeds, {rate:.1} a second; {} events, {} turns; {} seeds with findings\n",
        sum.seeds, sum.events, sum.turns, sum.wrong
    ));
}

fn say(words: &str) {
    // Whoever reads may have gone; the exit code still says it.
    let _ = io::stdout().write_all(words.as_bytes());
}
