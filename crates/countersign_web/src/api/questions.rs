//! Answers of the company's own checkers, for proofs `using webhook`.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use countersign_service::CheckerAnswerError;
use countersign_service::adapters::webhooks::{
    ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, WebhookHeaders,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::Web;
use crate::body::{Path, Raw};
use crate::problem::Problem;

/// A checker's answer, the same document whether it comes at once or later. This describes it; the service reads it from the
/// bytes that are signed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionAnswer {
    /// Id of the question, as it was asked and as it stands in the address.
    #[schema(example = "q_4f1d0c8a9b2e")]
    pub question: String,
    /// What was found.
    pub result: QuestionResult,
}

/// What a checker found.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuestionResult {
    /// The customer showed it.
    Proved,
    /// They did not: counted like any wrong answer.
    Refused,
}

impl From<CheckerAnswerError> for Problem {
    fn from(error: CheckerAnswerError) -> Self {
        let code = error.code();
        match error {
            CheckerAnswerError::NotSigned => Self::new(
                StatusCode::UNAUTHORIZED,
                code,
                "This message carries no good signature",
            )
            .detail("sign `id.timestamp.body` with the checker's own secret (Standard Webhooks), and send it at once"),
            CheckerAnswerError::Malformed => {
                Self::invalid("", "must be `{\"question\": …, \"result\": \"proved\" or \"refused\"}`")
            }
            CheckerAnswerError::Over => Self::new(
                StatusCode::CONFLICT,
                code,
                "Nothing waits for this answer",
            )
            .detail("it was never asked, was answered, or ran out; do not send it again"),
            CheckerAnswerError::Trouble(trouble) => trouble.into(),
        }
    }
}

/// `POST /v1/questions/{question}`: a checker answers later. Its signature opens this, and no session or token does.
pub async fn answer(
    State(web): State<Web>,
    Path(question): Path<String>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<StatusCode, Problem> {
    // Given twice, neither is what was signed.
    let header = |name: &str| {
        let mut given = headers.get_all(name).iter();
        match (given.next(), given.next()) {
            (Some(one), None) => one.to_str().unwrap_or_default().to_owned(),
            _ => String::new(),
        }
    };
    let signed = WebhookHeaders {
        id: header(ID_HEADER),
        timestamp: header(TIMESTAMP_HEADER),
        signature: header(SIGNATURE_HEADER),
    };
    web.gate.checker_answered(&question, &signed, &body).await?;
    Ok(StatusCode::NO_CONTENT)
}
