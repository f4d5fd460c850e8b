//! What OperatorSigner counts.

use std::time::Duration;

use anzen_messages::model::NoAnswer;
use anzen_messages::signature::SubmitReply;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::eigen::EigenMetrics;
use super::report::{DEFERRALS, IGNORED, REFUSED};
use crate::measure::{
    Histograms, OfProtocol, Outcome, Reason, Step, at_zero, level, long_times, short_times,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Submission {
    aggregator: String,
    outcome: &'static str,
}

/// What can fail and is tried again.
const STEPS: [&str; 3] = ["compute", "record", "sign"];

/// The metrics.
#[derive(Debug, Clone)]
pub struct OperatorSignerMetrics {
    open: Gauge,
    records: Gauge,
    tasks: Family<OfProtocol, Counter>,
    signed: Counter,
    acknowledged: Counter,
    missed: Counter,
    ignored: Family<Reason, Counter>,
    no_answers: Family<Outcome, Counter>,
    refused: Family<Reason, Counter>,
    disagreements: Counter,
    submissions: Family<Submission, Counter>,
    failures: Family<Step, Counter>,
    step_seconds: Histograms<Step>,
    answer_seconds: Histogram,
    /// Those of EigenLayer's specification.
    pub eigen: EigenMetrics,
}

impl Default for OperatorSignerMetrics {
    fn default() -> Self {
        let metrics = Self {
            open: Gauge::default(),
            records: Gauge::default(),
            tasks: Family::default(),
            signed: Counter::default(),
            acknowledged: Counter::default(),
            missed: Counter::default(),
            ignored: Family::default(),
            no_answers: Family::default(),
            refused: Family::default(),
            disagreements: Counter::default(),
            submissions: Family::default(),
            failures: Family::default(),
            step_seconds: Family::new_with_constructor(short_times),
            answer_seconds: long_times(),
            eigen: EigenMetrics::default(),
        };
        at_zero(&metrics.ignored, IGNORED.map(|reason| Reason { reason }));
        at_zero(&metrics.no_answers, NoAnswer::NAMES.map(|outcome| Outcome { outcome }));
        at_zero(&metrics.refused, REFUSED.map(|reason| Reason { reason }));
        at_zero(&metrics.failures, STEPS.map(|step| Step { step }));
        metrics
    }
}

impl OperatorSignerMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self { open, records, tasks, signed, acknowledged, missed, .. } = self.clone();
        registry.register("anzen_signer_open_tasks", "Tasks that can still be answered", open);
        registry.register("anzen_signer_records", "Signing protection records", records);
        registry.register("anzen_signer_tasks", "Tasks that this operator set out to answer", tasks);
        registry.register("anzen_signer_signatures", "Answers signed", signed);
        registry.register(
            "anzen_signer_acknowledged",
            "Tasks for which an aggregator acknowledged this operator's answer",
            acknowledged,
        );
        registry.register(
            "anzen_signer_missed",
            "Tasks that ended before any aggregator acknowledged this operator's answer",
            missed,
        );
        self.register_trouble(registry);
        let Self { step_seconds, answer_seconds, .. } = self.clone();
        registry.register(
            "anzen_signer_step_seconds",
            "Time of each step of an answer, repetitions included, in seconds: compute (from hearing of the task), record, \
             sign, acknowledge",
            step_seconds,
        );
        registry.register(
            "anzen_signer_answer_seconds",
            "Time from hearing of a task until the first aggregator acknowledged the answer, in seconds",
            answer_seconds,
        );
    }

    fn register_trouble(&self, registry: &mut Registry) {
        let Self { ignored, no_answers, refused, disagreements, submissions, failures, .. } = self.clone();
        registry.register("anzen_signer_ignored", "Tasks that were not answered, by reason", ignored);
        registry.register(
            "anzen_signer_no_answers",
            "Tasks that nobody can answer, because a model's inputs have none, by outcome (docs/models.md)",
            no_answers,
        );
        registry.register(
            "anzen_signer_refusals",
            "Answers that the signing protection refused to sign; should be none",
            refused,
        );
        registry.register(
            "anzen_signer_disagreements",
            "Tasks whose proposed value is not what this operator computed",
            disagreements,
        );
        registry.register(
            "anzen_signer_submissions",
            "Submissions by aggregator and what became of them",
            submissions,
        );
        registry.register("anzen_signer_failures", "Steps that failed and are tried again", failures);
    }

    /// These protocols are answered, to these aggregators.
    pub(super) fn starts(&self, protocols: impl Iterator<Item = u32>, aggregators: &[String]) {
        at_zero(&self.tasks, protocols.map(|oracle_index| OfProtocol { oracle_index }));
        let outcomes = SubmitReply::ALL.map(SubmitReply::as_str).into_iter().chain(DEFERRALS);
        for outcome in outcomes {
            let label = |aggregator: &String| Submission { aggregator: aggregator.clone(), outcome };
            at_zero(&self.submissions, aggregators.iter().map(label));
        }
        let steps = STEPS.into_iter().chain(["acknowledge"]);
        at_zero(&self.step_seconds, steps.map(|step| Step { step }));
    }

    pub(super) fn sizes(&self, open: usize, records: usize) {
        self.open.set(level(open));
        self.records.set(level(records));
    }

    pub(super) fn task(&self, oracle_index: u32) {
        self.tasks.get_or_create(&OfProtocol { oracle_index }).inc();
    }

    pub(super) fn signed(&self) {
        self.signed.inc();
    }

    /// A step of an answer is done, so long after the one before.
    pub(super) fn step(&self, step: &'static str, took: Option<Duration>) {
        if let Some(took) = took {
            self.step_seconds.get_or_create(&Step { step }).observe(took.as_secs_f64());
        }
    }

    /// The first aggregator has the answer, so long after the operator heard of the task.
    pub(super) fn acknowledged(&self, took: Duration) {
        self.acknowledged.inc();
        self.answer_seconds.observe(took.as_secs_f64());
    }

    pub(super) fn missed(&self) {
        self.missed.inc();
    }

    pub(super) fn ignored(&self, reason: &'static str) {
        self.ignored.get_or_create(&Reason { reason }).inc();
    }

    pub(super) fn no_answer(&self, outcome: &'static str) {
        self.no_answers.get_or_create(&Outcome { outcome }).inc();
    }

    pub(super) fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&Reason { reason }).inc();
    }

    pub(super) fn disagrees(&self) {
        self.disagreements.inc();
    }

    pub(super) fn submission(&self, aggregator: String, outcome: &'static str) {
        self.submissions.get_or_create(&Submission { aggregator, outcome }).inc();
    }

    pub(super) fn failed(&self, step: &'static str) {
        self.failures.get_or_create(&Step { step }).inc();
    }
}
