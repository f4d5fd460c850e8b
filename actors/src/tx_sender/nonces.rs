//! Which nonces are used, as far as nodes tell: those behind one endpoint need not be equally far.

use std::collections::{BTreeMap, BTreeSet};

/// For how many blocks a node is believed that says of more nonces than others that they are used.
pub(super) const BELIEVED_FOR: u64 = 5;
/// For how many blocks the transaction of another, which waits in the pool, is left to be mined first.
const GIVES_WAY_FOR: u64 = 12;
/// How many nonces others may use, or have waiting, that nothing here explains. Beyond that, one endpoint alone is doubted: a
/// transaction with a nonce that is too high waits for all those below it.
pub(super) const MOST_UNEXPLAINED: u64 = 16;
/// For how many blocks an endpoint is doubted that goes on saying so, and that no other contradicts.
const DOUBTED_FOR: u64 = 12;

/// Something about a nonce, and the head at which it was first seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) nonce: u64,
    pub(super) since: u64,
}

impl Seen {
    /// The same, seen again at `head`; since when, if it was about the same nonce before.
    pub(super) fn again(before: Option<Self>, nonce: u64, head: u64) -> Self {
        before.filter(|seen| seen.nonce == nonce).unwrap_or(Self { nonce, since: head })
    }
}

/// What nodes have said of the account's nonces since the chain forked.
#[derive(Debug, Default)]
pub(super) struct Nonces {
    /// The lowest one that is not used, by the head at which that was said.
    unused: BTreeMap<u64, u64>,
    /// Where new transactions may start: behind those of others that wait.
    free_from: u64,
    /// The lowest nonce that the waiting transaction of another has.
    anothers: Option<Seen>,
    /// The highest that was ever believed to be unused. A fork does not change that nobody has come much farther.
    highest: Option<u64>,
    /// Since which head an endpoint says what is not believed.
    doubted: Option<u64>,
}

/// What is made of a nonce that one endpoint tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weighed {
    /// It may be so.
    Believed,
    /// It is not believed. `first`: nor was there anything of the kind before.
    Doubted { first: bool },
}

impl Nonces {
    /// The lowest one that is not used; nothing until a node has told.
    pub(super) fn unused(&self) -> Option<u64> {
        self.unused.values().max().copied()
    }

    /// From which on those may be taken that no transaction of ours has.
    pub(super) fn free_from(&self) -> Option<u64> {
        Some(self.unused()?.max(self.free_from))
    }

    /// The highest nonce that one endpoint is believed, where the highest of ours is `ours`; nothing while nothing is known.
    pub(super) fn credible(&self, ours: Option<u64>) -> Option<u64> {
        let next = ours.map(|nonce| nonce.saturating_add(1));
        self.highest.max(next).map(|known| known.saturating_add(MOST_UNEXPLAINED))
    }

    /// Whether to believe that all below `unused` are used; `vouched` for by a second endpoint or not.
    pub(super) fn weigh(&mut self, unused: u64, vouched: bool, ours: Option<u64>, head: u64) -> Weighed {
        if vouched || self.credible(ours).is_none_or(|credible| unused <= credible) {
            self.doubted = None;
            return Weighed::Believed;
        }
        let (first, since) = (self.doubted.is_none(), *self.doubted.get_or_insert(head));
        if head < since.saturating_add(DOUBTED_FOR) { Weighed::Doubted { first } } else { Weighed::Believed }
    }

    /// A node says that all below `unused` are used.
    pub(super) fn told(&mut self, unused: u64, head: u64) {
        self.highest = self.highest.max(Some(unused));
        let said = self.unused.entry(head).or_default();
        *said = unused.max(*said);
        // Later ones are of a fork that is gone.
        self.unused.retain(|at, _| *at <= head && head - *at < BELIEVED_FOR);
    }

