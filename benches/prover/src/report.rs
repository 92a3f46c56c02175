//! What was measured, line by line and in a table with the goals beside.

#![expect(clippy::print_stdout, reason = "a measurement prints")]

use std::collections::BTreeMap;

use crate::{
    clock::say_seconds as say,
    process::{Done, Outcome},
};

/// One question about one procedure, answered by ours and perhaps by a peer.
pub(crate) struct Sample {
    question: &'static str,
    family: &'static str,
    size: usize,
    ours: Outcome,
    peer: Option<Outcome>,
    agree: Option<bool>,
    remark: String,
}

impl Sample {
    pub(crate) fn new(
        question: &'static str,
        family: &'static str,
        size: usize,
        ours: Outcome,
        peer: Option<Outcome>,
    ) -> Self {
        Self {
            question,
            family,
            size,
            ours,
            peer,
            agree: None,
            remark: String::new(),
        }
    }

    /// Whether the two answers are the same, where both are there.
    pub(crate) fn agreeing(mut self, agree: Option<bool>) -> Self {
        self.agree = agree;
        self
    }

    pub(crate) fn saying(mut self, remark: String) -> Self {
        self.remark = remark;
        self
    }

    /// How many times as long as ours the peer took: from text, and after reading.
    /// The last is true if the peer was stopped, so that this is the least it can be.
    fn ratio(&self, limit: f64) -> Option<(f64, f64, bool)> {
        let Outcome::Done(ours) = &self.ours else {
            return None;
        };
        match self.peer.as_ref()? {
            Outcome::Done(peer) => {
                Some((peer.total() / ours.total(), peer.work / ours.work, false))
            }
            Outcome::Late => Some((limit / ours.total(), limit / ours.work, true)),
        }
    }

    fn line(&self) -> String {
        let one = |outcome: &Outcome| match outcome {
            Outcome::Late => "over the limit".to_owned(),
            Outcome::Done(done) if done.parts.is_empty() => format!("{} hot", say(done.work)),
            Outcome::Done(done) => {
                let parts: Vec<String> = done
                    .parts
                    .iter()
                    .map(|(part, seconds)| format!("{part} {}", say(*seconds)))
                    .collect();
                let (total, parts) = (say(done.total()), parts.join(" + "));
                let options = if done.options.is_empty() {
                    String::new()
                } else {
                    format!(", {}", done.options)
                };
                format!("{total} = {parts}, {} MB{options}", done.megabytes)
            }
        };
        let peer = self.peer.as_ref().map_or(String::new(), |peer| {
            let ratio = match self.ratio(f64::NAN) {
                Some((total, work, false)) if total < work || work < total => {
                    format!(" | {total:.1}x, {work:.1}x after reading")
                }
                Some((total, _, false)) => format!(" | {total:.1}x"),
                _ => String::new(),
            };
            format!(" | peer {}{ratio}", one(peer))
        });
        let agree = match self.agree {
            Some(false) => " | ANSWERS DIFFER",
            Some(true) => " | agree",
            None => "",
        };
        format!(
            "  {}: ours {}{peer}{agree} | {}",
            self.question,
            one(&self.ours),
            self.remark
        )
    }
}

/// What the project wants to reach.
#[derive(Clone, Copy)]
enum Goal {
    /// Seconds, from the text.
    FromText(f64),
    /// Seconds, without reading the text: compiled and answered, or hot.
    AfterReading(f64),
    /// Times as fast as the peer, both from text.
    RatioFromText(f64),
    /// Times as fast as the peer, both after reading.
    Ratio(f64),
    /// Never less than so many times as fast as the peer, both from text.
    Never(f64),
    /// Megabytes at the most.
    Megabytes(u64),
}

