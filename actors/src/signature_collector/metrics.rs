//! What the collector counts.

use anzen_messages::OperatorId;
use anzen_messages::signature::SubmitReply;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Culprit {
    operator: String,
    fault: &'static str,
}

/// The collector's metrics.
#[derive(Debug, Clone)]
pub struct CollectorMetrics {
    submissions: Family<Outcome, Counter>,
    faults: Family<Culprit, Counter>,
    open_tasks: Gauge,
    early: Gauge,
    unanswered: Counter,
    check_seconds: Histogram,
}

impl Default for CollectorMetrics {
    fn default() -> Self {
        Self {
            submissions: Family::default(),
            faults: Family::default(),
            open_tasks: Gauge::default(),
            early: Gauge::default(),
            unanswered: Counter::default(),
            check_seconds: Histogram::new(exponential_buckets(0.000_5, 2.0, 14)),
        }
    }
}

impl CollectorMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "anzen_collector_submissions",
            "Signatures that came, by outcome",
            self.submissions.clone(),
        );
        registry.register(
            "anzen_collector_faults",
            "Bad, second and other answers, by operator",
            self.faults.clone(),
        );
        registry.register("anzen_collector_tasks", "Tasks that are kept", self.open_tasks.clone());
        registry.register("anzen_collector_early", "Signatures that wait for their task", self.early.clone());
        registry.register(
            "anzen_collector_unanswered",
            "Tasks whose window passed unanswered",
            self.unanswered.clone(),
        );
        registry.register_with_unit(
            "anzen_collector_check",
            "Time to check an answer's sum, bisection included",
            Unit::Seconds,
            self.check_seconds.clone(),
        );
    }

    pub(super) fn submission(&self, reply: SubmitReply) {
        let outcome = match reply {
            SubmitReply::Accepted => "accepted",
            SubmitReply::Duplicate => "duplicate",
            SubmitReply::Early => "early",
            SubmitReply::TooLate => "too_late",
            SubmitReply::NotInSet => "not_in_set",
            SubmitReply::SecondAnswer => "second_answer",
            SubmitReply::Invalid => "invalid",
            SubmitReply::Malformed => "malformed",
            SubmitReply::TooManyEarly => "too_many_early",
            SubmitReply::Unavailable => "unavailable",
        };
        self.submissions.get_or_create(&Outcome { outcome }).inc();
    }

    pub(super) fn fault(&self, operator: OperatorId, fault: &'static str) {
        self.faults.get_or_create(&Culprit { operator: operator.to_string(), fault }).inc();
    }

    pub(super) fn unanswered(&self) {
        self.unanswered.inc();
    }

    pub(super) fn check_took(&self, seconds: f64) {
        self.check_seconds.observe(seconds);
    }

    pub(super) fn sizes(&self, tasks: usize, early: usize) {
        self.open_tasks.set(i64::try_from(tasks).unwrap_or(i64::MAX));
        self.early.set(i64::try_from(early).unwrap_or(i64::MAX));
    }
}
