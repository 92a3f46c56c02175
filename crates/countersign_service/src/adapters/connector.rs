//! Runs an action at the company's own backend, at most once.
//!
//! `POST {url}` with the grant in the body and Standard Webhooks headers, where
//! `webhook-id` is the grant's `jti`: a backend that sees it a second time
//! repeats its first answer and does nothing. Whatever is not plainly *done*,
//! *failed* or *never left here* is *unknown*: never repeated blindly, resolved
//! by [`Connector::ask`].
//!
//! A backend answers `{"outcome": "done"}` or `{"outcome": "failed", "reason": CODE}`;
//! asked by `GET {status url}/{jti}`, also `{"outcome": "running"}` and
//! `{"outcome": "never_seen"}`. It may repeat the `jti`; another one voids the answer.

use countersign_cases::Timestamp;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::Value;

use super::{
    http::{Answer, Endpoint, EndpointError, Reply, SignedRequest, plain_url, send},
    outside::Wire,
    webhooks::WebhookError,
};

/// One backend.
#[derive(Debug, Clone)]
pub struct Connector {
    wire: Wire,
    endpoint: Endpoint,
    status_url: Url,
}

/// What came of running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunOutcome {
    /// The backend did it.
    Done,
    /// The backend says that nothing changed.
    Failed {
        /// Its reason code: 1 to 64 of `a-z 0-9 _ . -`, or `unspecified`.
        reason: String,
    },
    /// The request certainly never left: it may be sent again under the same `jti`, while the grant is valid.
    NotSent,
    /// It may or may not have happened.
    Unknown,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskOutcome {
    /// The backend did it.
    Done,
    /// The backend says that nothing changed.
    Failed {
        /// As in [`RunOutcome::Failed`].
        reason: String,
    },
    /// The backend has never seen this `jti`. Final only once the grant has expired: before, it may still be under way.
    NeverSeen,
    /// Not found out, or still running.
    StillUnknown,
}

impl Connector {
    /// A backend that is asked at `{url}/{jti}`.
    pub fn new(wire: impl Into<Wire>, endpoint: Endpoint) -> Self {
        let status_url = endpoint.url.clone();
        Self {
            wire: wire.into(),
            endpoint,
            status_url,
        }
    }

    /// With another place to ask.
    ///
    /// # Errors
    /// [`EndpointError`]
    pub fn with_status_url(mut self, status_url: &str) -> Result<Self, EndpointError> {
        self.status_url = plain_url(status_url)?;
        Ok(self)
    }

    /// Sends the body, which holds the grant bundle, once.
    ///
    /// # Errors
    /// [`WebhookError::BadId`] if the `jti` cannot be a `webhook-id`; nothing was sent then.
    pub async fn run(
        &self,
        jti: &str,
        body: &Value,
        now: Timestamp,
    ) -> Result<RunOutcome, WebhookError> {
        let request = SignedRequest {
            method: Method::POST,
            url: self.endpoint.url.clone(),
            endpoint: &self.endpoint,
            purpose: "hand over",
            id: jti,
            now,
            body: body.to_string().into_bytes(),
        };
        Ok(match send(&self.wire, request).await? {
            Reply::NotSent => RunOutcome::NotSent,
            Reply::NoAnswer => RunOutcome::Unknown,
            Reply::Answer(answer) => match read(&answer, jti) {
                Some(Said::Done) if answer.status.is_success() => RunOutcome::Done,
                Some(Said::Failed { reason }) if is_verdict(&answer) => {
                    RunOutcome::Failed { reason }
                }
                _ => RunOutcome::Unknown,
            },
        })
    }

    /// Asks what became of a grant.
    ///
    /// # Errors
    /// As [`Connector::run`].
    pub async fn ask(&self, jti: &str, now: Timestamp) -> Result<AskOutcome, WebhookError> {
        let mut url = self.status_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(jti);
        }
        let request = SignedRequest {
            method: Method::GET,
            url,
            endpoint: &self.endpoint,
            purpose: "outcome",
            id: jti,
            now,
            body: Vec::new(),
        };
        Ok(match send(&self.wire, request).await? {
            Reply::NotSent | Reply::NoAnswer => AskOutcome::StillUnknown,
            Reply::Answer(answer) => match read(&answer, jti) {
                Some(Said::Done) if answer.status.is_success() => AskOutcome::Done,
                Some(Said::Failed { reason }) if is_verdict(&answer) => {
                    AskOutcome::Failed { reason }
                }
                // A bare 404 may be anybody's, a misrouted proxy's say; only the backend's own word counts.
                Some(Said::NeverSeen) if is_verdict(&answer) => AskOutcome::NeverSeen,
                _ => AskOutcome::StillUnknown,
            },
        })
    }
}

/// 2xx and 4xx are the backend's own; 3xx and 5xx may be anything on the way.
fn is_verdict(answer: &Answer) -> bool {
    answer.status.is_success() || answer.status.is_client_error()
}

enum Said {
    Done,
    Failed { reason: String },
    NeverSeen,
}

#[derive(Deserialize)]
struct Words {
    outcome: String,
    reason: Option<String>,
    jti: Option<String>,
}

fn read(answer: &Answer, jti: &str) -> Option<Said> {
    let words: Words = answer.json()?;
    if words.jti.is_some_and(|said| said != jti) {
        return None;
    }
    match words.outcome.as_str() {
        "done" => Some(Said::Done),
        "failed" => Some(Said::Failed {
            reason: reason_code(words.reason),
        }),
        "never_seen" => Some(Said::NeverSeen),
        _ => None,
    }
}

/// A code goes into the ledger and onto pages: anything else than a code could be somebody's data.
fn reason_code(said: Option<String>) -> String {
    let is_code = |code: &String| {
        (1..=64).contains(&code.len())
            && code.bytes().all(|b| {
                b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-')
            })
    };
    said.filter(is_code)
        .unwrap_or_else(|| "unspecified".to_owned())
}
