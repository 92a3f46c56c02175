//! OTLP over HTTP, in JSON: <https://opentelemetry.io/docs/specs/otlp/#otlphttp> and the JSON form of
//! `opentelemetry/proto/trace/v1`: ids in hexadecimal, 64-bit numbers as text, kinds and states as numbers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use countersign_service::adapters::http::http_client;
use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, StatusCode, Url};
use serde_json::{Map, Value as Json, json};
use tokio::runtime::Handle;

use crate::config::Config;
use crate::metrics::SPANS_LOST;

/// How long one batch may take, pauses and all.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pauses before it is sent again to a collector that says it is busy.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

const TOO_LATE: &str = "it did not answer in time";

/// Where spans are sent.
#[derive(Debug)]
pub(super) struct Collector {
    /// Spans are queued on a thread of their own; requests need the runtime.
    runtime: Handle,
    wire: Arc<Wire>,
    resource: Json,
}

#[derive(Debug)]
struct Wire {
    client: Client,
    endpoint: Url,
    headers: HeaderMap,
    /// The last batch was not taken: said once.
    away: AtomicBool,
}

impl Collector {
    /// The one in the configuration, if there is one.
    ///
    /// # Errors
    /// If the secret cannot be read, or is none that a header can hold.
    pub(super) fn of(config: &Config, runtime: &Handle) -> anyhow::Result<Option<Self>> {
        if !config.has("telemetry") {
            return Ok(None);
        }
        let endpoint = config.text("telemetry", "endpoint");
        let wire = Wire {
            client: http_client().context("cannot send traces")?,
            endpoint: Url::parse(&endpoint).context("telemetry.endpoint")?,
            headers: headers(config)?,
            away: AtomicBool::new(false),
        };
        Ok(Some(Self {
            runtime: runtime.clone(),
            wire: Arc::new(wire),
            resource: json!({}),
        }))
    }

    /// Sends no span, and says why that was not taken.
    ///
    /// # Errors
    /// A sentence.
    pub(super) async fn takes(&self) -> Result<(), String> {
        let nothing = json!({ "resourceSpans": [] }).to_string();
        tokio::time::timeout(PATIENCE, self.wire.send(&nothing))
            .await
            .unwrap_or_else(|_| Err(TOO_LATE.to_owned()))
    }
}

/// The secret, marked as one so that nothing prints it.
fn headers(config: &Config) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let secret = config.secret("telemetry", "header_value");
    if let Some(secret) = secret.map_err(anyhow::Error::msg)? {
        let name: HeaderName = config
            .text("telemetry", "header")
            .parse()
            .context("telemetry.header: this is no name of a header")?;
        let mut value = HeaderValue::from_str(&secret)
            .ok()
            .context("telemetry.header_value: a header cannot hold this")?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

impl SpanExporter for Collector {
    fn export(&self, batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        let count = batch.len();
        let body = document(&self.resource, &batch).to_string();
        let wire = Arc::clone(&self.wire);
        let sending = self.runtime.spawn(async move {
            let sent = tokio::time::timeout(PATIENCE, wire.send(&body)).await;
            let refused = sent.unwrap_or_else(|_| Err(TOO_LATE.to_owned()));
            wire.tell(&refused, count);
            refused
        });
        async move {
            // The runtime ends after the last batch was asked for, and never before.
            let sent = sending.await.unwrap_or(Err("the program ends".to_owned()));
            sent.map_err(OTelSdkError::InternalFailure)
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        let attributes = resource.iter().map(|(key, value)| (key.as_str(), value));
        self.resource = json!({ "attributes": attributes_of(attributes) });
    }
}

impl Wire {
    async fn send(&self, body: &str) -> Result<(), String> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let request = self
                .client
                .post(self.endpoint.clone())
                .headers(self.headers.clone())
                .body(body.to_owned());
            let (why, after) = match request.send().await {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) if !is_busy(answer.status()) => {
                    return Err(format!("it answers {}", answer.status()));
                }
                Ok(answer) => {
                    let after = answer.headers().get(RETRY_AFTER);
                    let seconds = after.and_then(|after| after.to_str().ok()?.parse().ok());
                    let why = format!("it answers {}", answer.status());
                    (why, seconds.map(Duration::from_secs))
                }
                Err(error) => (error.without_url().to_string(), None),
            };
            let Some(pause) = pauses.next() else {
                return Err(why);
            };
            tokio::time::sleep(after.unwrap_or(pause)).await;
        }
    }

    /// Once when it goes away and once when it is back, not once for each batch.
    fn tell(&self, sent: &Result<(), String>, spans: usize) {
        let away = sent.is_err();
        let was_away = self.away.swap(away, Ordering::Relaxed);
        match sent {
            Err(why) => {
                let lost = u64::try_from(spans).unwrap_or(u64::MAX);
                metrics::counter!(SPANS_LOST).increment(lost);
                if !was_away {
                    tracing::warn!(why, spans, "the collector does not take traces");
                }
            }
            Ok(()) if was_away => tracing::info!("the collector takes traces again"),
            Ok(()) => {}
        }
    }
}

