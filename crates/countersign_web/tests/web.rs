//! The router as it is, driven in process by people, programs and scanners.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::map_unwrap_or,
    clippy::panic,
    clippy::redundant_closure_for_method_calls,
    clippy::string_slice,
    reason = "a world that cannot be set up has failed its test"
)]

mod bypasses;
mod journeys;
mod world;

/// A file of tests that nothing names would never run.
#[test]
fn every_file_of_tests_is_named() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let root = include_str!("web.rs");
    for entry in std::fs::read_dir(folder.join("tests")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(stem) = name.strip_suffix(".rs") else {
            continue;
        };
        assert!(
            root.contains(&format!("mod {stem};"))
                || manifest.contains(&format!("path = \"tests/{name}\"")),
            "tests/{name} is in no binary"
        );
    }
}
