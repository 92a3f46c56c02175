//! Numbers and times of a text, so that versions of one statement, and the incident itself, can be held against each other.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;

/// A number or a time in a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fact {
    /// What kind.
    pub kind: FactKind,
    /// In one form: `14:02`, `4-14` (month, day), `2016`, `3100`, `480 eur`, `0.1 %`.
    pub value: String,
    /// As it is written.
    pub quote: String,
    /// Byte range in the text.
    pub at: (usize, usize),
}

/// Kinds of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactKind {
    /// A day of a month.
    Date,
    /// An hour and a minute.
    Clock,
    /// A sum of money.
    Money,
    /// A share.
    Share,
    /// A plain number.
    Number,
}

/// A fact of one version that another tells differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    /// Index of the version that has it.
    pub in_version: usize,
    /// Index of the version that tells more and does not have it.
    pub not_in: usize,
    /// The fact.
    pub fact: Fact,
}

/// The facts of a text, in its order.
pub(crate) fn facts(text: &str) -> Vec<Fact> {
    let small = text.to_ascii_lowercase();
    // By byte: looking through what was found before would make a text of numbers slower than its length.
    let mut taken = vec![false; small.len()];
    let mut found = Vec::new();
    for (kind, pattern) in PATTERNS.iter() {
        for hit in pattern.captures_iter(&small) {
            let Some(whole) = hit.get(0) else { continue };
            let range = whole.range();
            if taken
                .get(range.clone())
                .is_none_or(|bytes| bytes.contains(&true))
            {
                continue;
            }
            let part = |name: &str| hit.name(name).map_or("", |part| part.as_str());
            let Some(value) = value(*kind, &part) else {
                continue;
            };
            if let Some(bytes) = taken.get_mut(range.clone()) {
                bytes.fill(true);
            }
            found.push(Fact {
                kind: *kind,
                value,
                quote: text.get(range.clone()).unwrap_or_default().to_owned(),
                at: (range.start, range.end),
            });
        }
    }
    found.sort_by_key(|fact| fact.at);
    found
}

/// Facts that a shorter version states and a longer one does not: a version may leave facts out, but not tell others.
///
/// Versions are compared in the order of their length; of two, the shorter one must hold no fact that the longer one
/// does not tell.
pub fn compare(versions: &[&str]) -> Vec<Disagreement> {
    let told: Vec<Vec<Fact>> = versions.iter().map(|text| facts(text)).collect();
    let mut found = Vec::new();
    for (shorter, facts) in told.iter().enumerate() {
        for (longer, more) in told.iter().enumerate() {
            let length = |at: usize| versions.get(at).map_or(0, |text| text.len());
            if shorter == longer || (length(shorter), shorter) > (length(longer), longer) {
                continue;
            }
            let known: BTreeSet<(FactKind, &str)> = more
                .iter()
                .map(|fact| (fact.kind, fact.value.as_str()))
                .collect();
            found.extend(
                facts
                    .iter()
                    .filter(|fact| !known.contains(&(fact.kind, fact.value.as_str())))
                    .map(|fact| Disagreement {
                        in_version: shorter,
                        not_in: longer,
                        fact: fact.clone(),
                    }),
            );
        }
    }
    found
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

const SMALL: [&str; 13] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
];

static PATTERNS: LazyLock<Vec<(FactKind, Regex)>> = LazyLock::new(|| {
    let month = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?";
    let number = r"\d[\d,]*(?:\.\d+)?";
    [
        (FactKind::Date, format!(r"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?{month}\b")),
        (FactKind::Date, format!(r"\b{month} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b")),
        (
            FactKind::Clock,
            r"\b(?P<hour>\d{1,2}):(?P<minute>\d{2})(?:\s?(?P<half>am|pm))?\b|\b(?P<hour2>\d{1,2})\s?(?P<half2>am|pm)\b"
                .to_owned(),
        ),
        (
            FactKind::Money,
            format!(
                r"(?P<sign>[$€£])\s?(?P<sum>{number})(?: (?P<times>thousand|million|billion))?|\b(?P<sum2>{number})(?: (?P<times2>thousand|million|billion))? (?P<unit>dollars|euros|euro|pounds|usd|eur|gbp)\b"
            ),
        ),
        (FactKind::Share, format!(r"\b(?P<share>{number})\s?(?:%|percent\b|per cent\b)")),
        (
            FactKind::Number,
            format!(
                r"\b(?P<number>{number})(?: (?P<times>hundred|thousand|million|billion))?\b|\b(?P<word>{})\b(?: (?P<times2>hundred|thousand|million|billion)\b)?",
                SMALL.get(2..).unwrap_or_default().join("|")
            ),
        ),
    ]
    .into_iter()
    .filter_map(|(kind, pattern)| Some((kind, Regex::new(&pattern).ok()?)))
    .collect()
});

