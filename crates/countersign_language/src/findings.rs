//! Where the parts of a reading put what they find.

use crate::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Label, Severity, by_place};
use crate::model::Span;

/// No more errors than this are kept, and no more warnings: nobody reads the rest.
pub(crate) const MOST: usize = 1_000;

/// Findings in the making, capped.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

impl Findings {
    /// Notes a finding. The message is only made if the finding is kept, in
    /// which case it is handed back so that help and labels can be added.
    pub(crate) fn add(
        &mut self,
        code: Code,
        span: Span,
        message: impl FnOnce() -> String,
    ) -> Option<&mut Diagnostic> {
        let count = match code.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count += 1;
        if *count > MOST {
            return None;
        }
        self.list.push(Diagnostic::new(code, span, message()));
        self.list.last_mut()
    }

    /// Adds warnings that were put aside, as if they had been found after all this.
    pub(crate) fn append(&mut self, warnings: Self) {
        let room = MOST.saturating_sub(self.warnings);
        self.list.extend(warnings.list.into_iter().take(room));
        self.warnings += warnings.warnings;
    }

    /// How many errors were found, kept or not.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// The findings by place, with one more that tells how many were left out.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        by_place(&mut self.list);
        let dropped = self.errors.saturating_sub(MOST) + self.warnings.saturating_sub(MOST);
        if dropped > 0 {
            let last = self
                .list
                .last()
                .and_then(|diagnostic| diagnostic.labels.first())
                .map_or(Span::default(), |label| label.span);
            self.list.push(Diagnostic {
                code: codes::TOO_MANY_FINDINGS.code,
                severity: codes::TOO_MANY_FINDINGS.severity,
                message: format!("{dropped} more findings are not shown"),
                labels: vec![Label {
                    span: last,
                    text: String::new(),
                }],
                help: Some(
                    "mend the first ones: many of the others may follow from them".to_owned(),
                ),
            });
        }
        self.list
    }
}
