//! The HTTP API as a page, from its OpenAPI document.

use super::frame::StaffFrame;

/// `GET /docs/api`
#[derive(Debug, Clone, PartialEq, Eq)]
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