fn value<'t>(kind: FactKind, part: &impl Fn(&str) -> &'t str) -> Option<String> {
    let either = |one: &str, other: &str| {
        let first = part(one);
        if first.is_empty() { part(other) } else { first }
    };
    match kind {
        FactKind::Date => {
            let month = MONTHS.iter().position(|name| *name == part("month"))? + 1;
            let day: u32 = part("day")
                .parse()
                .ok()
                .filter(|day| (1..=31).contains(day))?;
            Some(format!("{month}-{day}"))
        }
        FactKind::Clock => {
            let hour: u32 = either("hour", "hour2").parse().ok()?;
            let minute: u32 = part("minute").parse().unwrap_or(0);
            let hour = match (either("half", "half2"), hour) {
                ("am", 12) => 0,
                ("pm", 1..=11) => hour + 12,
                _ => hour,
            };
            (hour < 24 && minute < 60).then(|| format!("{hour:02}:{minute:02}"))
        }
        FactKind::Money => {
            let sum = plain(either("sum", "sum2"), either("times", "times2"));
            let unit = match (part("sign"), part("unit")) {
                ("$", _) | (_, "dollars" | "usd") => "usd",
                ("£", _) | (_, "pounds" | "gbp") => "gbp",
                _ => "eur",
            };
            Some(format!("{sum} {unit}"))
        }
        FactKind::Share => Some(format!("{} %", plain(part("share"), ""))),
        FactKind::Number => {
            let word = part("word");
            let digits = if word.is_empty() {
                part("number").to_owned()
            } else {
                SMALL.iter().position(|name| *name == word)?.to_string()
            };
            Some(plain(&digits, either("times", "times2")))
        }
    }
}

/// `6.5 million` as `6500000`; a fraction that stays is kept.
fn plain(digits: &str, times: &str) -> String {
    let power: usize = match times {
        "hundred" => 2,
        "thousand" => 3,
        "million" => 6,
        "billion" => 9,
        _ => 0,
    };
    let digits = digits.replace(',', "");
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let moved: String = fraction
        .chars()
        .chain(std::iter::repeat('0'))
        .take(power)
        .collect();
    let rest = fraction
        .get(power.min(fraction.len())..)
        .unwrap_or_default()
        .trim_end_matches('0');
    let whole = format!("{whole}{moved}");
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    if rest.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{rest}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        facts(text).into_iter().map(|fact| fact.value).collect()
    }

    #[test]
    fn one_fact_has_one_form() {
        assert_eq!(told("on 14 March at 9:12 pm"), ["3-14", "21:12"]);
        assert_eq!(told("March 14th, 21:12"), ["3-14", "21:12"]);
        assert_eq!(
            told("6.5 million people, 1,020 homes, four servers"),
            ["6500000", "1020", "4"]
        );
        assert_eq!(
            told("$15, 250 euros, 0.10 % of 12"),
            ["15 usd", "250 eur", "0.1 %", "12"]
        );
    }

    #[test]
    fn a_short_version_may_leave_out_but_not_tell_otherwise() {
        let long = "On 14 March at 09:12 we lost 7 accounts of 3,100.";
        assert_eq!(compare(&[long, "We lost seven accounts on March 14."]), []);
        let wrong = compare(&[long, "We lost 6 accounts on 14 March."]);
        assert_eq!(wrong.len(), 1);
        assert_eq!(
            (
                wrong[0].in_version,
                wrong[0].not_in,
                wrong[0].fact.value.as_str()
            ),
            (1, 0, "6")
        );
    }
}
