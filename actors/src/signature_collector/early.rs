//! Signatures that came before their task: an operator may see a block before the aggregator does.

use std::collections::BTreeMap;

use anzen_messages::bls::Signature;
use anzen_messages::{OperatorId, SafetyFactor, TaskHash};

use super::trial::Claim;

/// A signature that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) value: SafetyFactor,
    pub(super) signature: Signature,
    /// The newest block when it came; it is dropped a window later.
    pub(super) since: u64,
}

impl Waiting {
    /// What was signed, and how.
    pub(super) fn claim(&self) -> Claim {
        (self.value, self.signature)
    }
}

/// Bounded by the number of registered operators times what each may have.
#[derive(Debug, Default)]
pub(super) struct Early {
    by_task: BTreeMap<TaskHash, BTreeMap<OperatorId, Waiting>>,
    by_operator: BTreeMap<OperatorId, usize>,
}

impl Early {
    pub(super) fn count(&self, operator: OperatorId) -> usize {
        self.by_operator.get(&operator).copied().unwrap_or_default()
    }

    pub(super) fn get(&self, task: TaskHash, operator: OperatorId) -> Option<&Waiting> {
        self.by_task.get(&task)?.get(&operator)
    }

    pub(super) fn len(&self) -> usize {
        self.by_operator.values().sum()
    }

    /// Keeps a signature; the operator's first one for a task stands.
    pub(super) fn insert(&mut self, task: TaskHash, operator: OperatorId, waiting: Waiting) {
        let tasks = self.by_task.entry(task).or_default();
        if tasks.contains_key(&operator) {
            return;
        }
        tasks.insert(operator, waiting);
        *self.by_operator.entry(operator).or_default() += 1;
    }

    /// What came before any block was known has waited since `head`.
    pub(super) fn first_block(&mut self, head: u64) {
        for waiting in self.by_task.values_mut().flat_map(BTreeMap::values_mut).filter(|one| one.since == 0) {
            waiting.since = head;
        }
    }

    /// Takes out all that waits for a task.
    pub(super) fn take(&mut self, task: TaskHash) -> BTreeMap<OperatorId, Waiting> {
        let taken = self.by_task.remove(&task).unwrap_or_default();
        for operator in taken.keys() {
            self.discount(*operator);
        }
        taken
    }

    /// Drops what has waited since a block before `oldest`, unless its task is `known`; returns it.
    pub(super) fn expire(
        &mut self,
        oldest: u64,
        known: impl Fn(&TaskHash) -> bool,
    ) -> Vec<(TaskHash, OperatorId)> {
        let mut expired = Vec::new();
        for (task, waiting) in self.by_task.iter_mut().filter(|(task, _)| !known(task)) {
            waiting.retain(|operator, one| {
                let keep = one.since >= oldest;
                if !keep {
                    expired.push((*task, *operator));
                }
                keep
            });
        }
        self.by_task.retain(|_, waiting| !waiting.is_empty());
        for (_, operator) in &expired {
            self.discount(*operator);
        }
        expired
    }

    fn discount(&mut self, operator: OperatorId) {
        if let Some(count) = self.by_operator.get_mut(&operator) {
            *count -= 1;
            if *count == 0 {
                self.by_operator.remove(&operator);
            }
        }
    }
}
