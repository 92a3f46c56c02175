use std::collections::{BTreeMap, BTreeSet};

use super::*;

const EVERY: [Language; 6] = [
    Language::English,
    Language::German,
    Language::Spanish,
    Language::French,
    Language::Accented,
    Language::Mirrored,
];

/// One message of a file, as text.
#[derive(Debug, Default)]
struct Message {
    variables: BTreeSet<String>,
    choices: BTreeSet<String>,
    others: BTreeSet<String>,
}

/// The messages of a file. What a message refers to counts as its own.
fn messages(language: Language) -> BTreeMap<String, Message> {
    let mut found: BTreeMap<String, Message> = BTreeMap::new();
    let mut current = String::new();
    for line in language.source().lines() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        if line.starts_with(|c: char| c.is_ascii_lowercase()) {
            let (key, _) = line.split_once(" = ").unwrap_or_else(|| panic!("{line}"));
            current = key.to_owned();
            let earlier = found.insert(current.clone(), Message::default());
            assert!(earlier.is_none(), "`{key}` stands twice in {language}");
        }
        let message = found.get_mut(&current).unwrap();
        for place in line.split('{').skip(1) {
            let name = place
                .trim_start()
                .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '$'))
                .next()
                .unwrap();
            match name.strip_prefix('$') {
                Some(variable) => message.variables.insert(variable.to_owned()),
                None => message.others.insert(name.to_owned()),
            };
        }
        if let Some((choice, _)) = line.trim().trim_start_matches('*').split_once(']')
            && let Some(choice) = choice.strip_prefix('[')
            && !["zero", "one", "two", "few", "many", "other"].contains(&choice)
        {
            message.choices.insert(choice.to_owned());
        }
    }
    let referred: Vec<(String, BTreeSet<String>)> = found
        .iter()
        .map(|(key, message)| {
            let of = message.others.iter().map(|other| {
                found
                    .get(other)
                    .unwrap_or_else(|| panic!("`{key}` in {language} refers to `{other}`"))
            });
            let variables = of.flat_map(|message| message.variables.clone()).collect();
            (key.clone(), variables)
        })
        .collect();
    for (key, variables) in referred {
        found.get_mut(&key).unwrap().variables.extend(variables);
    }
    found
}

#[test]
fn every_file_parses_and_has_the_same_messages() {
    let english = messages(Language::English);
    assert!(english.len() > 20);
    for language in Language::OFFERED {
        if let Err((_, errors)) = FluentResource::try_new(language.source().to_owned()) {
            panic!("{language}: {errors:?}");
        }
        let other = messages(language);
        let keys = |of: &BTreeMap<String, Message>| of.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&other), keys(&english), "{language}");
        for (key, message) in &english {
            assert_eq!(message.variables, other[key].variables, "{language} {key}");
            assert_eq!(message.choices, other[key].choices, "{language} {key}");
        }
        assert!(
            !language
                .source()
                .chars()
                .any(|c| matches!(u32::from(c), 0xE000..=0xF8FF)),
            "{language} has a character that stands for an argument"
        );
    }
}

