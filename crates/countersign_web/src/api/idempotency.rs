//! `Idempotency-Key`: the same key with the same body answers as the first time.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use countersign_service::{Answer, IDEMPOTENCY_KEY_CHARS_MAX, Idempotent, Reserved};
use serde_json::Value;

use crate::Web;
use crate::problem::Problem;

/// The `Idempotency-Key` of a request, if it has one.
#[derive(Debug, Clone)]
pub struct Key(Option<String>);

impl Key {
    /// The key, if there is one.
    pub fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let key = parts
            .headers
            .get("idempotency-key")
            .and_then(|value| value.to_str().ok());
        // The draft quotes the key as a structured-field string; most clients do not.
        Ok(Self(
            key.map(|key| key.trim().trim_matches('"').to_owned())
                .filter(|key| !key.is_empty()),
        ))
    }
}

/// Does it, or answers as the first time.
///
/// # Errors
/// What the first time refused is refused again each time: a refusal is not remembered, because what was
/// missing may be there by then, and nothing was done.
pub async fn once(
    web: &Web,
    scope: &str,
    key: &Key,
    body: &[u8],
    act: impl AsyncFnOnce() -> Result<(StatusCode, Value), Problem>,
) -> Result<Response, Problem> {
    let Some(key) = &key.0 else {
        let (status, body) = act().await?;
        return Ok(json(status, &body.to_string()));
    };
    check_length(key)?;
    match web.gate.idempotent(scope, key, body).await? {
        Idempotent::First(reserved) => match act().await {
            Ok((status, body)) => {
                let body = body.to_string();
                web.gate
                    .remember_answer(
                        reserved,
                        Answer {
                            status: status.as_u16(),
                            body: body.clone(),
                        },
                    )
                    .await?;
                Ok(json(status, &body))
            }
            Err(problem) => {
                web.gate.forget_key(reserved).await?;
                Err(problem)
            }
        },
        known => answer_known(known),
    }
}

/// What is known of a key.
#[derive(Debug)]
pub enum Looked {
    /// Nobody used it; it is not written down yet.
    Unused(Reserved),
    /// What whoever used it is told again.
    Known(Response),
}

/// Looks a key up, for what remembers its answer in the very commit that does it: one commit, and not [`once`]'s three. Where
/// that commit finds that somebody used the key meanwhile, it is looked up again, [`LOOKS_MAX`] times in all.
///
/// # Errors
/// As [`once`].
pub async fn look_up(web: &Web, scope: &str, key: &str, body: &[u8]) -> Result<Looked, Problem> {
    check_length(key)?;
    match web.gate.look_up_key(scope, key, body).await? {
        Idempotent::First(unwritten) => Ok(Looked::Unused(unwritten)),
        known => answer_known(known).map(Looked::Known),
    }
}

/// What is answered after the last look.
///
/// # Errors
/// Always: the key is in use.
pub fn still_used() -> Result<Response, Problem> {
    answer_known(Idempotent::UnderWay)
}

/// How often a key is looked up that is used and given back by others all the time.
pub const LOOKS_MAX: usize = 3;

fn check_length(key: &str) -> Result<(), Problem> {
    if key.chars().count() > IDEMPOTENCY_KEY_CHARS_MAX {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "idempotency-key-too-long",
            "The Idempotency-Key is too long",
        )
        .detail(format!("at most {IDEMPOTENCY_KEY_CHARS_MAX} characters")));
    }
    Ok(())
}

/// What a request is told whose key was used before.
fn answer_known(known: Idempotent) -> Result<Response, Problem> {
    match known {
        Idempotent::Repeat(answer) => {
            let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
            let mut response = json(status, &answer.body);
            response
                .headers_mut()
                .insert("idempotency-replayed", HeaderValue::from_static("true"));
            Ok(response)
        }
        Idempotent::OtherBody => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency-key-reused",
            "This Idempotency-Key was used with another body",
        )
        .detail("use a new key for a new request")),
        Idempotent::First(_) | Idempotent::UnderWay => Err(Problem::new(
            StatusCode::CONFLICT,
            "request-under-way",
            "The first request with this Idempotency-Key is still under way",
        )
        .retry_after(1)),
    }
}

pub fn json(status: StatusCode, body: &str) -> Response {
    let mut response = (status, body.to_owned()).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
