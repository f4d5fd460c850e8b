//! How the disk does.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::health::Pulse;
use crate::measure::{Held, level};

/// What the store writes and how long it takes.
#[derive(Debug, Clone)]
pub struct StoreMetrics {
    batches: Counter,
    failures: Counter,
    commit_seconds: Histogram,
    waiting: Gauge,
    capacity: Gauge,
    pub(super) pulse: Pulse,
}

impl Default for StoreMetrics {
    fn default() -> Self {
        Self {
            batches: Counter::default(),
            failures: Counter::default(),
            commit_seconds: Histogram::new(exponential_buckets(0.000_25, 2.0, 14)),
            pulse: Pulse::default(),
            waiting: Gauge::default(),
            capacity: Gauge::default(),
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
        let Self { batches, failures, commit_seconds, waiting, capacity, .. } = self.clone();
        registry.register("anzen_store_batches", "Batches of records written", batches);
        registry.register("anzen_store_failures", "Transactions that failed", failures);
        registry.register(
            "anzen_store_commit_seconds",
            "Time to write one transaction, which may hold many batches, in seconds",
            commit_seconds,
        );
        registry.register("anzen_store_waiting", "Requests that wait for the disk", waiting);
        registry.register(
            "anzen_store_capacity",
            "Requests that may wait for the disk before callers wait at the door",
            capacity,
        );
    }

    pub(super) fn starts(&self, capacity: usize) {
        self.capacity.set(level(capacity));
    }

    /// A request waits, until the value is dropped.
    pub(super) fn waits(&self) -> Held {
        Held::on(&self.waiting)
    }

    pub(super) fn written(&self, batches: u64, took: Duration) {
        self.batches.inc_by(batches);
        self.commit_seconds.observe(took.as_secs_f64());
    }

    pub(super) fn failed(&self) {
        self.failures.inc();
    }
}
