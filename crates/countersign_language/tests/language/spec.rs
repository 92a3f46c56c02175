//! `tests/spec/`: the language in prose whose examples run.
//!
//! A `procedure` block is read; the `findings` block that follows it is
//! everything that must be found, with line, code, the exact words underlined,
//! message and help. Without one, nothing must be found. `procedure +` stands
//! below the page's `procedure prelude`. After a change of wording, run with
//! `COUNTERSIGN_BLESS=1` to write what is found into the pages, and review that.

use std::fmt::Write as _;

use crate::markdown::{blocks, pages};
use countersign_language::{Diagnostic, LineIndex, Severity, read, read_json};

#[test]
fn spec_pages_are_true() {
    let bless = std::env::var("COUNTERSIGN_BLESS").is_ok();
    let mut wrong = String::new();
    for (path, page) in pages("crates/countersign_language/tests/spec") {
        let blocks = blocks(&page);
        let prelude = blocks
            .iter()
            .find(|block| block.has("prelude"))
            .map_or("", |block| block.body.as_str());
        let mut blessed = page.clone();
        for (n, block) in blocks.iter().enumerate().rev() {
            if block.language == "findings" {
                continue;
            }
            assert!(
                matches!(block.language.as_str(), "procedure" | "json"),
                "{}:{}",
                path.display(),
                block.line
            );
            assert!(
                block.attribute("code").is_none(),
                "what is found stands in a `findings` block"
            );
            let above = if block.has("+") { prelude } else { "" };
            let text = format!("{above}{}", block.body);
            let reading = if block.language == "json" {
                read_json(&text)
            } else {
                read(&text)
            };
            let found = describe(&reading.diagnostics, &text, above.lines().count());
            let next = blocks.get(n + 1).filter(|next| next.language == "findings");
            let expected = next.map_or("", |next| next.body.as_str());
            if found == expected {
                continue;
            }
            let _ = write!(
                wrong,
                "\n{}:{}\n--- the page says\n{expected}--- found\n{found}",
                path.display(),
                block.line
            );
            // From the last block to the first, so that lines above stay where they are.
            let mut lines: Vec<&str> = blessed.split_inclusive('\n').collect();
            let after = block.line + block.body.lines().count() + 1;
            let findings = if found.is_empty() {
                String::new()
            } else {
                format!("\n```findings\n{found}```\n")
            };
            let until = next.map_or(after, |next| next.line + next.body.lines().count() + 1);
            lines.splice(after..until, [findings.as_str()]);
            blessed = lines.concat();
        }
        if bless && blessed != page {
            std::fs::write(path, blessed).unwrap();
        }
    }
    assert!(bless || wrong.is_empty(), "{wrong}");
}

fn describe(diagnostics: &[Diagnostic], text: &str, skipped: usize) -> String {
    let lines = LineIndex::new(text);
    let mut out = String::new();
    for diagnostic in diagnostics {
        let severity = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        for (n, label) in diagnostic.labels.iter().enumerate() {
            let line = match lines.line(label.span.start).checked_sub(skipped) {
                None | Some(0) => "above".to_owned(),
                Some(line) => line.to_string(),
            };
            let slice = text[label.span.start as usize..label.span.end as usize].replace('\n', "↵");
            if n == 0 {
                let _ = writeln!(
                    out,
                    "{line}: {severity}[{}] ▸{slice}◂ {}",
                    diagnostic.code, diagnostic.message
                );
            } else {
                let _ = writeln!(out, "   {line}: ▸{slice}◂ {}", label.text);
            }
        }
        if let Some(help) = &diagnostic.help {
            let _ = writeln!(out, "   help: {help}");
        }
    }
    out
}
