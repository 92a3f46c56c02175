//! `countersign reconcile`: what a backend says it did, matched with the cases of the database that the configuration names, or
//! sent to a gate that runs.

mod send;

use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use countersign_service::adapters::dice::SystemDice;
use countersign_service::adapters::secrets::{HashLimits, SecretHasher};
use countersign_service::reconcile::{
    LogForm, Mapping, Reconciler, Reconciliation, UNCOVERED_SHOWN, WINDOW_SECONDS,
};
use countersign_service::statistics::{Rate, grouped};
use countersign_service::{Gate, Operator, Parts};
use countersign_store::OpenError;

use self::send::Target;
use crate::commands::procedure::NOT_VALID;
use crate::commands::serve::configured;
use crate::database::Database;
use crate::installation::{Installation, mapping};
use crate::terminal::{self, Paint, painted};

/// Something happened that no case covers.
const NOT_COVERED: u8 = 1;

/// Bytes read at once.
const CHUNK: usize = 1 << 20;

/// Uncovered lines in the text; `--output json` has more.
const TEXT_LINES: usize = 20;

/// What is asked for.
#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "countersign.toml")]
    config: PathBuf,
    /// What the logs are written in; by the end of their names if left out.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// How the log names things, as TOML; as the sample panel does if left out.
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// How far the backend's clock may differ, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = WINDOW_SECONDS, value_parser = clap::value_parser!(u32).range(0..=86_400))]
    window: u32,
    /// How to write the answer.
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    /// Send the logs to the gate at this address, such as https://support.example: it keeps what they came to and raises an alarm for each uncovered line, once. The configuration file is not read.
    #[arg(long, value_name = "URL", requires_all = ["token", "connector"], conflicts_with = "config")]
    to: Option<String>,
    /// With --to: file with the token of a machine that may `reconcile`.
    #[arg(long, value_name = "FILE", requires = "to")]
    token: Option<PathBuf>,
    /// With --to: whose logs they are.
    #[arg(long, value_name = "NAME", requires = "to")]
    connector: Option<String>,
    /// Logs; `-` for standard input.
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A JSON object a line.
    Jsonl,
    /// RFC 4180, with names in the first line.
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// As `POST /v1/reconciliations` answers.
    Json,
}

/// Exit 0 if a case covers every guarded action in the logs, 1 if one is uncovered or a line cannot be read, 2 if a file cannot be read.
pub(crate) fn reconcile(asked: &Reconcile) -> anyhow::Result<ExitCode> {
    let mapping = match &asked.map {
        Some(file) => mapping(file)?,
        None => Mapping::default(),
    };
    let runtime = tokio::runtime::Runtime::new().context("cannot start the program's threads")?;
    if let (Some(to), Some(token), Some(connector)) = (&asked.to, &asked.token, &asked.connector) {
        let target = Target::new(to, token, connector, asked.window, &mapping)?;
        return runtime.block_on(sent(&target, asked));
    }
    let Some((_, installation)) = configured(&asked.config)? else {
        return Ok(ExitCode::from(NOT_VALID));
    };
    let mut reconciler = runtime.block_on(async {
        let (gate, database) = gate_to_read(
            &installation,
            "the gate is running; send it the log: `--to URL --token FILE --connector NAME`",
        )
        .await?;
        let console = Operator::at_the_console();
        let reconciler = gate
            .reconciler_at_the_console(&console, mapping, asked.window)
            .await?;
        database.close().await;
        anyhow::Ok(reconciler)
    })?;
    for log in &asked.logs {
        read(&mut reconciler, log, asked.format)
            .with_context(|| format!("cannot read the log `{}`", log.display()))?;
    }
    tell(&reconciler.finish(), &asked.logs, asked.output)
}

/// Sends the logs one after the other, each a reconciliation of its own: a gate reads one at a time.
async fn sent(target: &Target, asked: &Reconcile) -> anyhow::Result<ExitCode> {
    let mut worst = ExitCode::SUCCESS;
    for log in &asked.logs {
        let done = target
            .send(log, asked.format.map(Format::form))
            .await
            .with_context(|| format!("`{}` was not reconciled", log.display()))?;
        let code = tell(&done, std::slice::from_ref(log), asked.output)?;
        if code != ExitCode::SUCCESS {
            worst = code;
        }
    }
    Ok(worst)
}

fn tell(done: &Reconciliation, logs: &[PathBuf], output: Output) -> anyhow::Result<ExitCode> {
    let written = match output {
        Output::Text => text(done, logs),
        Output::Json => format!("{}\n", serde_json::to_string_pretty(done)?),
    };
    terminal::print(&written)?;
    Ok(if done.uncovered + done.unreadable == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_COVERED)
    })
}

