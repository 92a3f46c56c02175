//! `docs/diagnostics/`: a page for each code, and every example does what the page says.

use std::collections::BTreeMap;

use crate::markdown::{Block, blocks, pages};
use countersign_language::{
    Diagnostic, Finder, Procedure, Severity, check_staffing, codes, explain_code, read_bytes,
    read_json, text_of,
};

#[test]
fn there_is_a_page_for_each_code_and_no_other() {
    let mut words: Vec<&str> = codes().iter().map(|code| code.code).collect();
    assert!(words.len() >= 30);
    words.sort_unstable();
    let unique = words.len();
    words.dedup();
    assert_eq!(words.len(), unique, "a code is listed twice");
    let files: Vec<String> = pages("docs/diagnostics")
        .iter()
        .map(|(path, _)| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "README")
        .collect();
    assert_eq!(files, words);
    for code in codes() {
        assert_eq!(explain_code(code.code), Some(code.page));
        assert!(
            code.page.starts_with(&format!("# `{}`\n", code.code)),
            "{}",
            code.code
        );
        let severity = match code.severity {
            Severity::Error => "An error: ",
            Severity::Warning => "A warning: ",
        };
        assert!(code.page.contains(severity), "{}", code.code);
        assert!(!code.title.ends_with('.') && !code.title.is_empty());
    }
    assert_eq!(explain_code("no-such-code"), None);
}

#[test]
fn the_list_of_pages_has_each_code() {
    let (_, list) = pages("docs/diagnostics")
        .into_iter()
        .find(|(path, _)| path.ends_with("README.md"))
        .unwrap();
    for code in codes() {
        let severity = match (code.severity, code.finder) {
            (_, Finder::Rules(set)) => set,
            (Severity::Error, _) => "error",
            (Severity::Warning, _) => "warning",
        };
        let row = format!(
            "| [`{0}`]({0}.md) | {severity} | {1} |",
            code.code, code.title
        );
        assert!(
            list.contains(&row),
            "missing in docs/diagnostics/README.md:\n{row}"
        );
    }
}

#[test]
fn every_failing_example_fails_as_its_page_says() {
    for code in found_by_reading() {
        let failing: Vec<Block> = blocks(code.page)
            .into_iter()
            .filter(|block| block.attribute("code").is_some())
            .collect();
        assert!(!failing.is_empty(), "{} has no failing example", code.code);
        for block in failing {
            assert_eq!(block.attribute("code"), Some(code.code));
            let (bytes, found, _) = run(&block);
            let text = text_of(&bytes);
            let underlined = block
                .attribute("underlined")
                .unwrap_or_else(|| panic!("{}: what is underlined?", code.code));
            let expected = unescape(underlined);
            let expected = text_of(&expected);
            let found: Vec<&Diagnostic> = found
                .iter()
                .filter(|diagnostic| diagnostic.code == code.code)
                .collect();
            let slices: Vec<&str> = found
                .iter()
                .map(|diagnostic| {
                    &text[diagnostic.labels[0].span.start as usize
                        ..diagnostic.labels[0].span.end as usize]
                })
                .collect();
            assert!(
                slices.contains(&&*expected),
                "{}: expected {underlined:?} to be underlined, found {slices:?}",
                code.code
            );
            assert!(
                found
                    .iter()
                    .all(|diagnostic| diagnostic.severity == code.severity)
            );
        }
    }
}

#[test]
fn every_repaired_example_is_clean() {
    for code in found_by_reading() {
        let repaired: Vec<Block> = blocks(code.page)
            .into_iter()
            .filter(|block| block.attribute("code").is_none())
            .collect();
        assert!(
            !repaired.is_empty(),
            "{} has no repaired example",
            code.code
        );
        for block in repaired {
            let (_, found, procedure) = run(&block);
            assert!(!block.has("error") && !block.has("warning"));
            assert_eq!(found, [], "{}.md:{}", code.code, block.line);
            assert!(procedure.is_some());
        }
    }
}

/// The others are found by the prover, and their examples are run in its tests.
fn found_by_reading() -> impl Iterator<Item = &'static countersign_language::Code> {
    codes().iter().filter(|code| code.finder == Finder::Reading)
}

/// Reads an example: the bytes read, what was found, and the procedure.
fn run(block: &Block) -> (Vec<u8>, Vec<Diagnostic>, Option<Procedure>) {
    let times = block
        .attribute("times")
        .map_or(1, |times| times.parse().unwrap());
    let mut bytes = block.body.repeat(times).into_bytes();
    if block.language == "bytes" {
        bytes = unescape(&block.body);
    }
    let reading = if block.language == "json" {
        read_json(std::str::from_utf8(&bytes).unwrap())
    } else {
        read_bytes(&bytes)
    };
    let mut found = reading.diagnostics;
    if let (Some(people), Some(procedure)) = (block.attribute("people"), &reading.procedure) {
        let (role, count) = people.split_once(' ').unwrap();
        found.extend(check_staffing(
            procedure,
            &BTreeMap::from([(role.to_owned(), count.parse().unwrap())]),
        ));
    }
    (bytes, found, reading.procedure)
}

/// `\xe4` to the byte E4.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("\\x") {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        bytes.push(u8::from_str_radix(&rest[at + 2..at + 4], 16).unwrap());
        rest = &rest[at + 4..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}
