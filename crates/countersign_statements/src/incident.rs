//! What is known of an incident, and where a text says otherwise.
//!
//! Only what can be told apart from a matter of wording is called an error: a count of people or things that the incident
//! counts otherwise, a sum of money or a time of the past that it does not know, a length of time that fits between no two
//! of its times, and a field that it does not have.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::facts::{Fact, FactKind, facts};
use crate::moment::{Moment, zone_minutes};

/// Facts of an incident, as `GET /v1/incidents/{incident}/facts` gives them and as a file holds them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// Its id.
    #[serde(default)]
    pub id: String,
    /// By name: `customers_affected`, `credit`, `began_at`. The first word of the name of a number is what it counts;
    /// names that end in `_at` are times (RFC 3339), and texts such as `50 eur` are sums of money.
    pub fields: BTreeMap<String, Field>,
    /// Further times at which something happened, RFC 3339.
    #[serde(default)]
    pub timeline: Vec<String>,
    /// Minutes east of UTC in which a text tells times without naming a zone.
    #[serde(default)]
    pub zone_minutes: i32,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Field {
    /// A count.
    Number(u64),
    /// Anything else.
    Text(String),
}

impl Field {
    /// As it stands in a text: `1,200`, `14 March 2026, 09:12 UTC`.
    pub fn words(&self) -> String {
        match self {
            Self::Number(number) => grouped(*number),
            Self::Text(text) => {
                Moment::read(text).map_or_else(|| text.clone(), super::moment::Moment::words)
            }
        }
    }
}

/// A place where a text and the incident disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contradiction {
    /// `count`, `money`, `time`, `date`, `length`, `share` or `field`.
    pub kind: String,
    /// The words of the text.
    pub quote: String,
    /// Byte range in the text.
    pub at: (usize, usize),
    /// What the incident knows.
    pub known: String,
}

/// A text whose fields were filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// The text as it will be read.
    pub text: String,
    /// Fields that the incident does not have; they stay as they are written.
    pub unknown: Vec<Contradiction>,
    /// Pairs of ranges, filled and as written.
    moved: Vec<(Range<usize>, Range<usize>)>,
}

impl Filled {
    /// Where a byte range of the filled text stands in the text as it was written; a filled word leads to its field.
    pub fn original(&self, at: (usize, usize)) -> (usize, usize) {
        (self.back(at.0, false), self.back(at.1, true))
    }

    fn back(&self, byte: usize, is_end: bool) -> usize {
        let mut shift = (0, 0);
        for (filled, written) in &self.moved {
            let inside = if is_end {
                filled.start < byte && byte <= filled.end
            } else {
                filled.contains(&byte)
            };
            if inside {
                return if is_end { written.end } else { written.start };
            }
            if byte < filled.end {
                break;
            }
            shift = (filled.end, written.end);
        }
        byte - shift.0 + shift.1
    }
}

/// Puts the incident's facts where a text has `{{field}}`.
pub fn fill(text: &str, incident: Option<&Incident>) -> Filled {
    let mut filled = Filled {
        text: String::with_capacity(text.len()),
        unknown: Vec::new(),
        moved: Vec::new(),
    };
    let mut from = 0;
    for hit in FIELD.captures_iter(text) {
        let (Some(whole), Some(name)) = (hit.get(0), hit.get(1)) else {
            continue;
        };
        filled
            .text
            .push_str(text.get(from..whole.start()).unwrap_or_default());
        from = whole.end();
        let start = filled.text.len();
        let field = incident.and_then(|incident| incident.fields.get(name.as_str()));
        if let Some(field) = field {
            filled.text.push_str(&field.words());
        } else {
            filled.text.push_str(whole.as_str());
            filled.unknown.push(Contradiction {
                kind: "field".to_owned(),
                quote: whole.as_str().to_owned(),
                at: (whole.start(), whole.end()),
                known: incident.map_or_else(
                    || "no incident was named to take it from".to_owned(),
                    |incident| {
                        let names: Vec<&str> = incident.fields.keys().map(String::as_str).collect();
                        format!("its fields are {}", names.join(", "))
                    },
                ),
            });
        }
        filled.moved.push((start..filled.text.len(), whole.range()));
    }
    filled.text.push_str(text.get(from..).unwrap_or_default());
    filled
}

/// Where a text (its fields filled) says otherwise than the incident, in its order.
pub fn contradictions(text: &str, incident: &Incident) -> Vec<Contradiction> {
    let known = Known::of(incident);
    facts(text)
        .into_iter()
        .filter_map(|fact| {
            let (kind, known) = known.denies(text, &fact)?;
            Some(Contradiction {
                kind: kind.to_owned(),
                quote: fact.quote,
                at: fact.at,
                known,
            })
        })
        .collect()
}

