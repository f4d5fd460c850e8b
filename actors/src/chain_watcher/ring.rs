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

    /// The block of this number.
    pub(super) fn at(&self, number: u64) -> Option<BlockRef> {
        self.get(number).map(|block| block.header.at)
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

/// The block before a block.
pub(super) fn parent(block: &ChainBlock) -> Option<BlockRef> {
    let number = block.header.at.number.checked_sub(1)?;
    Some(BlockRef { number, hash: block.header.parent_hash })
}

/// The blocks up to the first that does not follow the one before it: there the chain forked while they were read.
pub(super) fn contiguous(mut blocks: Vec<ChainBlock>) -> Vec<ChainBlock> {
    let follows = |pair: &[ChainBlock]| match pair {
        [a, b] => b.header.parent_hash == a.header.at.hash && b.header.at.number == a.header.at.number + 1,
        _ => true,
    };
    let length = blocks.windows(2).position(|pair| !follows(pair)).map_or(blocks.len(), |index| index + 1);
    blocks.truncate(length);
    blocks
}
