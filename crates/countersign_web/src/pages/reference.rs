//! The HTTP API as a page, from its OpenAPI document.

use askama::Template;

use super::frame::{Banner, StaffFrame};
use super::icon::Icon;
use super::page::Page;
use super::samples::nobody;

/// `GET /docs/api`
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "api.html")]
pub struct ApiPage {
    /// Frame; nobody signed in is fine.
    pub frame: StaffFrame,
    /// Version of the API.
    pub version: String,
    /// Paragraphs before the first operation.
    pub introduction: Vec<String>,
    /// Operations by tag.
    pub groups: Vec<ApiGroup>,
}

/// Operations of one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiGroup {
    /// The tag.
    pub name: String,
    /// Its description, or empty.
    pub description: String,
    /// Its operations.
    pub operations: Vec<ApiOperation>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiOperation {
    /// `operationId`: the anchor.
    pub id: String,
    /// `POST`
    pub method: String,
    /// `/v1/cases/{case}`
    pub path: String,
    /// One line.
    pub summary: String,
    /// More, or empty.
    pub description: String,
    /// Who may: `staff token`, `machine token`.
    pub who: String,
    /// Parameters of path, query and header.
    pub parameters: Vec<ApiParameter>,
    /// Example body, pretty-printed JSON.
    pub body: Option<String>,
    /// Answers.
    pub answers: Vec<ApiAnswer>,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiParameter {
    /// Its name.
    pub name: String,
    /// `path`, `query`, `header`.
    pub place: String,
    /// Must be given.
    pub required: bool,
    /// What it is.
    pub description: String,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiAnswer {
    /// `201`
    pub status: String,
    /// What it means.
    pub description: String,
    /// Example body, pretty-printed JSON.
    pub body: Option<String>,
}

impl Page for ApiPage {
    const NAME: &'static str = "api";

    fn samples() -> Vec<(&'static str, Self)> {
        let operation =
            |id: &str, method: &str, path: &str, summary: &str, body: Option<&str>| ApiOperation {
                id: id.into(),
                method: method.into(),
                path: path.into(),
                summary: summary.into(),
                description: "Answers the same for every key used twice.".into(),
                who: "staff token".into(),
                parameters: vec![ApiParameter {
                    name: "Idempotency-Key".into(),
                    place: "header".into(),
                    required: true,
                    description: "Makes a repeat harmless.".into(),
                }],
                body: body.map(str::to_owned),
                answers: vec![
                    ApiAnswer {
                        status: "201".into(),
                        description: "Opened.".into(),
                        body: Some("{\n  \"case\": \"CS-7F3K9Q\"\n}".into()),
                    },
                    ApiAnswer {
                        status: "409".into(),
                        description: "One is open for this already.".into(),
                        body: None,
                    },
                ],
            };
        let page = |groups| Self {
            frame: nobody("/docs/api"),
            version: "1".into(),
            introduction: vec![
                "Every answer that is not a success is a problem document (RFC 9457).".into(),
            ],
            groups,
        };
        let cases = ApiGroup {
            name: "Cases".into(),
            description: "Opening, reading and stopping cases.".into(),
            operations: vec![
                operation(
                    "open_case",
                    "POST",
                    "/v1/cases",
                    "Open a case",
                    Some("{\n  \"action\": \"server.reinstall\"\n}"),
                ),
                operation("read_case", "GET", "/v1/cases/{case}", "Read a case", None),
            ],
        };
        vec![
            ("operations", page(vec![cases])),
            ("empty", page(Vec::new())),
        ]
    }
}