struct Known {
    /// What is counted, and the names and values under which it is.
    counts: Vec<(String, String, u64)>,
    sums: Vec<String>,
    moments: Vec<Moment>,
    zone: i32,
}

impl Known {
    fn of(incident: &Incident) -> Self {
        let mut known = Self {
            counts: Vec::new(),
            sums: Vec::new(),
            moments: Vec::new(),
            zone: incident.zone_minutes,
        };
        for (name, field) in &incident.fields {
            match field {
                Field::Number(number) => {
                    let counted = name.split('_').next().unwrap_or_default().to_owned();
                    known.counts.push((counted, name.clone(), *number));
                }
                Field::Text(text) => {
                    if let Some(at) = Moment::read(text) {
                        known.moments.push(at);
                    } else {
                        let sums = facts(text)
                            .into_iter()
                            .filter(|fact| fact.kind == FactKind::Money);
                        known.sums.extend(sums.map(|fact| fact.value));
                    }
                }
            }
        }
        let timeline = incident.timeline.iter();
        known
            .moments
            .extend(timeline.filter_map(|at| Moment::read(at)));
        known.moments.sort();
        known.moments.dedup();
        known
    }

    /// What is known instead, if the fact is not.
    fn denies(&self, text: &str, fact: &Fact) -> Option<(&'static str, String)> {
        let after = following(text, fact.at.1);
        match fact.kind {
            FactKind::Number => match LENGTH.captures(&after) {
                Some(unit) => self.denies_length(text, fact, unit.get(1)?.as_str()),
                None => self.denies_count(fact, &after),
            },
            FactKind::Money => {
                (!self.sums.is_empty() && !self.sums.contains(&fact.value)).then(|| {
                    (
                        "money",
                        format!("the incident knows {}", self.sums.join(", ")),
                    )
                })
            }
            FactKind::Clock => self.denies_clock(text, fact, &after),
            FactKind::Date => self.denies_date(text, fact),
            FactKind::Share => self.denies_share(text, fact, &after),
        }
    }

    fn denies_count(&self, fact: &Fact, after: &str) -> Option<(&'static str, String)> {
        let number: u64 = fact.value.parse().ok()?;
        let mut same = self
            .counts
            .iter()
            .filter(|(counted, _, _)| counts(counted, after))
            .peekable();
        same.peek()?;
        let same: Vec<_> = same.collect();
        if same.iter().any(|(_, _, value)| *value == number) {
            return None;
        }
        let known: Vec<String> = same
            .iter()
            .map(|(_, name, value)| format!("{name} = {}", grouped(*value)))
            .collect();
        Some(("count", format!("the incident knows {}", known.join(", "))))
    }

    fn denies_clock(&self, text: &str, fact: &Fact, after: &str) -> Option<(&'static str, String)> {
        if self.moments.is_empty() || is_yet_to_come(text, fact.at) {
            return None;
        }
        let (hour, minute) = fact.value.split_once(':')?;
        let told: i32 = hour.parse::<i32>().ok()? * 60 + minute.parse::<i32>().ok()?;
        let zone = zone_minutes(after).unwrap_or(self.zone);
        let is = |at: &Moment| at.minute_of_day(zone) == told;
        (!self.moments.iter().any(is)).then(|| ("time", self.told(zone)))
    }

    fn denies_date(&self, text: &str, fact: &Fact) -> Option<(&'static str, String)> {
        if self.moments.is_empty()
            || is_yet_to_come(text, fact.at)
            || FROM.is_match(&preceding(text, fact.at.0))
        {
            return None;
        }
        let is = |at: &Moment| {
            let (month, day) = at.month_and_day(self.zone);
            format!("{month}-{day}") == fact.value
        };
        (!self.moments.iter().any(is)).then(|| ("date", self.told(self.zone)))
    }

    /// `for 41 hours`: the length between two times that are known, to the unit, rounded either way.
    fn denies_length(&self, text: &str, fact: &Fact, unit: &str) -> Option<(&'static str, String)> {
        let before = preceding(text, fact.at.0);
        if self.moments.len() < 2 || !LASTED.is_match(&before) {
            return None;
        }
        let told: i64 = fact.value.parse().ok()?;
        let seconds = match unit {
            "minute" => 60,
            "hour" => 3_600,
            "day" => 86_400,
            _ => 604_800,
        };
        let lengths = self.moments.iter().enumerate().flat_map(|(at, from)| {
            let later = self.moments.iter().skip(at + 1);
            later.map(|to| to.seconds - from.seconds)
        });
        let fits =
            |length: i64| length / seconds == told || (length + seconds - 1) / seconds == told;
        (!lengths.into_iter().any(fits)).then(|| {
            (
                "length",
                format!(
                    "no two times of the incident lie so far apart: {}",
                    self.told(self.zone)
                ),
            )
        })
    }

