//! How long every answer took, and the span everything it set going belongs to, by the route's own pattern: an address
//! never becomes a label.

use std::net::SocketAddr;
use std::time::Instant;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use countersign_service::traces::{self, TARGET, TRACEPARENT};
use metrics::{Unit, describe_gauge, describe_histogram, gauge, histogram};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, info_span};

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

/// Measures one request, in a span of its own.
pub async fn observe(State(web): State<Web>, request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let method = known(request.method());
    let span = info_span!(
        target: TARGET,
        "request",
        otel.name = name(method, route.as_deref()),
        otel.kind = "server",
        http.request.method = method,
        http.route = route.as_deref(),
        url.scheme = web.scheme(),
        http.response.status_code = Empty,
        "error.type" = Empty,
        otel.status_code = Empty,
    );
    if !span.is_disabled() {
        join(&web, &request, &span);
    }
    let asked = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    // What a caller did wrong is no error of the gate.
    if status.is_server_error() {
        span.record("error.type", status.as_str());
        span.record("otel.status_code", "ERROR");
    }
    let labels = [
        ("http.request.method", method.to_owned()),
        ("http.route", route.unwrap_or_else(|| "none".to_owned())),
        ("http.response.status_code", status.as_str().to_owned()),
    ];
    histogram!(DURATION, &labels).record(asked.elapsed().as_secs_f64());
    response
}

/// An address that is none of ours is in no name.
fn name(method: &str, route: Option<&str>) -> String {
    route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"))
}

/// Goes on with the caller's trace where a trusted proxy says which. From anybody else the header is worth nothing: it
/// would let a stranger write into the company's traces, and decide what is kept of them.
fn join(web: &Web, request: &Request, span: &Span) {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let trusted = peer
        .is_some_and(|ConnectInfo(peer)| web.trusted_proxies.contains(&peer.ip().to_canonical()));
    let mut said = request.headers().get_all(TRACEPARENT).iter();
    // Two of them are none, as W3C Trace Context has it.
    if let (true, Some(traceparent), None) = (trusted, said.next(), said.next())
        && let Ok(traceparent) = traceparent.to_str()
    {
        traces::continue_from(span, traceparent);
    }
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
