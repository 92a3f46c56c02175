//! What every answer carries, whoever made it.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::Web;
use crate::site::panel::is_framed;

/// Nothing inline, nothing from elsewhere, nobody may frame it ([`crate::panel_origins`] says who may frame the panel), and scripts may only make HTML through one named policy.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types countersign";

static ALWAYS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), publickey-credentials-get=(self), publickey-credentials-create=(self)",
    ),
];

/// What stands on every answer, whoever asked.
pub fn on_every_answer() -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    ALWAYS
        .iter()
        .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
}

/// Adds the headers (`Strict-Transport-Security` only where the origin is `https`); an answer that says nothing about caching is not kept by anyone.
pub async fn protect(State(web): State<Web>, request: Request, next: Next) -> Response<Body> {
    let framed = !web.panel.is_empty() && is_framed(request.uri().path());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in on_every_answer() {
        headers.insert(name, value);
    }
    if framed && let Ok(policy) = HeaderValue::from_str(&web.panel.policy(CONTENT_SECURITY_POLICY))
    {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        // It knows one origin at most, and browsers that read the policy pass over it.
        headers.remove(header::X_FRAME_OPTIONS);
    }
    if web.cookies.secure() {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=63072000; includeSubDomains"),
        );
    }
    if web.is_ending() {
        // Whoever comes back finds the next program, or another one.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// 303: look there.
pub fn see_other(location: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
