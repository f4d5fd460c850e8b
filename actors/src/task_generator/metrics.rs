//! What TaskGenerator counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::policy::Reason;
use super::report::HINDRANCES;
use crate::measure::{OfProtocol, at_zero, level};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfReason {
    oracle_index: u32,
    reason: &'static str,
}

/// The metrics.
#[derive(Debug, Clone, Default)]
pub struct TaskGeneratorMetrics {
    requested: Family<OfProtocol, Counter>,
    latest: Family<OfProtocol, Gauge>,
    hindered: Family<OfReason, Counter>,
    tasks: Family<OfReason, Counter>,
    unanswered: Family<OfProtocol, Counter>,
}

impl TaskGeneratorMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self { requested, latest, hindered, tasks, unanswered } = self.clone();
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
            "Attempts to create a due task, or to tell whether one is, that failed, by reason",
            hindered,
        );
        registry.register(
            "anzen_generator_tasks",
            "Tasks that this generator set out to create, by reason: first, interval, heartbeat, deviation",
            tasks,
        );
        registry.register(
            "anzen_generator_unanswered",
            "Tasks, of whichever generator, whose window passed without an answer",
            unanswered,
        );
    }

    /// Tasks of this protocol are looked after.
    pub(super) fn starts(&self, oracle_index: u32) {
        at_zero(&self.requested, [OfProtocol { oracle_index }]);
        at_zero(&self.unanswered, [OfProtocol { oracle_index }]);
        at_zero(&self.tasks, Reason::LABELS.map(|reason| OfReason { oracle_index, reason }));
        at_zero(&self.hindered, HINDRANCES.map(|reason| OfReason { oracle_index, reason }));
    }

    pub(super) fn requested(&self, oracle_index: u32) {
        self.requested.get_or_create(&OfProtocol { oracle_index }).inc();
    }

    pub(super) fn latest(&self, oracle_index: u32, block: u64) {
        self.latest.get_or_create(&OfProtocol { oracle_index }).set(level(block));
    }

    pub(super) fn asked(&self, oracle_index: u32, reason: &'static str) {
        self.tasks.get_or_create(&OfReason { oracle_index, reason }).inc();
    }

    pub(super) fn unanswered(&self, oracle_index: u32) {
        self.unanswered.get_or_create(&OfProtocol { oracle_index }).inc();
    }

    pub(super) fn hindered(&self, oracle_index: u32, reason: &'static str) {
        self.hindered.get_or_create(&OfReason { oracle_index, reason }).inc();
    }
}
