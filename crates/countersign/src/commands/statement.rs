//! `countersign statement check`: what a public statement does and does not do, and whether it tells the truth it was given.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use countersign_language::LineIndex;
use countersign_service::Operator;
use countersign_statements::{
    Contradiction, Disagreement, Fault, Filled, Incident, LONGEST, Met, Quality, Report, check,
    compare, contradictions, decode, fill,
};
use serde_json::{Value, json};

use crate::commands::procedure::NOT_VALID;
use crate::commands::reconcile::gate_to_read;
use crate::commands::sarif;
use crate::commands::serve::configured;
use crate::terminal::{self, Paint, painted};

/// Something is missing, or should not be there.
const FOUND: u8 = 1;

/// Most contradictions of a text, and disagreements between texts, that are listed: nobody reads more.
const LISTED_MAX: usize = 200;

/// Longest incident that is read, in bytes.
const LONGEST_INCIDENT: u64 = 1 << 20;

/// What is asked for.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Facts of the incident, as a JSON file or by its id in the gate's database (with `--config`): its numbers and times are held against the text's, and `{{customers_affected}}` in a text is filled.
    #[arg(long, value_name = "FILE|ID")]
    incident: Option<PathBuf>,
    /// The configuration file of a gate that is not running, where `--incident` is an id; of one that runs, save `GET /v1/incidents/ID/facts`.
    #[arg(long, value_name = "FILE", requires = "incident")]
    config: Option<PathBuf>,
    /// How to write the answer.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Texts in any encoding; `-` for standard input. Several are versions of one statement: the longest must do all of it, the others must not tell other facts.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// One version, and all that was found in it.
struct Checked {
    file: String,
    encoding: &'static str,
    /// As it was written, with its fields.
    text: String,
    filled: Filled,
    report: Report,
    /// Whether it must do all eight.
    is_longest: bool,
    contradictions: Vec<Contradiction>,
}

/// Exit 0 if nothing was found, 1 if something was, 2 if a file cannot be read.
pub(crate) fn check_files(asked: &Check) -> anyhow::Result<ExitCode> {
    let incident = match (&asked.incident, &asked.config) {
        (None, _) => None,
        (Some(file), None) => Some(incident(file)?),
        (Some(id), Some(config)) => match incident_of_gate(&id.to_string_lossy(), config)? {
            Some(incident) => Some(incident),
            None => return Ok(ExitCode::from(NOT_VALID)),
        },
    };
    let mut versions = Vec::new();
    for file in &asked.files {
        match version(file, incident.as_ref()) {
            Ok(version) => versions.push(version),
            Err(error) => {
                terminal::complain(&format!("error: {error:#}"));
                return Ok(ExitCode::from(NOT_VALID));
            }
        }
    }
    let longest = versions
        .iter()
        .enumerate()
        .max_by_key(|(at, version)| (version.filled.text.len(), std::cmp::Reverse(*at)))
        .map(|(at, _)| at);
    for (at, version) in versions.iter_mut().enumerate() {
        version.is_longest = Some(at) == longest;
    }
    let texts: Vec<&str> = versions
        .iter()
        .map(|version| version.filled.text.as_str())
        .collect();
    let mut disagreements = compare(&texts);
    disagreements.truncate(LISTED_MAX);
    let well = disagreements.is_empty() && versions.iter().all(Checked::is_well);
    let written = match asked.format {
        Format::Text => text(&versions, &disagreements),
        Format::Json => format!("{}\n", json(&versions, &disagreements, well)),
        Format::Sarif => format!("{}\n", sarif(&versions, &disagreements)),
    };
    terminal::print(&written)?;
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND)
    })
}

fn incident(file: &Path) -> anyhow::Result<Incident> {
    let bytes = bytes(file, LONGEST_INCIDENT)
        .with_context(|| format!("cannot read the incident `{}`", file.display()))?;
    serde_json::from_slice(&bytes).with_context(|| {
        format!(
            "`{}` does not hold the facts of an incident",
            file.display()
        )
    })
}

