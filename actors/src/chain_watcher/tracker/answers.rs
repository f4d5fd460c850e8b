//! Who asks how the chain goes on, and what there is to tell.

use anzen_messages::chain::{BlockRef, ChainDelta, DeltaBase, NotFollowing};

use super::{Effect, Tracker, Waiter};

impl Tracker {
    /// Somebody asks how the chain goes on after `after`.
    pub(in crate::chain_watcher) fn ask(
        &mut self,
        waiter: Waiter,
        after: Option<BlockRef>,
    ) -> Option<Effect> {
        match self.news(after) {
            Some(delta) => Some(Effect::Answer { waiter, reply: Ok(delta) }),
            None => {
                self.waiting.insert(waiter, after);
                None
            }
        }
    }

    /// A question has waited as long as it may.
    pub(in crate::chain_watcher) fn expire(&mut self, waiter: Waiter) -> Option<Effect> {
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

    pub(super) fn answers(&mut self) -> Vec<Effect> {
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
        let from = self.told_from(tip.number).max(first);
        self.delta(DeltaBase::Restart { response_window: self.windows.of(from) }, tip, from)
    }

    fn delta(&self, base: DeltaBase, tip: BlockRef, from: u64) -> ChainDelta {
        let head = self.head.map_or(tip, |head| head.max(tip));
        ChainDelta { base, blocks: self.ring.from(from, ChainDelta::MOST_BLOCKS), head }
    }
}
