//! The processes that answer: this program itself for ours, Python for clingo.

use std::{
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// The peer, as it is pinned.
pub(crate) const CLINGO: &str = "5.8.3";

/// What one process answered.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Done(Done),
    /// It used up its processor time.
    Late,
}

#[derive(Debug, Clone)]
pub(crate) struct Done {
    /// Reading the text, in seconds of processor time.
    pub(crate) read: f64,
    /// All that follows: compiling or grounding, and answering.
    pub(crate) work: f64,
    pub(crate) megabytes: u64,
    pub(crate) answer: Value,
    /// With which options, for clingo.
    pub(crate) options: String,
}

impl Done {
    pub(crate) fn total(&self) -> f64 {
        self.read + self.work
    }
}

type Failure = Box<dyn std::error::Error>;

/// Asks the prover, in a process of its own.
pub(crate) fn ours(seconds: u64, question: &str, file: &Path) -> Result<Outcome, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("answer").arg(seconds.to_string());
    command.arg(question).arg(file);
    run(command, String::new())
}

/// clingo in an environment of its own under `target/`.
pub(crate) struct Clingo {
    python: PathBuf,
    script: PathBuf,
}

impl Clingo {
    /// Makes the environment the first time; says why not where there is no Python or no network.
    pub(crate) fn ready(folder: &Path) -> Result<Self, String> {
        let home = folder.join(format!("clingo-{CLINGO}"));
        let python = home.join("bin").join("python");
        let clingo = Self {
            script: Path::new(env!("CARGO_MANIFEST_DIR")).join("peer/ask.py"),
            python: python.clone(),
        };
        let works = || {
            let mut command = Command::new(&python);
            command.args(["-c", "import clingo; print(clingo.__version__)"]);
            command.output().is_ok_and(|output| {
                output.status.success() && output.stdout.trim_ascii() == CLINGO.as_bytes()
            })
        };
        if works() {
            return Ok(clingo);
        }
        let step = |command: &mut Command| match command.output() {
            Err(error) => Err(format!("{}: {error}", command.get_program().display())),
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                let last = said.lines().rfind(|line| !line.trim().is_empty());
                Err(last.unwrap_or("it failed and said nothing").to_owned())
            }
        };
        step(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
        step(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet"])
                .args(["--disable-pip-version-check", &format!("clingo=={CLINGO}")]),
        )?;
        if works() {
            Ok(clingo)
        } else {
            Err(format!(
                "clingo {CLINGO} was installed and cannot be imported"
            ))
        }
    }

    /// The fastest of several strategies. None gets more time than the best before it needed.
    pub(crate) fn best(
        &self,
        seconds: u64,
        encoding: &str,
        question: &str,
        facts: &Path,
        strategies: &[&str],
    ) -> Result<Outcome, Failure> {
        let mut best = Outcome::Late;
        for strategy in strategies {
            let limit = match &best {
                Outcome::Late => seconds,
                // It counts the start of Python too, and up to five runs of a short question.
                Outcome::Done(done) => seconds.min(2 + whole(done.total() * 1.1)),
            };
            let mut command = Command::new(&self.python);
            command.arg(&self.script).arg(limit.to_string());
            command.args([encoding, question]).arg(facts);
            command.args(strategy.split_whitespace());
            let outcome = run(command, (*strategy).to_owned())?;
            best = match (best, outcome) {
                (Outcome::Done(one), Outcome::Done(other)) if one.total() <= other.total() => {
                    Outcome::Done(one)
                }
                (best, Outcome::Late) => best,
                (_, done) => done,
            };
        }
        Ok(best)
    }
}

fn run(mut command: Command, options: String) -> Result<Outcome, Failure> {
    let output = command.stderr(Stdio::piped()).output()?;
    // SIGXCPU, and SIGKILL a second later.
    if let Some(24 | 9) = output.status.signal() {
        return Ok(Outcome::Late);
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let answer: Option<Value> = said
        .lines()
        .last()
        .and_then(|line| serde_json::from_str(line).ok());
    let (true, Some(mut answer)) = (output.status.success(), answer) else {
        let why = String::from_utf8_lossy(&output.stderr);
        let tail = why.lines().rev().take(3).collect::<Vec<_>>();
        return Err(format!("{command:?}: {} {tail:?}", output.status).into());
    };
    let times = answer["times"].as_object().cloned().unwrap_or_default();
    let of = |wanted: bool| {
        times
            .iter()
            .filter(|(part, _)| (part.as_str() == "read") == wanted)
            .filter_map(|(_, seconds)| seconds.as_f64())
            .sum()
    };
    Ok(Outcome::Done(Done {
        read: of(true),
        work: of(false),
        megabytes: answer["megabytes"].as_u64().unwrap_or(0),
        answer: answer["answer"].take(),
        options,
    }))
}

/// Seconds rounded up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time-out in whole seconds"
)]
fn whole(seconds: f64) -> u64 {
    seconds.ceil() as u64
}
