//! Spans: what one request sets going, for whoever follows it through the gate and on to a backend.
//!
//! Everything here is of the target [`TARGET`], so that a subscriber takes the spans and leaves the log lines, or the
//! reverse. Names of spans and fields follow OpenTelemetry's semantic conventions (HTTP, database) where there is one, and
//! begin with `countersign.` where there is none. Where nobody listens a span costs one load.
//!
//! INVARIANT: a field holds a word of the program or the configuration, a number, or the id of a case, and never an
//! address that was asked for, a customer, a secret or anything a person typed. That is why there is no `url.path`, no
//! `url.full` and no text of a statement, though the conventions have them.

use std::{fmt, future::Future, sync::OnceLock};

use reqwest::{
    Request,
    header::{HeaderName, HeaderValue},
};
use tracing::{Instrument as _, Span, field::Empty, info_span};

/// The target of every span.
pub const TARGET: &str = "trace";

/// The header of W3C Trace Context by which a trace goes on in another program.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Who knows the ids of traces.
pub trait Relay: fmt::Debug + Send + Sync {
    /// Makes a span that was not entered yet part of the caller's trace. What is no `traceparent` changes nothing.
    fn continue_from(&self, span: &Span, traceparent: &str);

    /// The `traceparent` for what is asked of others within this span; `None` if it is part of no trace.
    fn traceparent(&self, span: &Span) -> Option<String>;
}

static RELAY: OnceLock<Box<dyn Relay>> = OnceLock::new();

/// Sets who knows the ids of traces, for this process; whoever comes first stays.
pub fn relay_by(relay: Box<dyn Relay>) {
    // One is as good as the other.
    let _ = RELAY.set(relay);
}

/// Makes a new span part of the caller's trace. The caller must be one who is believed.
pub fn continue_from(span: &Span, traceparent: &str) {
    if let Some(relay) = RELAY.get() {
        relay.continue_from(span, traceparent);
    }
}

/// A request to somebody else, within a span of its own whose trace it carries along. `purpose` is what is asked for, in a
/// word of the program; `sent` answers with its result and the status, where there was one.
pub(crate) async fn asking<T, F: Future<Output = (T, Option<u16>)>>(
    mut request: Request,
    purpose: &'static str,
    send: impl FnOnce(Request) -> F,
) -> T {
    let span = info_span!(
        target: TARGET,
        "ask",
        otel.name = format!("{} {purpose}", request.method()),
        otel.kind = "client",
        http.request.method = request.method().as_str(),
        server.address = request.url().host_str(),
        server.port = request.url().port_or_known_default(),
        http.response.status_code = Empty,
        "error.type" = Empty,
        otel.status_code = Empty,
    );
    let traceparent = RELAY
        .get()
        .filter(|_| !span.is_disabled())
        .and_then(|relay| relay.traceparent(&span))
        .and_then(|text| HeaderValue::from_str(&text).ok());
    if let Some(traceparent) = traceparent {
        request.headers_mut().insert(TRACEPARENT, traceparent);
    }
    let (result, status) = send(request).instrument(span.clone()).await;
    match status {
        Some(status) => {
            span.record("http.response.status_code", status);
            if status >= 400 {
                span.record("error.type", status.to_string());
                span.record("otel.status_code", "ERROR");
            }
        }
        None => failed(&span, "no_answer"),
    }
    result
}

/// Says of a span that what it stands for did not come about, with a word of the program why.
pub(crate) fn failed(span: &Span, why: &'static str) {
    span.record("error.type", why);
    span.record("otel.status_code", "ERROR");
}