#[test]
fn every_message_can_be_said() {
    for language in EVERY {
        for (key, message) in messages(language) {
            let key = Key(Box::leak(key.into_boxed_str()));
            let variables: Vec<&'static str> = message
                .variables
                .iter()
                .map(|name| &*Box::leak(name.clone().into_boxed_str()))
                .collect();
            let mut choices: Vec<&'static str> = message
                .choices
                .iter()
                .map(|name| &*Box::leak(name.clone().into_boxed_str()))
                .collect();
            choices.push("something else");
            for number in [0, 1, 2, 5, 21, 12_345] {
                for choice in &choices {
                    let args: Vec<(&'static str, Arg<'_>)> = variables
                        .iter()
                        .map(|name| {
                            let arg = match *name {
                                "count" | "day" | "month" | "tries" | "step" | "steps"
                                | "entry" => Arg::Number(number),
                                "kind" => Arg::Choice(choice),
                                _ => Arg::Text("‹value›"),
                            };
                            (*name, arg)
                        })
                        .collect();
                    let text = language.tell(key, &args);
                    assert!(!text.is_empty(), "{language} {key:?}");
                    assert!(
                        !text.contains(['{', '}', '$']),
                        "{language} {key:?}: {text}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_put_in_is_left_as_it_is() {
    // Arabic, an override, and a character that stands for an argument while a message is put together.
    for value in ["سلام", "a\u{202e}b", "\u{e000}\u{e001}", "{ $until }", ""] {
        let said = Language::German.tell("frame-works-until", &[("until", Arg::Text(value))]);
        let bare = said.replace(['\u{2068}', '\u{2069}'], "");
        assert_eq!(bare, format!("Dieser Link gilt bis {value}."));
        assert_eq!(
            said.contains('\u{2068}'),
            Language::German.isolates(value),
            "{value}"
        );
    }
    let english = Language::English.tell("frame-works-until", &[("until", Arg::Text("10:46"))]);
    assert_eq!(english, "This link works until 10:46.");
    let mirrored = Language::Mirrored.tell("frame-works-until", &[("until", Arg::Text("10:46"))]);
    assert!(mirrored.contains("\u{2068}10:46\u{2069}"));
}

#[test]
fn numbers_and_lengths_as_each_language_writes_them() {
    let grouped = |number| Language::OFFERED.map(|language| language.grouped(number));
    assert_eq!(grouped(999), ["999", "999", "999", "999"]);
    assert_eq!(grouped(1_204), ["1,204", "1.204", "1204", "1\u{202f}204"]);
    assert_eq!(
        grouped(1_088_204),
        [
            "1,088,204",
            "1.088.204",
            "1\u{202f}088\u{202f}204",
            "1\u{202f}088\u{202f}204"
        ]
    );
    let lengths = |seconds| Language::OFFERED.map(|language| language.length(seconds));
    assert_eq!(
        lengths(60),
        ["1 minute", "1 Minute", "1 minuto", "1 minute"]
    );
    assert_eq!(
        lengths(86_400),
        ["24 hours", "24 Stunden", "24 horas", "24 heures"]
    );
    assert_eq!(
        lengths(7 * 86_400),
        ["7 days", "7 Tage", "7 días", "7 jours"]
    );
    let away = |minutes| Language::OFFERED.map(|language| language.away(minutes).unwrap());
    assert_eq!(
        away(16),
        [
            "in 16 minutes",
            "in 16 Minuten",
            "dentro de 16 minutos",
            "dans 16 minutes"
        ]
    );
    assert_eq!(
        away(-120),
        [
            "2 hours ago",
            "vor 2 Stunden",
            "hace 2 horas",
            "il y a 2 heures"
        ]
    );
    assert_eq!(Language::German.away(0), None);
}

#[test]
fn moments_as_each_language_writes_them() {
    let at: jiff::ZonedDateTime = "2026-11-24T10:45:10+01:00[Europe/Stockholm]"
        .parse()
        .unwrap();
    let said = |style| Language::OFFERED.map(|language| language.moment(&at, style));
    assert_eq!(said(MomentStyle::Time), ["10:45"; 4]);
    assert_eq!(
        said(MomentStyle::Day),
        [
            "24 Nov, 10:45",
            "24. Nov., 10:45",
            "24 nov, 10:45",
            "24 nov., 10:45"
        ]
    );
    assert_eq!(
        said(MomentStyle::Zone),
        [
            "24 Nov 2026, 10:45:10 CET",
            "24. Nov. 2026, 10:45:10 CET",
            "24 nov 2026, 10:45:10 CET",
            "24 nov. 2026, 10:45:10 CET"
        ]
    );
    assert_eq!(
        said(MomentStyle::Letter),
        [
            "24 November 2026, 10:45 CET",
            "24. November 2026, 10:45 CET",
            "24 de noviembre de 2026, 10:45 CET",
            "24 novembre 2026, 10:45 CET"
        ]
    );
}

#[test]
fn made_up_languages_are_longer_and_offered_to_nobody() {
    let english = Language::English.say("frame-never-aloud");
    let accented = Language::Accented.say("frame-never-aloud");
    let (before, after) = (english.chars().count(), accented.chars().count());
    assert!(after * 10 >= before * 12, "{before} {after}");
    assert!(
        !accented.chars().any(|c| c.is_ascii_alphabetic()),
        "{accented}"
    );
    for tag in ["en-XA", "ar-XB", "xx", "", "EN"] {
        assert_eq!(Language::of_tag(tag), None);
        assert!(serde_json::from_value::<Language>(tag.into()).is_err());
    }
    for language in Language::OFFERED {
        let json = serde_json::to_value(language).unwrap();
        assert_eq!(serde_json::from_value::<Language>(json).unwrap(), language);
    }
}
