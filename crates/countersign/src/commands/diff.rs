//! `diff`: what one version of a procedure makes weaker or stronger than another.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use countersign_language::line_of;
use countersign_prover::{Diff, Difference, Limits, diff};
use serde_json::{Value, json};

use crate::commands::procedure::{NOT_VALID, Source};
use crate::commands::promises::{Format, steps};
use crate::terminal::{self, Paint, painted};

/// Something got weaker.
const WEAKER: u8 = 1;

/// `countersign diff`: exit 0 if nothing got weaker, 1 if something did, 2 if a file is not valid.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn compare(
    old: &Path,
    new: &Path,
    at_most: usize,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let (old, new) = (Source::open(old)?, Source::open(new)?);
    let (Some(before), Some(now)) = (old.valid(), new.valid()) else {
        return Ok(ExitCode::from(NOT_VALID));
    };
    let found = diff(before, now, at_most, Limits::default());
    let told = Told {
        old: &old,
        new: &new,
    };
    terminal::print(&match format {
        Format::Json => format!("{}\n", told.json(&found)),
        Format::Text => told.text(&found),
    })?;
    Ok(ExitCode::from(if found.weaker.is_empty() {
        0
    } else {
        WEAKER
    }))
}

/// Two files, so that spans become lines.
struct Told<'a> {
    old: &'a Source,
    new: &'a Source,
}

impl Told<'_> {
    fn text(&self, diff: &Diff) -> String {
        let mut out = String::new();
        let groups = [
            (painted("weaker", Paint::Bad) + "    ", &diff.weaker),
            (painted("stronger", Paint::Good) + "  ", &diff.stronger),
            ("changed   ".to_owned(), &diff.changed),
        ];
        for (name, differences) in groups {
            for difference in differences {
                let _ = writeln!(out, "{name}{}{}", difference.text, self.place(difference));
                if let Some(attack) = &difference.attack {
                    for (number, step) in attack.steps.iter().enumerate() {
                        let _ = writeln!(out, "            {}. {}", number + 1, step.text);
                    }
                }
            }
        }
        if out.is_empty() {
            out.push_str("the two say the same\n");
            return out;
        }
        if diff.weaker.is_empty() {
            out.push_str("nothing got weaker");
        } else {
            let _ = write!(
                out,
                "{} got weaker",
                match diff.weaker.len() {
                    1 => "1 thing".to_owned(),
                    many => format!("{many} things"),
                }
            );
        }
        let _ = writeln!(
            out,
            ", as far as attacks of up to {} compromises show{}",
            diff.at_most,
            if diff.complete {
                ""
            } else {
                "; a limit was reached, so there may be more"
            }
        );
        out
    }

    fn place(&self, difference: &Difference) -> String {
        let line = |source: &Source, span| line_of(&source.text, span);
        match (difference.old, difference.new) {
            (_, Some(span)) => format!(" ({}:{})", self.new.name, line(self.new, span)),
            (Some(span), None) => format!(" ({}:{})", self.old.name, line(self.old, span)),
            (None, None) => String::new(),
        }
    }

    fn json(&self, diff: &Diff) -> Value {
        json!({
            "old": self.old.name,
            "new": self.new.name,
            "at_most": diff.at_most,
            "complete": diff.complete,
            "weaker": self.list(&diff.weaker, self.new),
            "stronger": self.list(&diff.stronger, self.old),
            "changed": self.list(&diff.changed, self.new),
        })
    }

    /// `attacks_in` is the version the attacks of these work on.
    fn list(&self, differences: &[Difference], attacks_in: &Source) -> Value {
        differences
            .iter()
            .map(|difference| {
                json!({
                    "text": difference.text,
                    "old_line": difference.old.map(|span| line_of(&self.old.text, span)),
                    "line": difference.new.map(|span| line_of(&self.new.text, span)),
                    "attack": difference.attack.as_ref().map(|attack| json!({
                        "set": attack.set,
                        "steps": steps(&attack.steps, &attacks_in.text),
                    })),
                })
            })
            .collect()
    }
}