    /// A node has those below `pending`, used or waiting. What is not among `ours` is another's, who was first; but nobody
    /// waits for ever. Nobody has as many waiting as a count says that is far too high.
    pub(super) fn told_pending(&mut self, pending: u64, ours: &BTreeSet<u64>, head: u64) {
        let not_ours = self.unused().into_iter().flat_map(|unused| unused..u64::MAX);
        let mut not_ours = not_ours.filter(|nonce| !ours.contains(nonce));
        let anothers = not_ours.next().filter(|nonce| *nonce < pending);
        let most = not_ours.zip(1..=MOST_UNEXPLAINED).last().map_or(0, |(nonce, _)| nonce);
        let pending = pending.min(most);
        self.anothers = anothers.map(|nonce| Seen::again(self.anothers, nonce, head));
        let gives_way = self.anothers.is_some_and(|seen| head < seen.since.saturating_add(GIVES_WAY_FOR));
        self.free_from = if gives_way { pending } else { 0 };
    }

    /// The chain forked: what was used may not be any more.
    pub(super) fn forget(&mut self) {
        *self = Self { highest: self.highest, doubted: self.doubted, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(nonces: &[u64]) -> BTreeSet<u64> {
        nonces.iter().copied().collect()
    }

    #[test]
    fn the_node_that_is_furthest_is_believed_for_a_while() {
        let mut nonces = Nonces::default();
        assert_eq!(nonces.unused(), None);
        nonces.told(9, 100);
        nonces.told(8, 100);
        nonces.told(8, 104);
        assert_eq!(nonces.unused(), Some(9));
        nonces.told(8, 105);
        assert_eq!(nonces.unused(), Some(8), "it was of a fork that nobody followed");
        nonces.forget();
        assert_eq!(nonces.unused(), None);
    }

    #[test]
    fn a_transaction_of_another_goes_first_but_does_not_hold_up_for_ever() {
        let mut nonces = Nonces::default();
        nonces.told(7, 100);
        nonces.told_pending(9, &ours(&[7, 8]), 100);
        assert_eq!(nonces.free_from(), Some(7), "all that wait are ours");
        nonces.told_pending(10, &ours(&[7, 8]), 101);
        assert_eq!(nonces.free_from(), Some(10));
        nonces.told_pending(10, &ours(&[7, 8]), 112);
        assert_eq!(nonces.free_from(), Some(10));
        nonces.told_pending(10, &ours(&[7, 8]), 113);
        assert_eq!(nonces.free_from(), Some(7));
    }

    #[test]
    fn a_count_that_nothing_explains_holds_nothing_up_but_a_while() {
        let mut nonces = Nonces::default();
        nonces.told(7, 100);
        nonces.told_pending(u64::MAX, &ours(&[7]), 100);
        assert_eq!(nonces.free_from(), Some(8 + MOST_UNEXPLAINED));
        nonces.told_pending(u64::MAX, &ours(&[7, 8 + MOST_UNEXPLAINED]), 100);
        assert_eq!(nonces.free_from(), Some(9 + MOST_UNEXPLAINED), "one further for one that believed it");
        nonces.told_pending(9, &ours(&[7]), 101);
        assert_eq!(nonces.free_from(), Some(9));
    }

    #[test]
    fn a_nonce_that_nothing_explains_is_doubted_for_a_while() {
        let mut nonces = Nonces::default();
        assert_eq!(nonces.weigh(5_000, false, None, 100), Weighed::Believed, "nothing is known yet");
        nonces.told(5_000, 100);
        assert_eq!(nonces.weigh(5_000 + MOST_UNEXPLAINED, false, None, 101), Weighed::Believed);
        let absurd = 1_000_000;
        assert_eq!(nonces.weigh(absurd, false, Some(5_001), 102), Weighed::Doubted { first: true });
        nonces.forget();
        assert_eq!(nonces.weigh(absurd + 1, false, None, 113), Weighed::Doubted { first: false });
        assert_eq!(nonces.weigh(absurd, true, None, 113), Weighed::Believed, "another says so, too");
        assert_eq!(nonces.weigh(absurd, false, None, 114), Weighed::Doubted { first: true });
        assert_eq!(nonces.weigh(absurd, false, None, 126), Weighed::Believed, "it must be so");
    }
}
