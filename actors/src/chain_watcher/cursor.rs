//! How far the chain was followed before this process started, and on which fork: no I/O and no clock.

use anzen_messages::chain::{BlockRef, Header};
use serde::{Deserialize, Serialize};

/// How many of the newest blocks are kept one by one; of older ones fewer and fewer.
const ONE_BY_ONE: u64 = 32;

/// Some of the blocks that were followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Cursor {
    /// Ascending; at least one.
    blocks: Vec<BlockRef>,
    /// The longest response window of the blocks that were kept then.
    pub(super) longest_window: u64,
}

/// Where the chain that was followed before and the endpoint's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parting {
    /// The endpoint has this block; it is `undone` blocks older than the newest one that was followed.
    At { block: BlockRef, undone: u64 },
    /// The endpoint has none of the blocks any more, or not yet, so that nothing can be said.
    Unknown,
}

/// The endpoint's chain is not the one that was followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the endpoint follows another chain than this process did before: block {number} was {was}, and is {is} there; check \
     chain.rpc_url and addresses, or give the process another data_dir"
)]
pub(super) struct AnotherChain {
    pub(super) number: u64,
    pub(super) was: alloy::primitives::B256,
    pub(super) is: alloy::primitives::B256,
}

impl Cursor {
    /// Of the blocks that are kept: `at` tells the block of a number. Nothing where there is none.
    pub(super) fn of(
        tip: BlockRef,
        longest_window: u64,
        at: impl Fn(u64) -> Option<BlockRef>,
    ) -> Option<Self> {
        let sparse = std::iter::successors(Some(ONE_BY_ONE), |distance| distance.checked_mul(2));
        let mut blocks: Vec<BlockRef> = (0..ONE_BY_ONE)
            .chain(sparse)
            .map_while(|distance| tip.number.checked_sub(distance))
            .map_while(at)
            .collect();
        blocks.reverse();
        (!blocks.is_empty()).then_some(Self { blocks, longest_window })
    }

    /// The newest block.
    pub(super) fn tip(&self) -> Option<BlockRef> {
        self.blocks.last().copied()
    }

    /// The blocks to compare with the endpoint's, the newest first.
    pub(super) fn blocks(&self) -> impl Iterator<Item = BlockRef> {
        self.blocks.iter().rev().copied()
    }
}

/// Compares the blocks of a cursor with what the endpoint has of them, the newest first, until one agrees.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    differs: Option<AnotherChain>,
}

impl Comparison {
    /// What the endpoint has in a block's place; true where that is the block.
    pub(super) fn agrees(&mut self, block: BlockRef, found: Option<&Header>) -> bool {
        let Some(found) = found else { return false };
        let agrees = found.at == block;
        if !agrees {
            let (number, was, is) = (block.number, block.hash, found.at.hash);
            self.differs = Some(AnotherChain { number, was, is });
        }
        agrees
    }

    /// None of them agrees.
    pub(super) fn none(self) -> Result<Parting, AnotherChain> {
        self.differs.map_or(Ok(Parting::Unknown), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{block_at, block_of, block_ref};

    fn cursor(tip: u64, oldest: u64) -> Cursor {
        let at = |number| (number >= oldest).then(|| block_ref(number));
        Cursor::of(block_ref(tip), 30, at).unwrap()
    }

    #[test]
    fn newer_blocks_are_kept_one_by_one_and_older_ones_here_and_there() {
        let numbers: Vec<u64> = cursor(1_000, 0).blocks().map(|block| block.number).collect();
        assert!(numbers.starts_with(&[1_000, 999, 998]) && numbers.contains(&969));
        assert_eq!(numbers[32..], [968, 936, 872, 744, 488]);
        let numbers: Vec<u64> = cursor(1_000, 950).blocks().map(|block| block.number).collect();
        assert_eq!(numbers.last(), Some(&968), "older ones are not kept");
        assert_eq!(cursor(2, 0).blocks().count(), 3);
        assert_eq!(Cursor::of(block_ref(5), 30, |_| None), None);
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = cursor(1_000, 0);
        assert_eq!(serde_json::from_slice::<Cursor>(&serde_json::to_vec(&cursor).unwrap()).unwrap(), cursor);
        assert!(cursor.tip() == Some(block_ref(1_000)) && serde_json::to_vec(&cursor).unwrap().len() < 8_192);
    }

    #[test]
    fn another_chain_is_told_from_a_node_that_is_behind() {
        let mut comparison = Comparison::default();
        assert!(!comparison.agrees(block_ref(10), None));
        assert_eq!(comparison.none(), Ok(Parting::Unknown));
        let mut comparison = Comparison::default();
        let other = block_of(7, 9, vec![]).header;
        assert!(!comparison.agrees(block_ref(10), None) && !comparison.agrees(block_ref(9), Some(&other)));
        let (was, is) = (block_ref(9).hash, block_at(7, 9).hash);
        assert_eq!(comparison.none(), Err(AnotherChain { number: 9, was, is }));
        let same = block_of(0, 8, vec![]).header;
        assert!(Comparison::default().agrees(block_ref(8), Some(&same)));
    }
}
