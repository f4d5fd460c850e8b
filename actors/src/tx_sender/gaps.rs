//! Nonces that nothing has, below one that something has: nothing behind them is mined until they are used.

use alloy::primitives::Bytes;
use anzen_messages::transaction::{SendTransaction, TxId};

use super::effect::Effect;
use super::intent::{Intent, Stage};
use super::nonces::MOST_UNEXPLAINED;
use super::queue::Queue;

/// For how many blocks a gap must be seen, since nodes need not be equally far.
const GAP_AFTER: u64 = 2;
/// How many missing nonces are filled: what an endpoint can make one believe that counts too many, a few times over. More are
/// missing only where one went on to.
pub(super) const MOST_FILLED: u64 = 4 * MOST_UNEXPLAINED;

impl Queue {
    /// A refused transaction leaves a gap, and so does an endpoint that counts too many. An empty transaction fills its lowest
    /// nonce, if no other does. Once a node has that, all is looked at again: what another has waiting behind it shows only
    /// then, and is not to be outbid.
    pub(super) fn fill_gap(&mut self) -> Vec<Effect> {
        if self.intents.values().any(|intent| matches!(intent.stage, Stage::Queued | Stage::Trying)) {
            return Vec::new();
        }
        let Some(free) = self.free_nonce() else { return Vec::new() };
        let above = self.flights().map(|flight| flight.nonce).filter(|nonce| *nonce > free);
        let above: Vec<u64> = above.collect();
        let Some(highest) = above.iter().max().copied() else {
            self.gap = None;
            return Vec::new();
        };
        let (is_new, since) = (self.gap.is_none(), *self.gap.get_or_insert(self.head));
        if above.into_iter().all(|nonce| self.nonces_unused_below(free, nonce) > MOST_FILLED) {
            return Vec::from_iter(is_new.then_some(Effect::Doubtful { nonce: highest, known: free }));
        }
        if self.head < since.saturating_add(GAP_AFTER) { Vec::new() } else { self.fill(free) }
    }

    fn fill(&mut self, nonce: u64) -> Vec<Effect> {
        let id = TxId::fill(nonce);
        let request =
            SendTransaction { id: id.clone(), to: self.sender, data: Bytes::new(), not_after: None };
        self.intents.insert(id.clone(), Intent { request, stage: Stage::Queued });
        self.start(&id)
    }
}
