//! Rules as data, and how they are applied to a text.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use crate::LONGEST;
use crate::report::{Fault, Met, Quality, Report};
use crate::text::Reading;

/// The most faults a report lists: nobody reads more, and a text of nothing but faults must not be slower than others.
pub const FAULTS_MAX: usize = 500;

/// How often a sign is looked at in one sentence.
const HITS_MAX: usize = 20;

/// How many bytes before a sign a "not" may stand.
const DENIED_WITHIN: usize = 160;

/// Rules of one language, ready to use.
#[derive(Debug)]
pub struct Rules {
    abbreviations: Vec<String>,
    negation: Regex,
    /// A "not" right before a sign.
    denial: Regex,
    clause: Regex,
    speaker: Regex,
    about: Vec<Sign>,
    qualities: Vec<QualityRule>,
    faults: Vec<FaultRule>,
    spoils: Vec<(String, Regex)>,
}

/// Rules that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Not the form that rules have.
    #[error("the rules are not of their form: {0}")]
    Form(#[from] toml::de::Error),
    /// A pattern that is none.
    #[error("a pattern cannot be read: {0}")]
    Pattern(#[from] regex::Error),
    /// A `{name}` that is not among the words.
    #[error("no line of [words] is called `{0}`")]
    Word(String),
}

#[derive(Debug)]
struct QualityRule {
    written: WrittenQuality,
    signs: Vec<Sign>,
}

#[derive(Debug)]
struct FaultRule {
    written: WrittenFault,
    signs: Vec<Sign>,
}

#[derive(Debug)]
struct Sign {
    name: String,
    find: Regex,
    with: Vec<Regex>,
    near: usize,
    unless: Option<Regex>,
    partly: bool,
    even: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[expect(dead_code, reason = "says to people which language it is")]
    language: String,
    abbreviations: Vec<String>,
    negations: Vec<String>,
    articles: Vec<String>,
    clauses: Vec<String>,
    subjects: Vec<String>,
    speaker: String,
    words: BTreeMap<String, String>,
    about: Vec<WrittenSign>,
    quality: Vec<WrittenQuality>,
    fault: Vec<WrittenFault>,
    #[serde(default)]
    spoils: Vec<WrittenSpoil>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenQuality {
    name: String,
    does: String,
    why: String,
    better: String,
    #[serde(default)]
    spoiled: Vec<String>,
    sign: Vec<WrittenSign>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFault {
    name: String,
    does: String,
    why: String,
    better: String,
    sign: Vec<WrittenSign>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSpoil {
    name: String,
    find: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSign {
    #[serde(default)]
    name: String,
    find: String,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    near: usize,
    unless: Option<String>,
    #[serde(default)]
    partly: bool,
    #[serde(default)]
    even: bool,
}

impl Rules {
    /// The rules for English that are part of this crate.
    pub fn english() -> &'static Self {
        static ENGLISH: LazyLock<Rules> =
            LazyLock::new(|| match Rules::read(include_str!("../rules/en.toml")) {
                Ok(rules) => rules,
                // A test reads them; without any, a report says that nothing is met.
                Err(_) => Rules::none(),
            });
        &ENGLISH
    }

    /// Reads rules.
    ///
    /// # Errors
    /// [`RulesError`], at the first mistake.
    pub fn read(text: &str) -> Result<Self, RulesError> {
        let written: Written = toml::from_str(text)?;
        let words = &written.words;
        let signs = |written: &[WrittenSign]| -> Result<Vec<Sign>, RulesError> {
            written.iter().map(|sign| Sign::read(sign, words)).collect()
        };
        let negations: Vec<String> = written
            .negations
            .iter()
            .map(|word| regex::escape(word))
            .collect();
        Ok(Self {
            abbreviations: written.abbreviations,
            // Up to six words between it and what it denies, in one part of the sentence.
            negation: compiled(&format!(
                r"(?:\b(?:{})\b|n't\b)(?: [\w'-]+){{0,6}}[ -]?$",
                negations.join("|")
            ))?,
            denial: compiled(&format!(
                r"(?:\b(?:{})|n't)(?: (?:{}))* $",
                negations.join("|"),
                written.articles.join("|")
            ))?,
            clause: compiled(&format!(
                r"\b(?:{}) (?:{})\b",
                written.clauses.join("|"),
                written.subjects.join("|")
            ))?,
            speaker: pattern(&written.speaker, words)?,
            about: signs(&written.about)?,
            qualities: written
                .quality
                .into_iter()
                .map(|quality| {
                    Ok(QualityRule {
                        signs: signs(&quality.sign)?,
                        written: quality,
                    })
                })
                .collect::<Result<_, RulesError>>()?,
            faults: written
                .fault
                .into_iter()
                .map(|fault| {
                    Ok(FaultRule {
                        signs: signs(&fault.sign)?,
                        written: fault,
                    })
                })
                .collect::<Result<_, RulesError>>()?,
            spoils: written
                .spoils
                .iter()
                .map(|spoil| Ok((spoil.name.clone(), pattern(&spoil.find, words)?)))
                .collect::<Result<_, RulesError>>()?,
        })
    }

    fn none() -> Self {
        Self {
            abbreviations: Vec::new(),
            negation: LazyLock::force(&NOTHING).clone(),
            denial: LazyLock::force(&NOTHING).clone(),
            clause: LazyLock::force(&NOTHING).clone(),
            speaker: LazyLock::force(&NOTHING).clone(),
            about: Vec::new(),
            qualities: Vec::new(),
            faults: Vec::new(),
            spoils: Vec::new(),
        }
    }

    /// Checks a statement of any length; beyond [`LONGEST`] bytes it is cut, and the report says so.
    pub fn check(&self, text: &str) -> Report {
        let mut end = text.len().min(LONGEST);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let cut = end < text.len();
        let text = text.get(..end).unwrap_or_default();
        let reading = Reading::new(text, &self.abbreviations).said_by_its_own(&self.speaker);
        let faults = self.faults(&reading, text);
        // An advert for a job says "you are responsible" as well: without anything that went wrong, nothing is owned up to.
        let is_about = reading.sentences.iter().any(|sentence| {
            self.about
                .iter()
                .any(|sign| self.shown(sign, &reading, sentence, &[]).is_some())
        });
        let does = self
            .qualities
            .iter()
            .map(|rule| self.quality(rule, &reading, text, &faults, is_about))
            .collect();
        Report {
            words: reading.words(),
            cut,
            does,
            faults,
        }
    }

    fn faults(&self, reading: &Reading, text: &str) -> Vec<Fault> {
        let mut found = Vec::new();
        for sentence in &reading.sentences {
            for rule in &self.faults {
                // One of a kind in a sentence is enough to say.
                let Some((sign, at)) = rule
                    .signs
                    .iter()
                    .find_map(|sign| Some((sign, self.shown(sign, reading, sentence, &[])?)))
                else {
                    continue;
                };
                let at = reading.original(&at);
                let written = &rule.written;
                found.push(Fault {
                    name: written.name.clone(),
                    sign: sign.name.clone(),
                    does: written.does.clone(),
                    quote: quote(text, &at),
                    at: (at.start, at.end),
                    why: written.why.clone(),
                    better: written.better.clone(),
                });
            }
        }
        found.sort_by_key(|fault| fault.at);
        found.truncate(FAULTS_MAX);
        found
    }

    fn quality(
        &self,
        rule: &QualityRule,
        reading: &Reading,
        text: &str,
        faults: &[Fault],
        is_about: bool,
    ) -> Quality {
        let mut best: Option<(Met, Range<usize>)> = None;
        'signs: for sign in &rule.signs {
            let met = if sign.partly { Met::Partly } else { Met::Yes };
            if best.as_ref().is_some_and(|(so_far, _)| *so_far >= met) {
                continue;
            }
            for (index, sentence) in reading.sentences.iter().enumerate() {
                // Whoever asks whether to say sorry has not said it.
                if reading
                    .of(sentence)
                    .trim_end_matches([' ', '\n', '"'])
                    .ends_with('?')
                {
                    continue;
                }
                let from = index.saturating_sub(sign.near);
                let to = (index + sign.near + 1).min(reading.sentences.len());
                let around = reading.sentences.get(from..to).unwrap_or_default();
                if let Some(at) = self.shown(sign, reading, sentence, around) {
                    best = Some((met, at));
                    continue 'signs;
                }
            }
        }
        let written = &rule.written;
        let spoiled = written.spoiled.iter().any(|name| {
            faults.iter().any(|fault| fault.sign == *name)
                || self.spoils.iter().any(|(spoil, find)| {
                    spoil == name
                        && reading
                            .sentences
                            .iter()
                            .any(|sentence| find.is_match(reading.of(sentence)))
                })
        });
        let met = match (&best, spoiled || !is_about) {
            (None, _) => Met::No,
            (Some(_), true) => Met::Partly,
            (Some((met, _)), false) => *met,
        };
        let at = best.map(|(_, at)| reading.original(&at));
        let told = |words: &str| {
            if met == Met::Yes {
                String::new()
            } else {
                words.to_owned()
            }
        };
        Quality {
            name: written.name.clone(),
            does: written.does.clone(),
            met,
            quote: at.as_ref().map(|at| quote(text, at)),
            at: at.map(|at| (at.start, at.end)),
            why: told(&written.why),
            better: told(&written.better),
        }
    }

    /// Where a sign shows in a sentence, if it does.
    fn shown(
        &self,
        sign: &Sign,
        reading: &Reading,
        sentence: &Range<usize>,
        around: &[Range<usize>],
    ) -> Option<Range<usize>> {
        let words = reading.of(sentence);
        let mut hits = sign.find.find_iter(words).take(HITS_MAX).peekable();
        hits.peek()?;
        // What is said of the whole sentence is looked at once, however often the sign shows in it.
        let excepted = sign
            .unless
            .as_ref()
            .is_some_and(|unless| unless.is_match(words));
        if excepted {
            return None;
        }
        let supported = sign.with.iter().all(|with| {
            with.is_match(words)
                || around
                    .iter()
                    .any(|neighbour| with.is_match(reading.of(neighbour)))
        });
        if !supported {
            return None;
        }
        hits.map(|hit| {
            (
                hit.start(),
                sentence.start + hit.start()..sentence.start + hit.end(),
            )
        })
        .find(|(from, at)| !self.is_denied(words, *from, sign.even) && !reading.is_quoted(at))
        .map(|(_, at)| at)
    }

    /// Whether a "not" stands before this place, in the same clause and not far away; right before it, if `even` so.
    fn is_denied(&self, words: &str, at: usize, even: bool) -> bool {
        let mut from = at.saturating_sub(DENIED_WITHIN);
        while !words.is_char_boundary(from) {
            from += 1;
        }
        let before = words.get(from..at).unwrap_or_default();
        if even {
            return self.denial.is_match(before);
        }
        let clause = self
            .clause
            .find_iter(before)
            .last()
            .map_or(0, |last| last.end());
        self.negation
            .is_match(before.get(clause..).unwrap_or_default())
    }
}

impl Sign {
    fn read(written: &WrittenSign, words: &BTreeMap<String, String>) -> Result<Self, RulesError> {
        Ok(Self {
            name: written.name.clone(),
            find: pattern(&written.find, words)?,
            with: written
                .with
                .iter()
                .map(|with| pattern(with, words))
                .collect::<Result<_, _>>()?,
            near: written.near,
            unless: written
                .unless
                .as_ref()
                .map(|unless| pattern(unless, words))
                .transpose()?,
            partly: written.partly,
            even: written.even,
        })
    }
}

static NOTHING: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "a constant pattern; without it there are no rules at all"
    )]
    Regex::new(r"[^\s\S]").expect("reads")
});

