//! Diagnostics for people at a terminal and for programs. The findings themselves are data; see [`crate::Diagnostic`].

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::model::Span;

/// 1-based line of the start of a span. For many look-ups in one text make a [`LineIndex`].
pub fn line_of(source: &str, span: Span) -> usize {
    let before = source
        .as_bytes()
        .get(..span.start as usize)
        .unwrap_or(source.as_bytes());
    1 + before.split(|byte| *byte == b'\n').skip(1).count()
}

/// Where the lines of a text begin, for looking up many places.
#[derive(Debug, Clone)]
pub struct LineIndex {
    starts: Vec<u32>,
    length: u32,
}

/// A place as people count: both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// 1-based line.
    pub line: usize,
    /// 1-based column, in characters.
    pub column: usize,
}

impl LineIndex {
    /// Finds all line breaks, once.
    pub fn new(source: &str) -> Self {
        let length = u32::try_from(source.len()).unwrap_or(u32::MAX);
        let starts = std::iter::once(0)
            .chain(
                (1..=length)
                    .zip(source.bytes())
                    .filter(|(_, byte)| *byte == b'\n')
                    .map(|(next, _)| next),
            )
            .collect();
        Self { starts, length }
    }

    /// 1-based line of a byte offset; an offset beyond the end is on the last line.
    pub fn line(&self, offset: u32) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// Line and column of a byte offset in the text the index was made from.
    pub fn position(&self, source: &str, offset: u32) -> Position {
        let offset = offset.min(self.length);
        let line = self.line(offset);
        let start = self.start(line);
        let before = source
            .get(start..floor(source, offset as usize))
            .unwrap_or("");
        Position {
            line,
            column: 1 + before.chars().count(),
        }
    }

    /// Byte offset of a 1-based line's start.
    fn start(&self, line: usize) -> usize {
        line.checked_sub(1)
            .and_then(|line| self.starts.get(line))
            .map_or(0, |start| *start as usize)
    }

    /// Byte offset just after a 1-based line, its line break included.
    fn end(&self, line: usize) -> usize {
        self.starts
            .get(line)
            .map_or(self.length as usize, |start| *start as usize)
    }
}

/// Findings with excerpts of the source, for a terminal.
///
/// `file` is what to call the source; `source` is the text that was read.
/// Ends with a line break unless there is nothing to say.
pub fn render_terminal(
    diagnostics: &[Diagnostic],
    file: &str,
    source: &str,
    colour: bool,
) -> String {
    let lines = LineIndex::new(source);
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut text = String::new();
    for diagnostic in diagnostics {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(
            level
                .primary_title(diagnostic.message.as_str())
                .id(diagnostic.code),
        );
        group = excerpt(group, diagnostic, file, source, &lines);
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        text.push_str(&renderer.render(&[group]));
        text.push_str("\n\n");
    }
    text
}

/// Lines longer than this are not shown, only their number: nobody wrote them by hand.
const LONGEST_LINE: usize = 4_096;
/// Labels further apart than this get excerpts of their own.
const FAR_APART: usize = 200;

fn excerpt<'a>(
    mut group: Group<'a>,
    diagnostic: &'a Diagnostic,
    file: &'a str,
    source: &'a str,
    lines: &LineIndex,
) -> Group<'a> {
    let mut rest = diagnostic.labels.as_slice();
    let mut primary = true;
    while let Some(first) = rest.first() {
        // As many of the labels as are near the first one, in their order.
        let home = lines.line(first.span.start);
        let near = rest
            .iter()
            .take_while(|label| lines.line(label.span.start).abs_diff(home) <= FAR_APART)
            .count()
            .max(1);
        let (these, others) = rest.split_at_checked(near).unwrap_or((rest, &[]));
        rest = others;
        let from = these
            .iter()
            .map(|label| lines.line(label.span.start))
            .min()
            .unwrap_or(1);
        let to = these
            .iter()
            .map(|label| lines.line(label.span.end.max(label.span.start)))
            .max()
            .unwrap_or(from);
        let (start, end) = (lines.start(from), lines.end(to));
        let long = (from..=to).any(|line| lines.end(line) - lines.start(line) > LONGEST_LINE);
        if long || to - from > 2 * FAR_APART {
            let place = lines.position(source, first.span.start);
            group = group.element(
                Origin::path(file)
                    .line(place.line)
                    .char_column(place.column),
            );
            primary = false;
            continue;
        }
        let mut snippet = Snippet::source(source.get(start..end).unwrap_or(""))
            .path(file)
            .line_start(from);
        for label in these {
            let kind = if primary {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            primary = false;
            let (first, last) = range(source, label);
            let annotation = kind.span(first.saturating_sub(start)..last.saturating_sub(start));
            snippet = snippet.annotation(if label.text.is_empty() {
                annotation
            } else {
                annotation.label(label.text.as_str())
            });
        }
        group = group.element(snippet);
    }
    group
}

