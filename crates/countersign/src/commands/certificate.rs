//! `check --certificate` and `certificate check`: verdicts that anyone can check without searching again.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use countersign_language::Procedure;
use countersign_prover::Verdict;
use countersign_prover::certificate::{self, Malformed};
use serde_json::{Value, json};

use crate::commands::procedure::{NOT_VALID, Source};
use crate::commands::promises::Format;
use crate::terminal::{self, Paint, painted};

/// A promise is broken, or what should prove it kept does not.
const NOT_PROVED_KEPT: u8 = 1;

/// The largest file of certificates that is read.
const MOST_BYTES: u64 = 256 << 20;

/// Writes the certificates of all verdicts, one promise a line. A file that was cut short proves nothing.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn write(
    procedure: &Procedure,
    verdicts: &[Verdict],
    file: &Path,
) -> anyhow::Result<()> {
    let Value::Object(members) = certificate::write(procedure, verdicts) else {
        bail!("certificates have no written form");
    };
    let mut text = String::from("{\n");
    for (number, (name, value)) in members.iter().enumerate() {
        let comma = if number == 0 { "" } else { ",\n" };
        let _ = write!(text, "{comma}{}: ", json!(name));
        match value {
            Value::Array(promises) if !promises.is_empty() => {
                let lines: Vec<String> = promises.iter().map(Value::to_string).collect();
                let _ = write!(text, "[\n{}\n]", lines.join(",\n"));
            }
            other => {
                let _ = write!(text, "{other}");
            }
        }
    }
    text.push_str("\n}\n");
    std::fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display()))
}

/// `countersign certificate check`
pub(crate) fn check(procedure: &Path, file: &Path, format: Format) -> anyhow::Result<ExitCode> {
    let source = Source::open(procedure)?;
    let Some(procedure) = source.valid() else {
        return Ok(ExitCode::from(NOT_VALID));
    };
    let text = read(file)?;
    let name = file.display();
    let certificates: Value = serde_json::from_str(&text).map_err(|error| {
        let what = if error.is_eof() {
            "it ends too early"
        } else {
            "this is not JSON"
        };
        anyhow::anyhow!("`{name}`, line {}: {what}", error.line())
    })?;
    let (proved, finding) = match certificate::check_all(procedure, &certificates) {
        Ok(proved) => (proved, None),
        Err(Malformed::Proves { promise, fault }) => (Vec::new(), Some((promise, fault))),
        Err(malformed) => {
            let line = match malformed {
                Malformed::Proof { promise } => line_of_promise(&text, promise),
                Malformed::Promises { .. } => line_of_member(&text, "promises"),
                Malformed::OtherProcedure => line_of_member(&text, "procedure"),
                _ => line_of_member(&text, "format"),
            };
            bail!("`{name}`, line {}: {malformed}", line.unwrap_or(1));
        }
    };
    let all_kept = finding.is_none() && proved.iter().all(|promise| promise.kept);
    let words = |number: usize| {
        let promise = procedure.promises.get(number);
        promise.map_or("", |promise| promise.text.as_str())
    };
    terminal::print(&match (format, finding) {
        (Format::Json, finding) => {
            let promises: Vec<Value> = proved
                .iter()
                .map(|promise| json!({ "text": words(promise.promise), "kept": promise.kept }))
                .collect();
            let finding = finding.map(|(number, fault)| {
                json!({
                    "promise": number + 1,
                    "line": line_of_promise(&text, number),
                    "text": words(number),
                    "fault": fault.to_string(),
                })
            });
            let answer = json!({
                "file": name.to_string(),
                "procedure": procedure.version.to_string(),
                "proves": finding.is_none(),
                "promises": promises,
                "finding": finding,
            });
            format!("{answer}\n")
        }
        (Format::Text, Some((number, fault))) => format!(
            "{name}: does {} prove what it says\n  line {}, promise {} \"{}\": {fault}\n",
            painted("NOT", Paint::Bad),
            line_of_promise(&text, number).unwrap_or(1),
            number + 1,
            words(number),
        ),
        (Format::Text, None) => {
            let mut out = match proved.len() {
                0 => format!("{name}: proves nothing, for nothing is promised\n"),
                1 => format!("{name}: the proof of 1 promise checks\n"),
                count => format!("{name}: the proofs of {count} promises check\n"),
            };
            for promise in &proved {
                let verdict = if promise.kept {
                    format!("{}  ", painted("kept", Paint::Good))
                } else {
                    painted("BROKEN", Paint::Bad)
                };
                let _ = writeln!(out, "  {verdict}  {}", words(promise.promise));
            }
            out
        }
    })?;
    Ok(ExitCode::from(if all_kept { 0 } else { NOT_PROVED_KEPT }))
}

