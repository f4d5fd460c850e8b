//! What OperatorSigner counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Reason {
    pub(super) reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Submission {
    pub(super) aggregator: String,
    pub(super) outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Step {
    pub(super) step: &'static str,
}

/// The metrics.
#[derive(Debug, Clone, Default)]
pub struct OperatorSignerMetrics {
    pub(super) open: Gauge,
    pub(super) records: Gauge,
    pub(super) signed: Counter,
    pub(super) ignored: Family<Reason, Counter>,
    pub(super) refused: Family<Reason, Counter>,
    pub(super) disagreements: Counter,
    pub(super) missed: Counter,
    pub(super) submissions: Family<Submission, Counter>,
    pub(super) failures: Family<Step, Counter>,
}

impl OperatorSignerMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("anzen_signer_open_tasks", "Tasks that can still be answered", self.open.clone());
        registry.register("anzen_signer_records", "Signing protection records", self.records.clone());
        registry.register("anzen_signer_signatures", "Answers signed", self.signed.clone());
        registry.register("anzen_signer_ignored", "Tasks that were not answered", self.ignored.clone());
        registry.register(
            "anzen_signer_refusals",
            "Answers that the signing protection refused to sign; should be none",
            self.refused.clone(),
        );
        registry.register(
            "anzen_signer_disagreements",
            "Tasks whose proposed value is not what this operator computed",
            self.disagreements.clone(),
        );
        registry.register(
            "anzen_signer_missed",
            "Tasks that ended before any aggregator acknowledged this operator's answer",
            self.missed.clone(),
        );
        registry.register(
            "anzen_signer_submissions",
            "Submissions by aggregator and what became of them",
            self.submissions.clone(),
        );
        registry.register(
            "anzen_signer_failures",
            "Steps that failed and are tried again",
            self.failures.clone(),
        );
    }
}
