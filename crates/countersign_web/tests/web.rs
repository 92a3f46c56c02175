//! The router as it is, driven in process by people, programs and scanners.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on has failed"
)]

mod budgets;
mod bypasses;
mod checked;
mod drills;
mod enrolment;
mod figures;
mod incidents;
mod journeys;
mod languages;
mod live;
mod openapi;
mod overload;
mod panel;
mod problems;
mod procedures;
mod refusals;
mod talking;
mod who_may;
mod world;

use std::path::{Path, PathBuf};

/// A file of the repository.
fn read(path: &str) -> String {
    std::fs::read_to_string(of_repository(path)).unwrap()
}

/// Compares with the file that is checked in; with `UPDATE=1` writes it.
fn kept(path: &str, text: &str) {
    let file = of_repository(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        return;
    }
    let held = std::fs::read_to_string(&file).unwrap_or_default();
    let line = held
        .lines()
        .zip(text.lines())
        .position(|(held, now)| held != now)
        .unwrap_or_else(|| held.lines().count().min(text.lines().count()));
    assert!(
        held == text,
        "{path} is not fresh from line {}: it says `{}`, and now it is `{}`; run again with UPDATE=1",
        line + 1,
        held.lines().nth(line).unwrap_or_default(),
        text.lines().nth(line).unwrap_or_default()
    );
}

fn of_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// A file of tests that nothing names would never run.
#[test]
fn every_file_of_tests_is_named() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let roots = [include_str!("web.rs"), include_str!("pages.rs")];
    for entry in std::fs::read_dir(folder.join("tests")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(stem) = name.strip_suffix(".rs") else {
            continue;
        };
        assert!(
            roots
                .iter()
                .any(|root| root.contains(&format!("mod {stem};")))
                || manifest.contains(&format!("path = \"tests/{name}\"")),
            "tests/{name} is in no binary"
        );
    }
}

/// docs/THREATS.md names a test for every row, and each is there.
#[test]
fn every_threat_has_its_test() {
    let threats = read("docs/THREATS.md");
    let tests = include_str!("bypasses.rs");
    for number in 1..=25 {
        let row = threats
            .lines()
            .find(|line| line.starts_with(&format!("| B{number} |")))
            .unwrap();
        let name = row
            .split('`')
            .find(|name| name.starts_with(&format!("b{number:02}_")))
            .unwrap_or_else(|| panic!("{row}"));
        assert!(tests.contains(&format!("fn {name}()")), "{name}");
    }
}