/// A gate on a database that is there, to read from; `running` says what to do where another gate has it open.
pub(crate) async fn gate_to_read(
    installation: &Installation,
    running: &'static str,
) -> anyhow::Result<(Gate, Database)> {
    let clock = Installation::clock();
    let database = installation
        .open_existing(Arc::clone(&clock))
        .await
        .map_err(|error| match error.downcast_ref() {
            Some(OpenError::InUse { .. }) => error.context(running),
            _ => error,
        })?;
    let dice = Arc::new(SystemDice);
    let parts = Parts {
        journal: database.journal(),
        clock,
        hasher: SecretHasher::new(None, HashLimits::default(), dice.clone())
            .context("cannot hash secrets")?,
        dice,
        check: Box::new(|_| Ok(())),
    };
    let gate = Gate::start_to_read(installation.settings.clone(), parts).await?;
    Ok((gate, database))
}

fn read(reconciler: &mut Reconciler, log: &Path, format: Option<Format>) -> std::io::Result<()> {
    reconciler.begin(form_of(log, format.map(Format::form)));
    let mut chunk = vec![0; CHUNK];
    let (mut reader, whole) = open(log)?;
    let mut progress = Progress::new(whole);
    loop {
        let length = match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        reconciler.feed(chunk.get(..length).unwrap_or_default());
        progress.at(length as u64, reconciler.lines());
    }
    reconciler.end();
    progress.done();
    Ok(())
}

/// What a log is written in: as was said, or by the end of its name.
fn form_of(log: &Path, said: Option<LogForm>) -> LogForm {
    let is_csv = log
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    said.unwrap_or(if is_csv {
        LogForm::Csv
    } else {
        LogForm::JsonLines
    })
}

/// A log, and how long it is where that is known.
fn open(log: &Path) -> std::io::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if log.as_os_str() == "-" {
        return Ok((Box::new(std::io::stdin()), None));
    }
    let file = std::fs::File::open(log)?;
    let length = file.metadata()?.len();
    Ok((Box::new(file), Some(length)))
}

impl Format {
    fn form(self) -> LogForm {
        match self {
            Self::Jsonl => LogForm::JsonLines,
            Self::Csv => LogForm::Csv,
        }
    }
}

/// A bar and a rate, on a terminal only, and only where it takes longer than a moment.
struct Progress {
    begun: Instant,
    shown: Option<Instant>,
    whole: Option<u64>,
    bytes: u64,
}

impl Progress {
    fn new(whole: Option<u64>) -> Self {
        Self {
            begun: Instant::now(),
            shown: None,
            whole: whole.filter(|bytes| *bytes > 0),
            bytes: 0,
        }
    }

    fn at(&mut self, bytes: u64, lines: u64) {
        self.bytes += bytes;
        let now = Instant::now();
        let since = self.shown.unwrap_or(self.begun);
        if now.duration_since(since) >= Duration::from_millis(250)
            && terminal::progress(&how_far(
                self.bytes,
                self.whole,
                lines,
                now.duration_since(self.begun),
            ))
        {
            self.shown = Some(now);
        }
    }

    fn done(&self) {
        if self.shown.is_some() {
            terminal::progress("");
        }
    }
}

/// `[#########...........]  45 %, 1,204,000 lines, 412,000 a second`
fn how_far(bytes: u64, whole: Option<u64>, lines: u64, took: Duration) -> String {
    const WIDE: u64 = 20;
    let bar = whole.map_or_else(
        || format!("{} MB", bytes >> 20),
        |whole| {
            let part = bytes.min(whole);
            let full = usize::try_from(part.saturating_mul(WIDE) / whole).unwrap_or(0);
            let rest = usize::try_from(WIDE).unwrap_or(0).saturating_sub(full);
            format!(
                "[{}{}] {:>3} %",
                "#".repeat(full),
                ".".repeat(rest),
                part.saturating_mul(100) / whole
            )
        },
    );
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    format!(
        "{bar}, {} lines, {} a second",
        grouped(lines),
        grouped(lines.saturating_mul(1_000) / milliseconds)
    )
}

