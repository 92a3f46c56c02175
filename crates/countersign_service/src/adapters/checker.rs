//! Asks the company's own checker whether a customer can show something that only the company can look at.
//!
//! `POST {url}` with a [`Question`] and Standard Webhooks headers. `webhook-id`
//! is the question's id, the same for every repeat. The checker answers 200
//! with a [`CheckerAnswer`], or 202 and posts the same document, signed with
//! the same secret, to the question's `answer_to` later. The document names its
//! question, so that a message that was overheard answers no other one.

use countersign_cases::{Digest, Timestamp};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    http::{Endpoint, Reply, SignedRequest, send},
    outside::Wire,
    webhooks::{WebhookError, WebhookHeaders},
};

/// The company's checker of one proof.
#[derive(Debug, Clone)]
pub struct Checker {
    wire: Wire,
    endpoint: Endpoint,
}

/// What a checker is asked. Times are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Question<'a> {
    /// Id of the question.
    pub question: &'a str,
    /// The case.
    pub case: &'a str,
    /// The company's own id for the customer.
    pub customer: &'a str,
    /// Name of the proof in the procedure.
    pub proof: &'a str,
    /// What will happen, character for character as the customer reads it.
    pub sentence: &'a str,
    /// What everything in the case is bound to.
    pub digest: Digest,
    /// Until when it can be answered.
    pub until_ms: i64,
    /// Where a later answer is posted.
    pub answer_to: &'a str,
}

/// What a checker answers, at once or later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckerAnswer {
    /// Id of the question.
    pub question: String,
    /// What was found.
    pub result: CheckerResult,
}

/// What a checker found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckerResult {
    /// The customer showed it.
    Proved,
    /// They did not.
    Refused,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The answer comes later.
    Later,
    /// The answer came at once.
    Answered {
        /// What it says.
        answer: CheckerAnswer,
        /// SHA-256 of its bytes.
        body: Digest,
    },
    /// No usable answer: nothing is known, and nothing may be concluded. Holds the HTTP status, if there was one.
    Unavailable(Option<u16>),
}

impl Checker {
    /// At this endpoint.
    pub fn new(wire: impl Into<Wire>, endpoint: Endpoint) -> Self {
        Self {
            wire: wire.into(),
            endpoint,
        }
    }

    /// Asks once. No redirect is followed, and what is neither 202 nor a whole answer for this very question is no answer.
    pub async fn ask(&self, question: &Question<'_>, now: Timestamp) -> Asked {
        let Ok(body) = serde_json::to_vec(question) else {
            return Asked::Unavailable(None);
        };
        let request = SignedRequest {
            method: Method::POST,
            url: self.endpoint.url.clone(),
            purpose: "proof",
            endpoint: &self.endpoint,
            id: question.question,
            now,
            body,
        };
        let Ok(Reply::Answer(answer)) = send(&self.wire, request).await else {
            return Asked::Unavailable(None);
        };
        match answer.status {
            StatusCode::ACCEPTED => Asked::Later,
            StatusCode::OK => answer
                .json::<CheckerAnswer>()
                .filter(|said| said.question == question.question)
                .map_or(Asked::Unavailable(Some(200)), |said| Asked::Answered {
                    body: body_digest(answer.body()),
                    answer: said,
                }),
            other => Asked::Unavailable(Some(other.as_u16())),
        }
    }

    /// Whether this message is this checker's, and fresh.
    ///
    /// # Errors
    /// [`WebhookError`]
    pub fn verify(
        &self,
        headers: &WebhookHeaders,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), WebhookError> {
        self.endpoint.secrets.verify(headers, body, now)
    }
}

/// SHA-256 of the body of an answer.
pub(crate) fn body_digest(body: &[u8]) -> Digest {
    Digest(Sha256::digest(body).into())
}
