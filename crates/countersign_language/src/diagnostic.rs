//! What is wrong with a procedure, as data. Rendering comes second and elsewhere.

use serde::Serialize;

use crate::codes::Code;
use crate::model::Span;

/// One finding about a procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable word for this kind of finding, such as `unknown-name`; its page is `docs/diagnostics/<code>.md`.
    pub code: &'static str,
    /// Whether the procedure can be used all the same.
    pub severity: Severity,
    /// One line: lower case, no full stop, the user's own words in backticks.
    pub message: String,
    /// Where: the first label is the place itself, the others explain it.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The procedure is usable; somebody should look.
    Warning,
    /// The procedure is not usable.
    Error,
}

/// A place in the source and what to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A few words; may be empty for the first label.
    pub text: String,
}

impl Diagnostic {
    /// A finding at one place, without help.
    pub fn new(code: Code, place: Span, message: impl Into<String>) -> Self {
        Self {
            code: code.code,
            severity: code.severity,
            message: message.into(),
            labels: vec![Label {
                span: place,
                text: String::new(),
            }],
            help: None,
        }
    }

    /// Adds what to do about it.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Says something at another place.
    pub fn also(&mut self, span: Span, text: impl Into<String>) -> &mut Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Where it is: the first label's place.
    pub fn place(&self) -> Span {
        self.labels
            .first()
            .map_or_else(Span::default, |label| label.span)
    }
}

/// Puts findings in the order of their places; those at one place stay as they are.
pub fn by_place(findings: &mut [Diagnostic]) {
    findings.sort_by_key(Diagnostic::place);
}
