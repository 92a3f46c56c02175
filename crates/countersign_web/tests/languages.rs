//! What customers read, in every language it is spoken in.

use std::collections::BTreeSet;
use std::path::Path;

use crate::{of_repository, read};

/// The sources that may speak to customers.
const SPEAKERS: [&str; 3] = [
    "crates/countersign_service/src",
    "crates/countersign_web/src",
    "crates/countersign_web/templates",
];

/// A key that is said and not written fails here, not in front of a customer; one that is written and not said is dead.
#[test]
fn every_key_that_is_said_is_written_and_every_key_that_is_written_is_said() {
    let english = read("crates/countersign_service/locales/en.ftl");
    let written: BTreeSet<&str> = english
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, _)| key)
        .collect();
    assert!(written.iter().all(|key| is_key(key)), "{written:?}");
    let mut literals = BTreeSet::new();
    let mut unwritten = BTreeSet::new();
    for folder in SPEAKERS {
        each_file(&of_repository(folder), &mut |name, text| {
            for call in [".say(\"", ".tell(\"", ".pieces(\"", "Key(\""] {
                for rest in text.split(call).skip(1) {
                    let key = rest.split('"').next().unwrap();
                    if is_key(key) && !written.contains(key) {
                        unwritten.insert(format!("{name}: {key}"));
                    }
                }
            }
            literals.extend(text.split('"').map(str::to_owned));
        });
    }
    assert!(unwritten.is_empty(), "not in en.ftl: {unwritten:#?}");
    let unsaid: Vec<_> = written
        .iter()
        .filter(|key| !literals.contains(**key) && !english.contains(&format!("{{ {key} }}")))
        .collect();
    assert!(unsaid.is_empty(), "said nowhere: {unsaid:#?}");
}

/// Every key has a hyphen, and nothing but lower-case letters, digits and hyphens.
fn is_key(text: &str) -> bool {
    text.contains('-')
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn each_file(folder: &Path, see: &mut dyn FnMut(&str, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, see);
        } else if path.file_name().is_some_and(|name| name != "tests.rs") {
            see(
                &path.to_string_lossy(),
                &std::fs::read_to_string(&path).unwrap(),
            );
        }
    }
}
