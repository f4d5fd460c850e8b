//! What is remembered of a dispute between two looks at it. It is lost with the process: all that matters is on the chain.

use std::collections::BTreeMap;

use alloy::primitives::U256;
use anzen_messages::transaction::TxId;
use anzen_messages::{OperatorId, Task};

use super::Config;
use super::decision::{Certainty, Means, is_left, is_slashed};
use super::effect::{Plan, Step};
use super::records::Said;
use crate::ports::{AnswerStanding, CommitteeCase, FaultStanding};
use crate::retry::doubled;

/// For how many blocks the end of a committee's dispute is tried with one transaction.
const LAPSE_BLOCKS: u64 = 256;

/// How often an operator's ejection was tried, and when it is again.
#[derive(Debug, Clone, Copy, Default)]
struct Ejection {
    tries: u32,
    not_before: u64,
}

/// The blocks between which a fault can be executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Execution {
    pub(super) after: u64,
    pub(super) end: u64,
}

/// What a step is to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    withdrawn: bool,
    committee: CommitteeCase,
    frozen: usize,
    left: usize,
}

impl Mark {
    fn of(standing: &AnswerStanding) -> Self {
        let signers = || standing.fault.iter().flat_map(|fault| &fault.signers);
        Self {
            withdrawn: standing.withdrawn,
            committee: standing.committee,
            frozen: signers().filter(|signer| signer.frozen).count(),
            left: signers().filter(|signer| is_left(signer)).count(),
        }
    }
}

/// The answer to one task, as it was last seen.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// What was told of it.
    pub(super) said: Said,
    /// The last block in which it can be challenged.
    pub(super) challenge_end: Option<u64>,
    /// The last block in which something can be done: prove it wrong, or take stake.
    pub(super) deadline: Option<u64>,
    /// The answer does not stand any more.
    pub(super) withdrawn: bool,
    /// The committee is asked.
    pub(super) before_committee: bool,
    /// The first block at which the chain did not have it any more.
    pub(super) absent_since: Option<u64>,
    /// While stake is still to be taken.
    pub(super) execution: Option<Execution>,
    /// The first block at which it was found over.
    pub(super) over_since: Option<u64>,
    /// Nothing can change any more.
    pub(super) finished: bool,
    /// What is under way.
    pub(super) plan: Option<Plan>,
    /// How all stood when that was planned.
    mark: Option<Mark>,
    /// What took effect last, and how all stood before.
    done: Option<(TxId, Mark)>,
    /// What a dry run told last.
    pub(super) would: Option<TxId>,
    failures: usize,
    /// How often in a row a step that took effect changed nothing.
    fruitless: u32,
    pub(super) proof_reverted: bool,
    ejections: BTreeMap<OperatorId, Ejection>,
}

impl Course {
    /// One of an earlier process, which has told so much.
    pub(super) fn resume(said: Said) -> Self {
        Self { said, ..Self::default() }
    }

    /// Takes in how the answer stands. Returns of how many more signers the stake was taken.
    pub(super) fn note(&mut self, standing: &AnswerStanding) -> usize {
        self.challenge_end = Some(standing.challenge_end);
        self.withdrawn = standing.withdrawn;
        self.before_committee = matches!(standing.committee, CommitteeCase::Pending { .. });
        self.absent_since = None;
        let execution_end = standing.fault.as_ref().map(|fault| fault.execution_end);
        self.deadline = Some(execution_end.unwrap_or(standing.proof_end));
        let fault = standing.fault.as_ref().filter(|fault| !fault.vetoed);
        let signers = |fault: &FaultStanding| fault.signers.clone();
        let signers = fault.map(signers).unwrap_or_default();
        let owed = signers.iter().any(is_left);
        self.execution =
            fault.filter(|_| owed).map(|fault| Execution { after: fault.veto_end, end: fault.execution_end });
        let slashed = signers.iter().filter(|signer| is_slashed(signer)).count();
        slashed.saturating_sub(std::mem::replace(&mut self.said.slashed, slashed))
    }

