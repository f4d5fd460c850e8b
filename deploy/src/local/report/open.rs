//! The tasks that can still be answered. No I/O.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, TxHash, U256};
use anzen_contracts::Task;
use anzen_messages::SafetyFactor;

/// An operator that could have signed a task, and whether it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::local) struct Part {
    pub(super) operator: Address,
    pub(super) stake: U256,
    pub(super) signed: bool,
}

/// A task that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::local) struct Answer {
    pub(super) index: u32,
    pub(super) protocol: String,
    pub(super) value: SafetyFactor,
    pub(super) parts: Vec<Part>,
    pub(super) created: At,
    pub(super) answered: At,
    pub(super) transaction: TxHash,
}

/// A block and its time, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    pub(super) block: u64,
    pub(super) time: u64,
}

/// A task whose window has passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::local) struct Missed {
    pub(in crate::local) index: u32,
    pub(super) protocol: String,
    pub(super) threshold: u32,
    pub(super) window: u64,
}

/// A task that can be answered.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub(super) task: Task,
    pub(super) created: At,
    pub(super) last_block: u64,
}

/// All tasks that can be answered.
#[derive(Debug, Default)]
pub(super) struct OpenTasks(BTreeMap<B256, Open>);

impl OpenTasks {
    pub(super) fn add(&mut self, hash: B256, task: Task, created: At, window: u64) {
        let last_block = created.block + window;
        self.0.insert(hash, Open { task, created, last_block });
    }

    /// The task, which is no longer open.
    pub(super) fn take(&mut self, hash: B256) -> Option<Open> {
        self.0.remove(&hash)
    }

    /// Those that can no longer be answered after `head`, oldest first; they are no longer open.
    pub(super) fn expire(&mut self, head: u64) -> Vec<Open> {
        let mut over: Vec<Open> = self.0.values().filter(|task| task.last_block <= head).cloned().collect();
        self.0.retain(|_, task| task.last_block > head);
        over.sort_by_key(|open| open.task.index);
        over
    }
}

impl Answer {
    /// The share of the stake that signed, in hundredths of a per cent.
    pub(super) fn signed_bps(&self) -> u64 {
        let total: U256 = self.parts.iter().map(|part| part.stake).sum();
        let signed: U256 = self.parts.iter().filter(|part| part.signed).map(|part| part.stake).sum();
        (signed * U256::from(10_000)).checked_div(total).unwrap_or_default().saturating_to()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(index: u32) -> Task {
        Task { index, ..Default::default() }
    }

    #[test]
    fn a_task_is_missed_when_its_last_block_is_mined() {
        let mut open = OpenTasks::default();
        open.add(B256::repeat_byte(1), task(1), At { block: 10, time: 0 }, 5);
        open.add(B256::repeat_byte(2), task(0), At { block: 9, time: 0 }, 5);
        assert!(open.expire(13).is_empty());
        let over: Vec<u32> = open.expire(15).into_iter().map(|open| open.task.index).collect();
        assert_eq!(over, [0, 1]);
        assert!(open.expire(99).is_empty());
    }

    #[test]
    fn an_answered_task_is_not_missed() {
        let mut open = OpenTasks::default();
        open.add(B256::repeat_byte(1), task(1), At { block: 10, time: 0 }, 5);
        assert!(open.take(B256::repeat_byte(1)).is_some());
        assert!(open.take(B256::repeat_byte(1)).is_none());
        assert!(open.expire(99).is_empty());
    }
}
