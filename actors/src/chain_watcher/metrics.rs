//! How far the watcher is.

use std::time::Duration;

use anzen_messages::chain::{BlockRef, Header};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::measure::level;
use crate::ports::UnixMillis;

/// ChainWatcher's metrics.
#[derive(Debug, Clone)]
pub struct WatcherMetrics {
    head: Gauge,
    head_time: Gauge,
    lag: Gauge,
    waiting: Gauge,
    failures: Counter,
    reorg_depth: Histogram,
    block_delay: Histogram,
}

impl Default for WatcherMetrics {
    fn default() -> Self {
        Self {
            head: Gauge::default(),
            head_time: Gauge::default(),
            lag: Gauge::default(),
            waiting: Gauge::default(),
            failures: Counter::default(),
            reorg_depth: Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0]),
            block_delay: Histogram::new([0.25, 0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 18.0, 24.0, 48.0, 96.0]),
        }
    }
}

impl WatcherMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self { head, head_time, lag, waiting, failures, reorg_depth, block_delay } = self.clone();
        registry.register("anzen_chain_head_block", "Number of the endpoint's newest block", head);
        registry.register(
            "anzen_chain_head_timestamp_seconds",
            "Time stamp of the endpoint's newest block, in seconds since 1970",
            head_time,
        );
        registry.register("anzen_chain_lag_blocks", "Blocks that are still to be read", lag);
        registry.register("anzen_chain_waiting", "Actors that wait for the next block", waiting);
        registry.register(
            "anzen_chain_follow_failures",
            "Times that the endpoint could not be followed",
            failures,
        );
        registry.register("anzen_chain_reorg_depth_blocks", "Blocks that a fork has undone", reorg_depth);
        registry.register(
            "anzen_chain_block_delay_seconds",
            "Time from a newest block's time stamp until it was seen here, in seconds; 0 where the chain's clock is ahead",
            block_delay,
        );
    }

    /// The newest block's number and time stamp (seconds since 1970), both zero before the first: for a health report.
    pub fn head(&self) -> (u64, u64) {
        let read = |gauge: &Gauge| u64::try_from(gauge.get()).unwrap_or_default();
        (read(&self.head), read(&self.head_time))
    }

    /// A newest block that was not known before, `now`.
    pub(super) fn head_seen(&self, head: &Header, now: UnixMillis) {
        self.head.set(level(head.at.number));
        self.head_time.set(level(head.timestamp));
        let delay = now.0.saturating_sub(head.timestamp.saturating_mul(1_000));
        self.block_delay.observe(Duration::from_millis(delay).as_secs_f64());
    }

    pub(super) fn read_up_to(&self, tip: Option<BlockRef>, head: Option<BlockRef>) {
        let number = |at: Option<BlockRef>| at.map_or(0, |at| at.number);
        self.lag.set(level(number(head).saturating_sub(number(tip))));
    }

    pub(super) fn waiting(&self, count: usize) {
        self.waiting.set(level(count));
    }

    pub(super) fn failed(&self) {
        self.failures.inc();
    }

    pub(super) fn forked(&self, depth: u64) {
        self.reorg_depth.observe(f64::from(u32::try_from(depth).unwrap_or(u32::MAX)));
    }
}
