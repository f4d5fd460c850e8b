//! What the challenger counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::cases::Tally;
use super::effect::State;
use crate::measure::{Outcome, Reason, at_zero, level};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Checked {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct For {
    purpose: &'static str,
}

/// What comes of comparing an answer.
const RESULTS: [&str; 5] = ["right", "wrong", "doubtful", "unchecked", "unknown"];
/// What a challenger sends.
const PURPOSES: [&str; 6] = ["challenge", "committee", "lapse", "freeze", "eject", "slash"];
/// Why a step fails.
pub(super) const HINDRANCES: [&str; 7] =
    ["chain", "call", "refused", "reverted", "unknown", "no_change", "not_posted"];

/// The challenger's metrics.
#[derive(Debug, Clone)]
pub struct ChallengerMetrics {
    captures: Family<Outcome, Counter>,
    checked: Family<Checked, Counter>,
    tasks: Gauge,
    unchecked: Gauge,
    checks_running_out: Gauge,
    challenges_running_out: Gauge,
    slashings_running_out: Gauge,
    disputes: Family<InState, Gauge>,
    sent: Family<For, Counter>,
    done: Family<For, Counter>,
    hindered: Family<Reason, Counter>,
    slashed: Counter,
}

impl Default for ChallengerMetrics {
    fn default() -> Self {
        let (captures, checked, disputes) = (Family::default(), Family::default(), Family::default());
        let (sent, done, hindered) = (Family::default(), Family::default(), Family::default());
        at_zero(&captures, ["captured", "failed"].map(|outcome| Outcome { outcome }));
        at_zero(&checked, RESULTS.map(|result| Checked { result }));
        at_zero::<_, Gauge, _>(&disputes, State::ALL.map(|state| InState { state: state.name() }));
        for family in [&sent, &done] {
            at_zero(family, PURPOSES.map(|purpose| For { purpose }));
        }
        at_zero(&hindered, HINDRANCES.map(|reason| Reason { reason }));
        let (tasks, unchecked, slashed) = Default::default();
        let (checks_running_out, challenges_running_out, slashings_running_out) = Default::default();
        Self {
            captures,
            checked,
            tasks,
            unchecked,
            checks_running_out,
            challenges_running_out,
            slashings_running_out,
            disputes,
            sent,
            done,
            hindered,
            slashed,
        }
    }
}

impl ChallengerMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self { captures, checked, tasks, unchecked, disputes, sent, done, hindered, slashed, .. } =
            self.clone();
        let Self { checks_running_out, challenges_running_out, slashings_running_out, .. } = self.clone();
        registry.register(
            "anzen_challenger_captures",
            "Attempts to recompute a task and take the proof of its answer, by outcome",
            captures,
        );
        registry.register(
            "anzen_challenger_answers",
            "Answers on chain that were compared (right, wrong; doubtful: another comparison follows), or were not while they could be challenged (unchecked), or \
             whose task was created before what is followed (unknown)",
            checked,
        );
        registry.register("anzen_challenger_tasks", "Tasks and disputes that are not over", tasks);
        registry.register(
            "anzen_challenger_unchecked",
            "Answers that can be challenged and are not compared yet: their task is not recomputed",
            unchecked,
        );
        registry.register(
            "anzen_challenger_checks_running_out",
            "Those of them of whose challenge window less than half is left",
            checks_running_out,
        );
        registry.register(
            "anzen_challenger_challenges_running_out",
            "Wrong answers that stand undisputed, and of whose challenge window less than half is left",
            challenges_running_out,
        );
        registry.register(
            "anzen_challenger_slashings_running_out",
            "Faults whose signers still owe stake and of whose execution window less than half is left",
            slashings_running_out,
        );
        registry.register(
            "anzen_challenger_disputes",
            "Wrong answers, by how far they are pursued",
            disputes,
        );
        registry.register("anzen_challenger_sent", "Transactions that were asked for, by purpose", sent);
        registry.register("anzen_challenger_done", "Those that took effect, by purpose", done);
        registry.register(
            "anzen_challenger_hindered",
            "Looks at answers and steps of disputes that failed, by reason",
            hindered,
        );
        registry.register(
            "anzen_challenger_slashed",
            "Operators whose stake was seen to be taken for a wrong answer, whoever did it",
            slashed,
        );
    }

    pub(super) fn capture(&self, outcome: &'static str) {
        self.captures.get_or_create(&Outcome { outcome }).inc();
    }

    pub(super) fn checked(&self, result: &'static str) {
        self.checked.get_or_create(&Checked { result }).inc();
    }

    pub(super) fn sent(&self, purpose: &'static str) {
        self.sent.get_or_create(&For { purpose }).inc();
    }

    pub(super) fn done(&self, purpose: &'static str) {
        self.done.get_or_create(&For { purpose }).inc();
    }

    pub(super) fn hindered(&self, reason: &'static str) {
        self.hindered.get_or_create(&Reason { reason }).inc();
    }

    pub(super) fn slashed(&self, operators: usize) {
        self.slashed.inc_by(operators as u64);
    }

    pub(super) fn show(&self, tally: &Tally) {
        self.tasks.set(level(tally.tasks));
        self.unchecked.set(level(tally.unchecked));
        self.checks_running_out.set(level(tally.checks_running_out));
        self.challenges_running_out.set(level(tally.challenges_running_out));
        self.slashings_running_out.set(level(tally.slashings_running_out));
        for state in State::ALL {
            let count = tally.disputes.get(&state).copied().unwrap_or_default();
            self.disputes.get_or_create(&InState { state: state.name() }).set(level(count));
        }
    }
}
