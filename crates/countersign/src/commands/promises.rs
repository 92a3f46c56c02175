//! `check`, `attacks`, `reach` and `lockout`: what the prover says about a procedure, for people and for programs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use countersign_language::{
    ActionId, HoldingId, LossId, Procedure, Severity, Span, Target, line_of, render_json,
};
use countersign_prover::{
    Compromise, Limits, Missing, Repair, Step, Verdict, attacks, length, lockout, reach, repair,
    target_name,
};
use serde_json::{Value, json};

use crate::commands::advice::{self, Asked};
use crate::commands::procedure::{NOT_VALID, Source};
use crate::commands::{certificate, sarif};
use crate::config::did_you_mean;
use crate::installation::broken;
use crate::terminal::{self, Paint, Patience, painted};

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one JSON document a file, each on its line.
    Json,
}

/// How the answer of `check` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// For people.
    Text,
    /// For programs: one JSON document a file, each on its line.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions.
    Github,
}

/// A promise is broken, or a rule that was asked for.
const BROKEN: u8 = 1;

/// `countersign check`: exit 0 if all is well, 1 if a promise or a rule that was asked for is broken, 2 if a file is not valid.
///
/// With `certificate`, the proof of every verdict on the one procedure is written there.
pub(crate) fn check(
    files: &[PathBuf],
    format: CheckFormat,
    asked: &Asked,
    certificate: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    if certificate.is_some() && files.len() > 1 {
        bail!(
            "a certificate is for one procedure: check these {} files one by one",
            files.len()
        );
    }
    let mut checked = Vec::new();
    for file in files {
        let mut source = Source::open(file)?;
        asked.look(&mut source)?;
        let verdicts = source
            .reading
            .procedure
            .as_ref()
            .map(|procedure| Patience::with(|| countersign_prover::check(procedure)));
        if let (Some(to), Some(procedure), Some(verdicts)) =
            (certificate, &source.reading.procedure, &verdicts)
        {
            certificate::write(procedure, verdicts, to)?;
        }
        checked.push(Checked { source, verdicts });
    }
    match format {
        CheckFormat::Text => {
            for file in &checked {
                file.source.complain();
                terminal::print(&file.text())?;
            }
        }
        CheckFormat::Json => {
            for file in &checked {
                terminal::print(&format!("{}\n", file.json()))?;
            }
        }
        CheckFormat::Sarif => terminal::print(&format!("{}\n", sarif::sarif(&checked)))?,
        CheckFormat::Github => terminal::print(&sarif::github(&checked))?,
    }
    Ok(ExitCode::from(
        checked.iter().map(Checked::code).max().unwrap_or(0),
    ))
}

/// A file with what the prover says of it.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The file.
    pub(crate) source: Source,
    /// One a promise; `None` where the file is not valid.
    pub(crate) verdicts: Option<Vec<Verdict>>,
}

impl Checked {
    fn code(&self) -> u8 {
        match &self.verdicts {
            None => NOT_VALID,
            Some(_) if advice::against(&self.source) > 0 => BROKEN,
            Some(verdicts) if verdicts.iter().all(|verdict| verdict.kept) => 0,
            Some(_) => BROKEN,
        }
    }

    fn text(&self) -> String {
        let name = &self.source.name;
        let Some(verdicts) = &self.verdicts else {
            let errors = self
                .source
                .reading
                .diagnostics
                .iter()
                .filter(|found| found.severity == Severity::Error)
                .count();
            return format!("{name}: not valid ({})\n", counted(errors, "error"));
        };
        let kept = verdicts.iter().filter(|verdict| verdict.kept).count();
        let mut out = match (kept, verdicts.len()) {
            (_, 0) => format!("{name}: valid; it promises nothing\n"),
            (kept, all) if kept == all => {
                format!("{name}: valid; {} kept\n", counted(all, "promise"))
            }
            (kept, all) => format!(
                "{name}: valid; {} of {} kept\n",
                kept,
                counted(all, "promise")
            ),
        };
        let against = advice::against(&self.source);
        if against > 0 {
            let _ = writeln!(
                out,
                "  {}  {} against the rules asked for",
                painted("BROKEN", Paint::Bad),
                counted(against, "finding")
            );
        }
        for verdict in verdicts {
            if verdict.kept {
                let _ = write!(
                    out,
                    "  {}    {}",
                    painted("kept", Paint::Good),
                    verdict.text
                );
                if let Some(way) = &verdict.way {
                    let _ = write!(
                        out,
                        " ({})",
                        if way.seconds == 0 {
                            "at once".to_owned()
                        } else {
                            length(way.seconds)
                        }
                    );
                }
                out.push('\n');
            } else {
                let _ = writeln!(
                    out,
                    "  {}  {}",
                    painted("BROKEN", Paint::Bad),
                    indented(&broken(verdict, &self.source.text))
                );
            }
        }
        out
    }

