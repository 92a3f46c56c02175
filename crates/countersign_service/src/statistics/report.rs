//! The figures of a period, put together from sums.

use std::collections::BTreeMap;

use countersign_language::Procedure;
use serde::Serialize;

use super::{
    Period, Rate,
    fold::{GAVE_UP, NO_PATH, STEPS},
    rollup::{Answers, Rollup, Tally},
};

/// All figures of a period. Days are UTC; times are seconds, within 0.8 % where they exceed two minutes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statistics {
    /// First day, `2026-10-25`.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Events that are not in the figures yet.
    pub behind: u64,
    /// Cases.
    pub totals: Totals,
    /// Cases in as many days before.
    pub before: Totals,
    /// What happened by day, or by month where the period is longer than 92 days; only those where something did.
    pub periods: Vec<PeriodRow>,
    /// Cases by action, path and outcome.
    pub actions: Vec<ActionRow>,
    /// How often a path that is not the first of its action was used, and who had opened those cases.
    pub exceptions: Vec<ExceptionRow>,
    /// Of cases that ended without a grant: the requirement that was missing next.
    pub requirements: Vec<Bar>,
    /// Of cases that ran out or were taken back: how far the customer had come.
    pub gave_up: Vec<Bar>,
    /// Times from opening to each step.
    pub steps: Vec<StepRow>,
    /// Proofs made.
    pub proofs: Vec<Bar>,
    /// Wrong answers by proof.
    pub wrong_answers: Vec<Bar>,
    /// Locks after too many wrong answers by proof.
    pub lockouts: Vec<Bar>,
    /// Stops: by the customer, by somebody who was told, and those that came too late.
    pub stops: Vec<Bar>,
    /// Rates that say how far procedure was followed.
    pub rates: Vec<Bar>,
    /// How colleagues answered, together.
    pub vigilance: Vigilance,
    /// How the reader answered.
    pub own: Option<ApproverRow>,
    /// How each colleague answered, by name, for auditors; only who answered five times or more.
    pub approvers: Vec<ApproverRow>,
    /// How long cases lay before a colleague answered, by hour of the week, UTC.
    pub hours: Vec<HourRow>,
}

/// Counts of cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Opened.
    pub opened: u64,
    /// Granted.
    pub granted: u64,
    /// Done.
    pub done: u64,
    /// The backend did not do it.
    pub failed: u64,
    /// The backend did not answer, and nobody knows to this day.
    pub unknown: u64,
    /// Refused by a colleague.
    pub refused: u64,
    /// Stopped.
    pub stopped: u64,
    /// Taken back.
    pub withdrawn: u64,
    /// Ran out.
    pub expired: u64,
}

/// One day or month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeriodRow {
    /// `2026-11-23` or `2026-11`
    pub period: String,
    /// Cases.
    pub totals: Totals,
    /// Median seconds from opening to done.
    pub median: Option<u64>,
    /// 90th percentile.
    pub p90: Option<u64>,
}

/// Cases of one action that ended in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActionRow {
    /// Name of the action.
    pub action: String,
    /// Path of the grant; `None` for cases without one.
    pub path: Option<String>,
    /// `done`, `failed`, `unknown`, `refused`, `stopped`, `withdrawn`, `expired`
    pub outcome: String,
    /// How many.
    pub count: u64,
}

/// How often an exception was used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExceptionRow {
    /// Name of the action.
    pub action: String,
    /// Name of the path.
    pub path: String,
    /// Of all grants of that action.
    pub rate: Rate,
    /// How many of them by who had opened the case.
    pub opened_by: BTreeMap<String, u64>,
}

/// A count of several, with its share.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bar {
    /// What is counted.
    pub name: String,
    /// How often, of how many.
    pub rate: Rate,
}

/// Times from opening to one step, in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepRow {
    /// `Words confirmed`
    pub step: String,
    /// Cases that came so far.
    pub count: u64,
    /// Half of them took at most this long.
    pub median: u64,
    /// Nine of ten.
    pub p90: u64,
    /// 99 of a hundred.
    pub p99: u64,
}

/// How colleagues answered, together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vigilance {
    /// Signed, of all answers.
    pub signed: Rate,
    /// Median seconds from the last change of a case to the answer: the most they can have spent on what they signed.
    pub median: Option<u64>,
}

/// How one colleague answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApproverRow {
    /// Id of the person.
    pub person: String,
    /// Name.
    pub name: String,
    /// Signed, of all answers.
    pub signed: Rate,
    /// Median seconds, as in [`Vigilance`].
    pub median: Option<u64>,
}

/// Answers in one hour of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HourRow {
    /// 0 is Monday.
    pub weekday: u8,
    /// 0 to 23, UTC.
    pub hour: u8,
    /// How many.
    pub count: u64,
    /// Mean seconds the case lay before.
    pub mean: u64,
}

