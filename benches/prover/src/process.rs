//! The processes that answer: this program itself for ours, Python for clingo.

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
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
    /// The parts of both, in order.
    pub(crate) parts: Vec<(String, f64)>,
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
    command.arg("answer").arg(question).arg(file);
    run(command, seconds, String::new())
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
                Outcome::Done(done) => seconds.min(4 + whole(done.total())),
            };
            let mut command = Command::new(&self.python);
            command.arg(&self.script).args([encoding, question]);
            command.arg(facts).args(strategy.split_whitespace());
            let outcome = run(command, limit, (*strategy).to_owned())?;
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

/// Runs to the end, or until so much processor time is used.
///
/// The time is watched from here: a limit that the process sets for itself makes
/// its own clock as coarse as the kernel's tick.
fn run(mut command: Command, seconds: u64, options: String) -> Result<Outcome, Failure> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let listen = |from: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut said = Vec::new();
            from.map(|mut from| from.read_to_end(&mut said));
            said
        })
    };
    let said = listen(child.stdout.take().map(|from| Box::new(from) as _));
    let why = listen(child.stderr.take().map(|from| Box::new(from) as _));
    let mut pause = Duration::from_millis(1);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if used(child.id()).is_some_and(|used| used >= seconds) {
            child.kill()?;
            child.wait()?;
            return Ok(Outcome::Late);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    };
    let said = said.join().unwrap_or_default();
    let why = why.join().unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let answer: Option<Value> = said
        .lines()
        .last()
        .and_then(|line| serde_json::from_str(line).ok());
    let (true, Some(mut answer)) = (status.success(), answer) else {
        let why = String::from_utf8_lossy(&why);
        let tail = why.lines().rev().take(3).collect::<Vec<_>>();
        return Err(format!("{command:?}: {status} {tail:?}").into());
    };
    let parts: Vec<(String, f64)> = answer["times"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(part, seconds)| Some((part.clone(), seconds.as_f64()?)))
        .collect();
    let of = |wanted: bool| {
        parts
            .iter()
            .filter(|(part, _)| (part.as_str() == "read") == wanted)
            .map(|(_, seconds)| seconds)
            .sum()
    };
    Ok(Outcome::Done(Done {
        read: of(true),
        work: of(false),
        parts,
        megabytes: answer["megabytes"].as_u64().unwrap_or(0),
        answer: answer["answer"].take(),
        options,
    }))
}

/// Whole seconds of processor time that a process has used: fields 14 and 15 of its `stat`, in hundredths.
fn used(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is a name in parentheses, with anything in it.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    Some((user + system) / 100)
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
