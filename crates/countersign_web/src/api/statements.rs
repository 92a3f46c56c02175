//! `POST /v1/statements/check`: a public statement, held against what is known about apologies that help and against the
//! facts of its incident. Nothing is kept.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use countersign_statements::{
    Contradiction, Disagreement, Incident, Report, check, compare, contradictions, fill,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Web;
use crate::body::Json;
use crate::callers::Staff;
use crate::problem::Problem;

/// The largest body: a long statement in a few versions.
pub const MOST_BYTES: usize = 1 << 20;

/// Most versions of one statement.
const VERSIONS_MAX: usize = 8;

/// Disagreements and contradictions that are listed, each.
const LISTED_MAX: usize = 200;

/// `POST /v1/statements/check`
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckStatement {
    /// One to eight versions; the longest must do all of it, no other may tell other facts.
    pub versions: Vec<StatementVersion>,
    /// The facts of the incident: `{"fields": {"customers_affected": 4}, "timeline": ["2026-03-14T09:12:00Z"]}`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub incident: Option<Incident>,
}

/// One version.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatementVersion {
    /// What it is for.
    #[schema(example = "mail")]
    pub name: String,
    /// Its words, with `{{customers_affected}}` where a fact of the incident is to stand.
    pub text: String,
}

#[derive(Debug, Serialize)]
struct StatementChecked {
    well: bool,
    versions: Vec<VersionChecked>,
    disagreements: Vec<Disagreement>,
}

#[derive(Debug, Serialize)]
struct VersionChecked {
    name: String,
    /// The words with the facts filled in; every place is a range of bytes of these.
    text: String,
    must_do_all: bool,
    report: Report,
    contradictions: Vec<Contradiction>,
}

/// `POST /v1/statements/check`
pub async fn check_statement(
    State(_): State<Web>,
    Staff(_): Staff,
    Json { value, .. }: Json<CheckStatement>,
) -> Result<Response, Problem> {
    if value.versions.is_empty() || value.versions.len() > VERSIONS_MAX {
        return Err(Problem::invalid(
            "versions",
            "one to eight versions are checked",
        ));
    }
    // A megabyte takes a good part of a second: not on a thread that answers others.
    let checked = tokio::task::spawn_blocking(move || checked(value))
        .await
        .map_err(|_| Problem::invalid("versions", "cannot be checked"))?;
    Ok(axum::Json(checked).into_response())
}

fn checked(asked: CheckStatement) -> StatementChecked {
    let incident = asked.incident.as_ref();
    let mut versions: Vec<VersionChecked> = asked
        .versions
        .into_iter()
        .map(|version| {
            let filled = fill(&version.text, incident);
            let mut found = filled.unknown.clone();
            if let Some(incident) = incident {
                found.extend(contradictions(&filled.text, incident));
            }
            found.truncate(LISTED_MAX);
            VersionChecked {
                name: version.name,
                report: check(&filled.text),
                text: filled.text,
                must_do_all: false,
                contradictions: found,
            }
        })
        .collect();
    let longest = (0..versions.len()).max_by_key(|at| {
        let length = versions.get(*at).map_or(0, |version| version.text.len());
        (length, std::cmp::Reverse(*at))
    });
    if let Some(version) = longest.and_then(|at| versions.get_mut(at)) {
        version.must_do_all = true;
    }
    let texts: Vec<&str> = versions
        .iter()
        .map(|version| version.text.as_str())
        .collect();
    let mut disagreements = compare(&texts);
    disagreements.truncate(LISTED_MAX);
    let well = disagreements.is_empty()
        && versions.iter().all(|version| {
            version.contradictions.is_empty()
                && version.report.faults.is_empty()
                && (!version.must_do_all || version.report.is_well())
        });
    StatementChecked {
        well,
        versions,
        disagreements,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_checked_together() {
        let asked: CheckStatement = serde_json::from_str(
            r#"{"versions": [
                {"name": "mail", "text": "We are sorry. {{customers_affected}} customers lost their mail on 14 March."},
                {"name": "short", "text": "5 customers, an isolated case."}
            ], "incident": {"fields": {"customers_affected": 4, "began_at": "2026-03-14T09:12:00Z"}}}"#,
        )
        .unwrap();
        let checked = checked(asked);
        assert!(!checked.well);
        assert!(checked.versions[0].must_do_all && !checked.versions[1].must_do_all);
        assert_eq!(
            checked.versions[0].text,
            "We are sorry. 4 customers lost their mail on 14 March."
        );
        assert_eq!(checked.versions[0].contradictions, []);
        assert_eq!(checked.versions[1].contradictions[0].quote, "5");
        assert_eq!(checked.versions[1].report.faults[0].name, "belittles");
        assert_eq!(checked.disagreements[0].fact.value, "5");
    }
}