fn goals(question: &str, family: &str, size: usize) -> &'static [Goal] {
    use Goal::{AfterReading, FromText, Megabytes, Never, Ratio, RatioFromText};
    match (question, family, size) {
        ("attacks", "usual", 100) => &[FromText(2e-3), RatioFromText(30.0)],
        ("attacks", "usual", 1_000) => &[FromText(30e-3), RatioFromText(400.0)],
        ("attacks", "usual", 10_000) => &[FromText(250e-3)],
        ("attacks", "usual", 100_000) => &[FromText(1.5), Megabytes(400)],
        ("cheapest", "usual", 1_000) => &[Ratio(30.0)],
        ("cheapest", "usual", 10_000) => &[Ratio(10.0)],
        ("cheapest", "usual", 100_000) => &[Ratio(20.0)],
        ("cheapest", "hitting sets" | "dense", _) => &[Never(0.5)],
        ("promise kept" | "promise broken", "usual", 1_000) => &[Ratio(25.0)],
        ("promise kept" | "promise broken", "usual", 100_000) => {
            &[Ratio(40.0), AfterReading(250e-3)]
        }
        ("reach", "usual", 100_000) => &[AfterReading(20e-3), Ratio(20.0)],
        ("reach of three", "usual", _) => &[AfterReading(1e-6)],
        _ => &[],
    }
}

/// Everything measured so far.
pub(crate) struct Report {
    samples: Vec<Sample>,
    /// Seconds after which a process was stopped.
    limit: f64,
}

type Key = (&'static str, &'static str, usize);

impl Report {
    pub(crate) fn new(limit: f64) -> Self {
        Self {
            samples: Vec::new(),
            limit,
        }
    }

    /// Keeps a sample and prints it.
    pub(crate) fn add(&mut self, sample: Sample) {
        println!("{}", sample.line());
        self.samples.push(sample);
    }

    /// No two answers differ.
    pub(crate) fn agree(&self) -> bool {
        self.samples
            .iter()
            .all(|sample| sample.agree != Some(false))
    }

    /// The medians as a table in Markdown, the goals beside, and what grows how.
    pub(crate) fn print(&self) {
        let mut groups: BTreeMap<Key, Group<'_>> = BTreeMap::new();
        for sample in &self.samples {
            groups
                .entry((sample.family, sample.question, sample.size))
                .or_default()
                .0
                .push(sample);
        }
        println!(
            "\nMedians (least to most). Ratio: the peer's time over ours. Stopped after {} s: \"over\".\n",
            self.limit
        );
        println!(
            "| family | question | N | ours from text | of it after reading | peer from text | ratio from text | ratio after reading | goals |"
        );
        println!("|---|---|---|---|---|---|---|---|---|");
        for (&(family, question, size), group) in &groups {
            let goals: Vec<String> = goals(question, family, size)
                .iter()
                .map(|&goal| group.judge(goal, self.limit))
                .collect();
            println!(
                "| {family} | {question} | {size} | {} | {} | {} | {} | {} | {} |",
                seconds(&group.ours(Done::total)),
                seconds(&group.ours(|done| done.work)),
                seconds(&group.peer()),
                times(&group.ratios(self.limit, true)),
                times(&group.ratios(self.limit, false)),
                goals.join("; ")
            );
        }
        for question in ["reach", "promise kept", "promise broken"] {
            let at = |size| {
                let group = groups.get(&("usual", question, size))?;
                middle(&group.ours(|done| done.work)).filter(|time| time.is_finite())
            };
            if let (Some(small), Some(large)) = (at(1_000), at(100_000)) {
                let n_log_n = 100.0 * (100_000_f64.ln() / 1_000_f64.ln());
                println!(
                    "\n{question}: from N = 1,000 to 100,000 times {:.0}; N log N is times {n_log_n:.0}: {}",
                    large / small,
                    met(large / small <= n_log_n)
                );
            }
        }
        let compared = self
            .samples
            .iter()
            .filter(|sample| sample.agree.is_some())
            .count();
        let differ = self
            .samples
            .iter()
            .filter(|sample| sample.agree == Some(false))
            .count();
        println!("\n{compared} answers compared with a peer's, {differ} differ");
    }
}

/// The samples of one line of the table.
#[derive(Default)]
struct Group<'a>(Vec<&'a Sample>);

