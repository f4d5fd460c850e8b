//! Nonces that nothing has, below one that something has: nothing behind them is mined until they are used.

use alloy::primitives::{Bytes, U256};
use anzen_messages::transaction::{SendTransaction, TxId};

use super::effect::Effect;
use super::intent::{Intent, Stage};
use super::nonces::{MOST_UNEXPLAINED, Seen};
use super::queue::Queue;

/// For how many blocks a gap must be seen, since nodes need not be equally far.
const GAP_AFTER: u64 = 2;
/// How many missing nonces are filled: what an endpoint can make one believe that counts too many, a few times over. More are
/// missing only where one went on to.
pub(super) const MOST_FILLED: u64 = 4 * MOST_UNEXPLAINED;

impl Queue {
    /// A refused transaction leaves a gap, and so does an endpoint that counts too many. An empty transaction fills its lowest
    /// nonce, if no other does. Then all is looked at again: what another has waiting behind it shows to a node only once it has
    /// that, by the `pending` that it counts, and is not to be outbid.
    pub(super) fn fill_gap(&mut self, pending: u64) -> Vec<Effect> {
        if self.intents.values().any(|intent| matches!(intent.stage, Stage::Queued | Stage::Trying)) {
            return Vec::new();
        }
        let Some(free) = self.free_nonce() else { return Vec::new() };
        let above: Vec<u64> =
            self.flights().map(|flight| flight.nonce).filter(|nonce| *nonce > free).collect();
        let out_of_reach = |nonce: &&u64| self.nonces_unused_below(free, **nonce) > MOST_FILLED;
        let (far, near): (Vec<&u64>, Vec<&u64>) = above.iter().partition(out_of_reach);
        let effects = self.tell_out_of_reach(far.into_iter().max().copied(), free);
        if near.is_empty() {
            self.gap = None;
            return effects;
        }
        let gap = match self.gap {
            Some(before) if before.nonce < free && before.nonce < pending => Seen { nonce: free, ..before },
            before => Seen::again(before, free, self.head),
        };
        self.gap = Some(gap);
        let is_due = self.head >= gap.since.saturating_add(GAP_AFTER);
        if is_due { effects.into_iter().chain(self.fill(free)).collect() } else { effects }
    }

    fn tell_out_of_reach(&mut self, highest: Option<u64>, free: u64) -> Vec<Effect> {
        let is_new = std::mem::replace(&mut self.out_of_reach, highest) != highest;
        let highest = highest.filter(|_| is_new);
        Vec::from_iter(highest.map(|nonce| Effect::Doubtful { nonce, known: free }))
    }

    fn fill(&mut self, nonce: u64) -> Vec<Effect> {
        let id = TxId::fill(nonce);
        let request = SendTransaction {
            id: id.clone(),
            to: self.sender,
            data: Bytes::new(),
            value: U256::ZERO,
            not_after: None,
        };
        self.intents.insert(id.clone(), Intent { request, stage: Stage::Queued });
        self.start(&id)
    }
}