    fn json(&self) -> Value {
        let source = &self.source;
        json!({
            "file": source.name,
            "valid": self.verdicts.is_some(),
            "diagnostics": render_json(&source.reading.diagnostics, &source.name, &source.text),
            "promises": self.verdicts.iter().flatten().map(|verdict| promise(verdict, &source.text)).collect::<Vec<_>>(),
        })
    }
}

fn promise(verdict: &Verdict, source: &str) -> Value {
    let attack = verdict
        .attack
        .as_ref()
        .map(|attack| json!({ "set": attack.set, "steps": steps(&attack.steps, source) }));
    let mut promise = json!({ "text": verdict.text, "kept": verdict.kept, "attack": attack });
    if !verdict.missing.is_empty()
        && let Some(promise) = promise.as_object_mut()
    {
        promise.insert("missing".to_owned(), missing(&verdict.missing, source));
    }
    promise
}

pub(crate) fn steps(steps: &[Step], source: &str) -> Value {
    steps
        .iter()
        .map(|step| place(&step.text, step.span, source))
        .collect()
}

fn missing(missing: &[Missing], source: &str) -> Value {
    missing
        .iter()
        .map(|missing| place(&missing.text, missing.span, source))
        .collect()
}

fn place(text: &str, span: Span, source: &str) -> Value {
    json!({ "text": text, "line": line_of(source, span) })
}

