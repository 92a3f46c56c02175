//! The procedures that ship with the program are valid and give no warning.

use std::path::{Path, PathBuf};

use countersign_language::{format, read};

fn shipped() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../procedures");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "procedure")
        })
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

#[test]
fn shipped_procedures_are_clean() {
    for (path, text) in shipped() {
        let reading = read(&text);
        assert_eq!(reading.diagnostics, [], "{}", path.display());
        assert!(reading.procedure.is_some());
    }
}

#[test]
fn shipped_procedures_are_in_the_canonical_format() {
    for (path, text) in shipped() {
        assert_eq!(
            format(&read(&text).tree).unwrap(),
            text,
            "{}",
            path.display()
        );
    }
}