/// Puts the figures together. `series` is by day or month; everything in it is counted.
pub(crate) fn report(
    period: &Period,
    series: &Series,
    before: &Rollup,
    procedure: &Procedure,
) -> Statistics {
    let all = series.total();
    let answered = together(&all.approvers);
    Statistics {
        from: period.from.clone(),
        to: period.to.clone(),
        behind: 0,
        totals: totals(&all),
        before: totals(before),
        periods: series
            .by_period
            .iter()
            .map(|(name, sums)| period_row(name, sums))
            .collect(),
        actions: actions(&series.by_action),
        exceptions: exceptions(&series.by_action),
        requirements: bars(&all.missing, std::borrow::ToOwned::to_owned),
        gave_up: GAVE_UP
            .iter()
            .filter(|(step, _)| all.gave_up.contains_key(*step))
            .map(|(step, words)| Bar {
                name: (*words).to_owned(),
                rate: Rate::new(of(&all.gave_up, step), sum(&all.gave_up)),
            })
            .collect(),
        steps: steps(&all),
        proofs: bars(&all.proofs, |name| proof_label(procedure, name)),
        wrong_answers: bars(&all.wrong, |name| proof_label(procedure, name)),
        lockouts: bars(&all.lockouts, |name| proof_label(procedure, name)),
        stops: bars(&all.stops, |name| {
            match name {
                "customer" => "by the customer",
                "contact" => "by somebody who was told",
                _ => "too late",
            }
            .to_owned()
        }),
        rates: rates(&all),
        vigilance: Vigilance {
            signed: Rate::new(answered.signed, answered.signed + answered.refused),
            median: answered.seconds.quantile(500),
        },
        own: None,
        approvers: Vec::new(),
        hours: all
            .hours
            .iter()
            .map(|(hour, waits)| HourRow {
                weekday: hour / 24,
                hour: hour % 24,
                count: waits.count,
                mean: waits.seconds / waits.count.max(1),
            })
            .collect(),
    }
}

/// Sums of a period, added up by what the page shows them by.
#[derive(Debug, Default)]
pub(crate) struct Series {
    pub(crate) by_period: BTreeMap<String, Rollup>,
    /// By action, then by who opened the cases.
    pub(crate) by_action: BTreeMap<String, BTreeMap<String, Rollup>>,
}

impl Series {
    /// Everything together.
    pub(crate) fn total(&self) -> Rollup {
        let mut total = Rollup::default();
        for sums in self.by_period.values() {
            total.absorb(sums);
        }
        total
    }
}

/// How one colleague answered.
pub(crate) fn approver(person: &str, answers: &Answers) -> ApproverRow {
    ApproverRow {
        person: person.to_owned(),
        name: answers.name.clone(),
        signed: Rate::new(answers.signed, answers.signed + answers.refused),
        median: answers.seconds.quantile(500),
    }
}

fn together(approvers: &BTreeMap<String, Answers>) -> Answers {
    let mut sums = Rollup::default();
    for answers in approvers.values() {
        let one = Rollup {
            approvers: BTreeMap::from([(String::new(), answers.clone())]),
            ..Rollup::default()
        };
        sums.absorb(&one);
    }
    sums.approvers.remove("").unwrap_or_default()
}

fn totals(sums: &Rollup) -> Totals {
    Totals {
        opened: sums.opened,
        granted: sums.granted.values().map(|grants| grants.count).sum(),
        done: sums.ended("done"),
        failed: sums.ended("failed"),
        unknown: sums.ended("unknown").saturating_sub(sum(&sums.resolved)),
        refused: sums.ended("refused"),
        stopped: sums.ended("stopped"),
        withdrawn: sums.ended("withdrawn"),
        expired: sums.ended("expired"),
    }
}

impl Totals {
    /// Cases that came to an end, whichever.
    pub fn ended(&self) -> u64 {
        self.done + self.failed + self.refused + self.stopped + self.withdrawn + self.expired
    }
}

fn period_row(name: &str, sums: &Rollup) -> PeriodRow {
    let done = sums.times.get("done");
    PeriodRow {
        period: name.to_owned(),
        totals: totals(sums),
        median: done.and_then(|times| times.quantile(500)),
        p90: done.and_then(|times| times.quantile(900)),
    }
}

fn actions(by_action: &BTreeMap<String, BTreeMap<String, Rollup>>) -> Vec<ActionRow> {
    let mut rows = Vec::new();
    for (action, teams) in by_action {
        let mut counts: BTreeMap<(&String, &String), u64> = BTreeMap::new();
        let mut resolved: BTreeMap<&String, u64> = BTreeMap::new();
        for sums in teams.values() {
            for (path, outcomes) in &sums.outcomes {
                for (outcome, count) in outcomes {
                    *counts.entry((path, outcome)).or_default() += count;
                }
            }
            for (path, count) in &sums.resolved {
                *resolved.entry(path).or_default() += count;
            }
        }
        for ((path, outcome), count) in counts {
            let known = if outcome == "unknown" {
                resolved.get(path).copied().unwrap_or(0)
            } else {
                0
            };
            rows.push(ActionRow {
                action: action.clone(),
                path: (path != NO_PATH).then(|| path.clone()),
                outcome: outcome.clone(),
                count: count.saturating_sub(known),
            });
        }
    }
    rows.retain(|row| row.count > 0);
    rows
}

