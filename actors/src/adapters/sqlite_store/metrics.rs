//! How the disk does.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::health::Pulse;

/// What the store writes and how long it takes.
#[derive(Debug, Clone)]
pub struct StoreMetrics {
    pub(super) batches: Counter,
    pub(super) failures: Counter,
    pub(super) commit_seconds: Histogram,
    pub(super) pulse: Pulse,
}

impl Default for StoreMetrics {
    fn default() -> Self {
        Self {
            batches: Counter::default(),
            failures: Counter::default(),
            commit_seconds: Histogram::new(exponential_buckets(0.000_25, 2.0, 14)),
            pulse: Pulse::default(),
        }
    }
}

impl StoreMetrics {
    /// Whether the last transaction was written.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("anzen_store_batches", "Batches of records written", self.batches.clone());
        registry.register("anzen_store_failures", "Transactions that failed", self.failures.clone());
        registry.register(
            "anzen_store_commit_seconds",
            "Time to write one transaction, which may hold many batches",
            self.commit_seconds.clone(),
        );
    }
}
