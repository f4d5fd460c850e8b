//! Which blocks there are, and which are missing.

mod answers;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use anzen_messages::chain::{BlockRef, ChainBlock, ChainDelta, NotFollowing};

use super::cursor::Cursor;
use super::lookback::{longest_of_open, looked_at};
use super::marks::Marks;
use super::retracted::Retracted;
use super::ring::{Ring, contiguous, parent};
use crate::response_windows::ResponseWindows;

/// Names a question that has not been answered yet.
pub(super) type Waiter = u64;

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Answer a question.
    Answer { waiter: Waiter, reply: Result<ChainDelta, NotFollowing> },
    /// Tell people that the chain has forked, `depth` blocks deep.
    Forked { depth: u64, back_to: BlockRef },
    /// Tell people that the new chain has no block in common with what was kept.
    Replaced,
}

/// How much is kept and told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The first block that matters: nothing is told of those before it, which need not be there.
    pub(super) first: u64,
    /// How many blocks, beyond the longest response window, an actor that starts is told of.
    pub(super) margin: u64,
    /// How many blocks are kept.
    pub(super) keep: u64,
    /// How many blocks are told, at most, of those that were missed while nobody followed.
    pub(super) missed: u64,
    /// How many blocks are asked for at a time.
    pub(super) fetch: u64,
}

#[derive(Debug)]
pub(super) struct Tracker {
    limits: Limits,
    ring: Ring,
    /// Of the blocks in the ring; while there are none, of what is known of those to come.
    windows: ResponseWindows,
    retracted: Retracted,
    head: Option<BlockRef>,
    waiting: BTreeMap<Waiter, Option<BlockRef>>,
    resumed: Option<Resumed>,
    /// Every so many blocks one, beyond those that are kept: they tell a chain that was put back from a node that syncs.
    marks: Marks,
    search: Search,
}

/// The blocks to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) range: RangeInclusive<u64>,
    /// The blocks whose response windows are wanted too, the first of the range and older ones: where nothing is kept, and so
    /// it is not known how old an open task can be.
    pub(super) windows_of: Vec<u64>,
}

/// The blocks after one that was followed before the start are told, too.
#[derive(Debug, Clone, Copy)]
struct Resumed {
    after: u64,
    /// Until the tip is there, they are kept for whoever is slow.
    until: u64,
}

/// The search for the last block that the old chain and the new one have in common.
#[derive(Debug, Default)]
struct Search {
    /// Where the next fetch starts, if not after the tip.
    from: Option<u64>,
    /// How much farther back the one after it starts: doubles, since most forks are shallow.
    step: u64,
}

impl Tracker {
    /// `window` is the response window in force.
    pub(super) fn new(limits: Limits, window: u64) -> Self {
        Self {
            limits: Limits { fetch: limits.fetch.max(1), ..limits },
            ring: Ring::default(),
            windows: ResponseWindows::new(window),
            retracted: Retracted::default(),
            head: None,
            waiting: BTreeMap::new(),
            resumed: None,
            marks: Marks::default(),
            search: Search::default(),
        }
    }

    /// The newest block whose events are known.
    pub(super) fn tip(&self) -> Option<BlockRef> {
        self.ring.tip()
    }

    /// The newest block known to exist.
    pub(super) fn head(&self) -> Option<BlockRef> {
        self.head
    }

    /// The endpoint's newest block. False where it is below all that is kept: then the endpoint is still syncing, and what
    /// is known is better than what it would tell.
    #[must_use]
    pub(super) fn head_seen(&mut self, head: BlockRef) -> bool {
        if self.ring.first().is_some_and(|oldest| head.number < oldest) {
            return false;
        }
        if self.ring.contains(head) {
            // Known already: nothing is new, or the endpoint's nodes are not equally far.
            self.search = Search::default();
            self.head = self.head.max(self.ring.tip());
        } else {
            self.head = Some(head);
        }
        true
    }

    /// The blocks to ask for next; nothing where all are known.
    pub(super) fn missing(&self) -> Option<Missing> {
        let head = self.head?;
        let from = match (self.ring.tip(), self.search.from) {
            (None, _) => self.told_from(head.number),
            (Some(_), _) if self.ring.contains(head) => return None,
            (Some(_), Some(from)) => from,
            (Some(tip), None) => head.number.min(tip.number + 1),
        };
        let range = from..=head.number.min(from + self.limits.fetch - 1);
        let starts = self.ring.tip().is_none();
        let mut windows_of = if starts { looked_at(head.number, from) } else { Vec::new() };
        windows_of.retain(|block| *block >= from.min(self.limits.first));
        Some(Missing { range, windows_of })
    }

    /// How far before the tip a task that can still be answered may have been created, and some more.
    fn lookback(&self) -> u64 {
        self.windows.longest().saturating_add(self.limits.margin)
    }

    /// The chain was followed up to this block before, by an earlier life of this process. Returns how many blocks after it are
    /// too old to be told.
    pub(super) fn resume(&mut self, after: BlockRef, longest_window: u64, head: u64) -> u64 {
        let least = head.saturating_sub(self.limits.missed);
        self.resumed =
            Some(Resumed { after: after.number.max(least), until: head.saturating_add(self.limits.keep) });
        self.windows = ResponseWindows::new(self.windows.latest().max(longest_window));
        least.saturating_sub(after.number)
    }

