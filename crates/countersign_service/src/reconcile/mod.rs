//! Every action that really happened at a backend, matched with a case: adherence with its true denominator.
//!
//! A log is JSON lines or CSV, of any length, in pieces of any size. Each line is *covered* by one grant, *uncovered*, or
//! *unknown*: its action is none of the procedure's, or its grant is not here any more. What cannot be read is counted and
//! shown, what was seen before counts once, and nothing is dropped. [`Reconciler`] does no input and reads no clock.

mod feed;
mod gate;
mod index;
mod line;
mod mapping;
mod seen;

use std::borrow::Cow;
use std::collections::BTreeMap;

use countersign_cases::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use feed::{BACKEND_EVENT, Deliveries};
pub use feed::{DeliveryError, FeedCounts, FeedFigures, Taken, UnreadableDelivery};
pub use gate::KeptReconciliation;
pub use index::Granted;
use index::{Deed, Found, Index};
use line::{Columns, Fields, Lines, Wanted};
pub use mapping::{Mapping, OutcomeField};
use seen::Seen;

use crate::statistics::Rate;

/// How far clocks may differ where nobody said, in seconds.
pub const WINDOW_SECONDS: u32 = 300;

/// Unreadable lines that are shown.
pub const UNREADABLE_SHOWN: usize = 20;

/// Uncovered lines that are shown, and raised as alarms.
pub const UNCOVERED_SHOWN: usize = 1_000;

/// Names of other actions that are shown.
const NAMES_SHOWN: usize = 50;

/// What a log is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogForm {
    /// An object a line.
    JsonLines,
    /// RFC 4180, with names in the first record.
    Csv,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// Lines, empty ones left out: the sum of the counts that follow.
    pub lines: u64,
    /// Lines that one grant each covers.
    pub covered: u64,
    /// Lines of guarded actions that nothing covers.
    pub uncovered: u64,
    /// Lines of which it cannot be said: of actions that no procedure names, or by grants that are not here.
    pub unknown: u64,
    /// Lines seen before.
    pub repeated: u64,
    /// Lines that the mapping says to ignore, or that say that nothing was done.
    pub ignored: u64,
    /// Lines that cannot be read.
    pub unreadable: u64,
    /// Covered, of covered and uncovered.
    pub adherence: Option<Rate>,
    /// By action of the procedure.
    pub actions: Vec<ActionCount>,
    /// Names that no procedure has, and how often; the commonest first.
    pub other_names: Vec<(String, u64)>,
    /// Grants issued in the time of the log that no line shows.
    pub grants_without_a_line: u64,
    /// Grants there are.
    pub grants: u64,
    /// First and last time in the log, ms since the epoch.
    pub from: Option<Timestamp>,
    /// Last.
    pub to: Option<Timestamp>,
    /// How far clocks might differ.
    pub window_seconds: u32,
    /// How far the log was behind its grants.
    pub offset: Option<Offset>,
    /// The first uncovered lines.
    pub first_uncovered: Vec<UncoveredLine>,
    /// The first unreadable ones.
    pub first_unreadable: Vec<UnreadableLine>,
}

/// Counts of one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionCount {
    /// Name in the procedure.
    pub action: String,
    /// Covered.
    pub covered: u64,
    /// Uncovered.
    pub uncovered: u64,
}

/// From the moment a grant was signed to the moment its line says, in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// Least; below zero where the backend's clock is behind.
    pub least_ms: i64,
    /// Mean.
    pub mean_ms: i64,
    /// Most.
    pub most_ms: i64,
}

