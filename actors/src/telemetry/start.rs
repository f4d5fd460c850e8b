//! Putting it together when a program starts.

use std::io::IsTerminal;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Sampler, SdkTracerProvider};
use tokio::runtime::Runtime;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::export::{Ids, TRACER};
use super::line::Line;
use super::metrics::export_metrics;
use super::otlp::OnRuntime;
use super::{LogFormat, STEP, TelemetryConfig};

/// How long spans that are not sent yet may hold up the end of a process.
const LAST_SPANS: Duration = Duration::from_secs(2);
/// Where OTLP over HTTP takes spans.
const TRACES_PATH: &str = "/v1/traces";

/// Why telemetry does not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is none.
    #[error(
        "telemetry.log is no filter: {0}; it is a level, or levels by module: \"info,anzen_actors=debug\""
    )]
    Filter(String),
    /// The share is none.
    #[error("telemetry.sample_ratio is {0}; it must be from 0 to 1")]
    Ratio(f64),
    /// The exporter cannot be made.
    #[error(
        "spans cannot be exported: {0}; check telemetry.otlp_endpoint and the variables OTEL_EXPORTER_OTLP_..."
    )]
    Export(String),
    /// Something logs already.
    #[error("logging was started twice")]
    Twice,
}

/// Ends the export when it is dropped: what is not sent yet is sent, within a limit. Not to be dropped by a runtime's task.
#[must_use]
#[derive(Debug)]
pub struct Guard(Option<(SdkTracerProvider, Runtime)>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some((provider, runtime)) = self.0.take() {
            // A collector that is gone was warned of by the exporter.
            let _ = provider.shutdown_with_timeout(LAST_SPANS);
            runtime.shutdown_background();
        }
    }
}

/// A process that works for tasks.
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    /// What it calls itself.
    pub name: &'a str,
    /// The actors that it runs.
    pub roles: &'a str,
}

/// Starts logging, on standard error, and exporting the spans of a service where that is configured.
///
/// # Errors
/// Where a setting is wrong; the text says which.
pub fn start(config: &TelemetryConfig, service: Option<Service<'_>>) -> Result<Guard, TelemetryError> {
    let json = match config.log_format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Pretty => false,
        LogFormat::Json => true,
    };
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(!json && std::io::stderr().is_terminal())
        .fmt_fields(JsonFields::new())
        .event_format(Line { json })
        .with_filter(filter(&config.log)?);
    let export = service.map(|service| exporter(config, service)).transpose()?.flatten();
    let spans = export.as_ref().map(|(provider, _)| spans(provider));
    tracing_subscriber::registry().with(log).with(spans).try_init().map_err(|_| TelemetryError::Twice)?;
    if let Some((provider, _)) = &export {
        opentelemetry::global::set_tracer_provider(provider.clone());
    }
    Ok(Guard(export))
}

/// What RUST_LOG says, or else `default`, and less of what our adapters report themselves.
fn filter(default: &str) -> Result<EnvFilter, TelemetryError> {
    let said = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|said| !said.is_empty());
    let said = said.unwrap_or_else(|| format!("{default},alloy_pubsub=warn"));
    EnvFilter::try_new(said).map_err(|error| TelemetryError::Filter(error.to_string()))
}

/// The layer that records steps, and what is logged in them.
pub(super) fn spans<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let is_recorded = |metadata: &Metadata<'_>| {
        if metadata.is_span() {
            metadata.target() == STEP
        } else {
            metadata.target().starts_with("anzen") && *metadata.level() <= Level::INFO
        }
    };
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(TRACER))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(FilterFn::new(is_recorded))
}

fn exporter(
    config: &TelemetryConfig,
    service: Service<'_>,
) -> Result<Option<(SdkTracerProvider, Runtime)>, TelemetryError> {
    if !(0.0..=1.0).contains(&config.sample_ratio) {
        return Err(TelemetryError::Ratio(config.sample_ratio));
    }
    let by_variable = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    let mut builder = SpanExporter::builder().with_http();
    match &config.otlp_endpoint {
        Some(endpoint) => builder = builder.with_endpoint(traces_url(endpoint.url().as_str())),
        None if by_variable => {}
        None => return Ok(None),
    }
    let failed = |error: &dyn std::fmt::Display| TelemetryError::Export(error.to_string());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("telemetry")
        .enable_all()
        .build()
        .map_err(|error| failed(&error))?;
    let exporter = builder.build().map_err(|error| failed(&error))?;
    let exporter = OnRuntime::new(exporter, runtime.handle().clone(), export_metrics());
    let name = config.service_name.as_deref().unwrap_or(service.name);
    let provider = SdkTracerProvider::builder()
        .with_span_processor(BatchSpanProcessor::builder(exporter).build())
        .with_id_generator(Ids::default())
        // By the trace's id alone: all processes choose the same tasks, and no sender can make them record more.
        .with_sampler(Sampler::TraceIdRatioBased(config.sample_ratio))
        .with_resource(resource(name, service.roles))
        .build();
    Ok(Some((provider, runtime)))
}

fn resource(service: &str, roles: &str) -> Resource {
    Resource::builder()
        .with_service_name(service.to_owned())
        .with_attributes([
            KeyValue::new("service.namespace", "anzen"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("anzen.roles", roles.to_owned()),
        ])
        .build()
}

/// The setting names the collector; its path is the protocol's.
pub(super) fn traces_url(endpoint: &str) -> String {
    let endpoint = endpoint.trim_end_matches('/');
    if endpoint.ends_with(TRACES_PATH) { endpoint.to_owned() } else { format!("{endpoint}{TRACES_PATH}") }
}
