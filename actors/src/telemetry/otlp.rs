//! The way to a collector. The SDK's batch processor has a thread of its own and blocks it while it exports, and the HTTP
//! client that alloy uses too needs a runtime; so exports run on a small one beside the actors', which never wait for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry_otlp::SpanExporter as OtlpExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::runtime::Handle;

use super::metrics::ExportMetrics;
use crate::adapters::redacted;

/// A collector that is gone is told of once in this time.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// Exports on a runtime, and counts.
#[derive(Debug)]
pub(super) struct OnRuntime {
    exporter: Arc<OtlpExporter>,
    runtime: Handle,
    metrics: ExportMetrics,
    last_warning: Mutex<Option<Instant>>,
}

impl OnRuntime {
    pub(super) fn new(exporter: OtlpExporter, runtime: Handle, metrics: ExportMetrics) -> Self {
        Self { exporter: Arc::new(exporter), runtime, metrics, last_warning: Mutex::new(None) }
    }

    fn failed(&self, spans: usize, error: &OTelSdkError) {
        self.metrics.failed(spans);
        let mut last = self.last_warning.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|at| at.elapsed() >= WARN_EVERY) {
            *last = Some(Instant::now());
            let error = redacted(&error.to_string());
            tracing::warn!(
                spans,
                error,
                "traces are lost: the collector does not take them; check telemetry.otlp_endpoint"
            );
        }
    }
}

impl SpanExporter for OnRuntime {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let (exporter, spans) = (Arc::clone(&self.exporter), batch.len());
        let export = self.runtime.spawn(async move { exporter.export(batch).await });
        let result =
            export.await.unwrap_or_else(|error| Err(OTelSdkError::InternalFailure(error.to_string())));
        match &result {
            Ok(()) => self.metrics.exported(spans),
            Err(error) => self.failed(spans, error),
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        if let Some(exporter) = Arc::get_mut(&mut self.exporter) {
            exporter.set_resource(resource);
        }
    }
}
