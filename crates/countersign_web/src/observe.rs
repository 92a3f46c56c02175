//! How long every answer took, by the route's own pattern: an address never becomes a label.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use metrics::{Unit, describe_gauge, describe_histogram, gauge, histogram};

use crate::Web;

/// OpenTelemetry's name, in seconds; until the head of the answer, so that an event stream counts as what it is.
pub const DURATION: &str = "http.server.request.duration";

/// Live streams.
pub const LISTENERS: &str = "countersign.listeners";

/// Says what each measure is; to be called once, after a recorder was set.
pub fn describe() {
    describe_histogram!(DURATION, Unit::Seconds, "duration of HTTP server requests");
    describe_gauge!(LISTENERS, "live streams (server-sent events) that are open");
}

/// Sets the gauges.
pub fn measure(web: &Web) {
    let listening = u32::try_from(web.limits.listening()).unwrap_or(u32::MAX);
    gauge!(LISTENERS).set(f64::from(listening));
}

/// Measures one request.
pub async fn observe(request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let method = known(request.method());
    let asked = Instant::now();
    let response = next.run(request).await;
    let labels = [
        ("http.request.method", method.to_owned()),
        ("http.route", route),
        (
            "http.response.status_code",
            response.status().as_str().to_owned(),
        ),
    ];
    histogram!(DURATION, &labels).record(asked.elapsed().as_secs_f64());
    response
}

/// The semantic conventions' word for a method nobody knows: a caller must not make labels.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "_OTHER",
    }
}
