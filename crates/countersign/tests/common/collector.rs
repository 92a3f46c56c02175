//! A collector of traces: takes OTLP by HTTP in JSON, and keeps the text and the spans.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::Value;

/// Takes traces at `{url}`.
#[derive(Debug, Clone)]
pub(crate) struct Collector {
    pub(crate) url: String,
    taken: Arc<Mutex<Vec<String>>>,
    /// It says so many times that it is busy before it takes anything.
    busy: Arc<Mutex<u32>>,
}

/// A span as it was sent, attributes by their names.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) kind: u64,
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    pub(crate) failed: bool,
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Collector {
    /// Wants to see `authorization: Bearer s3cret-of-the-collector`, and is busy at first.
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let collector = Self {
            url: format!("http://{}/v1/traces", listener.local_addr().unwrap()),
            taken: Arc::default(),
            busy: Arc::new(Mutex::new(1)),
        };
        let router = Router::new()
            .route("/v1/traces", post(Self::take))
            .with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        collector
    }

    #[expect(clippy::unused_async, reason = "axum wants a future")]
    async fn take(State(to): State<Self>, headers: HeaderMap, body: String) -> StatusCode {
        let is = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
        if !is("authorization", "Bearer s3cret-of-the-collector") {
            return StatusCode::UNAUTHORIZED;
        }
        if !is("content-type", "application/json") {
            return StatusCode::UNSUPPORTED_MEDIA_TYPE;
        }
        let mut busy = to.busy.lock().unwrap();
        if *busy > 0 {
            *busy -= 1;
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        to.taken.lock().unwrap().push(body);
        StatusCode::OK
    }

    /// Everything that was sent, as it was.
    pub(crate) fn text(&self) -> String {
        self.taken.lock().unwrap().join("\n")
    }

    /// The attributes of the program that sent them.
    pub(crate) fn resource(&self) -> BTreeMap<String, String> {
        attributes(&self.documents()[0]["resourceSpans"][0]["resource"])
    }

    /// Every span that was sent.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        for document in self.documents() {
            for resource in document["resourceSpans"].as_array().unwrap() {
                for scope in resource["scopeSpans"].as_array().unwrap() {
                    spans.extend(scope["spans"].as_array().unwrap().iter().map(span));
                }
            }
        }
        spans
    }

    fn documents(&self) -> Vec<Value> {
        let taken = self.taken.lock().unwrap();
        let read = |text: &String| serde_json::from_str(text).expect("what is sent is JSON");
        taken.iter().map(read).collect()
    }
}

fn span(span: &Value) -> Span {
    let text = |key: &str| span[key].as_str().unwrap_or_default().to_owned();
    let nanoseconds = |key: &str| text(key).parse::<u128>().expect("a time as text");
    assert!(nanoseconds("startTimeUnixNano") <= nanoseconds("endTimeUnixNano"));
    Span {
        name: text("name"),
        kind: span["kind"].as_u64().unwrap(),
        trace: text("traceId"),
        id: text("spanId"),
        parent: span["parentSpanId"].as_str().map(str::to_owned),
        failed: span["status"]["code"] == 2,
        attributes: attributes(span),
    }
}

fn attributes(of: &Value) -> BTreeMap<String, String> {
    let listed = of["attributes"].as_array().unwrap().iter();
    listed
        .map(|attribute| {
            let value = attribute["value"].as_object().unwrap();
            let value = value.values().next().unwrap();
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (attribute["key"].as_str().unwrap().to_owned(), value)
        })
        .collect()
}
