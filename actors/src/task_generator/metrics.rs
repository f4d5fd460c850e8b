//! What TaskGenerator counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::report::HINDRANCES;
use crate::measure::{OfProtocol, at_zero, level};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Hindrance {
    oracle_index: u32,
    reason: &'static str,
}

/// The metrics.
#[derive(Debug, Clone, Default)]
pub struct TaskGeneratorMetrics {
    requested: Family<OfProtocol, Counter>,
    latest: Family<OfProtocol, Gauge>,
    hindered: Family<Hindrance, Counter>,
}

impl TaskGeneratorMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self { requested, latest, hindered } = self.clone();
        registry.register(
            "anzen_generator_requests",
            "Requests to TxSender to create a task, repeated ones included",
            requested,
        );
        registry.register(
            "anzen_generator_latest_task_block",
            "The block in which the protocol's latest task was created, by whomever",
            latest,
        );
        registry.register(
            "anzen_generator_hindered",
            "Attempts to create a due task that failed, by reason",
            hindered,
        );
    }

    /// Tasks of this protocol are looked after.
    pub(super) fn starts(&self, oracle_index: u32) {
        at_zero(&self.requested, [OfProtocol { oracle_index }]);
        at_zero(&self.hindered, HINDRANCES.map(|reason| Hindrance { oracle_index, reason }));
    }

    pub(super) fn requested(&self, oracle_index: u32) {
        self.requested.get_or_create(&OfProtocol { oracle_index }).inc();
    }

    pub(super) fn latest(&self, oracle_index: u32, block: u64) {
        self.latest.get_or_create(&OfProtocol { oracle_index }).set(level(block));
    }

    pub(super) fn hindered(&self, oracle_index: u32, reason: &'static str) {
        self.hindered.get_or_create(&Hindrance { oracle_index, reason }).inc();
    }
}