    /// What there is to pursue it with.
    pub(super) fn means(&self, provable: bool, certainty: Certainty, config: &Config, head: u64) -> Means {
        let not_ejected = self.ejections.iter().filter(|(_, ejection)| head < ejection.not_before);
        Means {
            provable,
            certainty,
            proof_reverted: self.proof_reverted,
            most_bond: (config.most_bond_wei > 0).then(|| U256::from(config.most_bond_wei)),
            batch: config.batch_size,
            failures: self.failures,
            not_ejected: not_ejected.map(|(operator, _)| *operator).collect(),
        }
    }

    /// A step, with its id. A restarted process asks under the same; after a failure it is another.
    /// So it is for an answer that a reorg moved to another `block`, and for one that was there before it.
    pub(super) fn plan(
        &mut self,
        (task, block): (&Task, u32),
        standing: &AnswerStanding,
        step: Step,
        head: u64,
    ) -> Plan {
        let (task, again) = (task.hash(), (self.failures > 0).then_some(head));
        let fault = standing.fault.as_ref();
        let (name, execution_end) = fault.map(|fault| (fault.id, fault.execution_end)).unwrap_or_default();
        let (id, not_after) = match &step {
            Step::Challenge => (TxId::challenge(task, block, again), standing.proof_end),
            Step::AskCommittee { .. } => (TxId::committee(task, block, again), standing.challenge_end),
            Step::Lapse => (TxId::lapse(task, again), head.saturating_add(LAPSE_BLOCKS)),
            Step::Freeze { first, .. } => (TxId::freeze(task, block, *first, again), execution_end),
            Step::Execute { first, .. } => (TxId::slash(name, *first, again), execution_end),
            Step::Eject { address, .. } => (TxId::eject(name, *address, head), execution_end),
        };
        let plan = Plan { step, id, not_after };
        self.plan = Some(plan.clone());
        self.mark = Some(Mark::of(standing));
        plan
    }

    /// What took effect last, where nothing is different since: the endpoint has not seen it, or it did nothing.
    pub(super) fn changed_nothing(&mut self, standing: &AnswerStanding) -> Option<TxId> {
        let (id, before) = self.done.take()?;
        if before == Mark::of(standing) {
            return Some(id);
        }
        (self.failures, self.fruitless) = (0, 0);
        None
    }

    /// A step that took effect changed nothing. Returns for how many blocks to wait, `longest` at most.
    pub(super) fn fruitless(&mut self, first: u64, longest: u64) -> u64 {
        self.failures = self.failures.saturating_add(1);
        self.fruitless = self.fruitless.saturating_add(1);
        doubled(first, self.fruitless, longest)
    }

    /// The step under way took effect.
    pub(super) fn succeeded(&mut self, head: u64) {
        let plan = self.plan.take();
        self.tried(plan.as_ref(), head);
        // Whether an ejection had an effect, its own count says.
        let counts = plan.filter(|plan| !matches!(plan.step, Step::Eject { .. }));
        self.done = counts.map(|plan| plan.id).zip(self.mark);
    }

    /// The step under way has failed; the call itself where it `reverts`.
    pub(super) fn failed(&mut self, reverts: bool, head: u64) {
        let plan = self.plan.take();
        self.tried(plan.as_ref(), head);
        self.failures = self.failures.saturating_add(1);
        match plan.map(|plan| plan.step) {
            Some(Step::Challenge) if reverts => self.proof_reverted = true,
            Some(Step::AskCommittee { .. }) if reverts => self.proof_reverted = false,
            _ => {}
        }
    }

    /// There was nothing to be done: what failed before does not matter any more.
    pub(super) fn waits(&mut self) {
        self.failures = 0;
        self.done = None;
    }

    /// An ejection may be refused for as long as EigenLayer is paused: it is tried at ever longer pauses, and the last time while
    /// there is time.
    fn tried(&mut self, plan: Option<&Plan>, head: u64) {
        if let Some(Plan { step: Step::Eject { operator, .. }, not_after, .. }) = plan {
            let longest = not_after.saturating_sub(head) / 4;
            let ejection = self.ejections.entry(*operator).or_default();
            ejection.tries = ejection.tries.saturating_add(1);
            ejection.not_before = head.saturating_add(doubled(1, ejection.tries, longest).max(1));
        }
    }
}
