//! The tasks that can be answered. No I/O.

use std::collections::BTreeMap;

use alloy::primitives::B256;
use anzen_messages::Task;

/// A block and its time, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// The block's number.
    pub block: u64,
    /// Its time.
    pub time: u64,
}

/// A task that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The task's identity.
    pub hash: B256,
    /// The task.
    pub task: Task,
    /// When it was created.
    pub created: At,
    /// The last block in which it can be answered.
    pub last_block: u64,
}

/// All tasks that can be answered.
#[derive(Debug, Default)]
pub(super) struct OpenTasks(BTreeMap<B256, Open>);

impl OpenTasks {
    /// Adds a task; true where it is new.
    pub(super) fn add(&mut self, open: Open) -> bool {
        self.0.insert(open.hash, open).is_none()
    }

    pub(super) fn get(&self, hash: B256) -> Option<&Open> {
        self.0.get(&hash)
    }

    /// The task is no longer open.
    pub(super) fn remove(&mut self, hash: B256) {
        self.0.remove(&hash);
    }

    /// Those that can no longer be answered after `head`, oldest first; they are no longer open.
    pub(super) fn expire(&mut self, head: u64) -> Vec<Open> {
        let mut over: Vec<Open> = self.0.values().filter(|task| task.last_block <= head).cloned().collect();
        self.0.retain(|_, task| task.last_block > head);
        over.sort_by_key(|open| open.task.index);
        over
    }

    /// Forgets what was created after `block`, which the chain has left.
    pub(super) fn retract_above(&mut self, block: u64) {
        self.0.retain(|_, task| task.created.block <= block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::tests::task;

    fn open(index: u32, block: u64) -> Open {
        let byte = u8::try_from(index).unwrap();
        Open {
            hash: B256::repeat_byte(byte),
            task: task(index),
            created: At { block, time: 0 },
            last_block: block + 5,
        }
    }

    #[test]
    fn a_task_is_missed_when_its_last_block_is_mined() {
        let mut tasks = OpenTasks::default();
        assert!(tasks.add(open(1, 10)) && tasks.add(open(0, 9)) && !tasks.add(open(0, 9)));
        assert!(tasks.expire(13).is_empty());
        let over: Vec<u32> = tasks.expire(15).into_iter().map(|open| open.task.index).collect();
        assert_eq!(over, [0, 1]);
        assert!(tasks.expire(99).is_empty());
    }

    #[test]
    fn a_task_that_was_answered_or_reorganised_away_is_not_missed() {
        let mut tasks = OpenTasks::default();
        tasks.add(open(1, 10));
        tasks.add(open(2, 12));
        tasks.remove(B256::repeat_byte(1));
        tasks.retract_above(11);
        assert!(tasks.get(B256::repeat_byte(1)).is_none());
        assert!(tasks.expire(99).is_empty());
    }
}