fn text(done: &Reconciliation, logs: &[PathBuf]) -> String {
    let mut out = String::new();
    let name = |log: usize| {
        logs.get(log)
            .map_or_else(String::new, |log| log.display().to_string())
    };
    // Writing into a string cannot fail.
    let _ = writeln!(
        out,
        "{} lines{}, {} grants, clocks within {} s",
        grouped(done.lines),
        span(done),
        grouped(done.grants),
        done.window_seconds
    );
    let mut row = |word: &str, count: u64, what: &str, paint: Option<Paint>| {
        let pad = " ".repeat(11_usize.saturating_sub(word.len()));
        let word = match paint {
            Some(paint) if count > 0 => painted(word, paint),
            _ => word.to_owned(),
        };
        let _ = writeln!(out, "  {word}{pad}{:>11}  {what}", grouped(count));
    };
    row(
        "covered",
        done.covered,
        "by one grant each",
        Some(Paint::Good),
    );
    row(
        "uncovered",
        done.uncovered,
        "guarded actions that no case covers",
        Some(Paint::Bad),
    );
    row(
        "unknown",
        done.unknown,
        "of other names, or by grants that are not here",
        Some(Paint::Doubtful),
    );
    row("repeated", done.repeated, "seen before, counted once", None);
    row("ignored", done.ignored, "by the mapping", None);
    row("unreadable", done.unreadable, "", Some(Paint::Bad));
    match &done.adherence {
        Some(rate) => {
            let _ = writeln!(out, "adherence: {} covered", rate.words);
            let uncovered = Rate::new(done.uncovered, rate.of);
            if let Some(words) = uncovered.of_one() {
                let _ = writeln!(out, "uncovered: {words}");
            }
        }
        None => out.push_str("adherence: no guarded action is in the log\n"),
    }
    if let Some(offset) = done.offset {
        let _ = writeln!(
            out,
            "clocks: lines come {} after their grants ({} to {})",
            seconds(offset.mean_ms),
            seconds(offset.least_ms),
            seconds(offset.most_ms)
        );
    }
    if done.grants_without_a_line > 0 {
        let _ = writeln!(
            out,
            "{} grants of that time have no line: not carried out, or not in this log",
            grouped(done.grants_without_a_line)
        );
    }
    if done.actions.len() > 1 || done.uncovered > 0 {
        for count in &done.actions {
            let _ = writeln!(
                out,
                "  {}: {} covered, {} uncovered",
                count.action,
                grouped(count.covered),
                grouped(count.uncovered)
            );
        }
    }
    for line in done.first_uncovered.iter().take(TEXT_LINES) {
        let _ = writeln!(
            out,
            "{} {}:{} {} {}{}: {} ({})",
            painted("uncovered", Paint::Bad),
            name(line.log),
            line.line,
            moment(line.at),
            line.action,
            line.customer
                .as_ref()
                .map_or_else(String::new, |customer| format!(" for `{customer}`")),
            line.why,
            line.reason
        );
    }
    if done.uncovered > TEXT_LINES as u64 {
        let shown = done.uncovered.min(UNCOVERED_SHOWN as u64);
        let _ = writeln!(
            out,
            "and {} more; `--output json` shows the first {}",
            grouped(done.uncovered - TEXT_LINES as u64),
            grouped(shown)
        );
    }
    for line in &done.first_unreadable {
        let _ = writeln!(
            out,
            "{} {}:{} {}",
            painted("unreadable", Paint::Bad),
            name(line.log),
            line.line,
            line.reason
        );
    }
    let more = done
        .unreadable
        .saturating_sub(done.first_unreadable.len() as u64);
    if more > 0 {
        let _ = writeln!(out, "and {} more that cannot be read", grouped(more));
    }
    if !done.other_names.is_empty() {
        let names: Vec<String> = done
            .other_names
            .iter()
            .take(10)
            .map(|(name, count)| format!("`{name}` {}", grouped(*count)))
            .collect();
        let _ = writeln!(
            out,
            "names that the procedure does not have: {} (name them in the mapping, under `actions` or `ignore`)",
            names.join(", ")
        );
    }
    out
}

fn span(done: &Reconciliation) -> String {
    match (done.from, done.to) {
        (Some(from), Some(to)) => format!(" from {} to {}", moment(from), moment(to)),
        _ => String::new(),
    }
}

fn moment(at: countersign_cases::Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
        .unwrap_or_default()
}

/// `1.4 s`
fn seconds(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    format!("{sign}{}.{} s", ms / 1_000, ms % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is_in_one_line() {
        assert_eq!(
            how_far(50, Some(100), 3_000, Duration::from_millis(500)),
            "[##########..........]  50 %, 3,000 lines, 6,000 a second"
        );
        assert_eq!(
            how_far(3 << 20, None, 10, Duration::ZERO),
            "3 MB, 10 lines, 10,000 a second"
        );
        assert_eq!(
            (seconds(-1_450), seconds(90)),
            ("-1.4 s".to_owned(), "0.0 s".to_owned())
        );
    }
}
