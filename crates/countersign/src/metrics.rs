//! Prometheus text, on a listener of its own: what is measured is for whoever runs the gate, and never on the address that
//! people see.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::routing::get;
use countersign_service::{Gate, measures};
use countersign_web::listener::{self, Patience};
use countersign_web::{Web, observe};
use metrics::Unit;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Bounds of times, in seconds: OpenTelemetry's advice for HTTP servers, with finer ones below for commits.
const SECONDS: [f64; 16] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0,
    10.0,
];

/// Bounds of how many requests share a transaction.
const REQUESTS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// For how long the ledger has stood still.
const UNCHANGED: &str = "countersign.ledger.unchanged";

/// OpenTelemetry's name.
const MEMORY: &str = "process.memory.usage";

/// Spans that a collector did not take.
pub(crate) const SPANS_LOST: &str = "countersign.spans.lost";

/// Samples are put into their buckets this often, so that nobody who never asks makes them pile up.
const UPKEEP: Duration = Duration::from_secs(5);

/// Where measures are given.
pub(crate) struct Metrics {
    listener: TcpListener,
    handle: PrometheusHandle,
}

impl Metrics {
    /// Begins to measure, and to listen at this address.
    ///
    /// # Errors
    /// If the address is taken.
    pub(crate) async fn begin(address: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address} for metrics"))?;
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("duration".to_owned()), &SECONDS)
            .and_then(|builder| {
                builder.set_buckets_for_metric(Matcher::Suffix("requests".to_owned()), &REQUESTS)
            })
            .context("cannot set up metrics")?
            .with_recommended_naming(true)
            .build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder)
            .map_err(|_| anyhow::anyhow!("metrics are set up already"))?;
        measures::describe();
        observe::describe();
        let unchanged = "how long ago the newest entry was seen to come";
        metrics::describe_gauge!(UNCHANGED, Unit::Seconds, unchanged);
        metrics::describe_counter!(SPANS_LOST, "spans that the collector did not take");
        metrics::describe_gauge!(MEMORY, Unit::Bytes, "physical memory in use");
        Ok(Self { listener, handle })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Whatever the system says.
    pub(crate) fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `stop` is true.
    pub(crate) async fn serve(self, gate: Gate, web: Web, stop: watch::Receiver<bool>) {
        let Self { listener, handle } = self;
        let upkeep = handle.clone();
        let seen = Arc::new(Seen::default());
        let router = Router::new().route(
            "/metrics",
            get(async move || {
                observe::measure(&web);
                // The rest is told all the same.
                if let Err(trouble) = gate.measure().await {
                    tracing::warn!(code = trouble.code(), "not everything could be measured");
                }
                seen.measure(gate.position());
                memory();
                let text = "text/plain; version=0.0.4; charset=utf-8";
                ([(header::CONTENT_TYPE, text)], handle.render()).into_response()
            }),
        );
        let keep_up = async {
            loop {
                tokio::time::sleep(UPKEEP).await;
                upkeep.run_upkeep();
            }
        };
        tokio::select! {
            () = listener::serve(listener, router, Patience::default(), stop) => {}
            () = keep_up => {}
        }
    }
}

/// When the journal was last seen to have grown.
#[derive(Default)]
struct Seen(Mutex<Option<(u64, Instant)>>);

impl Seen {
    fn measure(&self, position: u64) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match *seen {
            Some((same, since)) if same == position => since,
            _ => Instant::now(),
        };
        *seen = Some((position, since));
        metrics::gauge!(UNCHANGED).set(since.elapsed().as_secs_f64());
    }
}

/// What the program holds in memory, as Linux counts it.
fn memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?
            .trim()
            .split(' ')
            .next()?
            .parse()
            .ok()
    });
    if let Some(kib) = kib {
        let kib: u32 = kib;
        metrics::gauge!(MEMORY).set(f64::from(kib) * 1_024.0);
    }
}
