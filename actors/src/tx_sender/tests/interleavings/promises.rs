//! What holds of every transaction that is signed.

use alloy::primitives::U256;
use anzen_messages::transaction::TxId;

use super::Sim;
use crate::ports::UnsignedTx;
use crate::tx_sender::intent::{Intent, Stage};

impl Sim {
    /// No two transactions of a request can both be mined, and none gets a nonce that is known to be used.
    pub(super) fn check_nonce(&self, id: &TxId, nonce: u64) {
        let settled = self.node.nonce(self.deepest);
        let elsewhere = self.signed.values().filter(|other| other.id == *id && other.unsigned.nonce != nonce);
        for other in elsewhere.filter(|other| self.node.seen.contains(&other.hash)) {
            // Its nonce was used so long ago that no fork brings it back.
            let old = other.unsigned.nonce;
            assert!(old < settled, "{id} has nonce {old}, which may still be mined, and gets {nonce}");
        }
        let done = self.queue.intents.values().filter(|intent| matches!(intent.stage, Stage::Done(_)));
        let used = done.filter_map(Intent::flight).find(|flight| flight.nonce == nonce);
        assert_eq!(used, None, "{id} gets a nonce that a transaction of ours has used");
    }

    /// Nothing offers much more than the chain has ever asked, unless a node had what was offered before, and it was not
    /// mined.
    pub(super) fn check_price(&self, id: &TxId, unsigned: &UnsignedTx) {
        let of_same = self.signed.values().filter(|tx| tx.id == *id && tx.unsigned.nonce == unsigned.nonce);
        let Some(before) = of_same.max_by_key(|tx| tx.unsigned.fees.max_fee) else { return };
        let had = self.node.seen.contains(&before.hash) || self.node.outbid.contains(&before.hash);
        let offer = unsigned.fees.max_fee;
        assert!(had || offer <= self.dearest * 3 / 2 + 3, "{id} offers {offer}, though no node had it");
        let cost = U256::from(offer) * U256::from(unsigned.gas_limit);
        assert!(cost <= self.queue.balance, "{id} offers {offer}, which cannot be paid");
    }
}