    /// `0.1 % of our customers`, where both are counted.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share of people is told with few digits"
    )]
    fn denies_share(&self, text: &str, fact: &Fact, after: &str) -> Option<(&'static str, String)> {
        let told: f64 = fact.value.trim_end_matches(" %").parse().ok()?;
        let same: Vec<_> = self
            .counts
            .iter()
            .filter(|(name, _, _)| counts(name, after))
            .collect();
        let total = same.iter().find(|(_, name, _)| name.ends_with("_total"))?;
        let part = same
            .iter()
            .find(|(_, name, _)| name.ends_with("_affected"))?;
        let share = part.2 as f64 * 100.0 / (total.2.max(1) as f64);
        let digits = fact.value.split_once('.').map_or(0, |(_, rest)| {
            rest.chars().take_while(char::is_ascii_digit).count()
        });
        let before = preceding(text, fact.at.0);
        let half = 0.5_f64 / 10_f64.powi(i32::try_from(digits).unwrap_or(0)) + 1e-9;
        let holds = if BELOW.is_match(&before) {
            share < told
        } else if ABOVE.is_match(&before) {
            share > told
        } else {
            (share - told).abs() <= half
        };
        (!holds).then(|| {
            (
                "share",
                format!(
                    "{} of {} is {share:.4} %",
                    grouped(part.2),
                    grouped(total.2)
                ),
            )
        })
    }

    fn told(&self, zone: i32) -> String {
        let told: Vec<String> = self
            .moments
            .iter()
            .take(12)
            .map(|at| at.words_in(zone))
            .collect();
        format!("the incident knows {}", told.join("; "))
    }
}

/// Words for those whom a number counts, by the first word of a field's name.
fn counts(counted: &str, after: &str) -> bool {
    let Some(words) = COUNTED.captures(after) else {
        return false;
    };
    let word = words.get(1).map_or("", |word| word.as_str());
    let people = |word: &str| PEOPLE.contains(&word.trim_end_matches('s'));
    let same =
        |counted: &str, word: &str| counted.trim_end_matches('s') == word.trim_end_matches('s');
    same(counted, word) || (people(counted) && (people(word) || word == "you" || word == "them"))
}

const PEOPLE: [&str; 12] = [
    "customer",
    "people",
    "person",
    "user",
    "client",
    "member",
    "subscriber",
    "patient",
    "guest",
    "household",
    "account holder",
    "owner",
];

static FIELD: LazyLock<Regex> = LazyLock::new(|| fixed(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}"));
static LENGTH: LazyLock<Regex> = LazyLock::new(|| fixed(r"^[ -](minute|hour|day|week)s?\b"));
static LASTED: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"\b(?:for|lasted|lasting|after|took)(?: (?:about|around|nearly|almost|over|some|more than))?\s*$",
    )
});
static BELOW: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"\b(?:less than|fewer than|under|below|at most|up to)\s*$"));
static ABOVE: LazyLock<Regex> = LazyLock::new(|| fixed(r"\b(?:more than|over|above|at least)\s*$"));
static COUNTED: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"^ (?:of (?:our |the |those |these |all )?)?(?:\w+ (?:of (?:our |the )?)?){0,1}?(you|them|customers?|people|persons?|users?|clients?|members?|subscribers?|patients?|guests?|households?|owners?|accounts?|servers?|domains?|records?|numbers?|zones?|cases?|cards?|wallets?|files?|sites?|mailboxes|messages|invoices|orders?)\b",
    )
});
/// `From 20 March`: what changes, not what happened.
static FROM: LazyLock<Regex> = LazyLock::new(|| fixed(r"\bfrom\s*$"));
static COMING: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"\b(?:will|shall|going to|by|until|from now|planned|scheduled|expect(?:ed|s)?|next|since|as of|starting|due|deadline|later than|from \d|in force)\b",
    )
});

fn fixed(pattern: &str) -> Regex {
    #[expect(clippy::expect_used, reason = "constant patterns, each met by a test")]
    Regex::new(pattern).expect("a pattern of ours")
}

