//! For how many blocks the tasks of each block can be answered. Governance changes that; a task keeps the window of its
//! creation.

use std::collections::BTreeMap;

use anzen_messages::chain::{BlockRef, ChainBlock, ChainEvent};

/// How many changes are remembered. Governance makes one in months.
const MOST_CHANGES: usize = 64;

/// The longest window, in blocks: one that is longer is cut, so that no endpoint can make a node read its whole chain. All
/// windows together must fit EigenLayer's deallocation delay, which is 126,000 blocks on mainnet.
const LONGEST: u64 = 1 << 17;

/// The response windows of the blocks that somebody was told of. A reorg takes changes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseWindows {
    /// Of the blocks before the first change.
    first: u64,
    /// By the block of the change: the window of the blocks after it.
    changes: BTreeMap<u64, u64>,
}

impl ResponseWindows {
    /// `first` blocks, until a change is told.
    pub fn new(first: u64) -> Self {
        Self { first: first.min(LONGEST), changes: BTreeMap::new() }
    }

    /// The window of the tasks that are created in block `created`. What is set in a block holds from the next one on.
    pub fn of(&self, created: u64) -> u64 {
        self.changes.range(..created).next_back().map_or(self.first, |(_, window)| *window)
    }

    /// The window of the tasks to come.
    pub fn latest(&self) -> u64 {
        self.changes.last_key_value().map_or(self.first, |(_, window)| *window)
    }

    /// The last block in which a task that was created in block `created` can be answered.
    pub fn deadline(&self, created: u64) -> u64 {
        created.saturating_add(self.of(created))
    }

    /// The longest of those that are known.
    pub fn longest(&self) -> u64 {
        self.changes.values().fold(self.first, |longest, window| longest.max(*window))
    }

    /// Takes in a block.
    pub fn apply(&mut self, block: &ChainBlock) {
        let set = block.events.iter().rev().find_map(|event| match event {
            ChainEvent::ResponseWindowChanged { blocks } => Some(LONGEST.min(*blocks)),
            _ => None,
        });
        let Some(window) = set else { return };
        self.changes.insert(block.header.at.number, window);
        if self.changes.len() > MOST_CHANGES
            && let Some((_, window)) = self.changes.pop_first()
        {
            self.first = window;
        }
    }

    /// Undoes what is above `block`.
    pub fn retract(&mut self, block: BlockRef) {
        drop(self.changes.split_off(&block.number.saturating_add(1)));
    }

    /// Forgets the changes that only blocks before `number` can tell apart.
    pub fn forget_before(&mut self, number: u64) {
        self.first = self.of(number);
        self.changes = self.changes.split_off(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{block, block_ref};

    fn set(number: u64, blocks: u64) -> ChainBlock {
        block(number, vec![ChainEvent::ResponseWindowChanged { blocks }])
    }

    #[test]
    fn a_window_that_no_contract_can_have_is_cut() {
        let mut windows = ResponseWindows::new(u64::from(u32::MAX));
        assert_eq!(windows.of(1), LONGEST);
        windows.apply(&set(10, u64::MAX));
        assert_eq!((windows.of(11), windows.longest()), (LONGEST, LONGEST));
        assert_eq!(windows.deadline(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_window_holds_from_the_block_after_its_change() {
        let mut windows = ResponseWindows::new(30);
        windows.apply(&set(100, 50));
        windows.apply(&set(200, 10));
        assert_eq!([99, 100, 101, 200, 201].map(|created| windows.of(created)), [30, 30, 50, 50, 10]);
        assert_eq!((windows.deadline(150), windows.latest(), windows.longest()), (200, 10, 50));
    }

    #[test]
    fn a_reorg_takes_a_change_back() {
        let mut windows = ResponseWindows::new(30);
        windows.apply(&set(100, 50));
        windows.retract(block_ref(100));
        assert_eq!(windows.of(101), 50);
        windows.retract(block_ref(99));
        assert_eq!(windows, ResponseWindows::new(30));
    }

    #[test]
    fn what_is_forgotten_changes_nothing_for_later_blocks() {
        let mut windows = ResponseWindows::new(30);
        windows.apply(&set(100, 50));
        windows.apply(&set(200, 10));
        windows.forget_before(150);
        assert_eq!([150, 200, 201].map(|created| windows.of(created)), [50, 50, 10]);
        windows.forget_before(201);
        assert_eq!(windows, ResponseWindows::new(10));
    }

    #[test]
    fn changes_without_end_are_not_kept_without_end() {
        let mut windows = ResponseWindows::new(30);
        (1..=1_000).for_each(|number| windows.apply(&set(number, number)));
        assert_eq!((windows.changes.len(), windows.latest(), windows.of(1_000)), (MOST_CHANGES, 1_000, 999));
    }
}
