//! Whether traces arrive.

use std::sync::LazyLock;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::measure::{Outcome, at_zero};

/// Counts the spans that a collector was sent.
#[derive(Debug, Clone, Default)]
pub struct ExportMetrics {
    spans: Family<Outcome, Counter>,
}

impl ExportMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        at_zero(&self.spans, ["exported", "failed"].map(|outcome| Outcome { outcome }));
        registry.register(
            "anzen_telemetry_spans",
            "Spans sent to the OpenTelemetry collector, by outcome",
            self.spans.clone(),
        );
    }

    pub(super) fn exported(&self, spans: usize) {
        self.count("exported", spans);
    }

    pub(super) fn failed(&self, spans: usize) {
        self.count("failed", spans);
    }

    fn count(&self, outcome: &'static str, spans: usize) {
        self.spans.get_or_create(&Outcome { outcome }).inc_by(u64::try_from(spans).unwrap_or(u64::MAX));
    }
}

/// The process's: what is exported is exported for all of it.
pub fn export_metrics() -> ExportMetrics {
    static METRICS: LazyLock<ExportMetrics> = LazyLock::new(ExportMetrics::default);
    METRICS.clone()
}
