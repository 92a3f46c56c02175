//! Traces: the spans of [`countersign_service::traces`], kept or not as a whole trace is, queued, and sent to a collector.
//!
//! The queue is bounded and nobody waits for it: spans for which there is no room are dropped, and a collector that is
//! away costs a request nothing. What is sent is in [`otlp`].

mod otlp;

use std::time::Duration;

use anyhow::Context as _;
use countersign_service::adapters::dice::{Dice as _, SystemDice};
use countersign_service::traces::{self, Relay, TARGET};
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanContext, TraceContextExt as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider,
};
use tokio::runtime::Handle;
use tracing::Span;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};
use tracing_subscriber::filter::{Filtered, Targets};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use self::otlp::Collector;
use crate::commands::doctor::Report;
use crate::config::Config;

/// Spans that wait to be sent; at 300 bytes each a megabyte or two.
const QUEUE: usize = 4_096;

/// How many are sent at once.
const AT_ONCE: usize = 512;

/// The longest a span waits.
const EVERY: Duration = Duration::from_secs(5);

/// How long the program waits at its end for what is left to be sent.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Traces under way; to be ended before the program is.
pub(crate) struct Telemetry(SdkTracerProvider);

impl Telemetry {
    /// Where the configuration names a collector: traces, and the layer of the subscriber that takes their spans.
    ///
    /// # Errors
    /// If the secret cannot be read, or is none that a header can hold.
    pub(crate) fn begin<S>(
        config: &Config,
        runtime: &Handle,
    ) -> anyhow::Result<Option<(Self, impl Layer<S> + use<S>)>>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        let Some(collector) = Collector::of(config, runtime)? else {
            return Ok(None);
        };
        let per_thousand = u32::try_from(config.number("telemetry", "keep_per_thousand"))
            .context("telemetry.keep_per_thousand")?;
        let share = f64::from(per_thousand) / 1_000.0;
        let queue = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(AT_ONCE)
            .with_scheduled_delay(EVERY)
            .build();
        let queue = BatchSpanProcessor::builder(collector)
            .with_batch_config(queue)
            .build();
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
                share,
            ))))
            .with_resource(resource(config))
            .with_span_processor(queue)
            .build();
        traces::relay_by(Box::new(Contexts(TraceContextPropagator::new())));
        let layer = layer(provider.tracer("countersign"));
        Ok(Some((Self(provider), layer)))
    }

    /// Sends what is left, for as long as that takes a collector that answers.
    pub(crate) fn end(self) {
        if let Err(error) = self.0.shutdown_with_timeout(LAST_WORDS) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// For `doctor`: whether the collector takes traces, asked with none.
///
/// # Errors
/// If nothing can be printed.
pub(crate) async fn examine(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let help = "traces are lost meanwhile, and nothing else; is the collector up, and are path and secret right?";
    let collector = match Collector::of(config, &Handle::current()) {
        Ok(None) => return Ok(()),
        Ok(Some(collector)) => collector,
        Err(error) => return report.problem("traces", &format!("{error:#}"), help),
    };
    let endpoint = config.text("telemetry", "endpoint");
    match collector.takes().await {
        Ok(()) => report.ok("traces", &format!("{endpoint} takes them")),
        Err(why) => report.problem("traces", &format!("{endpoint}: {why}"), help),
    }
}

/// Only our own spans, and of those neither the place in the program nor its threads: they say nothing to an operator.
fn layer<S>(tracer: SdkTracer) -> Filtered<OpenTelemetryLayer<S, SdkTracer>, Targets, S>
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span>,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_filter(Targets::new().with_target(TARGET, LevelFilter::INFO))
}

/// Which program this is: its name, its version, and one of possibly several.
fn resource(config: &Config) -> Resource {
    let mut instance = [0; 16];
    SystemDice.fill(&mut instance);
    Resource::builder()
        .with_service_name(config.text("telemetry", "service"))
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new(
                "service.instance.id",
                format!("{:032x}", u128::from_be_bytes(instance)),
            ),
        ])
        .build()
}

/// Reads and writes W3C `traceparent`. `tracestate` is not passed on: it may hold what another system put into it, and
/// a backend has no need of it.
#[derive(Debug)]
struct Contexts(TraceContextPropagator);

impl Relay for Contexts {
    fn continue_from(&self, span: &Span, traceparent: &str) {
        let caller = self
            .0
            .extract_with_context(&Context::new(), &Traceparent(traceparent));
        if caller.span().span_context().is_valid() {
            // It fails only where the span is not recorded, and then there is nothing to be part of a trace.
            let _ = span.set_parent(caller);
        }
    }

    fn traceparent(&self, span: &Span) -> Option<String> {
        let context = span.context();
        let here = context.span().span_context().clone();
        here.is_valid().then(|| traceparent(&here))
    }
}

fn traceparent(here: &SpanContext) -> String {
    let (trace, span) = (here.trace_id(), here.span_id());
    format!("00-{trace}-{span}-{:02x}", here.trace_flags().to_u8() & 1)
}

/// One header.
struct Traceparent<'a>(&'a str);

impl Extractor for Traceparent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == "traceparent").then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_as_w3c_says_and_written_the_same() {
        let contexts = Contexts(TraceContextPropagator::new());
        let read = |text| {
            let context = contexts
                .0
                .extract_with_context(&Context::new(), &Traceparent(text));
            context.span().span_context().clone()
        };
        let right = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(traceparent(&read(right)), right);
        let not_kept = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        assert_eq!(traceparent(&read(not_kept)), not_kept);
        for wrong in [
            "",
            "x",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert!(!read(wrong).is_valid(), "{wrong}");
        }
    }
}
