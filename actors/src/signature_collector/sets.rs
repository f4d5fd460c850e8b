//! Operator sets, kept while nothing changed: the set at block A is the set at block B if no event between them says
//! otherwise. In the steady state a task costs no question to the chain.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Included};
use std::sync::Arc;

use anzen_messages::OperatorSet;
use anzen_messages::chain::BlockRef;

/// How many blocks back changes are remembered; a reference block is never older than a task's window.
const REMEMBERED: u64 = 4096;

/// How far a set is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// It may be wrong: the next one is read.
    Doubted,
    ReadOnce,
    /// Two readings agree.
    Agreed,
}

#[derive(Debug)]
struct Known {
    at: u64,
    set: Arc<OperatorSet>,
    trust: Trust,
}

/// The latest set, and the blocks that changed it.
#[derive(Debug, Default)]
pub(super) struct SetCache {
    latest: Option<Known>,
    /// Changes are known for blocks above this one.
    known_above: Option<u64>,
    changes: BTreeSet<u64>,
}

impl SetCache {
    /// The set of `quorums` at `block`, if it is known.
    pub(super) fn get(&self, block: u64, quorums: &[u8]) -> Option<Arc<OperatorSet>> {
        let known = self.latest.as_ref().filter(|known| known.trust != Trust::Doubted)?;
        let holds = self.is_unchanged(known.at, block) && known.set.quorums == quorums;
        holds.then(|| Arc::clone(&known.set))
    }

    /// True where two readings say that this is the set at `block`.
    pub(super) fn agree_on(&self, block: u64, set: &OperatorSet) -> bool {
        let agreed = self.latest.as_ref().filter(|known| known.trust == Trust::Agreed);
        agreed.is_some_and(|known| *known.set == *set && self.is_unchanged(known.at, block))
    }

    /// Keeps a set that was read at `block`.
    pub(super) fn put(&mut self, block: u64, set: Arc<OperatorSet>) {
        let (mut at, mut trust) = (block, Trust::ReadOnce);
        if let Some(known) = &self.latest {
            let is_same = self.is_unchanged(known.at, block) && *known.set == *set;
            if is_same {
                at = block.max(known.at);
                // What was taken from here is no second reading.
                trust = if Arc::ptr_eq(&known.set, &set) { known.trust } else { Trust::Agreed };
            } else if known.at > block && known.trust != Trust::Doubted {
                return;
            }
        }
        self.latest = Some(Known { at, set, trust });
    }

    /// True where no block between the two changed the set, as far as is known.
    fn is_unchanged(&self, one: u64, other: u64) -> bool {
        let (from, to) = (one.min(other), one.max(other));
        self.known_above.is_some_and(|known| from >= known)
            && self.changes.range((Excluded(from), Included(to))).next().is_none()
    }

    /// Takes in a block.
    pub(super) fn apply(&mut self, number: u64, changed: bool) {
        self.known_above.get_or_insert(number.saturating_sub(1));
        if changed {
            self.changes.insert(number);
        }
        let oldest = number.saturating_sub(REMEMBERED);
        if self.known_above.is_some_and(|known| known < oldest) {
            self.known_above = Some(oldest);
            self.changes = self.changes.split_off(&oldest);
        }
    }

    /// Undoes everything above `block`.
    pub(super) fn retract(&mut self, block: BlockRef) {
        self.changes.split_off(&block.number.saturating_add(1));
        if self.latest.as_ref().is_some_and(|known| known.at > block.number) {
            self.latest = None;
        }
        if self.known_above.is_some_and(|known| known > block.number) {
            self.known_above = Some(block.number);
        }
    }

    /// The set may be wrong: the next one is read.
    pub(super) fn distrust(&mut self) {
        if let Some(known) = &mut self.latest {
            known.trust = Trust::Doubted;
        }
    }

    /// Forgets everything.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn set(quorums: &[u8]) -> Arc<OperatorSet> {
        Arc::new(OperatorSet::new(quorums.to_vec(), BTreeMap::new()))
    }

    fn cache_at_10() -> SetCache {
        let mut cache = SetCache::default();
        for block in 5..=12 {
            cache.apply(block, block == 7 || block == 12);
        }
        cache.put(10, set(&[0]));
        cache
    }

    #[test]
    fn a_set_holds_between_changes() {
        let cache = cache_at_10();
        let known: Vec<u64> = (1..=13).filter(|block| cache.get(*block, &[0]).is_some()).collect();
        assert_eq!(known, [7, 8, 9, 10, 11]);
        assert!(cache.get(9, &[0, 1]).is_none(), "other quorums are another set");
    }

    #[test]
    fn two_readings_that_agree_are_believed_until_something_changes() {
        let mut cache = cache_at_10();
        let read = cache.get(11, &[0]).unwrap();
        cache.put(11, Arc::clone(&read));
        assert!(!cache.agree_on(11, &read), "that is one reading");
        cache.distrust();
        assert!(cache.get(11, &[0]).is_none());
        cache.put(9, set(&[0]));
        assert!(cache.agree_on(11, &read) && cache.agree_on(9, &read) && cache.get(11, &[0]).is_some());
        assert!(!cache.agree_on(12, &read) && !cache.agree_on(11, &set(&[1])));
        cache.put(12, set(&[0]));
        assert!(!cache.agree_on(12, &read), "it happens to be the same after a change");
    }

    #[test]
    fn a_reorg_drops_a_set_above_the_fork_only() {
        let at = |number| BlockRef { number, hash: Default::default() };
        let mut cache = cache_at_10();
        cache.retract(at(11));
        assert!(cache.get(12, &[0]).is_some(), "the change at 12 was undone");
        cache.retract(at(9));
        assert!(cache.get(9, &[0]).is_none());
    }
}
