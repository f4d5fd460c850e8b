//! One protocol: its policy, what is known of its tasks, and the attempt that is under way.

use alloy::primitives::B256;
use anzen_messages::SafetyFactor;
use anzen_messages::transaction::SendTransaction;

use super::history::History;
use super::policy::{Due, Facts, Policy, Reason};
use crate::errand::Errand;

/// A protocol that gets tasks.
#[derive(Debug)]
pub(super) struct Protocol {
    pub(super) policy: Policy,
    /// The model in force, as far as it is known.
    pub(super) model: Option<B256>,
    /// The block at which the model's value was seen to have deviated from the oracle's.
    pub(super) deviated: Option<u64>,
    /// The block from which on its value is looked at again.
    pub(super) look_at: u64,
    /// Governance's least interval, as far as it is known.
    pub(super) min_interval: u64,
    pub(super) history: History,
    pub(super) errand: Errand<SendTransaction>,
    pub(super) due: Due,
}

impl Protocol {
    /// Nothing is known of its tasks. Between attempts lie at most `longest_pause` blocks.
    pub(super) fn new(policy: Policy, longest_pause: u64) -> Self {
        Self {
            policy,
            model: None,
            deviated: None,
            look_at: 0,
            min_interval: 0,
            history: History::default(),
            errand: Errand::new(longest_pause),
            due: Due { since: 0, reason: Reason::First },
        }
    }

    /// A task that is due and that the next block could hold. Where nothing is known of the protocol's tasks, the contract has
    /// to be asked.
    pub(super) fn due(&self, head: u64, window: u64) -> Option<Due> {
        let facts = Facts {
            latest: self.history.latest().ok().flatten(),
            value: self.history.value(),
            unanswered: self.history.unanswered(),
            window,
            min_interval: self.min_interval,
            deviated: self.deviated,
        };
        let due = self.policy.due(&facts).filter(|due| head.saturating_add(1) >= due.since);
        due.filter(|_| facts.latest.is_none_or(|created| self.allows(created, head)))
    }

    /// Whether the contract would take a task on top of the one that was created in block `created`.
    fn allows(&self, created: u64, head: u64) -> bool {
        // The preflight is executed in the newest block, so that the least interval must be over there already.
        head >= created.saturating_add(self.min_interval) && !self.history.is_open(head)
    }

    /// The model whose value is to be compared with the oracle's, if it is time to.
    pub(super) fn to_look_at(&self, head: u64) -> Option<B256> {
        let Ok(Some(created)) = self.history.latest() else { return None };
        let wanted = self.policy.deviation_bps > 0 && self.deviated.is_none() && head >= self.look_at;
        self.model.filter(|_| wanted && self.allows(created, head))
    }

    /// Whether the value has come back to the oracle's since it was seen to have left it.
    pub(super) fn has_come_back(&self, value: SafetyFactor) -> bool {
        let oracle = self.history.value().map(|value| value.safety_factor);
        self.due.reason == Reason::Deviation && !self.policy.deviates(value, oracle)
    }
}
