//! Text to [`Reading`]: the whole way, in one call.

use std::borrow::Cow;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::findings::Findings;
use crate::lexer::span;
use crate::model::Procedure;
use crate::parser::{self, Outline};
use crate::resolve;
use crate::tree::Tree;
use crate::twin;

/// A file longer than this many bytes is refused unread: 64 MiB, about 200,000 actions.
pub const LARGEST: usize = 64 << 20;

/// What came of reading a file.
#[derive(Debug)]
pub struct Reading {
    /// What the file says, as far as it could be read.
    pub tree: Tree,
    /// The checked procedure; there if and only if no diagnostic is an error.
    pub procedure: Option<Procedure>,
    /// Everything found, by place in the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// What came of reading a file for the procedure alone.
#[derive(Debug)]
pub struct Checked {
    /// The checked procedure; there if and only if no diagnostic is an error.
    pub procedure: Option<Procedure>,
    /// Everything found, by place in the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and checks like [`read`], and forgets the tree on the way: less time
/// and half the memory for whoever does not format.
///
/// ```
/// let checked = countersign_language::check("organisation \"Acme\"");
/// assert!(checked.procedure.is_some());
/// ```
pub fn check(text: &str) -> Checked {
    if text.len() <= LARGEST
        && let Some(checked) = without_a_tree(text)
    {
        return checked;
    }
    let Reading {
        procedure,
        diagnostics,
        ..
    } = read(text);
    Checked {
        procedure,
        diagnostics,
    }
}

/// Nothing if there is an error anywhere.
fn without_a_tree(text: &str) -> Option<Checked> {
    let mut parsing = Findings::default();
    let mut findings = Findings::default();
    let outline = Outline::read(text, &mut parsing)?;
    let procedure = resolve::resolve_outline(outline, &mut findings)?;
    if parsing.errors() > 0 {
        return None;
    }
    parsing.append(findings);
    Some(Checked {
        procedure: Some(procedure),
        diagnostics: parsing.finish(),
    })
}

/// Reads and checks a procedure file: every mistake at once, never a panic.
///
/// ```
/// let reading = countersign_language::read("organisation \"Acme\"");
/// assert!(reading.procedure.is_some());
/// ```
pub fn read(text: &str) -> Reading {
    let mut findings = Findings::default();
    if too_large(text.len(), &mut findings) {
        return Reading {
            tree: Tree::broken(),
            procedure: None,
            diagnostics: findings.finish(),
        };
    }
    let tree = parser::parse(text, &mut findings);
    checked(tree, findings, true)
}

/// Reads bytes that should be UTF-8. Spans refer to [`text_of`] the same bytes.
pub fn read_bytes(bytes: &[u8]) -> Reading {
    match text_of(bytes) {
        Cow::Borrowed(text) => read(text),
        Cow::Owned(text) => {
            let mut findings = Findings::default();
            if too_large(bytes.len(), &mut findings) {
                return Reading {
                    tree: Tree::broken(),
                    procedure: None,
                    diagnostics: findings.finish(),
                };
            }
            let mut at = 0;
            for chunk in bytes.utf8_chunks() {
                at += chunk.valid().len();
                let bad = chunk.invalid().len();
                if bad > 0
                    && let Some(finding) = findings.add(codes::NOT_UTF8, span(at, at + bad), || {
                        "these bytes are not UTF-8 text".to_owned()
                    })
                {
                    finding.help("save the file as UTF-8");
                }
                at += bad;
            }
            let mut tree = parser::parse(&text, &mut findings);
            tree.broken = true;
            checked(tree, findings, true)
        }
    }
}

/// The text that [`read_bytes`] reads: the bytes themselves if they are UTF-8,
/// else with a space in place of each byte that is not, so that places stay the same.
pub fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| ' '));
    }
    Cow::Owned(text)
}

/// Reads and checks a JSON twin, strictly: fields that the twin does not have
/// are errors. Diagnostics point into the JSON; the procedure's own spans are zero.
pub fn read_json(text: &str) -> Reading {
    let mut findings = Findings::default();
    if too_large(text.len(), &mut findings) {
        return Reading {
            tree: Tree::broken(),
            procedure: None,
            diagnostics: findings.finish(),
        };
    }
    match twin::from_json(text, &mut findings) {
        Some(tree) => checked(tree, findings, false),
        None => Reading {
            tree: Tree::broken(),
            procedure: None,
            diagnostics: findings.finish(),
        },
    }
}

fn checked(tree: Tree, mut findings: Findings, keep_spans: bool) -> Reading {
    let mut procedure = resolve::resolve(&tree, &mut findings);
    if !keep_spans {
        procedure = procedure.map(Procedure::without_spans);
    }
    Reading {
        tree,
        procedure,
        diagnostics: findings.finish(),
    }
}

fn too_large(length: usize, findings: &mut Findings) -> bool {
    if length <= LARGEST {
        return false;
    }
    if let Some(finding) = findings.add(codes::TOO_LARGE, span(0, 0), || {
        format!("a file of {length} bytes is too large to be a procedure")
    }) {
        finding.help(format!("a procedure is at most {LARGEST} bytes long"));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A procedure with every kind of thing a skipped action can hold.
    const SKIPPED: &str = r#"
organisation "A"
action a "a } { \" # {" { with p "{" says "{p}" runs x # }
  path one { prove s and (s or 2 of (s, s, m)) or s } path two{prove s}}
channel c "c" proof m "m" shows c using mail
secret s "s" using pin outside action b "b" {}
loss l "l" action z.z "z" {loses l changes c runs x path w{notify c wait 7d prove m}}
promise "x" { never l, b }
"#;

    #[test]
    fn without_a_tree_is_the_same() {
        for text in [
            SKIPPED,
            include_str!("../../../procedures/hosting.procedure"),
        ] {
            let mended = text.replace(
                "outside action b \"b\" {}",
                "outside action b \"b\" { path p {} }",
            );
            let (read, checked) = (read(&mended), without_a_tree(&mended).unwrap());
            assert!(read.procedure.is_some());
            assert_eq!(checked.procedure, read.procedure);
            assert_eq!(checked.diagnostics, read.diagnostics);
        }
        assert!(without_a_tree(SKIPPED).is_none());
    }
}
