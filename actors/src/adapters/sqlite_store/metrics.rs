//! How the disk does.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::database::Database;
use crate::health::Pulse;
use crate::measure::{Held, level};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSpace {
    space: String,
}

/// What the store writes, how long it takes and how large it is.
#[derive(Debug, Clone)]
pub struct StoreMetrics {
    batches: Counter,
    failures: Counter,
    commit_seconds: Histogram,
    waiting: Gauge,
    capacity: Gauge,
    bytes: Gauge,
    wal_bytes: Gauge,
    most_bytes: Gauge,
    records: Family<OfSpace, Gauge>,
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
            bytes: Gauge::default(),
            wal_bytes: Gauge::default(),
            most_bytes: Gauge::default(),
            records: Family::default(),
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
        let Self { bytes, wal_bytes, most_bytes, records, .. } = self.clone();
        registry.register("anzen_store_bytes", "What is in use of the store's file, in bytes", bytes);
        registry.register(
            "anzen_store_wal_bytes",
            "The log of the last writes, which is not part of the file yet, in bytes",
            wal_bytes,
        );
        registry.register(
            "anzen_store_most_bytes",
            "What the store's file takes at most (store.most_bytes), in bytes",
            most_bytes,
        );
        registry.register("anzen_store_records", "Records in the store, by whose they are", records);
    }

    pub(super) fn starts(&self, capacity: usize, most_bytes: u64) {
        self.capacity.set(level(capacity));
        self.most_bytes.set(saturated(most_bytes));
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

    /// Looks at how large the file is.
    pub(super) fn measure(&self, database: &Database) {
        if let Ok(sizes) = database.sizes() {
            self.bytes.set(saturated(sizes.used));
            self.wal_bytes.set(saturated(sizes.log));
        }
        for (space, count) in database.counts() {
            self.records.get_or_create(&OfSpace { space: space.clone() }).set(saturated(*count));
        }
    }
}

fn saturated(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