/// From the database that the configuration names; `None` where the configuration is wrong, which was said.
fn incident_of_gate(id: &str, config: &Path) -> anyhow::Result<Option<Incident>> {
    let Some((_, installation)) = configured(config)? else {
        return Ok(None);
    };
    let runtime = tokio::runtime::Runtime::new().context("cannot start the program's threads")?;
    runtime.block_on(async {
        let (gate, database) = gate_to_read(
            &installation,
            "the gate is running; save `GET /v1/incidents/ID/facts` and name that file",
        )
        .await?;
        let console = Operator::at_the_console();
        let facts = gate.incident_facts_at_the_console(&console, id).await;
        database.close().await;
        let facts = facts.with_context(|| format!("there are no facts of `{id}`"))?;
        Ok(Some(facts))
    })
}

fn version(file: &Path, incident: Option<&Incident>) -> anyhow::Result<Checked> {
    // Enough for the longest text in the widest encoding, and to see that there is more.
    let bytes = bytes(file, (LONGEST as u64) * 2 + 4)
        .with_context(|| format!("cannot read `{}`", file.display()))?;
    let decoded = decode(&bytes);
    let text = decoded.text.into_owned();
    let filled = fill(&text, incident);
    let report = check(&filled.text);
    let mut found = filled.unknown.clone();
    if let Some(incident) = incident {
        found.extend(
            contradictions(&filled.text, incident)
                .into_iter()
                .map(|found| Contradiction {
                    at: filled.original(found.at),
                    ..found
                }),
        );
    }
    found.sort_by_key(|found| found.at);
    found.truncate(LISTED_MAX);
    Ok(Checked {
        file: file.display().to_string(),
        encoding: decoded.encoding.name(),
        text,
        filled,
        report,
        is_longest: false,
        contradictions: found,
    })
}

