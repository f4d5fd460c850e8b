//! What nodes of the chain, and the disk, may tell the watcher, for `just fuzz`.

use alloy::primitives::B256;
use anzen_messages::chain::{BlockRef, ChainBlock, ChainDelta, ChainEvent, DeltaBase, Header};

use super::cursor::{Comparison, Cursor};
use super::records::{put, read};
use super::tracker::{Effect, Limits, Tracker, Waiter};
use crate::fuzz::{Taken, records};
use crate::ports::Write;

const LIMITS: Limits = Limits { first: 0, margin: 4, keep: 16, missed: 8, fetch: 8 };
const WINDOW: u64 = 10;
/// Actors that ask.
const ACTORS: usize = 3;

/// The heads and blocks of a node that may say anything, and the questions of actors. Nobody is told of a gap, and no more at a
/// time than fits into a message.
pub(crate) fn tracker(data: &[u8]) {
    let mut taken = Taken(data);
    let mut run =
        Run { tracker: Tracker::new(LIMITS, WINDOW), positions: [None; ACTORS], asked: [None; ACTORS] };
    if taken.byte().is_multiple_of(2) {
        let (after, window, head) = (block_ref(&mut taken), number(&mut taken), number(&mut taken));
        run.tracker.resume(after, window, head);
    }
    while !taken.is_empty() {
        run.step(&mut taken);
    }
}

struct Run {
    tracker: Tracker,
    /// What each actor has applied.
    positions: [Option<BlockRef>; ACTORS],
    /// After which block each asks.
    asked: [Option<Option<BlockRef>>; ACTORS],
}

impl Run {
    fn step(&mut self, taken: &mut Taken<'_>) {
        match taken.byte() % 8 {
            0 | 1 => self.head(block_ref(taken)),
            2 | 3 => {
                let windows: Vec<(u64, u64)> =
                    (0..taken.byte() % 3).map(|_| (number(taken), number(taken))).collect();
                let effects = self.tracker.fetched(blocks(taken), &windows);
                self.take_in(effects);
            }
            4 | 5 => {
                let actor = taken.one_of(ACTORS);
                // It may have lost its memory, or be of another chain.
                let after = if taken.byte() < 240 { self.positions[actor] } else { Some(block_ref(taken)) };
                // One question at a time.
                if self.asked[actor].is_none() {
                    self.asked[actor] = Some(after);
                    let effect = self.tracker.ask(actor as Waiter, after);
                    self.take_in(effect);
                }
            }
            6 => {
                let effect = self.tracker.expire(taken.one_of(ACTORS) as Waiter);
                self.take_in(effect);
            }
            _ if taken.byte() < 16 => {
                self.tracker.replace();
            }
            _ => {
                let mark = self.tracker.mark_up_to(number(taken));
                assert!(mark.is_none_or(|mark| mark.number.is_multiple_of(128)));
                drop(self.tracker.cursor());
            }
        }
    }

    fn head(&mut self, head: BlockRef) {
        if !self.tracker.head_seen(head) {
            assert!(self.tracker.tip().is_some());
            return;
        }
        if let Some(missing) = self.tracker.missing() {
            let (from, to) = missing.range.into_inner();
            // Where nothing is kept the first fetch looks as far back as a task may be open.
            assert!(to < from || to - from < LIMITS.fetch, "{from} to {to}");
            assert!(to <= self.tracker.head().map_or(0, |head| head.number) && missing.windows_of.len() < 20);
        }
    }

    fn take_in(&mut self, effects: impl IntoIterator<Item = Effect>) {
        for effect in effects {
            let Effect::Answer { waiter, reply } = effect else { continue };
            let actor = usize::try_from(waiter).unwrap_or_default() % ACTORS;
            let Some(after) = self.asked[actor].take() else { unreachable!("nobody asked") };
            if let Ok(delta) = reply {
                self.positions[actor] = applied(after, &delta);
            }
        }
    }
}

/// Where an actor is that has applied what it was told.
fn applied(after: Option<BlockRef>, delta: &ChainDelta) -> Option<BlockRef> {
    assert!(delta.blocks.len() <= ChainDelta::MOST_BLOCKS);
    let mut last = match delta.base {
        DeltaBase::Continues => after,
        DeltaBase::RetractTo { block } => Some(block),
        DeltaBase::Restart { .. } => None,
    };
    for block in &delta.blocks {
        let follows = |last: BlockRef| {
            Some(block.header.at.number) == last.number.checked_add(1)
                && block.header.parent_hash == last.hash
        };
        assert!(last.is_none_or(follows), "a gap");
        last = Some(block.header.at);
    }
    last
}

/// The highest number of a block that a reader lets pass.
const HIGHEST: u64 = u64::MAX >> 1;

/// Near each other, most of the time.
fn number(taken: &mut Taken<'_>) -> u64 {
    match taken.byte() {
        255 => taken.number() & HIGHEST,
        254 => HIGHEST - u64::from(taken.byte()),
        near => u64::from(near % 128),
    }
}

fn hash(number: u64, fork: u8) -> B256 {
    let mut hash = B256::repeat_byte(fork % 3);
    hash[24..].copy_from_slice(&number.to_be_bytes());
    hash
}

fn block_ref(taken: &mut Taken<'_>) -> BlockRef {
    let number = number(taken);
    BlockRef { number, hash: hash(number, taken.byte()) }
}

/// Some blocks, each after the one before, unless the node lies.
fn blocks(taken: &mut Taken<'_>) -> Vec<ChainBlock> {
    let (first, count) = (number(taken), taken.byte());
    let (fork, lies) = (taken.byte(), count >= 192);
    let mut blocks: Vec<ChainBlock> = Vec::new();
    for i in 0..u64::from(count % 9) {
        let at = BlockRef { number: first.saturating_add(i), hash: hash(first.saturating_add(i), fork) };
        let before = match (lies, blocks.last()) {
            (false, Some(before)) => before.header.at.hash,
            _ => hash(at.number.saturating_sub(1), taken.byte()),
        };
        let events = match taken.byte() {
            0 => vec![ChainEvent::ResponseWindowChanged { blocks: number(taken) }],
            _ => Vec::new(),
        };
        blocks.push(ChainBlock {
            header: Header { at, parent_hash: before, timestamp: i, base_fee: 1 },
            events,
        });
    }
    blocks
}

/// How far the chain was followed, as the disk has it. What is written of it is read as the same, and the watcher goes on.
pub(crate) fn cursor(data: &[u8]) {
    let Ok(Some(cursor)) = read(&records(data)) else { return };
    let Some(Write::Put { key, value, .. }) = put(&cursor) else { unreachable!("it was read") };
    assert_eq!(read(&[(key, value)]).ok().flatten().as_ref(), Some(&cursor));
    let mut comparison = Comparison::default();
    for block in cursor.blocks() {
        let header = Header { at: block, parent_hash: B256::ZERO, timestamp: 0, base_fee: 0 };
        if comparison.agrees(block, Some(&header).filter(|_| block.number % 2 == 0)) {
            goes_on(&cursor, block);
            return;
        }
    }
    drop(comparison.none());
}

fn goes_on(cursor: &Cursor, from: BlockRef) {
    let mut tracker = Tracker::new(LIMITS, WINDOW);
    let tip = cursor.tip().unwrap_or(from);
    tracker.resume(from, cursor.longest_window, tip.number);
    assert!(tracker.head_seen(tip));
    drop(tracker.missing());
}
