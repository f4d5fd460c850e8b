//! The canonical blocks that are kept: contiguous, newest last.

use std::collections::VecDeque;

use anzen_messages::chain::{BlockRef, ChainBlock};

#[derive(Debug, Default)]
pub(super) struct Ring(VecDeque<ChainBlock>);

impl Ring {
    pub(super) fn tip(&self) -> Option<BlockRef> {
        self.0.back().map(|block| block.header.at)
    }

    /// The number of the oldest block.
    pub(super) fn first(&self) -> Option<u64> {
        self.0.front().map(|block| block.header.at.number)
    }

    pub(super) fn contains(&self, at: BlockRef) -> bool {
        self.get(at.number).is_some_and(|block| block.header.at == at)
    }

    fn index(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first()?)?).ok()
    }

    fn get(&self, number: u64) -> Option<&ChainBlock> {
        self.0.get(self.index(number)?)
    }

    /// Up to `most` blocks from `number` on.
    pub(super) fn from(&self, number: u64, most: usize) -> Vec<ChainBlock> {
        let start = self.first().map_or(0, |first| number.saturating_sub(first));
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        self.0.iter().skip(start).take(most).cloned().collect()
    }

    /// Removes the blocks above `number` and returns them, oldest first.
    pub(super) fn split_above(&mut self, number: u64) -> VecDeque<ChainBlock> {
        match self.index(number) {
            Some(index) if index < self.0.len() => self.0.split_off(index + 1),
            _ => VecDeque::new(),
        }
    }

    /// Adds blocks that follow the tip; keeps the newest `keep`.
    pub(super) fn append(&mut self, blocks: impl IntoIterator<Item = ChainBlock>, keep: usize) {
        self.0.extend(blocks);
        let surplus = self.0.len().saturating_sub(keep);
        self.0.drain(..surplus);
    }
}
