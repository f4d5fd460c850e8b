//! How far the watcher is.

use anzen_messages::chain::{BlockRef, Header};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// ChainWatcher's metrics.
#[derive(Debug, Clone)]
pub struct WatcherMetrics {
    head: Gauge,
    head_time: Gauge,
    lag: Gauge,
    waiting: Gauge,
    failures: Counter,
    reorgs: Histogram,
}

impl Default for WatcherMetrics {
    fn default() -> Self {
        Self {
            head: Gauge::default(),
            head_time: Gauge::default(),
            lag: Gauge::default(),
            waiting: Gauge::default(),
            failures: Counter::default(),
            reorgs: Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0]),
        }
    }
}

impl WatcherMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "anzen_chain_head_block",
            "Number of the endpoint's newest block",
            self.head.clone(),
        );
        registry.register(
            "anzen_chain_head_timestamp_seconds",
            "Time stamp of the endpoint's newest block",
            self.head_time.clone(),
        );
        registry.register("anzen_chain_lag_blocks", "Blocks that are still to be read", self.lag.clone());
        registry.register("anzen_chain_waiting", "Actors that wait for the next block", self.waiting.clone());
        registry.register(
            "anzen_chain_follow_failures",
            "Times that the endpoint could not be followed",
            self.failures.clone(),
        );
        registry.register("anzen_chain_reorg_depth", "Blocks that a fork has undone", self.reorgs.clone());
    }

    /// The newest block's number and time stamp (seconds since 1970), both zero before the first: for a health report.
    pub fn head(&self) -> (u64, u64) {
        let read = |gauge: &Gauge| u64::try_from(gauge.get()).unwrap_or_default();
        (read(&self.head), read(&self.head_time))
    }

    pub(super) fn head_seen(&self, head: &Header) {
        set(&self.head, head.at.number);
        set(&self.head_time, head.timestamp);
    }

    pub(super) fn read_up_to(&self, tip: Option<BlockRef>, head: Option<BlockRef>) {
        let number = |at: Option<BlockRef>| at.map_or(0, |at| at.number);
        set(&self.lag, number(head).saturating_sub(number(tip)));
    }

    pub(super) fn waiting(&self, count: usize) {
        self.waiting.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(super) fn failed(&self) {
        self.failures.inc();
    }

    pub(super) fn forked(&self, depth: u64) {
        self.reorgs.observe(f64::from(u32::try_from(depth).unwrap_or(u32::MAX)));
    }
}

fn set(gauge: &Gauge, value: u64) {
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
}