    /// How far the chain has been followed, to be kept for the next life of this process.
    pub(super) fn cursor(&self) -> Option<Cursor> {
        Cursor::of(self.ring.tip()?, self.windows.longest(), |number| self.ring.at(number))
    }

    /// The first block that one who starts is told of.
    fn told_from(&self, tip: u64) -> u64 {
        let from = tip.saturating_sub(self.lookback()).max(self.limits.first).min(tip);
        self.resumed.map_or(from, |resumed| from.min(resumed.after))
    }

    /// Takes in blocks that were asked for, and the response windows by block, farther back from one to the next.
    pub(super) fn fetched(&mut self, blocks: Vec<ChainBlock>, windows: &[(u64, u64)]) -> Vec<Effect> {
        let blocks = contiguous(blocks);
        let [first, ..] = blocks.as_slice() else { return Vec::new() };
        let mut effects = Vec::new();
        let last = blocks.last().unwrap_or(first).header.at;
        if self.ring.tip().is_none() {
            self.begin(blocks, windows);
        } else if self.connects(first) {
            self.attach(blocks, last, &mut effects);
        } else {
            self.search_before(first.header.at.number, &mut effects);
        }
        self.settle_head(last);
        effects.extend(self.answers());
        effects
    }

    /// Takes in the first blocks that are kept. Where the window was longer before, open tasks may be older than they are:
    /// then the blocks are asked for again, from farther back.
    fn begin(&mut self, blocks: Vec<ChainBlock>, windows: &[(u64, u64)]) {
        let head = self.head.map_or(0, |head| head.number);
        let first = blocks.first().map_or(0, |block| block.header.at.number);
        self.windows = ResponseWindows::new(longest_of_open(head, windows).max(self.windows.latest()));
        if first <= self.limits.first || head.saturating_sub(first) >= self.lookback() {
            if let Some((_, window)) = windows.first() {
                self.windows = ResponseWindows::new(*window);
            }
            self.append(blocks);
        }
    }

    fn connects(&self, block: &ChainBlock) -> bool {
        self.ring.contains(block.header.at) || parent(block).is_some_and(|parent| self.ring.contains(parent))
    }

    /// Takes in blocks, up to `last`, the first of which is known or follows a known one.
    fn attach(&mut self, blocks: Vec<ChainBlock>, last: BlockRef, effects: &mut Vec<Effect>) {
        let new: Vec<_> =
            blocks.into_iter().skip_while(|block| self.ring.contains(block.header.at)).collect();
        let Some(back_to) = new.first().and_then(parent) else {
            // All of them are known: the fork is after them.
            self.search.from = Some(last.number + 1);
            return;
        };
        let undone = self.ring.split_above(back_to.number);
        self.windows.retract(back_to);
        self.marks.retract(back_to);
        if !undone.is_empty() {
            effects.push(Effect::Forked { depth: undone.len() as u64, back_to });
            self.retracted.add(&undone, self.kept());
        }
        self.append(new);
    }

    fn append(&mut self, blocks: Vec<ChainBlock>) {
        self.retracted.remove(&blocks);
        for block in &blocks {
            self.windows.apply(block);
            self.marks.add(block.header.at);
        }
        self.ring.append(blocks, self.kept());
        if self.resumed.is_some_and(|resumed| self.ring.tip().is_some_and(|tip| tip.number >= resumed.until))
        {
            self.resumed = None;
        }
        let first = self.ring.first().unwrap_or_default();
        self.windows.forget_before(first);
        self.retracted.forget_below(first);
        self.search = Search::default();
    }

    /// A block that an endpoint of the same chain has, whose newest is `number`.
    pub(super) fn mark_up_to(&self, number: u64) -> Option<BlockRef> {
        self.marks.up_to(number)
    }

    /// The endpoint follows another chain than before: forgets everything.
    pub(super) fn replace(&mut self) -> Effect {
        self.ring = Ring::default();
        self.windows = ResponseWindows::new(self.windows.longest());
        self.resumed = None;
        self.head = None;
        self.marks = Marks::default();
        self.retracted = Retracted::default();
        self.search = Search::default();
        Effect::Replaced
    }

    /// `number` is not of the chain that is kept: looks farther back, and where nothing is kept there, starts again.
    fn search_before(&mut self, number: u64, effects: &mut Vec<Effect>) {
        let oldest = self.ring.first().unwrap_or_default();
        if number <= oldest {
            let head = self.head;
            effects.push(self.replace());
            self.head = head;
        } else {
            self.search.step = (self.search.step * 2).max(1);
            self.search.from = Some(number.saturating_sub(self.search.step).max(oldest));
        }
    }

    /// The head that was seen may be on a fork that is gone by the time its blocks are fetched.
    fn settle_head(&mut self, fetched: BlockRef) {
        let outdated =
            self.head.is_some_and(|head| fetched.number >= head.number && !self.ring.contains(head));
        if outdated && self.ring.contains(fetched) {
            self.head = self.ring.tip();
            self.search = Search::default();
        }
    }

    fn kept(&self) -> usize {
        let resumed = self.resumed.map_or(0, |resumed| resumed.until.saturating_sub(resumed.after));
        let keep = self.limits.keep.max(self.lookback().saturating_add(1)).max(resumed);
        usize::try_from(keep).unwrap_or(usize::MAX)
    }
}
