//! What the collector counts.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anzen_messages::signature::{SignedStake, SubmitReply};
use anzen_messages::{OperatorId, SafetyFactor, Task};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::measure::{Histograms, OfProtocol, Outcome, Step, at_zero, level, long_times};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Culprit {
    operator: String,
    fault: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOperator {
    operator: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfQuorum {
    oracle_index: u32,
    quorum: u8,
}

type Ratio = Gauge<f64, AtomicU64>;

/// The collector's metrics.
#[derive(Debug, Clone)]
pub struct CollectorMetrics {
    submissions: Family<Outcome, Counter>,
    faults: Family<Culprit, Counter>,
    penalised: Family<OfOperator, Gauge>,
    penalties: Family<OfOperator, Counter>,
    evidence: Gauge,
    open_tasks: Gauge,
    early: Gauge,
    created: Family<OfProtocol, Counter>,
    answered: Family<OfProtocol, Counter>,
    missed: Family<OfProtocol, Counter>,
    safety_factor: Family<OfProtocol, Ratio>,
    latest_signed: Family<OfQuorum, Ratio>,
    latest_threshold: Family<OfProtocol, Ratio>,
    signed: Histograms<OfQuorum>,
    check_seconds: Histogram,
    step_seconds: Histograms<Step>,
}

impl Default for CollectorMetrics {
    fn default() -> Self {
        let shares: fn() -> Histogram =
            || Histogram::new([0.1, 0.25, 0.4, 0.5, 0.6, 0.67, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99, 1.0]);
        let metrics = Self {
            submissions: Family::default(),
            faults: Family::default(),
            penalised: Family::default(),
            penalties: Family::default(),
            evidence: Gauge::default(),
            open_tasks: Gauge::default(),
            early: Gauge::default(),
            created: Family::default(),
            answered: Family::default(),
            missed: Family::default(),
            safety_factor: Family::default(),
            latest_signed: Family::default(),
            latest_threshold: Family::default(),
            signed: Family::new_with_constructor(shares),
            check_seconds: Histogram::new(exponential_buckets(0.000_5, 2.0, 14)),
            step_seconds: Family::new_with_constructor(long_times),
        };
        at_zero(&metrics.submissions, SubmitReply::ALL.map(|reply| Outcome { outcome: reply.as_str() }));
        let steps = ["first_signature", "quorum", "certificate", "handover"];
        at_zero(&metrics.step_seconds, steps.map(|step| Step { step }));
        metrics
    }
}

impl CollectorMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self { submissions, faults, open_tasks, early, check_seconds, step_seconds, .. } = self.clone();
        registry.register("anzen_collector_submissions", "Signatures that came, by outcome", submissions);
        registry.register("anzen_collector_faults", "Bad, second and other answers, by operator", faults);
        registry.register("anzen_collector_tasks_kept", "Tasks that are known and not over", open_tasks);
        registry.register("anzen_collector_early", "Signatures that wait for their task", early);
        registry.register(
            "anzen_collector_check_seconds",
            "Time to check an answer's sum, bisection included, in seconds",
            check_seconds,
        );
        registry.register(
            "anzen_collector_step_seconds",
            "Time of each step of a task, in seconds: first_signature (from hearing of the task), quorum (checked), \
             certificate (slower operators have been waited for), handover (the aggregator has it)",
            step_seconds,
        );
        self.register_tasks(registry);
        self.register_penalties(registry);
    }

    fn register_penalties(&self, registry: &mut Registry) {
        let Self { penalised, penalties, evidence, .. } = self.clone();
        registry.register(
            "anzen_collector_penalised",
            "1 for each operator whose signatures are verified alone at present, because of bad ones",
            penalised,
        );
        registry.register("anzen_collector_penalties", "Penalties that began, by operator", penalties);
        registry.register(
            "anzen_collector_evidence",
            "Pairs of contradicting answers that are kept as evidence",
            evidence,
        );
    }

    fn register_tasks(&self, registry: &mut Registry) {
        let Self { created, answered, missed, safety_factor, .. } = self.clone();
        registry.register("anzen_collector_tasks_created", "Tasks created, by protocol", created);
        registry.register("anzen_collector_tasks_answered", "Tasks answered on chain, by protocol", answered);
        registry.register(
            "anzen_collector_tasks_missed",
            "Tasks whose window passed without an answer, by protocol",
            missed,
        );
        registry.register(
            "anzen_collector_safety_factor_ratio",
            "The latest answer on chain: (CoC - PfC) / CoC, at most 1, below 0 an attack pays",
            safety_factor,
        );
        let Self { latest_signed, latest_threshold, signed, .. } = self.clone();
        registry.register(
            "anzen_collector_latest_signed_ratio",
            "Share of a quorum's stake that signed the latest task of the protocol",
            latest_signed,
        );
        registry.register(
            "anzen_collector_latest_threshold_ratio",
            "Share of each quorum's stake that had to sign the latest certified task of the protocol",
            latest_threshold,
        );
        registry.register(
            "anzen_collector_signed_ratio",
            "Share of a quorum's stake that signed a task when it was certified or missed",
            signed,
        );
    }

    pub(super) fn submission(&self, reply: SubmitReply) {
        self.submissions.get_or_create(&Outcome { outcome: reply.as_str() }).inc();
    }

    pub(super) fn fault(&self, operator: OperatorId, fault: &'static str) {
        self.faults.get_or_create(&Culprit { operator: operator.to_string(), fault }).inc();
    }

    /// A penalty has begun.
    pub(super) fn penalty(&self, operator: OperatorId) {
        let label = OfOperator { operator: operator.to_string() };
        self.penalties.get_or_create(&label).inc();
        self.penalised.get_or_create(&label).set(1);
    }

    /// Who is penalised at present.
    pub(super) fn penalised(&self, operators: impl Iterator<Item = OperatorId>) {
        self.penalised.clear();
        for operator in operators {
            self.penalised.get_or_create(&OfOperator { operator: operator.to_string() }).set(1);
        }
    }

    pub(super) fn evidence(&self, documents: usize) {
        self.evidence.set(level(documents));
    }

    pub(super) fn created(&self, oracle_index: u32) {
        let label = OfProtocol { oracle_index };
        self.created.get_or_create(&label).inc();
        at_zero(&self.answered, [label.clone()]);
        at_zero(&self.missed, [label]);
    }

    pub(super) fn answered(&self, oracle_index: u32, value: SafetyFactor) {
        let label = OfProtocol { oracle_index };
        self.answered.get_or_create(&label).inc();
        // What people read is decimal, and always a number.
        self.safety_factor.get_or_create(&label).set(value.to_string().parse().unwrap_or(f64::NAN));
    }

    /// The window has passed; these have signed.
    pub(super) fn missed(&self, oracle_index: u32, stakes: &[SignedStake]) {
        self.missed.get_or_create(&OfProtocol { oracle_index }).inc();
        self.signed(oracle_index, stakes);
    }

    /// There is a certificate; these have signed.
    pub(super) fn certified(&self, task: &Task, stakes: &[SignedStake]) {
        let label = OfProtocol { oracle_index: task.oracle_index };
        let threshold = f64::from(task.quorum_threshold_percentage) / 100.0;
        self.latest_threshold.get_or_create(&label).set(threshold);
        self.signed(task.oracle_index, stakes);
    }

    fn signed(&self, oracle_index: u32, stakes: &[SignedStake]) {
        for stake in stakes {
            let label = OfQuorum { oracle_index, quorum: stake.quorum };
            let share = f64::from(stake.basis_points()) / 10_000.0;
            self.latest_signed.get_or_create(&label).set(share);
            self.signed.get_or_create(&label).observe(share);
        }
    }

    pub(super) fn check_took(&self, took: Duration) {
        self.check_seconds.observe(took.as_secs_f64());
    }

    /// A step of a task is done, so long after the one before.
    pub(super) fn step(&self, step: &'static str, took: Option<Duration>) {
        if let Some(took) = took {
            self.step_seconds.get_or_create(&Step { step }).observe(took.as_secs_f64());
        }
    }

    pub(super) fn sizes(&self, tasks: usize, early: usize) {
        self.open_tasks.set(level(tasks));
        self.early.set(level(early));
    }
}
