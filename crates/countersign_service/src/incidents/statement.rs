//! The statement of an incident: its versions, the facts that are inserted as fields, and what is wrong with it.
//!
//! Pure. A *fact* is a number or time of the incident itself; a statement that
//! tells another is in error and cannot be published. How well it says what an
//! effective statement says is advice, and people decide.

use std::collections::BTreeSet;

use countersign_cases::Timestamp;
use serde::{Deserialize, Serialize};

/// The versions of one statement. Each may be empty but the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Texts {
    /// For the status page and the company's blog.
    pub blog: String,
    /// For mail.
    pub mail: String,
    /// At most 500 characters.
    pub chars_500: String,
    /// At most 280 characters.
    pub chars_280: String,
}

impl Texts {
    /// Name and text of each version that is not empty, the longest kind first.
    pub fn versions(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("blog", self.blog.as_str()),
            ("mail", self.mail.as_str()),
            ("chars_500", self.chars_500.as_str()),
            ("chars_280", self.chars_280.as_str()),
        ]
        .into_iter()
        .filter(|(_, text)| !text.trim().is_empty())
    }
}

/// What is known of an incident and may be told to anybody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The first thing that happened.
    pub first_at: Option<Timestamp>,
    /// The last.
    pub last_at: Option<Timestamp>,
    /// Customers who were marked affected.
    pub customers_affected: u64,
    /// Customers of whom nobody knows yet.
    pub customers_unknown: u64,
    /// Cases of the affected customers that belong to the incident.
    pub cases: u64,
}

/// Something found in a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which version: `blog`, `mail`, `chars_500`, `chars_280`.
    pub version: String,
    /// It tells a wrong fact, or cannot be published as it is; else it is advice.
    pub error: bool,
    /// Stable word.
    pub code: String,
    /// The words it is about; empty where something is missing.
    pub quote: String,
    /// Why, in one sentence.
    pub why: String,
    /// What a better sentence would do; empty for errors, which say it themselves.
    pub better: String,
}

/// Fields that facts are inserted by, and what each says.
pub const FIELDS: [(&str, &str); 8] = [
    ("customers_affected", "how many customers were affected"),
    ("customers_unknown", "of how many nobody knows yet"),
    ("cases", "how many of their cases belong to the incident"),
    ("first_time", "when it began: 10:31 UTC"),
    ("first_date", "the day it began: 23 November 2026"),
    ("last_time", "when it ended"),
    ("last_date", "the day it ended"),
    ("duration", "how long it took: 2 hours 5 minutes"),
];

/// The statement with its fields filled in, and everything that was found in it.
///
/// `times` are the times of the incident: of its timeline, its updates and its tasks.
pub(crate) fn checked(
    texts: &Texts,
    facts: &Facts,
    times: &BTreeSet<Timestamp>,
) -> (Texts, Vec<Finding>) {
    let mut found = Vec::new();
    let mut filled = |version: &'static str, text: &str| fill(version, text, facts, &mut found);
    let filled = Texts {
        blog: filled("blog", &texts.blog),
        mail: filled("mail", &texts.mail),
        chars_500: filled("chars_500", &texts.chars_500),
        chars_280: filled("chars_280", &texts.chars_280),
    };
    if filled.blog.trim().is_empty() {
        found.push(error(
            "blog",
            "statement-empty",
            "",
            "there is no text to publish".to_owned(),
        ));
    }
    for (version, text, most) in [
        ("chars_500", &filled.chars_500, 500),
        ("chars_280", &filled.chars_280, 280),
    ] {
        let count = text.chars().count();
        if count > most {
            let why = format!("it has {count} characters, and this version has at most {most}");
            found.push(error(version, "version-too-long", "", why));
        }
    }
    for (version, text) in filled.versions() {
        tells(version, text, facts, times, &mut found);
    }
    (filled, found)
}

fn error(version: &str, code: &str, quote: &str, why: String) -> Finding {
    Finding {
        version: version.to_owned(),
        error: true,
        code: code.to_owned(),
        quote: quote.to_owned(),
        why,
        better: String::new(),
    }
}