/// A line that nothing covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UncoveredLine {
    /// Which log, by its place among those that were given.
    pub log: usize,
    /// 1-based.
    pub line: u64,
    /// When, by the backend's clock.
    pub at: Timestamp,
    /// Name in the procedure.
    pub action: String,
    /// As the log has it.
    pub customer: Option<String>,
    /// As the log has it.
    pub grant: Option<String>,
    /// `no-grant`, `used-before`, `another-action`, `another-customer`, `other-parameters` or `another-time`.
    pub reason: Cow<'static, str>,
    /// In words.
    pub why: Cow<'static, str>,
    /// What makes it one and the same alarm: a hash of the line or of its id.
    #[serde(skip)]
    pub mark: String,
}

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableLine {
    /// Which log, by its place among those that were given.
    pub log: usize,
    /// 1-based.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// Reads logs and matches them.
#[derive(Debug)]
pub struct Reconciler {
    mapping: Mapping,
    wanted: Wanted,
    window_ms: i64,
    index: Index,
    seen: Seen,
    lines: Lines,
    form: LogForm,
    columns: Option<Result<Columns, String>>,
    tally: Tally,
}

#[derive(Debug, Default)]
struct Tally {
    log: usize,
    /// Of the log under way.
    line: u64,
    done: Reconciliation,
    covered: Vec<u64>,
    uncovered: Vec<u64>,
    names: BTreeMap<String, u64>,
    names_beyond: u64,
    offsets: i128,
    least: Option<i64>,
    most: Option<i64>,
}

impl Reconciler {
    /// Over these grants; `actions` are those of the procedure in force, each with its parameters. A gate makes one over all
    /// of its own.
    pub fn new(
        mapping: Mapping,
        window_seconds: u32,
        actions: &[(String, Vec<String>)],
        grants: impl Iterator<Item = Granted>,
    ) -> Self {
        let index = Index::new(actions, &mapping, grants);
        let counts = vec![0; index.actions()];
        Self {
            wanted: Wanted::of(&mapping),
            mapping,
            window_ms: i64::from(window_seconds) * 1_000,
            index,
            seen: Seen::default(),
            lines: Lines::new(false),
            form: LogForm::JsonLines,
            columns: None,
            tally: Tally {
                covered: counts.clone(),
                uncovered: counts,
                done: Reconciliation {
                    window_seconds,
                    ..Reconciliation::default()
                },
                ..Tally::default()
            },
        }
    }

    /// More grants, before the first log begins. A page at a time, so that never more than one is in memory as text.
    pub fn add_grants(&mut self, grants: impl Iterator<Item = Granted>) {
        let names: Vec<&String> = self.mapping.parameters.keys().collect();
        for grant in grants {
            self.index.add(&names, &grant);
        }
        self.tally.covered.resize(self.index.actions(), 0);
        self.tally.uncovered.resize(self.index.actions(), 0);
    }

    /// Begins the next log.
    pub fn begin(&mut self, form: LogForm) {
        self.index.sort();
        self.lines = Lines::new(form == LogForm::Csv);
        self.form = form;
        self.columns = None;
        self.tally.line = 0;
    }

    /// The next bytes of the log, however many.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.push(chunk, &mut |line, of| self.record(line, of));
        self.lines = lines;
    }

    /// The log is over.
    pub fn end(&mut self) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.finish(&mut |line, of| self.record(line, of));
        self.lines = lines;
        self.tally.log += 1;
    }

    /// Lines that were looked at so far, empty ones included.
    pub fn lines(&self) -> u64 {
        self.tally.line
    }

    /// What came of all logs.
    pub fn finish(self) -> Reconciliation {
        let Tally {
            mut done,
            covered,
            uncovered,
            names,
            names_beyond,
            offsets,
            least,
            most,
            ..
        } = self.tally;
        let counts = covered.into_iter().zip(uncovered).enumerate();
        done.actions = counts
            .filter(|(_, (covered, uncovered))| covered + uncovered > 0)
            .map(|(at, (covered, uncovered))| ActionCount {
                action: self.index.action_name(at).to_owned(),
                covered,
                uncovered,
            })
            .collect();
        let known = done.covered + done.uncovered;
        done.adherence = (known > 0).then(|| Rate::new(done.covered, known));
        done.other_names = names.into_iter().collect();
        done.other_names
            .sort_by(|one, other| (other.1, &one.0).cmp(&(one.1, &other.0)));
        let beyond: u64 = done
            .other_names
            .iter()
            .skip(NAMES_SHOWN)
            .map(|(_, count)| count)
            .sum();
        done.other_names.truncate(NAMES_SHOWN);
        if beyond + names_beyond > 0 {
            done.other_names
                .push(("(others)".to_owned(), beyond + names_beyond));
        }
        done.grants = self.index.len() as u64;
        if let (Some(from), Some(to)) = (done.from, done.to) {
            done.grants_without_a_line = self
                .index
                .without_a_line(from.0.saturating_sub(self.window_ms), to.0);
        }
        if let (Some(least_ms), Some(most_ms)) = (least, most) {
            let mean = offsets / i128::from(done.covered.max(1));
            done.offset = Some(Offset {
                least_ms,
                mean_ms: i64::try_from(mean).unwrap_or(0),
                most_ms,
            });
        }
        done
    }

    /// One line or record, made of so many lines of the file.
    fn record(&mut self, line: Option<&[u8]>, of: u64) {
        self.tally.line += of;
        let Some(line) = line else {
            self.tally
                .unreadable(of, format!("it is longer than {} bytes", line::LINE_MAX));
            return;
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        match self.form {
            LogForm::JsonLines => {
                let read = self.wanted.json(line);
                match read {
                    Ok(fields) => self.entry(line, &fields, of),
                    Err(error) => self.tally.unreadable(of, json_reason(&error)),
                }
            }
            LogForm::Csv => {
                // Taken out while it is read from: the fields borrow from it and from the line.
                match self.columns.take() {
                    None => {
                        let columns = Columns::read(line, &self.mapping);
                        if let Err(reason) = &columns {
                            self.tally.unreadable(of, reason.clone());
                        }
                        self.columns = Some(columns);
                    }
                    Some(Err(reason)) => {
                        self.tally.unreadable(of, reason.clone());
                        self.columns = Some(Err(reason));
                    }
                    Some(Ok(columns)) => {
                        match columns.fields(line) {
                            Ok(fields) => self.entry(line, &fields, of),
                            Err(reason) => self.tally.unreadable(of, reason.to_owned()),
                        }
                        self.columns = Some(Ok(columns));
                    }
                }
            }
        }
    }

    fn entry(&mut self, line: &[u8], fields: &Fields<'_>, of: u64) {
        let identity = fields.id.as_deref().map_or(line, str::as_bytes);
        let Some(action) = fields.action.as_deref() else {
            let reason = format!("it has no `{}`", self.mapping.action);
            return self.tally.unreadable(of, reason);
        };
        let Some(time) = fields.time.as_deref() else {
            let reason = format!("it has no `{}`", self.mapping.time);
            return self.tally.unreadable(of, reason);
        };
        let Some(at_ms) = moment(time) else {
            let reason = format!("`{}` is no time", self.mapping.time);
            return self.tally.unreadable(of, reason);
        };
        if !self.seen.is_new(identity) {
            self.tally.done.lines += 1;
            self.tally.done.repeated += 1;
            return;
        }
        self.tally.done.lines += 1;
        let says_done = self.mapping.outcome.as_ref().is_none_or(|outcome| {
            let said = fields.outcome.as_deref();
            said.is_some_and(|said| outcome.done.contains(said))
        });
        if !says_done || self.mapping.ignore.contains(action) {
            self.tally.done.ignored += 1;
            return;
        }
        self.tally.span(at_ms);
        let action = self
            .mapping
            .actions
            .get(action)
            .map_or(action, String::as_str);
        let Some(place) = self.index.action(action) else {
            self.tally.other(action);
            return;
        };
        let deed = Deed {
            action: place,
            customer: fields.customer.as_deref(),
            parameters: &fields.parameters,
            at_ms,
        };
        let found = match fields.grant.as_deref() {
            Some(grant) => self.index.by_grant(grant, &deed, self.window_ms),
            None => self.index.by_deed(&deed, self.window_ms),
        };
        match found {
            Found::Covered { offset_ms } => self.tally.covered(place, offset_ms),
            Found::Unknown => self.tally.done.unknown += 1,
            Found::Uncovered(why) => {
                let tally = &mut self.tally;
                tally.done.uncovered += 1;
                if let Some(count) = tally.uncovered.get_mut(place) {
                    *count += 1;
                }
                if tally.done.first_uncovered.len() < UNCOVERED_SHOWN {
                    tally.done.first_uncovered.push(UncoveredLine {
                        log: tally.log,
                        line: tally.line,
                        at: Timestamp(at_ms),
                        action: self.index.action_name(place).to_owned(),
                        customer: fields.customer.as_deref().map(str::to_owned),
                        grant: fields.grant.as_deref().map(str::to_owned),
                        reason: why.code().into(),
                        why: why.words().into(),
                        mark: mark(identity),
                    });
                }
            }
        }
    }
}