/// The specification's list of answers after which the same may be sent again.
fn is_busy(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// `ExportTraceServiceRequest`. All spans are of one scope: the program itself.
fn document(resource: &Json, batch: &[SpanData]) -> Json {
    let spans: Vec<Json> = batch.iter().map(span).collect();
    json!({ "resourceSpans": [{
        "resource": resource,
        "scopeSpans": [{
            "scope": { "name": "countersign", "version": env!("CARGO_PKG_VERSION") },
            "spans": spans,
        }],
    }] })
}

fn span(span: &SpanData) -> Json {
    let attributes = span
        .attributes
        .iter()
        .map(|KeyValue { key, value, .. }| (key.as_str(), value));
    let mut document = json!({
        "traceId": span.span_context.trace_id().to_string(),
        "spanId": span.span_context.span_id().to_string(),
        "flags": u32::from(span.span_context.trace_flags().to_u8()) | remote(span.parent_span_is_remote),
        "name": span.name,
        "kind": kind(&span.span_kind),
        "startTimeUnixNano": nanoseconds(span.start_time),
        "endTimeUnixNano": nanoseconds(span.end_time),
        "attributes": attributes_of(attributes),
        "status": status(&span.status),
    });
    if span.parent_span_id != SpanId::INVALID
        && let Json::Object(fields) = &mut document
    {
        let parent = span.parent_span_id.to_string();
        fields.insert("parentSpanId".to_owned(), parent.into());
    }
    document
}

/// Bit 8: it is known whether the parent is in another program; bit 9: it is.
const fn remote(remote: bool) -> u32 {
    if remote { 0x300 } else { 0x100 }
}

fn kind(kind: &SpanKind) -> u8 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

/// The description is left out: it would be a text, and only words of the program leave.
fn status(status: &Status) -> Json {
    match status {
        Status::Unset => json!({}),
        Status::Ok => json!({ "code": 1 }),
        Status::Error { .. } => json!({ "code": 2 }),
    }
}

fn nanoseconds(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_nanos().to_string()
}

fn attributes_of<'a>(attributes: impl Iterator<Item = (&'a str, &'a Value)>) -> Vec<Json> {
    attributes
        .map(|(key, value)| json!({ "key": key, "value": any(value) }))
        .collect()
}

/// `AnyValue`. There are no arrays among our attributes; those of others would be written as text.
fn any(value: &Value) -> Json {
    let (name, value) = match value {
        Value::Bool(flag) => ("boolValue", Json::from(*flag)),
        Value::I64(number) => ("intValue", Json::from(number.to_string())),
        Value::F64(number) => ("doubleValue", Json::from(*number)),
        other => ("stringValue", Json::from(other.as_str())),
    };
    Json::Object(Map::from_iter([(name.to_owned(), value)]))
}

#[cfg(test)]
mod tests {
    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::{SpanContext, TraceFlags, TraceId, TraceState};
    use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

    use super::*;

    #[test]
    fn a_span_is_written_as_the_specification_has_it() {
        let begun = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_544_712_660_000_000_001);
        let data = SpanData {
            span_context: SpanContext::new(
                TraceId::from_hex("5b8efff798038103d269b633813fc60c").unwrap(),
                SpanId::from_hex("eee19b7ec3c1b174").unwrap(),
                TraceFlags::SAMPLED,
                false,
                TraceState::NONE,
            ),
            parent_span_id: SpanId::from_hex("eee19b7ec3c1b173").unwrap(),
            parent_span_is_remote: true,
            span_kind: SpanKind::Server,
            name: "GET /c/{part}".into(),
            start_time: begun,
            end_time: begun + Duration::from_millis(3),
            attributes: vec![
                KeyValue::new("http.response.status_code", 503_i64),
                KeyValue::new("http.route", "/c/{part}"),
                KeyValue::new("kept", true),
                KeyValue::new("share", 0.5),
            ],
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::error("not to be told"),
            instrumentation_scope: InstrumentationScope::default(),
        };
        assert_eq!(
            span(&data),
            json!({
                "traceId": "5b8efff798038103d269b633813fc60c",
                "spanId": "eee19b7ec3c1b174",
                "flags": 0x301,
                "name": "GET /c/{part}",
                "kind": 2,
                "startTimeUnixNano": "1544712660000000001",
                "endTimeUnixNano": "1544712660003000001",
                "attributes": [
                    { "key": "http.response.status_code", "value": { "intValue": "503" } },
                    { "key": "http.route", "value": { "stringValue": "/c/{part}" } },
                    { "key": "kept", "value": { "boolValue": true } },
                    { "key": "share", "value": { "doubleValue": 0.5 } },
                ],
                "status": { "code": 2 },
                "parentSpanId": "eee19b7ec3c1b173",
            })
        );
    }
}