/// A pattern with its words put in.
fn pattern(written: &str, words: &BTreeMap<String, String>) -> Result<Regex, RulesError> {
    let whole = put_in(written, words, 0)?;
    compiled(&whole)
}

/// Rules look at words of a Latin script: letters, digits and bounds of all of Unicode make patterns ten times as large.
///
/// `.` and `[^.]` still match whole letters of any script.
fn compiled(pattern: &str) -> Result<Regex, RulesError> {
    let latin = pattern
        .replace(r"\w", r"[a-z0-9_\u{c0}-\u{24f}]")
        .replace(r"\d", "[0-9]")
        .replace(r"\b", r"(?-u:\b)");
    Ok(RegexBuilder::new(&latin).size_limit(1 << 24).build()?)
}

fn put_in(
    written: &str,
    words: &BTreeMap<String, String>,
    depth: usize,
) -> Result<String, RulesError> {
    let mut whole = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, after)) = rest.split_once('{') {
        whole.push_str(before);
        let name_end = after
            .find(|letter: char| !letter.is_ascii_lowercase())
            .unwrap_or(after.len());
        let (name, tail) = after.split_at_checked(name_end).unwrap_or((after, ""));
        match tail.strip_prefix('}') {
            Some(tail) if !name.is_empty() => {
                let word = words
                    .get(name)
                    .filter(|_| depth < 4)
                    .ok_or_else(|| RulesError::Word(name.to_owned()))?;
                whole.push_str(&put_in(word, words, depth + 1)?);
                rest = tail;
            }
            // `{2,5}`: how often.
            _ => {
                whole.push('{');
                rest = after;
            }
        }
    }
    whole.push_str(rest);
    Ok(whole)
}

/// The words at `at`, with single spaces.
fn quote(text: &str, at: &Range<usize>) -> String {
    text.get(at.clone())
        .unwrap_or_default()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
