//! Which blocks there are, which are missing, and who waits for what.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use anzen_messages::chain::{BlockRef, ChainBlock, ChainDelta, DeltaBase, NotFollowing};

use super::retracted::Retracted;
use super::ring::Ring;
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
    /// How many blocks, beyond the longest response window, an actor that starts is told of.
    pub(super) margin: u64,
    /// How many blocks are kept.
    pub(super) keep: u64,
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

/// How far back response windows are looked at: more than the longest one that the contract takes.
const OLDEST: u64 = 1 << 17;

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
            (None, _) => head.number.saturating_sub(self.lookback()),
            (Some(_), _) if self.ring.contains(head) => return None,
            (Some(_), Some(from)) => from,
            (Some(tip), None) => head.number.min(tip.number + 1),
        };
        let range = from..=head.number.min(from + self.limits.fetch - 1);
        let starts = self.ring.tip().is_none();
        let windows_of = if starts { looked_at(head.number, from) } else { Vec::new() };
        Some(Missing { range, windows_of })
    }

    /// How far before the tip a task that can still be answered may have been created, and some more.
    fn lookback(&self) -> u64 {
        self.windows.longest().saturating_add(self.limits.margin)
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
        if first == 0 || head.saturating_sub(first) >= self.lookback() {
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
        if !undone.is_empty() {
            effects.push(Effect::Forked { depth: undone.len() as u64, back_to });
            self.retracted.add(&undone, self.kept());
        }
        self.append(new);
    }

    fn append(&mut self, blocks: Vec<ChainBlock>) {
        self.retracted.remove(&blocks);
        blocks.iter().for_each(|block| self.windows.apply(block));
        self.ring.append(blocks, self.kept());
        let first = self.ring.first().unwrap_or_default();
        self.windows.forget_before(first);
        self.retracted.forget_below(first);
        self.search = Search::default();
    }

    /// `number` is not of the chain that is kept: looks farther back, and where nothing is kept there, starts again.
    fn search_before(&mut self, number: u64, effects: &mut Vec<Effect>) {
        let oldest = self.ring.first().unwrap_or_default();
        if number <= oldest {
            self.ring = Ring::default();
            self.windows = ResponseWindows::new(self.windows.longest());
            self.retracted = Retracted::default();
            self.search = Search::default();
            effects.push(Effect::Replaced);
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
        let keep = self.limits.keep.max(self.lookback().saturating_add(1));
        usize::try_from(keep).unwrap_or(usize::MAX)
    }

    /// Somebody asks how the chain goes on after `after`.
    pub(super) fn ask(&mut self, waiter: Waiter, after: Option<BlockRef>) -> Option<Effect> {
        match self.news(after) {
            Some(delta) => Some(Effect::Answer { waiter, reply: Ok(delta) }),
            None => {
                self.waiting.insert(waiter, after);
                None
            }
        }
    }

    /// A question has waited as long as it may.
    pub(super) fn expire(&mut self, waiter: Waiter) -> Option<Effect> {
        let after = self.waiting.remove(&waiter)?;
        let reply = match (self.ring.tip(), after) {
            (Some(tip), Some(after)) if after == tip || self.is_behind(after, tip) => {
                Ok(self.delta(DeltaBase::Continues, tip, tip.number + 1))
            }
            (Some(tip), _) => Ok(self.restart(tip)),
            (None, _) => Err(NotFollowing),
        };
        Some(Effect::Answer { waiter, reply })
    }

    /// True where `at` may be a block that is still to be fetched.
    fn is_behind(&self, at: BlockRef, tip: BlockRef) -> bool {
        at.number > tip.number && self.head.is_some_and(|head| at.number <= head.number)
    }

    fn answers(&mut self) -> Vec<Effect> {
        let ready = self.waiting.iter().filter_map(|(waiter, after)| Some((*waiter, self.news(*after)?)));
        let ready: Vec<_> = ready.collect();
        let answer = |(waiter, delta)| {
            self.waiting.remove(&waiter);
            Effect::Answer { waiter, reply: Ok(delta) }
        };
        ready.into_iter().map(answer).collect()
    }

    /// What there is to tell to one who has applied `after`; nothing where it must wait.
    fn news(&self, after: Option<BlockRef>) -> Option<ChainDelta> {
        let tip = self.ring.tip()?;
        let Some(after) = after else { return Some(self.restart(tip)) };
        if self.ring.contains(after) {
            return (after != tip).then(|| self.delta(DeltaBase::Continues, tip, after.number + 1));
        }
        match self.retracted.ancestor(after).filter(|ancestor| self.ring.contains(*ancestor)) {
            Some(block) => Some(self.delta(DeltaBase::RetractTo { block }, tip, block.number + 1)),
            // The watcher, or its endpoint, may be behind the one that is asking.
            None if after.number > tip.number => None,
            None => Some(self.restart(tip)),
        }
    }

    fn restart(&self, tip: BlockRef) -> ChainDelta {
        let first = self.ring.first().unwrap_or_default();
        let from = tip.number.saturating_sub(self.lookback()).max(first);
        self.delta(DeltaBase::Restart { response_window: self.windows.of(from) }, tip, from)
    }

    fn delta(&self, base: DeltaBase, tip: BlockRef, from: u64) -> ChainDelta {
        let head = self.head.map_or(tip, |head| head.max(tip));
        ChainDelta { base, blocks: self.ring.from(from, ChainDelta::MOST_BLOCKS), head }
    }
}

/// The block `from`, and others each twice as far from the head as the one before: a window that held for at least its own
/// length is met so.
fn looked_at(head: u64, from: u64) -> Vec<u64> {
    let nearest = head.saturating_sub(from).max(1);
    let farther = std::iter::successors(Some(nearest), |distance| distance.checked_mul(2));
    let farther = farther.take_while(|distance| *distance <= OLDEST);
    std::iter::once(from).chain(farther.skip(1).map_while(|distance| head.checked_sub(distance))).collect()
}

/// The longest window of a task that may still be open at `head`.
fn longest_of_open(head: u64, windows: &[(u64, u64)]) -> u64 {
    let mut nearer = 0;
    let mut longest = 0;
    for (created, window) in windows {
        if *window >= nearer {
            longest = longest.max(*window);
        }
        nearer = head.saturating_sub(*created);
    }
    longest
}

fn parent(block: &ChainBlock) -> Option<BlockRef> {
    let number = block.header.at.number.checked_sub(1)?;
    Some(BlockRef { number, hash: block.header.parent_hash })
}

/// The blocks up to the first that does not follow the one before it: there the chain forked while they were read.
fn contiguous(mut blocks: Vec<ChainBlock>) -> Vec<ChainBlock> {
    let follows = |pair: &[ChainBlock]| match pair {
        [a, b] => b.header.parent_hash == a.header.at.hash && b.header.at.number == a.header.at.number + 1,
        _ => true,
    };
    let length = blocks.windows(2).position(|pair| !follows(pair)).map_or(blocks.len(), |index| index + 1);
    blocks.truncate(length);
    blocks
}
