//! Blocks far apart that are remembered for longer than the others: they tell a chain that was put back from a node that syncs.

use std::collections::BTreeMap;

use alloy::primitives::B256;
use anzen_messages::chain::BlockRef;

/// Every so many blocks one is remembered.
const EVERY: u64 = 128;
/// How many of them.
const MOST: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Marks(BTreeMap<u64, B256>);

impl Marks {
    pub(super) fn add(&mut self, at: BlockRef) {
        if at.number.is_multiple_of(EVERY) {
            self.0.insert(at.number, at.hash);
        }
        if self.0.len() > MOST {
            self.0.pop_first();
        }
    }

    /// Forgets what is above `block`.
    pub(super) fn retract(&mut self, block: BlockRef) {
        drop(self.0.split_off(&block.number.saturating_add(1)));
    }

    /// The newest one up to block `number`.
    pub(super) fn up_to(&self, number: u64) -> Option<BlockRef> {
        let (number, hash) = self.0.range(..=number).next_back()?;
        Some(BlockRef { number: *number, hash: *hash })
    }
}
