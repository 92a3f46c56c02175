//! What a reviewer would otherwise have to look for in every change.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a test that cannot read the tree has failed; our own file names are lower case"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which layer a crate is in. An arrow may only point to a lower layer.
const LAYERS: &[(&str, u8)] = &[
    ("countersign", 5),
    ("countersign_web", 4),
    ("countersign_service", 3),
    ("countersign_store", 2),
    ("countersign_prover", 2),
    ("countersign_cases", 1),
    ("countersign_grant", 1),
    ("countersign_language", 0),
    ("countersign_ledger", 0),
    ("countersign_statements", 0),
];

/// Only for development: may use anything, may be used by tests only.
const BESIDE: &[&str] = &[
    "countersign_testkit",
    "countersign_benches",
    "countersign_benches_load",
    "countersign_benches_prover",
];

/// These decide; they must not be able to reach the world.
const PURE: &[&str] = &[
    "countersign_language",
    "countersign_ledger",
    "countersign_cases",
    "countersign_grant",
    "countersign_prover",
    "countersign_statements",
];

/// What a pure crate may not even link.
const IMPURE: &[&str] = &[
    "tokio",
    "reqwest",
    "axum",
    "sqlx",
    "lettre",
    "rand",
    "getrandom",
    "jiff",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn metadata() -> serde_json::Value {
    let out = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    serde_json::from_slice(&out.stdout).unwrap()
}

/// Every tracked text file with its content, by path from the root.
fn tracked() -> BTreeMap<String, String> {
    let out = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root())
        .output()
        .unwrap();
    String::from_utf8(out.stdout)
        .unwrap()
        .split('\0')
        .filter(|name| !name.is_empty())
        .filter_map(|name| {
            Some((
                name.to_owned(),
                std::fs::read_to_string(root().join(name)).ok()?,
            ))
        })
        .collect()
}

#[test]
fn arrows_point_downward() {
    let layer: BTreeMap<_, _> = LAYERS.iter().copied().collect();
    let metadata = metadata();
    let mut seen = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        seen.insert(name.to_owned());
        if BESIDE.contains(&name) {
            continue;
        }
        let from = *layer
            .get(name)
            .unwrap_or_else(|| panic!("{name} is in no layer: add it to LAYERS"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let to = dependency["name"].as_str().unwrap();
            if !to.starts_with("countersign") || dependency["kind"] == "dev" {
                continue;
            }
            assert!(!BESIDE.contains(&to), "{name} uses {to} outside its tests");
            assert!(
                layer[to] < from,
                "{name} (layer {from}) uses {to} (layer {})",
                layer[to]
            );
        }
    }
    for (name, _) in LAYERS {
        assert!(
            seen.contains(*name),
            "{name} is in LAYERS but not in the workspace"
        );
    }
}

#[test]
fn pure_crates_link_nothing_that_reaches_the_world() {
    for package in metadata()["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if !PURE.contains(&name) {
            continue;
        }
        for dependency in package["dependencies"].as_array().unwrap() {
            let to = dependency["name"].as_str().unwrap();
            assert!(
                dependency["kind"] == "dev" || !IMPURE.contains(&to),
                "{name} is pure but uses {to}"
            );
        }
        let clippy = root().join("crates").join(name).join("clippy.toml");
        assert!(
            clippy.exists(),
            "{name} is pure but has no clippy.toml that keeps it so"
        );
    }
}

#[test]
fn one_tls_stack_and_one_sqlite() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let program = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "-p",
            "countersign",
            "-e",
            "normal,build",
            "--prefix",
            "none",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let program = String::from_utf8(program.stdout).unwrap();
    for banned in ["openssl-sys", "native-tls", "ring", "rusqlite"] {
        let line = format!("{banned} v");
        assert!(
            !program.lines().any(|package| package.starts_with(&line)),
            "the program links {banned}"
        );
    }
    assert_eq!(
        lock.matches("name = \"libsqlite3-sys\"").count(),
        1,
        "two copies of SQLite"
    );
}

#[test]
fn paths_named_in_documents_exist() {
    let files = tracked();
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".md")) {
        let folder = Path::new(name).parent().unwrap();
        for target in links(text) {
            if target.contains("://") || target.starts_with('#') || target.starts_with("mailto:") {
                continue;
            }
            let path = target.split('#').next().unwrap();
            let from_here = root().join(folder).join(path);
            assert!(
                from_here.exists(),
                "{name} links to {target}, which does not exist"
            );
        }
        for quoted in text.split('`').skip(1).step_by(2) {
            let known = ["crates/", "docs/", "procedures/", "benches/", "tests/"];
            let plain = quoted
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
            if plain && known.iter().any(|start| quoted.starts_with(start)) {
                assert!(
                    root().join(quoted).exists(),
                    "{name} names `{quoted}`, which does not exist"
                );
            }
        }
    }
}

#[test]
fn nothing_is_left_unfinished() {
    let words = [
        "TODO",
        "FIXME",
        "XXX",
        "todo!(",
        "unimplemented!(",
        "#[ignore",
    ];
    for (name, text) in tracked() {
        let code = [".rs", ".toml", ".html", ".css", ".js", ".py"]
            .iter()
            .any(|end| name.ends_with(end));
        if !code || name.ends_with("tidy.rs") {
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            for word in words {
                assert!(!line.contains(word), "{name}:{}: {word}", at + 1);
            }
        }
    }
}

#[test]
fn files_stay_readable() {
    // A room one can take in: a file of the program over 1,500 lines wants dividing. A list of tests is read by its names.
    for (name, text) in tracked() {
        if name.ends_with(".rs") && name.contains("/src/") {
            let lines = text.lines().count();
            assert!(lines <= 1_500, "{name} has {lines} lines");
        }
    }
}

#[test]
fn every_crate_is_on_the_map() {
    let map = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    for (name, _) in LAYERS {
        assert!(
            map.contains(&format!("`{name}`")),
            "docs/ARCHITECTURE.md does not name {name}"
        );
    }
    assert!(
        map.split_whitespace().count() <= 2_500,
        "docs/ARCHITECTURE.md is longer than 2,500 words"
    );
}

#[test]
fn grants_are_minted_in_one_place() {
    let callers: Vec<_> = tracked()
        .into_iter()
        .filter(|(name, text)| {
            name.starts_with("crates/")
                && name.contains("/src/")
                && name.ends_with(".rs")
                && !name.starts_with("crates/countersign_grant/")
                && text.contains("countersign_grant::mint")
        })
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        callers,
        ["crates/countersign_service/src/grants.rs"],
        "a grant comes from a Permit and from nowhere else"
    );
}

#[test]
fn every_bypass_is_in_the_threats() {
    let threats = std::fs::read_to_string(root().join("docs/THREATS.md")).unwrap();
    for number in 1..=25 {
        assert!(
            threats.contains(&format!("| B{number} ")),
            "docs/THREATS.md has no row for B{number}"
        );
    }
}

fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let mut rest = line;
        while let Some(at) = rest.find("](") {
            rest = &rest[at + 2..];
            if let Some(end) = rest.find(')') {
                found.push(rest[..end].to_owned());
            }
        }
    }
    found
}