/// The label's bytes, at character boundaries within the text.
fn range(source: &str, label: &Label) -> (usize, usize) {
    let start = floor(source, label.span.start as usize);
    (start, floor(source, label.span.end as usize).max(start))
}

fn floor(source: &str, offset: usize) -> usize {
    let mut offset = offset.min(source.len());
    while !source.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Findings for programs:
/// `[{code, severity, message, help, file, labels: [{text, start: {line, column}, end: {line, column}}]}]`.
/// The first label is the place itself. Lines and columns count from 1, columns
/// in characters; the end is one past the last character.
pub fn render_json(diagnostics: &[Diagnostic], file: &str, source: &str) -> Value {
    let lines = LineIndex::new(source);
    let place = |offset: u32| {
        let position = lines.position(source, offset);
        json!({ "line": position.line, "column": position.column })
    };
    diagnostics
        .iter()
        .map(|diagnostic| {
            let labels: Vec<Value> = diagnostic
                .labels
                .iter()
                .map(|label| json!({ "text": label.text, "start": place(label.span.start), "end": place(label.span.end) }))
                .collect();
            json!({
                "code": diagnostic.code,
                "severity": diagnostic.severity,
                "message": diagnostic.message,
                "help": diagnostic.help,
                "file": file,
                "labels": labels,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "a\näö \"x\"\n";

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let index = LineIndex::new(SOURCE);
        let place = |offset| {
            let position = index.position(SOURCE, offset);
            (position.line, position.column)
        };
        assert_eq!(place(0), (1, 1));
        assert_eq!(place(1), (1, 2));
        assert_eq!(place(2), (2, 1));
        assert_eq!(place(4), (2, 2));
        assert_eq!(place(7), (2, 4));
        assert_eq!(place(11), (3, 1));
        assert_eq!(place(u32::MAX), (3, 1));
        assert_eq!(line_of(SOURCE, Span { start: 4, end: 5 }), 2);
        assert_eq!(
            line_of(
                SOURCE,
                Span {
                    start: 400,
                    end: 500
                }
            ),
            3
        );
    }

    #[test]
    fn places_that_are_not_in_the_text_do_no_harm() {
        let diagnostic = Diagnostic {
            code: "unknown-name",
            severity: Severity::Error,
            message: "no proof is called `x`".to_owned(),
            labels: vec![
                Label {
                    span: Span { start: 3, end: 900 },
                    text: "here".to_owned(),
                },
                Label {
                    span: Span { start: 7, end: 2 },
                    text: String::new(),
                },
            ],
            help: Some("did you mean `y`?".to_owned()),
        };
        for source in [SOURCE, ""] {
            for colour in [false, true] {
                let text = render_terminal(
                    std::slice::from_ref(&diagnostic),
                    "a.procedure",
                    source,
                    colour,
                );
                assert!(text.contains("no proof is called `x`"), "{text}");
            }
            assert_eq!(
                render_json(std::slice::from_ref(&diagnostic), "a", source)[0]["code"],
                "unknown-name"
            );
        }
    }

    #[test]
    fn an_excerpt_shows_the_line_and_the_help() {
        let source = "organisation \"Acme\"\nsecret pni \"PIN\"\naction a \"A\" {\n  runs panel\n  path p { prove pin }\n}\n";
        let reading = crate::read(source);
        let expected = "\
error[unknown-name]: no proof is called `pin`
 --> acme.procedure:5:18
  |
5 |   path p { prove pin }
  |                  ^^^
  |
  = help: did you mean `pni`?

";
        assert_eq!(
            render_terminal(&reading.diagnostics, "acme.procedure", source, false),
            expected
        );
    }
}
