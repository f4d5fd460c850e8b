//! What TaskGenerator counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfProtocol {
    oracle_index: u32,
}

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
    unanswered: Family<OfProtocol, Counter>,
}

impl TaskGeneratorMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "anzen_generator_requests",
            "Requests to TxSender to create a task, repeated ones included",
            self.requested.clone(),
        );
        registry.register(
            "anzen_generator_latest_task_block",
            "The block in which the protocol's latest task was created, by whomever",
            self.latest.clone(),
        );
        registry.register(
            "anzen_generator_hindered",
            "Attempts to create a due task that failed, by reason",
            self.hindered.clone(),
        );
        registry.register(
            "anzen_tasks_unanswered",
            "Tasks whose response window passed without an answer",
            self.unanswered.clone(),
        );
    }

    pub(super) fn requested(&self, oracle_index: u32) {
        self.requested.get_or_create(&OfProtocol { oracle_index }).inc();
    }

    pub(super) fn latest(&self, oracle_index: u32, block: u64) {
        let block = i64::try_from(block).unwrap_or(i64::MAX);
        self.latest.get_or_create(&OfProtocol { oracle_index }).set(block);
    }

    pub(super) fn hindered(&self, oracle_index: u32, reason: &'static str) {
        self.hindered.get_or_create(&Hindrance { oracle_index, reason }).inc();
    }

    pub(super) fn unanswered(&self, oracle_index: u32) {
        self.unanswered.get_or_create(&OfProtocol { oracle_index }).inc();
    }
}