impl Group<'_> {
    /// Our times; infinite where we were stopped.
    fn ours(&self, of: impl Fn(&Done) -> f64) -> Vec<f64> {
        self.0
            .iter()
            .map(|sample| match &sample.ours {
                Outcome::Done(done) => of(done),
                Outcome::Late => f64::INFINITY,
            })
            .collect()
    }

    fn peer(&self) -> Vec<f64> {
        self.0
            .iter()
            .filter_map(|sample| sample.peer.as_ref())
            .map(|peer| match peer {
                Outcome::Done(done) => done.total(),
                Outcome::Late => f64::INFINITY,
            })
            .collect()
    }

    /// Each with whether it is only the least it can be.
    fn ratios(&self, limit: f64, from_text: bool) -> Vec<(f64, bool)> {
        self.0
            .iter()
            .filter_map(|sample| sample.ratio(limit))
            .map(|(text, work, least)| (if from_text { text } else { work }, least))
            .collect()
    }

    fn judge(&self, goal: Goal, limit: f64) -> String {
        let within = |times: Vec<f64>, goal: f64| {
            let time = middle(&times).unwrap_or(f64::INFINITY);
            format!("{}: {}", say(goal), met(time <= goal))
        };
        let ratio = |ratios: Vec<(f64, bool)>, goal: f64| {
            let all: Vec<f64> = ratios.iter().map(|&(ratio, _)| ratio).collect();
            match middle_ratio(&all) {
                None => format!("{goal}x: not compared"),
                Some(ratio) if ratio >= goal => format!("{goal}x: met"),
                Some(_) if ratios.iter().any(|&(_, least)| least) => {
                    format!("{goal}x: at the limit, not known")
                }
                Some(_) => format!("{goal}x: MISSED"),
            }
        };
        match goal {
            Goal::FromText(goal) => within(self.ours(Done::total), goal),
            Goal::AfterReading(goal) => within(self.ours(|done| done.work), goal),
            Goal::RatioFromText(goal) => ratio(self.ratios(limit, true), goal),
            Goal::Ratio(goal) => ratio(self.ratios(limit, false), goal),
            Goal::Never(goal) => {
                let worst = self.ratios(limit, true).into_iter();
                let worst = worst.min_by(|(one, _), (other, _)| one.total_cmp(other));
                ratio(worst.into_iter().collect(), goal)
            }
            Goal::Megabytes(goal) => {
                let peak = self.0.iter().map(|sample| match &sample.ours {
                    Outcome::Done(done) => done.megabytes,
                    Outcome::Late => u64::MAX,
                });
                let peak = peak.max().unwrap_or(u64::MAX);
                match peak {
                    u64::MAX => format!("{goal} MB: not known"),
                    peak => format!("{goal} MB: {} with {peak}", met(peak <= goal)),
                }
            }
        }
    }
}

/// The middle one; of two middles the greater time.
fn middle(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// The middle one; of two middles the lesser ratio.
fn middle_ratio(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

fn spread(values: &[f64], middle: Option<f64>, say: impl Fn(f64) -> String) -> String {
    let Some(middle) = middle else {
        return "–".to_owned();
    };
    if let [_] = values {
        return say(middle);
    }
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    format!("{} ({} to {})", say(middle), say(least), say(most))
}

fn seconds(values: &[f64]) -> String {
    spread(values, middle(values), |value| {
        if value.is_finite() {
            say(value)
        } else {
            "over".to_owned()
        }
    })
}

fn times(ratios: &[(f64, bool)]) -> String {
    let values: Vec<f64> = ratios.iter().map(|&(ratio, _)| ratio).collect();
    let said = spread(&values, middle_ratio(&values), |value| {
        if value >= 10.0 {
            format!("{value:.0}")
        } else {
            format!("{value:.1}")
        }
    });
    if ratios.iter().any(|&(_, least)| least) {
        format!("{said}, at least")
    } else {
        said
    }
}

/// Whether a goal is met, in a word.
fn met(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}
