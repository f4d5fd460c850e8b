//! Which nonces are used, as far as nodes tell: those behind one endpoint need not be equally far.

use std::collections::{BTreeMap, BTreeSet};

/// For how many blocks a node is believed that says of more nonces than others that they are used.
const BELIEVED_FOR: u64 = 5;
/// For how many blocks the transaction of another, which waits in the pool, is left to be mined first.
const GIVES_WAY_FOR: u64 = 12;

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

    /// A node says that all below `unused` are used.
    pub(super) fn told(&mut self, unused: u64, head: u64) {
        let said = self.unused.entry(head).or_default();
        *said = unused.max(*said);
        // Later ones are of a fork that is gone.
        self.unused.retain(|at, _| *at <= head && head - *at < BELIEVED_FOR);
    }

    /// A node has those below `pending`, used or waiting. What is not among `ours` is another's, who was first; but nobody
    /// waits for ever.
    pub(super) fn told_pending(&mut self, pending: u64, ours: &BTreeSet<u64>, head: u64) {
        let mut waiting = self.unused().into_iter().flat_map(|unused| unused..pending);
        let anothers = waiting.find(|nonce| !ours.contains(nonce));
        self.anothers = anothers.map(|nonce| Seen::again(self.anothers, nonce, head));
        let gives_way = self.anothers.is_some_and(|seen| head < seen.since.saturating_add(GIVES_WAY_FOR));
        self.free_from = if gives_way { pending } else { 0 };
    }

    /// The chain forked: what was used may not be any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
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
    fn a_count_that_spans_no_end_is_nothing_to_count_through() {
        let mut nonces = Nonces::default();
        nonces.told(7, 100);
        nonces.told_pending(u64::MAX, &ours(&[7]), 100);
        assert_eq!(nonces.free_from(), Some(u64::MAX));
    }
}
