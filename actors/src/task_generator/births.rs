//! Which tasks this generator has created. Only when both are known, the transaction's block and the task that the chain has
//! created for the protocol in that block, is it clear that the task is ours; and either may come first.

use std::collections::BTreeMap;

use anzen_messages::TaskHash;

/// A protocol's latest, of each kind.
#[derive(Debug)]
struct Birth<T> {
    sent: Option<(u64, T)>,
    created: Option<(u64, TaskHash, u32)>,
}

/// By protocol. `T` is what is remembered of the request.
#[derive(Debug)]
pub(super) struct Births<T>(BTreeMap<u32, Birth<T>>);

/// A task of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Born<T> {
    pub(super) task: TaskHash,
    pub(super) index: u32,
    pub(super) block: u64,
    pub(super) begun: T,
}

impl<T> Default for Births<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Births<T> {
    /// A request of ours has taken effect in this block.
    pub(super) fn sent(&mut self, oracle_index: u32, block: u64, begun: T) -> Option<Born<T>> {
        self.birth(oracle_index).sent = Some((block, begun));
        self.born(oracle_index)
    }

    /// The chain has created a task.
    pub(super) fn created(
        &mut self,
        oracle_index: u32,
        block: u64,
        task: TaskHash,
        index: u32,
    ) -> Option<Born<T>> {
        self.birth(oracle_index).created = Some((block, task, index));
        self.born(oracle_index)
    }

    fn birth(&mut self, oracle_index: u32) -> &mut Birth<T> {
        self.0.entry(oracle_index).or_insert(Birth { sent: None, created: None })
    }

    fn born(&mut self, oracle_index: u32) -> Option<Born<T>> {
        let birth = self.0.get_mut(&oracle_index)?;
        let (block, task, index) = birth.created?;
        let (_, begun) = birth.sent.take_if(|(sent, _)| *sent == block)?;
        Some(Born { task, index, block, begun })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;

    const TASK: TaskHash = TaskHash(B256::repeat_byte(1));

    #[test]
    fn a_task_is_ours_whichever_is_known_first() {
        let born = Some(Born { task: TASK, index: 3, block: 7, begun: "a" });
        let mut births = Births::default();
        assert_eq!(births.sent(1, 7, "a"), None);
        assert_eq!(births.created(1, 7, TASK, 3), born);
        assert_eq!(births.created(1, 7, TASK, 3), None, "told once");

        let mut births = Births::default();
        assert_eq!(births.created(1, 7, TASK, 3), None);
        assert_eq!(births.sent(1, 7, "a"), born);
    }

    #[test]
    fn a_task_of_somebody_else_is_not() {
        let mut births = Births::default();
        births.created(1, 6, TASK, 3);
        assert_eq!(births.sent(1, 7, "a"), None, "another block");
        births.created(2, 7, TASK, 3);
        assert_eq!(births.created(2, 8, TASK, 4), None, "another protocol");
    }
}
