//! Findings for the tools of others: SARIF 2.1.0 (OASIS) and workflow commands of GitHub Actions.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use countersign_language::{LineIndex, Severity, Span};
use serde_json::{Value, json};

use crate::commands::promises::Checked;
use crate::installation::broken;

/// The rule of a broken promise, beside the codes of the language.
const BROKEN_PROMISE: &str = "broken-promise";

/// One thing to report, whatever the tool.
struct Finding<'f> {
    code: &'f str,
    severity: Severity,
    message: String,
    file: &'f str,
    place: Option<Place>,
    /// Other places it is about, with a few words each.
    others: Vec<(String, Place)>,
    /// What happens one after another, with the line each uses: the attack on a promise.
    steps: Vec<(String, Place)>,
}

/// 1-based line and column of both ends, the second one past the last character.
pub(crate) type Place = [usize; 4];

/// One run over all files.
pub(crate) fn sarif(files: &[Checked]) -> Value {
    let findings: Vec<Finding<'_>> = files.iter().flat_map(findings).collect();
    let used: BTreeSet<&str> = findings.iter().map(|finding| finding.code).collect();
    let rules: Vec<Value> = used.into_iter().map(rule).collect();
    let results: Vec<Value> = findings.iter().map(result).collect();
    run(&rules, &results)
}

/// One run of this program.
pub(crate) fn run(rules: &[Value], results: &[Value]) -> Value {
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "countersign", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: &str) -> Value {
    let title = countersign_language::codes()
        .iter()
        .find(|known| known.code == code)
        .map_or("a promise that is not kept", |known| known.title);
    let page = countersign_language::explain_code(code)
        .unwrap_or("`countersign check` prints the attack that breaks it.");
    json!({ "id": code, "shortDescription": { "text": title }, "help": { "text": page, "markdown": page } })
}

fn result(finding: &Finding<'_>) -> Value {
    let mut result = json!({
        "ruleId": finding.code,
        "level": level(finding.severity),
        "message": { "text": finding.message },
        "locations": [location(finding.file, finding.place, None)],
    });
    let places = |places: &[(String, Place)]| -> Vec<Value> {
        places
            .iter()
            .map(|(text, place)| location(finding.file, Some(*place), Some(text)))
            .collect()
    };
    if let Some(members) = result.as_object_mut() {
        if !finding.others.is_empty() {
            members.insert(
                "relatedLocations".to_owned(),
                places(&finding.others).into(),
            );
        }
        if !finding.steps.is_empty() {
            let steps: Vec<Value> = places(&finding.steps)
                .into_iter()
                .map(|location| json!({ "location": location }))
                .collect();
            members.insert(
                "codeFlows".to_owned(),
                json!([{ "threadFlows": [{ "locations": steps }] }]),
            );
        }
    }
    result
}

/// A place in a file, with a few words about it.
pub(crate) fn location(file: &str, place: Option<Place>, text: Option<&str>) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(file) } });
    if let (Some([line, column, end_line, end_column]), Some(members)) =
        (place, physical.as_object_mut())
    {
        members.insert(
            "region".to_owned(),
            json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column }),
        );
    }
    match text.filter(|text| !text.is_empty()) {
        None => json!({ "physicalLocation": physical }),
        Some(text) => json!({ "physicalLocation": physical, "message": { "text": text } }),
    }
}

/// A path as a URI reference (RFC 3986 §3.3).
fn uri(file: &str) -> String {
    let mut out = String::new();
    for byte in file.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// One line a finding.
pub(crate) fn github(files: &[Checked]) -> String {
    let line = |finding: Finding<'_>| {
        let place = finding
            .place
            .map_or_else(String::new, |[line, column, end_line, _]| {
                format!(",line={line},col={column},endLine={end_line}")
            });
        format!(
            "::{} file={}{place},title={}::{}\n",
            level(finding.severity),
            escaped(finding.file, true),
            escaped(finding.code, true),
            escaped(&finding.message, false)
        )
    };
    files.iter().flat_map(findings).map(line).collect()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// As the runner undoes it: `%`, line breaks, and in properties also `:` and `,`.
fn escaped(text: &str, property: bool) -> String {
    let text = text
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A");
    if property {
        text.replace(':', "%3A").replace(',', "%2C")
    } else {
        text
    }
}

fn findings(file: &Checked) -> Vec<Finding<'_>> {
    let source = &file.source;
    let lines = LineIndex::new(&source.text);
    let place = |span: Span| {
        let start = lines.position(&source.text, span.start);
        let end = lines.position(&source.text, span.end);
        [start.line, start.column, end.line, end.column]
    };
    let diagnostics = source.reading.diagnostics.iter().map(|found| Finding {
        code: found.code,
        severity: found.severity,
        message: found.help.as_ref().map_or_else(
            || found.message.clone(),
            |help| format!("{}\n{help}", found.message),
        ),
        file: &source.name,
        place: found.labels.first().map(|label| place(label.span)),
        others: found
            .labels
            .iter()
            .skip(1)
            .map(|label| (label.text.clone(), place(label.span)))
            .collect(),
        steps: Vec::new(),
    });
    let promises = file
        .verdicts
        .iter()
        .flatten()
        .filter(|verdict| !verdict.kept)
        .map(|verdict| Finding {
            code: BROKEN_PROMISE,
            severity: Severity::Error,
            message: broken(verdict, &source.text),
            file: &source.name,
            place: Some(place(verdict.span)),
            others: verdict
                .missing
                .iter()
                .map(|missing| (missing.text.clone(), place(missing.span)))
                .collect(),
            steps: verdict
                .attack
                .iter()
                .flat_map(|attack| &attack.steps)
                .map(|step| (step.text.clone(), place(step.span)))
                .collect(),
        });
    diagnostics.chain(promises).collect()
}
