//! Reading requests: strict, bounded in size and time, and exact about what is wrong.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The largest body of any request: 64 KiB.
pub const MOST_BYTES: usize = 64 << 10;

/// How long a whole body may take to arrive. 64 KiB fit into it over any line on which a page is usable at all.
pub const LONGEST: Duration = Duration::from_secs(10);

/// A JSON body of exactly this shape. Unknown fields are refused by name (the shapes deny them).
#[derive(Debug)]
pub struct Json<T> {
    /// What it says.
    pub value: T,
    /// The bytes, for comparing a replay under the same Idempotency-Key.
    pub bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if media_type(request.headers()) != Some("application/json") {
            return Err(wrong_content_type("application/json"));
        }
        let bytes = read(request, state).await?;
        let mut deserializer = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| describe(&error))?;
        deserializer.end().map_err(|error| not_json(&error))?;
        Ok(Self { value, bytes })
    }
}

/// A body of JSON as it came: where a signature covers the bytes, they are verified before they are read.
#[derive(Debug)]
pub struct Raw(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if media_type(request.headers()) != Some("application/json") {
            return Err(wrong_content_type("application/json"));
        }
        read(request, state).await.map(Self)
    }
}

/// A form body of exactly this shape.
#[derive(Debug)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if media_type(request.headers()) != Some("application/x-www-form-urlencoded") {
            return Err(wrong_content_type("application/x-www-form-urlencoded"));
        }
        let bytes = read(request, state).await?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Problem::invalid("", "the form is not UTF-8"))?;
        serde_urlencoded::from_str(text)
            .map(Self)
            .map_err(|_| Problem::invalid("", "the form cannot be read"))
    }
}

/// The parameters in the path. What cannot be one is an address where there is nothing.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(path)| Self(path))
            .map_err(|_| Problem::nothing_here())
    }
}

/// The query of exactly this shape.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        serde_urlencoded::from_str(parts.uri.query().unwrap_or_default())
            .map(Self)
            .map_err(|error| {
                let message = error.to_string();
                let message = message.as_str();
                match named(message) {
                    Some(field) => Problem::new(
                        StatusCode::UNPROCESSABLE_ENTITY,
                        "unknown-field",
                        "The request has a field that is not known",
                    )
                    .field(field, message),
                    None => Problem::invalid("", "the query cannot be read"),
                }
            })
    }
}

/// The bytes of a body, for whoever checks a signature over them before reading them.
///
/// # Errors
/// It is too large, too slow, or did not arrive whole.
pub(crate) async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    let arrived = tokio::time::timeout(LONGEST, Bytes::from_request(request, state));
    arrived
        .await
        .map_err(|_| {
            Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "body-too-slow",
                "The body took too long to arrive",
            )
            .detail(format!("at most {} s are waited", LONGEST.as_secs()))
        })?
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "The body is too large",
            )
            .detail(format!("at most {MOST_BYTES} bytes are read")),
            _ => Problem::new(
                StatusCode::BAD_REQUEST,
                "body-cut-off",
                "The body did not arrive whole",
            ),
        })
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::CONTENT_TYPE)?
        .to_str()
        .ok()?
        .split(';')
        .next()
        .map(str::trim)
}

fn wrong_content_type(wanted: &str) -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "wrong-content-type",
        "The body has the wrong content type",
    )
    .detail(format!("send `{wanted}`"))
}

fn describe(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let inner = error.inner();
    if !inner.is_data() {
        return not_json(inner);
    }
    let message = inner.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let path = error.path().to_string();
    // serde names the field in the message, and the path ends above it.
    let named = named(message);
    let field = match (path.as_str(), named) {
        (".", Some(name)) => name.to_owned(),
        (above, Some(name)) if !above.ends_with(name) => format!("{above}.{name}"),
        (path, _) => path.to_owned(),
    };
    let (code, title) = if message.starts_with("unknown field") {
        ("unknown-field", "The request has a field that is not known")
    } else if message.starts_with("missing field") {
        ("missing-field", "The request lacks a field")
    } else {
        ("invalid-field", "A field of the request is not right")
    };
    // Serde quotes the value that was sent; what somebody typed is never repeated to them.
    let message = match message.split_once(", expected ") {
        Some((_, expected)) if code == "invalid-field" => format!("expected {expected}"),
        _ => message.to_owned(),
    };
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, title).field(field, message)
}

/// The field that serde's message names.
fn named(message: &str) -> Option<&str> {
    message
        .strip_prefix("unknown field `")
        .or_else(|| message.strip_prefix("missing field `"))
        .and_then(|rest| rest.split('`').next())
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "not-json", "The body is not JSON").detail(format!(
        "line {}, column {}",
        error.line(),
        error.column()
    ))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        #[serde(default)]
        #[expect(dead_code, reason = "read by the deserializer only")]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "read by the deserializer only")]
        count: u32,
    }

    async fn send(content_type: &str, body: &str) -> Result<Outer, Problem> {
        let request = Request::builder()
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from(body.to_owned()))
            .unwrap();
        Json::from_request(request, &())
            .await
            .map(|json| json.value)
    }

    #[tokio::test]
    async fn a_wrong_body_names_its_field() {
        for (body, code, field) in [
            (r#"{"name":"a","nmae":"b"}"#, "unknown-field", "nmae"),
            (r"{}", "missing-field", "name"),
            (r#"{"name":1}"#, "invalid-field", "name"),
            (
                r#"{"name":"a","inner":{"count":"x"}}"#,
                "invalid-field",
                "inner.count",
            ),
            (
                r#"{"name":"a","inner":{"cuont":1}}"#,
                "unknown-field",
                "inner.cuont",
            ),
        ] {
            let problem = send("application/json", body).await.unwrap_err();
            assert_eq!(
                (&*problem.code, problem.errors[0].field.as_str()),
                (code, field),
                "{body}"
            );
        }
    }

    #[tokio::test]
    async fn what_is_not_json_is_told_apart() {
        assert_eq!(
            send("application/json", "{")
                .await
                .unwrap_err()
                .code
                .as_ref(),
            "not-json"
        );
        assert_eq!(
            send("application/json", r#"{"name":"a"} x"#)
                .await
                .unwrap_err()
                .code
                .as_ref(),
            "not-json"
        );
        assert_eq!(
            send("text/plain", r#"{"name":"a"}"#)
                .await
                .unwrap_err()
                .code
                .as_ref(),
            "wrong-content-type"
        );
        assert_eq!(
            send("application/json; charset=utf-8", r#"{"name":"a"}"#)
                .await
                .unwrap()
                .name,
            "a"
        );
    }
}