impl Tally {
    fn unreadable(&mut self, of: u64, reason: String) {
        self.done.lines += of;
        self.done.unreadable += of;
        if self.done.first_unreadable.len() < UNREADABLE_SHOWN {
            self.done.first_unreadable.push(UnreadableLine {
                log: self.log,
                line: self.line,
                reason,
            });
        }
    }

    fn covered(&mut self, place: usize, offset_ms: i64) {
        self.done.covered += 1;
        if let Some(count) = self.covered.get_mut(place) {
            *count += 1;
        }
        self.offsets += i128::from(offset_ms);
        self.least = Some(self.least.map_or(offset_ms, |least| least.min(offset_ms)));
        self.most = Some(self.most.map_or(offset_ms, |most| most.max(offset_ms)));
    }

    fn other(&mut self, name: &str) {
        self.done.unknown += 1;
        if let Some(count) = self.names.get_mut(name) {
            *count += 1;
        } else if self.names.len() < NAMES_SHOWN * 20 {
            let name: String = name.chars().take(100).collect();
            *self.names.entry(name).or_default() += 1;
        } else {
            self.names_beyond += 1;
        }
    }

    fn span(&mut self, at_ms: i64) {
        let at = Timestamp(at_ms);
        self.done.from = Some(self.done.from.map_or(at, |from| from.min(at)));
        self.done.to = Some(self.done.to.map_or(at, |to| to.max(at)));
    }
}

/// RFC 3339, or seconds or milliseconds since 1970, as ms since 1970.
fn moment(text: &str) -> Option<i64> {
    /// Seconds up to here are before the year 5138; a greater number is of ms.
    const SECONDS_MAX: i64 = 99_999_999_999;
    let text = text.trim();
    if text.len() >= 8
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        let whole: i64 = text.split('.').next()?.parse().ok()?;
        return if whole <= SECONDS_MAX {
            Some(whole * 1_000)
        } else {
            Some(whole)
        };
    }
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(at.as_millisecond())
}

/// The reason without the place, which is that of the line.
fn json_reason(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    let reason = whole
        .split_once(" at line ")
        .map_or(whole.as_str(), |(reason, _)| reason);
    format!("it is not JSON as it should be: {reason}")
}

/// A hash of a line or of its id, the same for ever.
fn mark(identity: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use sha2::{Digest as _, Sha256};
    URL_SAFE_NO_PAD.encode(Sha256::digest(identity))
}

#[cfg(test)]
mod tests;
