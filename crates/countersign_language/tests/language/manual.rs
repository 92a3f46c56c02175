//! `docs/language/`: every example in the manual is valid and in canonical form, or fails as it says.
//!
//! A `procedure` block is a whole procedure without any finding; one with
//! `continues` goes on where the last ended. One with `error code="…"` or
//! `warning code="…"` gives that code, and nothing else of that severity.

use crate::markdown::{blocks, pages};
use countersign_language::{Severity, codes, format, json_schema, read, read_json, to_json};

#[test]
fn every_example_in_the_manual_does_what_it_says() {
    let mut examples = 0;
    for (path, page) in pages("docs/language") {
        let mut so_far = String::new();
        for block in blocks(&page) {
            let place = format!("{}:{}", path.display(), block.line);
            if block.language == "json" {
                let reading = read_json(&block.body);
                assert_eq!(reading.diagnostics, [], "{place}");
                assert_eq!(to_json(&reading.tree), block.body, "{place}");
                continue;
            }
            if block.language != "procedure" {
                continue;
            }
            examples += 1;
            let text = if block.has("continues") {
                format!("{so_far}\n{}", block.body)
            } else {
                block.body.clone()
            };
            let reading = read(&text);
            if let Some(code) = block.attribute("code") {
                let severity = if block.has("error") {
                    Severity::Error
                } else {
                    Severity::Warning
                };
                let found: Vec<&str> = reading
                    .diagnostics
                    .iter()
                    .filter(|finding| finding.severity == severity)
                    .map(|finding| finding.code)
                    .collect();
                assert_eq!(found, [code], "{place}");
                continue;
            }
            assert_eq!(reading.diagnostics, [], "{place}");
            if !block.has("unformatted") {
                assert_eq!(format(&reading.tree).unwrap(), text, "{place}");
            }
            // What stands apart is not what the next example goes on from.
            if !block.has("apart") {
                so_far = text;
            }
        }
    }
    assert!(examples >= 20, "{examples}");
}

#[test]
fn the_manual_mentions_only_codes_that_exist() {
    for (path, page) in pages("docs/language") {
        for link in page.split("../diagnostics/").skip(1) {
            let code = link.split(".md").next().unwrap();
            assert!(
                code == "README" || codes().iter().any(|known| known.code == code),
                "{}: {code}",
                path.display()
            );
        }
    }
}

#[test]
fn the_published_schema_is_fresh() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/generated/procedure.schema.json");
    if std::env::var("COUNTERSIGN_BLESS").is_ok() {
        std::fs::write(&path, json_schema()).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        json_schema(),
        "run with COUNTERSIGN_BLESS=1 to write it"
    );
}
