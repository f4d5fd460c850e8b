//! Blocks that a fork has undone. They are remembered for a while, so that an actor that has applied one is told how far to
//! go back rather than to start again.

use std::collections::BTreeMap;

use alloy::primitives::B256;
use anzen_messages::chain::{BlockRef, ChainBlock};

/// By block, its parent's hash.
#[derive(Debug, Default)]
pub(super) struct Retracted(BTreeMap<BlockRef, B256>);

impl Retracted {
    /// Remembers blocks; forgets the lowest beyond `keep`.
    pub(super) fn add<'a>(&mut self, blocks: impl IntoIterator<Item = &'a ChainBlock>, keep: usize) {
        self.0.extend(blocks.into_iter().map(|block| (block.header.at, block.header.parent_hash)));
        while self.0.len() > keep {
            self.0.pop_first();
        }
    }

    /// Forgets blocks that are canonical again.
    pub(super) fn remove(&mut self, blocks: &[ChainBlock]) {
        for block in blocks {
            self.0.remove(&block.header.at);
        }
    }

    /// Forgets the blocks below `number`.
    pub(super) fn forget_below(&mut self, number: u64) {
        self.0 = self.0.split_off(&BlockRef { number, hash: B256::ZERO });
    }

    /// The nearest ancestor of `at` that is not retracted; nothing where `at` is not known.
    pub(super) fn ancestor(&self, at: BlockRef) -> Option<BlockRef> {
        let parent = |at: &BlockRef| {
            let hash = *self.0.get(at)?;
            Some(BlockRef { number: at.number.checked_sub(1)?, hash })
        };
        std::iter::successors(parent(&at), parent).last()
    }
}