/// Whether the part of the sentence around a time speaks of what is planned or was changed since.
fn is_yet_to_come(text: &str, at: (usize, usize)) -> bool {
    let sentence_before = preceding(text, at.0);
    let begin = sentence_before
        .rfind(['.', '!', '?', ';', '\n'])
        .map_or(0, |end| end + 1);
    let after = following(text, at.1);
    let end = after
        .find(['.', '!', '?', ';', '\n'])
        .unwrap_or(after.len());
    COMING.is_match(sentence_before.get(begin..).unwrap_or_default())
        || COMING.is_match(after.get(..end).unwrap_or_default())
}

/// Up to so many bytes on either side are looked at, so that a long line costs no more than a short one.
const AROUND: usize = 240;

fn following(text: &str, from: usize) -> String {
    let mut to = text.len().min(from + AROUND);
    while !text.is_char_boundary(to) {
        to -= 1;
    }
    text.get(from..to).unwrap_or_default().to_ascii_lowercase()
}

fn preceding(text: &str, to: usize) -> String {
    let mut from = to.saturating_sub(AROUND);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    text.get(from..to).unwrap_or_default().to_ascii_lowercase()
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident() -> Incident {
        Incident {
            id: "i-1".to_owned(),
            fields: [
                ("customers_affected", Field::Number(4)),
                ("customers_total", Field::Number(10_482)),
                ("servers_wiped", Field::Number(2)),
                ("began_at", Field::Text("2026-03-14T09:12:00Z".to_owned())),
                ("ended_at", Field::Text("2026-03-16T02:30:00Z".to_owned())),
                ("credit", Field::Text("480 euros".to_owned())),
            ]
            .map(|(name, field)| (name.to_owned(), field))
            .into(),
            timeline: vec!["2026-03-14T10:40:21Z".to_owned()],
            zone_minutes: 0,
        }
    }

    fn said(text: &str) -> Vec<(String, String)> {
        contradictions(text, &incident())
            .into_iter()
            .map(|found| (found.kind, found.quote))
            .collect()
    }

    #[test]
    fn the_truth_is_not_contradicted() {
        let text = "On 14 March at 09:12 UTC a stranger wiped two servers; four of our customers, of 10,482 customers, \
            could not work for 41 hours. At 10:40 we noticed, 11:40 am CET. 0.04 % of our customers were hit, less than 1 % of our \
            customers. You get 480 euros. From 20 March no password leaves support. By 30 April our head of platform will have put 12 actions behind the PIN, at 18:00.";
        assert_eq!(said(text), []);
    }

    #[test]
    fn other_numbers_and_times_are_errors() {
        let is = |text: &str, kind: &str, quote: &str| {
            assert_eq!(said(text), [(kind.to_owned(), quote.to_owned())], "{text}");
        };
        is("Five customers lost their work.", "count", "Five");
        is("3 of you could not work.", "count", "3");
        is("It wiped three servers.", "count", "three");
        is("We pay $20 to each.", "money", "$20");
        is("It began at 09:13 UTC.", "time", "09:13");
        is("It began at 09:12 CET.", "time", "09:12");
        is("On 15 April a stranger called.", "date", "15 April");
        is("You could not work for 12 hours.", "length", "12");
        is("0.4% of our customers were hit.", "share", "0.4%");
        is("Less than 0.01% of customers were hit.", "share", "0.01%");
    }

    #[test]
    fn fields_are_filled_and_lead_back() {
        let text = "We lost {{servers_wiped}} servers of {{customers_affected}} at {{ began_at }} {{nothing}}.";
        let filled = fill(text, Some(&incident()));
        assert_eq!(
            filled.text,
            "We lost 2 servers of 4 at 14 March 2026, 09:12 UTC {{nothing}}."
        );
        assert_eq!(filled.unknown.len(), 1);
        assert_eq!(filled.unknown[0].quote, "{{nothing}}");
        for words in ["servers of", "lost", "at", "."] {
            let at = filled.text.find(words).unwrap();
            let (from, to) = filled.original((at, at + words.len()));
            assert_eq!(text.get(from..to), Some(words));
        }
        let two = filled.text.find('2').unwrap();
        let (from, to) = filled.original((two, two + 1));
        assert_eq!(text.get(from..to), Some("{{servers_wiped}}"));
    }

    #[test]
    fn an_incident_is_read_as_it_is_written() {
        let json = r#"{"id":"i","fields":{"customers_affected":4,"credit":"5 eur"},"timeline":[]}"#;
        let incident: Incident = serde_json::from_str(json).unwrap();
        assert_eq!(incident.fields["customers_affected"], Field::Number(4));
        assert_eq!(incident.fields["credit"], Field::Text("5 eur".to_owned()));
    }
}