fn exceptions(by_action: &BTreeMap<String, BTreeMap<String, Rollup>>) -> Vec<ExceptionRow> {
    let mut rows = Vec::new();
    for (action, teams) in by_action {
        let grants = teams.values().flat_map(|sums| sums.granted.values());
        let all: u64 = grants.map(|grants| grants.count).sum();
        let mut paths: BTreeMap<&String, BTreeMap<String, u64>> = BTreeMap::new();
        for (team, sums) in teams {
            for (path, grants) in sums.granted.iter().filter(|(_, grants)| grants.exception) {
                *paths
                    .entry(path)
                    .or_default()
                    .entry(team.clone())
                    .or_default() += grants.count;
            }
        }
        for (path, opened_by) in paths {
            rows.push(ExceptionRow {
                action: action.clone(),
                path: path.clone(),
                rate: Rate::new(opened_by.values().sum(), all),
                opened_by,
            });
        }
    }
    rows
}

/// The most frequent first.
fn bars(tally: &Tally, label: impl Fn(&str) -> String) -> Vec<Bar> {
    let all = sum(tally);
    let mut bars: Vec<Bar> = tally
        .iter()
        .map(|(name, count)| Bar {
            name: label(name),
            rate: Rate::new(*count, all),
        })
        .collect();
    bars.sort_by(|a, b| b.rate.count.cmp(&a.rate.count).then(a.name.cmp(&b.name)));
    bars
}

fn steps(all: &Rollup) -> Vec<StepRow> {
    STEPS
        .iter()
        .filter_map(|(name, label)| {
            let times = all.times.get(*name)?;
            Some(StepRow {
                step: (*label).to_owned(),
                count: times.count(),
                median: times.quantile(500)?,
                p90: times.quantile(900)?,
                p99: times.quantile(990)?,
            })
        })
        .collect()
}

/// Of what a backend says it did, how much a case covers; in the time of the log, which is another than that of the page.
/// Both ways round: that one action was uncovered is what statements call isolated.
pub(crate) fn adherence(kept: &crate::reconcile::KeptReconciliation) -> [Bar; 2] {
    let day =
        |at: Option<countersign_cases::Timestamp>| at.map_or_else(String::new, crate::kept::day_of);
    let rate = kept.adherence();
    let bar = |covers: &str, rate| Bar {
        name: format!(
            "Actions in the log of {} that {covers}, {} to {}",
            kept.connector,
            day(kept.from),
            day(kept.to)
        ),
        rate,
    };
    let uncovered = Rate::new(kept.uncovered, rate.of);
    [bar("a case covers", rate), bar("no case covers", uncovered)]
}

/// The same of events that a backend sends as they happen, on the days of the page; and how many of them nobody could read.
pub(crate) fn sent(figures: &crate::reconcile::FeedFigures) -> Vec<Bar> {
    let counts = &figures.counts;
    let (connector, from, to) = (&figures.connector, &figures.from, &figures.to);
    let read = counts.covered + counts.uncovered + counts.waiting + counts.unknown + counts.ignored;
    let mut bars = Vec::new();
    if let Some(rate) = &figures.adherence {
        for (covers, rate) in [
            ("a case covers", rate.clone()),
            ("no case covers", Rate::new(counts.uncovered, rate.of)),
        ] {
            bars.push(Bar {
                name: format!("Actions that {connector} sent and {covers}, {from} to {to}"),
                rate,
            });
        }
    }
    if counts.unreadable > 0 {
        bars.push(Bar {
            name: format!("Events that {connector} sent and nobody can read, {from} to {to}"),
            rate: Rate::new(counts.unreadable, read + counts.unreadable),
        });
    }
    bars
}

fn rates(all: &Rollup) -> Vec<Bar> {
    let totals = totals(all);
    let exceptions = all.granted.values().filter(|grants| grants.exception);
    let ended = totals.ended();
    [
        (
            "grants by an exception path",
            exceptions.map(|grants| grants.count).sum(),
            totals.granted,
        ),
        ("cases refused by a colleague", totals.refused, ended),
        ("cases stopped", totals.stopped, ended),
        (
            "cases that ran out or were taken back",
            totals.expired + totals.withdrawn,
            ended,
        ),
        (
            "grants whose outcome is unknown",
            totals.unknown,
            totals.granted,
        ),
        (
            "grants the backend did not carry out",
            totals.failed,
            totals.granted,
        ),
        (
            "wrong answers that locked a proof",
            sum(&all.lockouts),
            sum(&all.wrong),
        ),
    ]
    .into_iter()
    .map(|(name, count, of)| Bar {
        name: name.to_owned(),
        rate: Rate::new(count, of),
    })
    .collect()
}

fn of(tally: &Tally, name: &str) -> u64 {
    tally.get(name).copied().unwrap_or(0)
}

fn sum(tally: &Tally) -> u64 {
    tally.values().sum()
}

fn proof_label(procedure: &Procedure, name: &str) -> String {
    let mut proofs = procedure.proofs.iter();
    proofs
        .find(|proof| proof.name == name)
        .map_or_else(|| name.to_owned(), |proof| proof.label.clone())
}
