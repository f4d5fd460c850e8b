//! What the aggregator counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// The aggregator's metrics.
#[derive(Debug, Clone, Default)]
pub struct AggregatorMetrics {
    attempts: Family<Outcome, Counter>,
    answered: Counter,
    given_up: Counter,
    pending: Gauge,
}

impl AggregatorMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("anzen_aggregator_attempts", "Attempts to post, by outcome", self.attempts.clone());
        registry.register(
            "anzen_aggregator_answered",
            "Tasks whose answer is on chain",
            self.answered.clone(),
        );
        registry.register(
            "anzen_aggregator_given_up",
            "Certificates that were not posted in time",
            self.given_up.clone(),
        );
        registry.register(
            "anzen_aggregator_pending",
            "Certificates that wait for their answer",
            self.pending.clone(),
        );
    }

    pub(super) fn attempt(&self, outcome: &'static str) {
        self.attempts.get_or_create(&Outcome { outcome }).inc();
    }

    pub(super) fn answered(&self) {
        self.answered.inc();
    }

    pub(super) fn given_up(&self) {
        self.given_up.inc();
    }

    pub(super) fn pending(&self, count: usize) {
        self.pending.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}