/// `countersign attacks`
pub(crate) fn list_attacks(
    file: &Path,
    on: Option<&str>,
    at_most: usize,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let source = Source::open(file)?;
    let Some(procedure) = source.valid() else {
        return Ok(ExitCode::from(NOT_VALID));
    };
    let targets = targets(procedure, on, &source.name)?;
    for target in targets {
        let found = Patience::with(|| attacks(procedure, &[target], at_most, Limits::default()));
        let name = target_name(procedure, target);
        terminal::print(&match format {
            Format::Json => {
                format!(
                    "{}\n",
                    json!({ "on": name, "at_most": at_most, "complete": found.complete(), "sets": found.names })
                )
            }
            Format::Text => {
                let mut out = match found.names.len() {
                    0 => format!(
                        "{name}: no set of up to {} reaches it\n",
                        counted(at_most, "compromise")
                    ),
                    count => format!(
                        "{name}: {} of up to {at_most}, none of which can be left out\n",
                        counted(count, "set of compromises")
                    ),
                };
                for set in &found.names {
                    let all = if set.is_empty() {
                        "nothing at all".to_owned()
                    } else {
                        set.join(" + ")
                    };
                    let _ = writeln!(out, "  {all}");
                }
                if !found.complete() {
                    let _ = writeln!(
                        out,
                        "  … and possibly more: the list is complete up to size {}",
                        found.complete_to
                    );
                }
                out
            }
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `countersign reach`
pub(crate) fn show_reach(file: &Path, with: &[String], format: Format) -> anyhow::Result<ExitCode> {
    let source = Source::open(file)?;
    let Some(procedure) = source.valid() else {
        return Ok(ExitCode::from(NOT_VALID));
    };
    let with = with
        .iter()
        .map(|word| compromise_named(procedure, word))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let reached = reach(procedure, &with);
    let mut with: Vec<String> = reached
        .with
        .iter()
        .map(|compromise| compromise.name(procedure))
        .collect();
    with.sort_unstable();
    let holdings = |ids: &[HoldingId]| -> Vec<&str> {
        ids.iter()
            .filter_map(|id| Some(procedure.holdings.get(id.index())?.name.as_str()))
            .collect()
    };
    let actions: Vec<(&str, &str, &str)> = reached
        .actions
        .iter()
        .filter_map(|(action, path)| {
            let action = procedure.actions.get(action.index())?;
            Some((
                action.name.as_str(),
                action.label.as_str(),
                action.paths.get(path.index())?.name.as_str(),
            ))
        })
        .collect();
    let losses: Vec<(&str, &str)> = reached
        .losses
        .iter()
        .filter_map(|id| procedure.losses.get(id.index()))
        .map(|loss| (loss.name.as_str(), loss.label.as_str()))
        .collect();
    let (own, new) = (holdings(&reached.own), holdings(&reached.new));
    terminal::print(&match format {
        Format::Json => {
            let actions: Vec<Value> = actions
                .iter()
                .map(|(action, _, path)| json!({ "action": action, "path": path }))
                .collect();
            let losses: Vec<&str> = losses.iter().map(|(name, _)| *name).collect();
            format!(
                "{}\n",
                json!({ "with": with, "actions": actions, "owns": own, "chooses": new, "losses": losses })
            )
        }
        Format::Text => {
            let mut out = format!("with {}:\n", with.join(" + "));
            for (action, label, path) in &actions {
                let _ = writeln!(out, "  can have done     {label} ({action}, path {path})");
            }
            for holding in &own {
                let _ = writeln!(out, "  comes to hold     {holding}");
            }
            for holding in &new {
                let _ = writeln!(out, "  can replace       {holding}");
            }
            for (loss, label) in &losses {
                let _ = writeln!(out, "  can cause         loss of {label} ({loss})");
            }
            if actions.is_empty() && own.is_empty() && new.is_empty() && losses.is_empty() {
                out.push_str("  can do nothing\n");
            }
            out
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// `countersign lockout`
pub(crate) fn show_lockout(
    file: &Path,
    without: &[String],
    format: Format,
) -> anyhow::Result<ExitCode> {
    let source = Source::open(file)?;
    let Some(procedure) = source.valid() else {
        return Ok(ExitCode::from(NOT_VALID));
    };
    let without = without
        .iter()
        .map(|word| holding_named(procedure, word))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let left = lockout(procedure, &without);
    let names: Vec<&str> = left
        .without
        .iter()
        .filter_map(|id| Some(procedure.holdings.get(id.index())?.name.as_str()))
        .collect();
    let ours = |action: ActionId| {
        procedure
            .actions
            .get(action.index())
            .filter(|action| !action.outside)
    };
    terminal::print(&match format {
        Format::Json => {
            let actions: Vec<Value> = left
                .actions
                .iter()
                .filter_map(|access| {
                    let action = ours(access.action)?;
                    let way = access.way.as_ref();
                    Some(json!({
                        "action": action.name,
                        "reachable": way.is_some(),
                        "seconds": way.map(|way| way.seconds),
                        "steps": way.map_or_else(|| json!([]), |way| steps(&way.steps, &source.text)),
                        "missing": missing(&access.missing, &source.text),
                    }))
                })
                .collect();
            format!("{}\n", json!({ "without": names, "actions": actions }))
        }
        Format::Text => {
            let mut out = if names.is_empty() {
                "with everything:\n".to_owned()
            } else {
                format!("without {}:\n", names.join(" + "))
            };
            for access in &left.actions {
                let Some(action) = ours(access.action) else {
                    continue;
                };
                match &access.way {
                    Some(way) if way.seconds == 0 => {
                        let _ = writeln!(out, "  at once     {} ({})", action.label, action.name);
                    }
                    Some(way) => {
                        let _ = writeln!(
                            out,
                            "  after {:<5} {} ({})",
                            length(way.seconds),
                            action.label,
                            action.name
                        );
                    }
                    None => {
                        let _ = writeln!(
                            out,
                            "  {}  {} ({})",
                            painted("LOCKED OUT", Paint::Bad),
                            action.label,
                            action.name
                        );
                        for missing in &access.missing {
                            let _ = writeln!(
                                out,
                                "              {} (line {})",
                                missing.text,
                                line_of(&source.text, missing.span)
                            );
                        }
                    }
                }
            }
            out
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// `countersign repair`
pub(crate) fn show_repairs(
    file: &Path,
    on: Option<&str>,
    at_most: usize,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let source = Source::open(file)?;
    let Some(procedure) = source.valid() else {
        return Ok(ExitCode::from(NOT_VALID));
    };
    let targets = targets(procedure, on, &source.name)?;
    let names: Vec<&str> = targets
        .iter()
        .map(|target| target_name(procedure, *target))
        .collect();
    let repairs = Patience::with(|| repair(procedure, &targets, at_most, Limits::default()));
    terminal::print(&match format {
        Format::Json => {
            let repairs: Vec<Value> = repairs
                .iter()
                .map(|repair| repaired(procedure, repair, &source.text))
                .collect();
            format!(
                "{}\n",
                json!({ "on": names, "at_most": at_most, "repairs": repairs })
            )
        }
        Format::Text if repairs.is_empty() => {
            format!(
                "{}: no set of up to {} reaches it, so there is nothing to mend\n",
                names.join(", "),
                counted(at_most, "compromise")
            )
        }
        Format::Text => {
            let mut out = format!(
                "{}: what one change would mend, the most first\n",
                names.join(", ")
            );
            for repair in &repairs {
                let _ = writeln!(
                    out,
                    "  ends {} of {}  {} (line {})",
                    repair.ends,
                    repair.of,
                    repair.text,
                    line_of(&source.text, repair.span)
                );
                if !repair.locks_out.is_empty() {
                    let _ = writeln!(
                        out,
                        "    {} an honest customer out of {}",
                        painted("locks", Paint::Bad),
                        repair.locks_out.join(", ")
                    );
                }
            }
            out
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn repaired(procedure: &Procedure, repair: &Repair, source: &str) -> Value {
    let action = procedure.actions.get(repair.action.index());
    let path = action.and_then(|action| action.paths.get(repair.path.index()));
    json!({
        "text": repair.text,
        "line": line_of(source, repair.span),
        "action": action.map(|action| &action.name),
        "path": path.map(|path| &path.name),
        "ends": repair.ends,
        "of": repair.of,
        "left": repair.left,
        "complete": repair.complete,
        "locks_out": repair.locks_out,
    })
}

/// What is named, or every loss.
pub(super) fn targets(
    procedure: &Procedure,
    on: Option<&str>,
    file: &str,
) -> anyhow::Result<Vec<Target>> {
    let targets = match on {
        Some(name) => vec![target_named(procedure, name)?],
        None => (0..)
            .take(procedure.losses.len())
            .map(|index| Target::Loss(LossId(index)))
            .collect(),
    };
    if targets.is_empty() {
        bail!("`{file}` declares no loss: say with `--on` which action to look at");
    }
    Ok(targets)
}

pub(super) fn target_named(procedure: &Procedure, name: &str) -> anyhow::Result<Target> {
    let loss = procedure.loss_named(name).map(Target::Loss);
    loss.or_else(|| procedure.action_named(name).map(Target::Action))
        .with_context(|| {
            let losses = procedure.losses.iter().map(|loss| loss.name.as_str());
            let known = losses.chain(procedure.actions.iter().map(|action| action.name.as_str()));
            format!(
                "there is no loss and no action `{name}`{}",
                did_you_mean(name, known)
            )
        })
}

pub(super) fn holding_named(procedure: &Procedure, name: &str) -> anyhow::Result<HoldingId> {
    procedure.holding_named(name).with_context(|| {
        let known = procedure
            .holdings
            .iter()
            .map(|holding| holding.name.as_str());
        format!(
            "there is nothing that a customer holds called `{name}`{}",
            did_you_mean(name, known)
        )
    })
}

/// `mailbox`, `mailbox hijacked`, `agent`, `2 agent deceived`, `notices unread`.
pub(super) fn compromise_named(procedure: &Procedure, words: &str) -> anyhow::Result<Compromise> {
    let words = words.trim();
    if words == "notices unread" {
        return Ok(Compromise::NoticesUnread);
    }
    let bare = ["stolen", "hijacked", "taken", "reached", "deceived"]
        .iter()
        .find_map(|fate| words.strip_suffix(fate));
    let bare = bare.map_or(words, str::trim_end);
    let (count, name) = match bare.split_once(' ') {
        Some((count, name)) => (
            count.parse::<u32>().ok().filter(|count| *count > 0),
            name.trim_start(),
        ),
        None => (Some(1), bare),
    };
    if let (Some(count), Some(role)) = (count, procedure.role_named(name)) {
        return Ok(Compromise::Deceived { role, count });
    }
    if let (Some(1), Some(holding)) = (count, procedure.holding_named(name)) {
        return Ok(Compromise::Holding(holding));
    }
    let holdings = procedure
        .holdings
        .iter()
        .map(|holding| holding.name.as_str());
    let known = holdings
        .chain(procedure.roles.iter().map(|role| role.name.as_str()))
        .chain(["notices unread"]);
    bail!(
        "there is nothing that a customer holds and no staff role called `{words}`{}",
        did_you_mean(name, known)
    )
}

/// `1 error`, `2 errors`.
pub(super) fn counted(count: usize, one: &str) -> String {
    match (count, one.split_once(' ')) {
        (1, _) => format!("1 {one}"),
        (_, Some((head, rest))) => format!("{count} {head}s {rest}"),
        (_, None) => format!("{count} {one}s"),
    }
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n        ")
}
