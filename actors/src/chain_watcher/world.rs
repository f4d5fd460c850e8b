//! A chain that forks, for tests.

use std::ops::RangeInclusive;

use alloy::primitives::{B256, keccak256};
use anzen_messages::chain::{BlockRef, ChainBlock, ChainEvent, Header};

use super::tracker::{Effect, Missing, Tracker};
use crate::response_windows::ResponseWindows;

/// The response window at first.
pub(super) const WINDOW: u64 = 10;

/// The canonical chain, as a node has it at this moment.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) blocks: Vec<ChainBlock>,
    pub(super) windows: ResponseWindows,
    forks: u64,
    /// By how much the time of new blocks is later than their number.
    pub(super) later: u64,
}

impl World {
    /// A chain of `length` blocks, from block 0, with a response window of [`WINDOW`].
    pub(super) fn new(length: usize) -> Self {
        let mut world =
            Self { blocks: Vec::new(), windows: ResponseWindows::new(WINDOW), forks: 0, later: 0 };
        world.extend(length);
        world
    }

    pub(super) fn extend(&mut self, count: usize) {
        for _ in 0..count {
            let number = self.blocks.len() as u64;
            let parent_hash = self.blocks.last().map_or(B256::ZERO, |block| block.header.at.hash);
            let seed = [parent_hash.as_slice(), &number.to_be_bytes(), &self.forks.to_be_bytes()].concat();
            let at = BlockRef { number, hash: keccak256(seed) };
            let events = vec![ChainEvent::OperatorsChanged; usize::from(at.hash[0] % 3)];
            self.blocks.push(ChainBlock {
                header: Header { at, parent_hash, timestamp: number + self.later, base_fee: 1 },
                events,
            });
        }
    }

    /// A block in which governance sets the response window.
    pub(super) fn set_window(&mut self, blocks: u64) {
        self.extend(1);
        if let Some(last) = self.blocks.last_mut() {
            last.events.push(ChainEvent::ResponseWindowChanged { blocks });
            self.windows.apply(last);
        }
    }

    /// Takes away `depth` blocks (never the first) and puts `length` others there.
    pub(super) fn reorganise(&mut self, depth: usize, length: usize) {
        self.forks += 1;
        let left = self.blocks.len().saturating_sub(depth).max(1);
        self.blocks.truncate(left);
        self.windows.retract(self.head());
        self.extend(length);
    }

    pub(super) fn head(&self) -> BlockRef {
        self.at(self.blocks.len() as u64 - 1)
    }

    pub(super) fn at(&self, number: u64) -> BlockRef {
        self.blocks[usize::try_from(number).unwrap()].header.at
    }

    /// The blocks of a range, as far as they are there.
    pub(super) fn read(&self, range: RangeInclusive<u64>) -> Vec<ChainBlock> {
        self.blocks.iter().filter(|block| range.contains(&block.header.at.number)).cloned().collect()
    }

    /// The response windows that are wanted.
    pub(super) fn windows(&self, missing: &Missing) -> Vec<(u64, u64)> {
        missing.windows_of.iter().map(|created| (*created, self.windows.of(*created))).collect()
    }

    /// For how many blocks the response window has been in force.
    pub(super) fn window_held(&self) -> u64 {
        let is_change = |event: &ChainEvent| matches!(event, ChainEvent::ResponseWindowChanged { .. });
        let since = self.blocks.iter().rev().take_while(|block| !block.events.iter().any(is_change));
        since.count() as u64
    }

    /// Lets a tracker read all that is missing.
    pub(super) fn feed(&self, tracker: &mut Tracker) -> Vec<Effect> {
        assert!(tracker.head_seen(self.head()));
        let mut effects = Vec::new();
        for _ in 0..1_000 {
            let Some(missing) = tracker.missing() else { return effects };
            let windows = self.windows(&missing);
            effects.extend(tracker.fetched(self.read(missing.range), &windows));
        }
        panic!("the tracker asks for ever: {:?} of {:?}", tracker.missing(), tracker.head());
    }
}