fn bytes(file: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(file)?
            .take(most)
            .read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

impl Checked {
    fn is_well(&self) -> bool {
        self.contradictions.is_empty()
            && self.report.faults.is_empty()
            && self.missing().next().is_none()
    }

    /// Of the eight, those that this version must do and does not, or only in part.
    fn missing(&self) -> impl Iterator<Item = &Quality> {
        self.report
            .does
            .iter()
            .filter(|quality| self.is_longest && quality.met != Met::Yes)
    }

    /// Line and column, 1-based, of a range of the filled text.
    fn place(&self, at: (usize, usize)) -> [usize; 4] {
        self.written_place(self.filled.original(at))
    }

    fn written_place(&self, at: (usize, usize)) -> [usize; 4] {
        let lines = LineIndex::new(&self.text);
        let position = |byte: usize| {
            let byte = u32::try_from(byte.min(self.text.len())).unwrap_or(u32::MAX);
            lines.position(&self.text, byte)
        };
        let (start, end) = (position(at.0), position(at.1));
        [start.line, start.column, end.line, end.column]
    }
}

fn text(versions: &[Checked], disagreements: &[Disagreement]) -> String {
    let mut out = String::new();
    for version in versions {
        one(&mut out, version);
    }
    if !disagreements.is_empty() {
        out.push_str("the versions tell different facts\n");
    }
    for found in disagreements {
        let (Some(says), Some(more)) = (versions.get(found.in_version), versions.get(found.not_in))
        else {
            continue;
        };
        let [line, column, ..] = says.place(found.fact.at);
        // Writing into a string cannot fail.
        let _ = writeln!(
            out,
            "  {}     {}:{line}:{column} says `{}`, `{}` does not",
            painted("error", Paint::Bad),
            says.file,
            found.fact.quote,
            more.file
        );
    }
    out
}

fn one(out: &mut String, version: &Checked) {
    let report = &version.report;
    let done = report
        .does
        .iter()
        .filter(|quality| quality.met == Met::Yes)
        .count();
    let _ = writeln!(
        out,
        "{}: {} words, does {done} of 8, {}",
        version.file,
        report.words,
        match report.faults.len() {
            0 => "and nothing it should not".to_owned(),
            1 => "and one thing it should not".to_owned(),
            n => format!("and {n} things it should not"),
        }
    );
    if report.cut {
        let _ = writeln!(
            out,
            "  {}      only the first {LONGEST} bytes were read",
            painted("note", Paint::Doubtful)
        );
    }
    if version.encoding != "UTF-8" {
        let _ = writeln!(out, "  note      read as {}", version.encoding);
    }
    for found in &version.contradictions {
        let [line, column, ..] = version.written_place(found.at);
        let _ = writeln!(
            out,
            "  {}     {line}:{column} `{}`\n            {}",
            painted("error", Paint::Bad),
            found.quote,
            found.known
        );
    }
    for quality in &report.does {
        let (word, paint) = match quality.met {
            Met::Yes => ("does", Paint::Good),
            Met::Partly => ("in part", Paint::Doubtful),
            Met::No => ("does not", Paint::Bad),
        };
        if quality.met != Met::Yes && !version.is_longest {
            continue;
        }
        let pad = " ".repeat(10_usize.saturating_sub(word.len()));
        let _ = write!(out, "  {}{pad}{}", painted(word, paint), quality.does);
        match (&quality.quote, quality.at) {
            (Some(quote), Some(at)) => {
                let [line, column, ..] = version.place(at);
                let _ = writeln!(out, "\n            {line}:{column} “{quote}”");
            }
            _ => out.push('\n'),
        }
        if quality.met != Met::Yes {
            advice(out, &quality.why, &quality.better);
        }
    }
    for fault in &report.faults {
        let [line, column, ..] = version.place(fault.at);
        let _ = writeln!(
            out,
            "  {} {}\n            {line}:{column} “{}”",
            painted("should not", Paint::Bad),
            fault.does,
            fault.quote
        );
        advice(out, &fault.why, &fault.better);
    }
}

fn advice(out: &mut String, why: &str, better: &str) {
    let _ = writeln!(out, "            why: {why}\n            better: {better}");
}

fn json(versions: &[Checked], disagreements: &[Disagreement], well: bool) -> Value {
    let statements: Vec<Value> = versions
        .iter()
        .map(|version| {
            json!({
                "file": version.file,
                "encoding": version.encoding,
                "words": version.report.words,
                "letters": version.filled.text.trim().chars().count(),
                "cut": version.report.cut,
                "must_do_all": version.is_longest,
                "well": version.is_well(),
                "does": version.report.does,
                "faults": version.report.faults,
                "contradictions": version.contradictions,
            })
        })
        .collect();
    let name = |at: usize| versions.get(at).map(|version| version.file.clone());
    let disagreements: Vec<Value> = disagreements
        .iter()
        .map(|found| {
            json!({
                "fact": found.fact,
                "in": name(found.in_version),
                "not_in": name(found.not_in),
            })
        })
        .collect();
    json!({ "well": well, "statements": statements, "disagreements": disagreements })
}

fn sarif(versions: &[Checked], disagreements: &[Disagreement]) -> Value {
    let mut results = Vec::new();
    let mut rules: Vec<(String, String)> = Vec::new();
    let mut add = |rule: String, title: &str, level: &str, message: String, location: Value| {
        results.push(json!({
            "ruleId": rule,
            "level": level,
            "message": { "text": message },
            "locations": [location],
        }));
        if !rules.iter().any(|(id, _)| *id == rule) {
            rules.push((rule, title.to_owned()));
        }
    };
    for version in versions {
        for quality in version.missing() {
            let place = quality.at.map(|at| version.place(at));
            add(
                format!("statement-{}", quality.name),
                &quality.does,
                "warning",
                format!("{}\n{}", quality.why, quality.better),
                sarif::location(&version.file, place, None),
            );
        }
        for fault in &version.report.faults {
            let Fault {
                name,
                does,
                quote,
                at,
                why,
                better,
                ..
            } = fault;
            add(
                format!("statement-{name}"),
                does,
                "warning",
                format!("“{quote}”: {why}\n{better}"),
                sarif::location(&version.file, Some(version.place(*at)), None),
            );
        }
        for found in &version.contradictions {
            add(
                "statement-fact".to_owned(),
                "tells other facts than the incident",
                "error",
                format!("`{}`: {}", found.quote, found.known),
                sarif::location(&version.file, Some(version.written_place(found.at)), None),
            );
        }
    }
    for found in disagreements {
        let (Some(says), Some(more)) = (versions.get(found.in_version), versions.get(found.not_in))
        else {
            continue;
        };
        add(
            "statement-versions".to_owned(),
            "tells other facts than a longer version",
            "error",
            format!("`{}` does not stand in `{}`", found.fact.quote, more.file),
            sarif::location(&says.file, Some(says.place(found.fact.at)), None),
        );
    }
    let rules: Vec<Value> = rules
        .into_iter()
        .map(|(id, title)| json!({ "id": id, "shortDescription": { "text": title } }))
        .collect();
    sarif::run(&rules, &results)
}
