//! Refusals of the API as RFC 9457 problem documents.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// A problem document. `type` is `/problems/<code>` (RFC 9457 §3.1.1), where a page explains it; `code` is the stable word
/// to switch on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// `/problems/<code>`: names the kind of problem.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "/problems/unknown-field")]
    pub kind: Box<str>,
    /// The code in words.
    #[schema(value_type = String, example = "The request has a field that is not known")]
    pub title: Box<str>,
    /// The HTTP status.
    #[schema(example = 422)]
    pub status: u16,
    /// Stable word.
    #[schema(value_type = String, example = "unknown-field")]
    pub code: Box<str>,
    /// What to do about it, for this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub detail: Option<Box<str>>,
    /// Which fields, where the request itself is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// In how many seconds it may be tried again.
    #[serde(skip)]
    pub retry_after_seconds: Option<u64>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Path of the field: `parameters.server`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl Problem {
    /// A problem with this stable code.
    pub fn new(status: StatusCode, code: &str, title: impl Into<String>) -> Self {
        Self {
            kind: format!("/problems/{code}").into(),
            title: title.into().into(),
            status: status.as_u16(),
            code: code.into(),
            detail: None,
            errors: Vec::new(),
            retry_after_seconds: None,
        }
    }

    /// With what to do about it.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into().into());
        self
    }

    /// With the field it is about.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.errors.push(FieldProblem {
            field: field.into(),
            message: message.into(),
        });
        self
    }

    /// With when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// Nothing here, or nothing you may know of: the two are not told apart.
    pub fn nothing_here() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "nothing-here",
            "There is nothing here",
        )
    }

    /// No credential, or none that counts.
    pub fn sign_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "sign-in", "Sign in to go on")
    }

    /// A credential that does not open this.
    pub fn not_yours() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "not-allowed",
            "This credential does not open this",
        )
    }

    /// The link was used up, has run out, or never was: the three are not told apart.
    pub fn link_over() -> Self {
        Self::new(StatusCode::GONE, "link-over", "This link is used up")
    }

    /// The form or request came from another site.
    pub fn cross_site() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "cross-site",
            "This form came from somewhere else",
        )
        .detail("go back to the page and press the button there")
    }

    /// One field of the request is wrong.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-field",
            "A field of the request is not right",
        )
        .field(field, message)
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status(), body).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after_seconds {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED.as_u16() {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}