fn read(file: &Path) -> anyhow::Result<String> {
    let name = file.display();
    let mut bytes = Vec::new();
    std::fs::File::open(file)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read `{name}`"))?;
    if bytes.len() as u64 > MOST_BYTES {
        bail!("`{name}` is larger than {} MiB", MOST_BYTES >> 20);
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to());
        let line = 1 + line_breaks(before.unwrap_or_default());
        anyhow::anyhow!("`{name}`, line {line}: this is not JSON")
    })
}

/// Line of a member of the outermost object, from 1.
fn line_of_member(json: &str, member: &str) -> Option<usize> {
    let at = places(json)
        .into_iter()
        .find(|place| place.depth == 1 && place.member == member)?;
    Some(at.line)
}

/// Line on which a promise begins, from 1.
fn line_of_promise(json: &str, number: usize) -> Option<usize> {
    let mut of_list = places(json)
        .into_iter()
        .filter(|place| place.depth == 2 && place.member == "promises");
    of_list.nth(number).map(|place| place.line)
}

/// Where a value begins that is a member of the outermost object, or in one of its members.
struct Place<'a> {
    /// 1 for a member of the outermost object, 2 for an element of one.
    depth: usize,
    /// Name of that member, as written.
    member: &'a str,
    /// From 1.
    line: usize,
}

/// The places of values in a text that is JSON. Names with escapes in them are not unescaped.
fn places(json: &str) -> Vec<Place<'_>> {
    let (mut places, mut depth, mut line, mut member) = (Vec::new(), 0_usize, 1_usize, "");
    // A value is expected: the next thing that begins is one.
    let mut expected = true;
    let bytes = json.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let begin = at;
        at += 1;
        if byte == b'"' {
            while let Some(&inner) = bytes.get(at).filter(|inner| **inner != b'"') {
                at += 1 + usize::from(inner == b'\\');
            }
            at += 1;
        }
        match byte {
            b'\n' => line += 1,
            b',' => expected = depth != 1,
            b':' => expected = depth < 2,
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                expected = false;
            }
            b' ' | b'\t' | b'\r' => {}
            _ => {
                if expected && (1..=2).contains(&depth) {
                    places.push(Place {
                        depth,
                        member,
                        line,
                    });
                } else if depth == 1 && byte == b'"' {
                    member = json.get(begin + 1..at - 1).unwrap_or_default();
                }
                expected = false;
                if matches!(byte, b'[' | b'{') {
                    expected = byte == b'[' && depth == 1;
                    depth += 1;
                }
            }
        }
    }
    places
}

fn line_breaks(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').skip(1).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_however_the_file_is_laid_out() {
        for (text, promises, lines) in [
            (
                "{\"format\":\"x\",\"promises\":[{\"a\":[1,2]},{}]}",
                1,
                [Some(1), Some(1), None],
            ),
            (
                "{\n\"format\": \"x, [\\\"\",\n\"promises\": [\n{\"a\":\n[{}, {}]},\nnull,\n3]\n}",
                3,
                [Some(4), Some(6), Some(7)],
            ),
            ("{\"other\": [1,\n2], \"promises\"\n:\n[]}", 4, [None; 3]),
        ] {
            assert_eq!(line_of_member(text, "promises"), Some(promises), "{text}");
            assert_eq!(
                [0, 1, 2].map(|number| line_of_promise(text, number)),
                lines,
                "{text}"
            );
        }
        assert_eq!(line_of_promise("[1, 2]", 0), None);
        assert_eq!(line_of_member("", "promises"), None);
        for cut in ["{\"a", "{\"a\\", "\"", "{\"promises\":["] {
            let _ = places(cut);
        }
    }
}
