//! The statement of an incident: its versions, the facts that are inserted as fields, and what is wrong with it.
//!
//! Pure. A *fact* is a number or time of the incident itself; a statement that
//! tells another is in error and cannot be published. How well it says what an
//! effective statement says is advice, and people decide.

use std::collections::BTreeSet;

use countersign_cases::Timestamp;
use countersign_statements::{Field, Met};
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

impl Facts {
    /// What the field of this name says; `None` where there is no such field, or the fact is not known.
    pub fn field(&self, name: &str) -> Option<String> {
        let known = known("", self, &BTreeSet::new());
        known.fields.get(name).map(Field::words)
    }

    /// From the first thing to the last: `2 hours 5 minutes`.
    fn duration(&self) -> Option<String> {
        Some(duration(self.last_at?.seconds_since(self.first_at?)))
    }
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
pub const FIELDS: [(&str, &str); 6] = [
    ("customers_affected", "how many customers were affected"),
    ("customers_unknown", "of how many nobody knows yet"),
    ("cases", "how many of their cases belong to the incident"),
    ("began_at", "when it began"),
    ("ended_at", "when it ended"),
    ("duration", "how long it took"),
];

/// The statement with its fields filled in, and everything that was found in it: what it tells otherwise than the incident, what
/// its versions tell otherwise than each other, and how far it says what an effective one says.
///
/// `times` are the times of the incident: of its timeline, its updates and its tasks.
pub(crate) fn checked(
    texts: &Texts,
    facts: &Facts,
    times: &BTreeSet<Timestamp>,
) -> (Texts, Vec<Finding>) {
    let incident = known("", facts, times);
    let mut found = Vec::new();
    let mut filled = |version: &str, text: &str| {
        let filled = countersign_statements::fill(text, Some(&incident));
        found.extend(filled.unknown.iter().map(|unknown| {
            let name = unknown.quote.trim_matches(['{', '}']).trim();
            let why = if FIELDS.iter().any(|(field, _)| *field == name) {
                "the incident does not say this yet".to_owned()
            } else {
                unknown.known.clone()
            };
            error(version, "field", &unknown.quote, why)
        }));
        filled.text
    };
    let filled = Texts {
        blog: filled("blog", &texts.blog),
        mail: filled("mail", &texts.mail),
        chars_500: filled("chars_500", &texts.chars_500),
        chars_280: filled("chars_280", &texts.chars_280),
    };
    if filled.blog.trim().is_empty() {
        let why = "there is no text to publish".to_owned();
        found.push(error("blog", "empty", "", why));
    }
    for (version, text, most) in [
        ("chars_500", &filled.chars_500, 500),
        ("chars_280", &filled.chars_280, 280),
    ] {
        let count = text.chars().count();
        if count > most {
            let why = format!("it has {count} characters, and this version has at most {most}");
            found.push(error(version, "too-long", "", why));
        }
    }
    for (version, text) in filled.versions() {
        let wrong = countersign_statements::contradictions(text, &incident);
        found.extend(
            wrong
                .into_iter()
                .map(|wrong| error(version, &wrong.kind, &wrong.quote, wrong.known)),
        );
    }
    found.extend(disagreements(&filled));
    found.extend(advice(&filled));
    (filled, found)
}

/// The facts of an incident as the checker of statements knows them.
pub(crate) fn known(
    id: &str,
    facts: &Facts,
    times: &BTreeSet<Timestamp>,
) -> countersign_statements::Incident {
    let moment = |at: Timestamp| {
        jiff::Timestamp::from_millisecond(at.0)
            .map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
            .ok()
    };
    let number = |count: u64| Some(Field::Number(count));
    let text = |text: Option<String>| text.map(Field::Text);
    let fields = [
        ("customers_affected", number(facts.customers_affected)),
        ("customers_unknown", number(facts.customers_unknown)),
        ("cases", number(facts.cases)),
        ("began_at", text(facts.first_at.and_then(moment))),
        ("ended_at", text(facts.last_at.and_then(moment))),
        ("duration", text(facts.duration())),
    ];
    countersign_statements::Incident {
        id: id.to_owned(),
        fields: fields
            .into_iter()
            .filter_map(|(name, field)| Some((name.to_owned(), field?)))
            .collect(),
        timeline: times.iter().copied().filter_map(moment).collect(),
        zone_minutes: 0,
    }
}

/// Facts that a version tells otherwise than a longer one.
fn disagreements(filled: &Texts) -> Vec<Finding> {
    let versions: Vec<(&str, &str)> = filled.versions().collect();
    let texts: Vec<&str> = versions.iter().map(|(_, text)| *text).collect();
    let name = |at: usize| versions.get(at).map_or("blog", |(name, _)| *name);
    countersign_statements::compare(&texts)
        .into_iter()
        .map(|one| {
            let why = format!("`{}`, which is longer, does not tell it", name(one.not_in));
            error(name(one.in_version), "versions", &one.fact.quote, why)
        })
        .collect()
}

/// How far the long version says what an effective statement says, and where any version does what it does not.
fn advice(filled: &Texts) -> Vec<Finding> {
    let mut found = Vec::new();
    for (version, text) in filled.versions() {
        let report = countersign_statements::check(text);
        // The short ones have no room for all eight.
        let missing = report
            .does
            .into_iter()
            .filter(|quality| version == "blog" && quality.met != Met::Yes)
            .map(|quality| {
                let quote = quality.quote.unwrap_or_default();
                (quality.name, quote, quality.why, quality.better)
            });
        let faults = report
            .faults
            .into_iter()
            .map(|fault| (fault.name, fault.quote, fault.why, fault.better));
        found.extend(
            missing
                .chain(faults)
                .map(|(code, quote, why, better)| Finding {
                    version: version.to_owned(),
                    error: false,
                    code,
                    quote,
                    why,
                    better,
                }),
        );
    }
    found
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
            blog:
                "It began at {{began_at}} and took {{duration}}: {{customers_affected}} customers."
                    .into(),
            ..Texts::default()
        };
        let (filled, found) = checked(&texts, &facts(), &BTreeSet::from([BEGAN]));
        assert_eq!(
            filled.blog,
            "It began at 23 November 2026, 10:31 UTC and took 2 hours 5 minutes: 4 customers."
        );
        let errors: Vec<_> = found.iter().filter(|finding| finding.error).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let advice: Vec<&str> = found.iter().map(|one| one.code.as_str()).collect();
        assert!(
            advice.contains(&"sorry"),
            "it says sorry to nobody: {advice:?}"
        );
    }

    #[test]
    fn a_number_or_time_that_is_not_the_incidents_is_an_error() {
        assert_eq!(
            found("We lost the files of three customers."),
            ["count three"]
        );
        assert_eq!(
            found("We lost the files of four customers."),
            Vec::<String>::new()
        );
        assert_eq!(found("At 10:31 UTC it began."), Vec::<String>::new());
        assert_eq!(found("At 10:32 UTC it began."), ["time 10:32"]);
        assert_eq!(found("On 22 November it began."), ["date 22 November"]);
    }

    #[test]
    fn versions_tell_the_same_and_keep_their_length() {
        let texts = Texts {
            blog: "It touched 4 customers. We are sorry, and this is what we do about it now."
                .into(),
            chars_280: "Two servers were hit.".into(),
            chars_500: "é".repeat(501),
            ..Texts::default()
        };
        let (_, found) = checked(&texts, &facts(), &BTreeSet::new());
        let errors: Vec<(&str, &str)> = found
            .iter()
            .filter(|finding| finding.error)
            .map(|finding| (finding.version.as_str(), finding.code.as_str()))
            .collect();
        assert!(errors.contains(&("chars_500", "too-long")), "{errors:?}");
        assert!(errors.contains(&("chars_280", "versions")), "{errors:?}");
    }

    #[test]
    fn fields_that_are_none_or_say_nothing_stay_and_are_errors() {
        assert_eq!(found("{{customer}}"), ["field {{customer}}"]);
        assert_eq!(found(""), ["empty "]);
        let texts = Texts {
            blog: "{{began_at}}".into(),
            ..Texts::default()
        };
        let (filled, found) = checked(&texts, &Facts::default(), &BTreeSet::new());
        let why: Vec<&str> = found
            .iter()
            .filter(|finding| finding.error)
            .map(|finding| finding.why.as_str())
            .collect();
        assert_eq!(why, ["the incident does not say this yet"]);
        assert_eq!(filled.blog, "{{began_at}}");
    }
}