/// `{{customers_affected}}` becomes `4`. A field that is not known, or whose fact is not, stays and is an error.
fn fill(version: &str, text: &str, facts: &Facts, found: &mut Vec<Finding>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            found.push(error(
                version,
                "unknown-field",
                "{{",
                "a field begins here and does not end".to_owned(),
            ));
            out.push_str("{{");
            rest = after;
            continue;
        };
        let quote = format!("{{{{{name}}}}}");
        let known = FIELDS.iter().any(|(field, _)| *field == name.trim());
        match value(name.trim(), facts) {
            Some(value) => out.push_str(&value),
            None => {
                let why = if known {
                    "the incident does not say this yet".to_owned()
                } else {
                    let names: Vec<&str> = FIELDS.iter().map(|(field, _)| *field).collect();
                    format!("there is no such field; there are {}", names.join(", "))
                };
                let code = if known {
                    "fact-missing"
                } else {
                    "unknown-field"
                };
                found.push(error(version, code, &quote, why));
                out.push_str(&quote);
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn value(name: &str, facts: &Facts) -> Option<String> {
    let moment = |at: Option<Timestamp>| jiff::Timestamp::from_millisecond(at?.0).ok();
    let time = |at| moment(at).map(|at| at.strftime("%H:%M UTC").to_string());
    let date = |at| moment(at).map(|at| at.strftime("%-d %B %Y").to_string());
    match name {
        "customers_affected" => Some(facts.customers_affected.to_string()),
        "customers_unknown" => Some(facts.customers_unknown.to_string()),
        "cases" => Some(facts.cases.to_string()),
        "first_time" => time(facts.first_at),
        "first_date" => date(facts.first_at),
        "last_time" => time(facts.last_at),
        "last_date" => date(facts.last_at),
        "duration" => Some(duration(facts.last_at?.seconds_since(facts.first_at?))),
        _ => None,
    }
}

/// `2 hours 5 minutes`; to the minute, and never less than one.
fn duration(seconds: u64) -> String {
    let minutes = seconds.div_ceil(60).max(1);
    let parts = [
        (minutes / 1_440, "day"),
        (minutes % 1_440 / 60, "hour"),
        (minutes % 60, "minute"),
    ];
    let said: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    said.join(" ")
}

/// Numbers of customers, and times and days, that are not the incident's.
fn tells(
    version: &str,
    text: &str,
    facts: &Facts,
    times: &BTreeSet<Timestamp>,
    found: &mut Vec<Finding>,
) {
    let clocks: BTreeSet<i64> = times
        .iter()
        .map(|at| at.0.div_euclid(60_000).rem_euclid(1_440))
        .collect();
    let days: BTreeSet<(i8, i8)> = times
        .iter()
        .filter_map(|at| jiff::Timestamp::from_millisecond(at.0).ok())
        .map(|at| at.to_zoned_datetime(jiff::tz::TimeZone::UTC).date())
        .map(|date| (date.month(), date.day()))
        .collect();
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .collect();
    for (at, word) in words.iter().enumerate() {
        let word_at = |offset: usize| words.get(at + offset).copied().unwrap_or_default();
        let before = |offset: usize| {
            at.checked_sub(offset)
                .and_then(|place| words.get(place))
                .copied()
                .unwrap_or_default()
        };
        if let Some(minute) = clock(word, word_at(1)) {
            if !clocks.contains(&minute) {
                found.push(error(
                    version,
                    "time-not-in-incident",
                    word,
                    "nothing of the incident happened, and nothing is due, at that time (UTC)"
                        .to_owned(),
                ));
            }
        } else if let Some((day, quote)) = day(word, word_at(1)) {
            if !days.contains(&day) {
                found.push(error(
                    version,
                    "date-not-in-incident",
                    &quote,
                    "nothing of the incident happened, and nothing is due, on that day".to_owned(),
                ));
            }
        } else if let Some(count) = number(word) {
            let counted = (1..=3).map(word_at).take_while(|word| !is_break(word));
            let customers = counted
                .clone()
                .find(|word| COUNTED.contains(&word.to_lowercase().as_str()));
            // "of our 10,482 customers" counts all there are.
            let all = ["of", "our", "all", "among", "serve", "have"]
                .iter()
                .any(|lead| [before(1), before(2)].iter().any(|word| word == lead));
            if let Some(customers) = customers.filter(|_| !all && count != facts.customers_affected)
            {
                let why = format!(
                    "the incident has {} affected customers",
                    facts.customers_affected
                );
                let quote = format!("{word} … {customers}");
                let quote = if word_at(1) == customers {
                    format!("{word} {customers}")
                } else {
                    quote
                };
                found.push(error(version, "count-not-of-incident", &quote, why));
            }
        }
    }
}

/// What customers are called where they are counted.
const COUNTED: [&str; 8] = [
    "customer",
    "customers",
    "account",
    "accounts",
    "user",
    "users",
    "people",
    "subscribers",
];

const SMALL: [&str; 13] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

fn is_break(word: &str) -> bool {
    word.is_empty() || matches!(word, "of" | "and" | "or" | "to" | "in" | "at")
}

fn number(word: &str) -> Option<u64> {
    let small = word.to_lowercase();
    if let Some(place) = SMALL.iter().position(|name| *name == small) {
        return u64::try_from(place).ok();
    }
    let digits = word.replace(',', "");
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())
        .flatten()
}

/// `10:31`, `9:05pm`, `9:05 pm`: minutes since midnight.
fn clock(word: &str, next: &str) -> Option<i64> {
    let small = word.to_lowercase();
    let (half, digits) = match (small.strip_suffix("pm"), small.strip_suffix("am")) {
        (Some(digits), _) => ("pm".to_owned(), digits.to_owned()),
        (_, Some(digits)) => ("am".to_owned(), digits.to_owned()),
        _ => (next.to_lowercase(), small.clone()),
    };
    let (hour, rest) = digits.split_once(':')?;
    let minute = rest.get(..2)?;
    // Seconds may follow, and nothing else: `1:1`, a ratio, is no time.
    let tail = rest.get(2..)?;
    if !(tail.is_empty() || tail.starts_with(':') || tail.starts_with('z')) {
        return None;
    }
    let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match (half.as_str(), hour) {
        ("pm", 1..=11) => hour + 12,
        ("am", 12) => 0,
        _ => hour,
    };
    ((0..24).contains(&hour) && (0..60).contains(&minute)).then_some(hour * 60 + minute)
}

/// `23 November`, `November 23rd`, `2026-11-23`: month and day.
fn day(word: &str, next: &str) -> Option<((i8, i8), String)> {
    let month = |word: &str| {
        let small = word.to_lowercase();
        let named = |name: &&str| **name == small || (small.len() == 3 && name.starts_with(&small));
        let place = MONTHS.iter().position(|name| named(&name))?;
        i8::try_from(place + 1).ok()
    };
    let of_month = |word: &str| {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let day: i8 = digits.parse().ok()?;
        (1..=31).contains(&day).then_some(day)
    };
    if let Ok(date) = word.parse::<jiff::civil::Date>()
        && word.len() == 10
    {
        return Some(((date.month(), date.day()), word.to_owned()));
    }
    let quote = || format!("{word} {next}");
    if let (Some(day), Some(month)) = (of_month(word), month(next)) {
        return Some(((month, day), quote()));
    }
    // "may" is also a verb, and "March" a walk: only with a day beside it.
    let (month, day) = (month(word)?, of_month(next)?);
    Some(((month, day), quote()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: Timestamp = Timestamp(1_795_429_860_000);

    fn facts() -> Facts {
        Facts {
            first_at: Some(BEGAN),
            last_at: Some(BEGAN.plus_seconds(7_500)),
            customers_affected: 4,
            customers_unknown: 1,
            cases: 3,
        }
    }

    fn found(text: &str) -> Vec<String> {
        let texts = Texts {
            blog: text.to_owned(),
            ..Texts::default()
        };
        let times = BTreeSet::from([BEGAN, BEGAN.plus_seconds(7_500)]);
        let (_, found) = checked(&texts, &facts(), &times);
        found
            .into_iter()
            .filter(|finding| finding.error)
            .map(|finding| format!("{} {}", finding.code, finding.quote))
            .collect()
    }

    #[test]
    fn facts_are_inserted_where_their_fields_stand() {
        let texts = Texts {
            blog: "At {{first_time}} on {{first_date}}, for {{duration}}: {{customers_affected}} customers.".into(),
            ..Texts::default()
        };
        let times = BTreeSet::from([BEGAN]);
        let (filled, found) = checked(&texts, &facts(), &times);
        assert_eq!(
            filled.blog,
            "At 10:31 UTC on 23 November 2026, for 2 hours 5 minutes: 4 customers."
        );
        assert_eq!(
            found.iter().filter(|finding| finding.error).count(),
            0,
            "{found:?}"
        );
    }

    #[test]
    fn a_number_or_time_that_is_not_the_incidents_is_an_error() {
        assert_eq!(
            found("We lost the files of three customers."),
            ["count-not-of-incident three customers"]
        );
        assert_eq!(
            found("Of our 10,482 customers four customers were hit."),
            Vec::<String>::new()
        );
        assert_eq!(
            found("It touched 5 affected hosting accounts."),
            ["count-not-of-incident 5 … accounts"]
        );
        assert_eq!(found("At 10:31 UTC it began."), Vec::<String>::new());
        assert_eq!(
            found("At 10:32 UTC it began."),
            ["time-not-in-incident 10:32"]
        );
        assert_eq!(
            found("At 10:31 pm it began."),
            ["time-not-in-incident 10:31"]
        );
        assert_eq!(
            found("On 23 November it began, on November 24th it ended."),
            ["date-not-in-incident November 24th"]
        );
        assert_eq!(
            found("By 2026-12-01 this is done."),
            ["date-not-in-incident 2026-12-01"]
        );
        assert_eq!(
            found("You may 4 times a day march on; a ratio of 1:1."),
            Vec::<String>::new()
        );
    }

    #[test]
    fn fields_that_are_none_or_say_nothing_stay_and_are_errors() {
        assert_eq!(found("{{customer}}"), ["unknown-field {{customer}}"]);
        assert_eq!(found("{{cases"), ["unknown-field {{"]);
        assert_eq!(found(""), ["statement-empty "]);
        let texts = Texts {
            blog: "{{first_time}}".into(),
            chars_280: "é".repeat(281),
            ..Texts::default()
        };
        let (filled, found) = checked(&texts, &Facts::default(), &BTreeSet::new());
        let codes: Vec<&str> = found
            .iter()
            .filter(|finding| finding.error)
            .map(|finding| finding.code.as_str())
            .collect();
        assert_eq!(codes, ["fact-missing", "version-too-long"]);
        assert_eq!(filled.blog, "{{first_time}}");
    }
}
