//! What a process tells of itself.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::ports::UnixMillis;

/// Which version runs, and since when.
#[derive(Debug, Clone, Default)]
pub struct ProcessMetrics {
    start: Gauge<f64, AtomicU64>,
}

impl ProcessMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self { start } = self.clone();
        // Served as anzen_build_info.
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("anzen_build", "The version of the program, always 1", build);
        registry.register(
            "anzen_process_start_time_seconds",
            "When the process started, in seconds since 1970",
            start,
        );
    }

    pub(super) fn started(&self, now: UnixMillis) {
        self.start.set(Duration::from_millis(now.0).as_secs_f64());
    }
}
