//! What an endpoint that lies says in place of the truth.
//!
//! An adapter refuses what it can see to be false: a header that is not its hash, a block without the logs that its bloom
//! announces, a key that is not an operator's. So nothing like that comes through a port, and none is told here.

use alloy_primitives::U256;
use anzen_actors::ports::Receipt;
use anzen_messages::OperatorSet;

use super::chain_ports::SimEndpoint;
use super::fork::Fork;
use super::weather::View;

impl SimEndpoint {
    /// True where the endpoint gives a wrong answer this time.
    pub(super) fn lies(&self) -> bool {
        matches!(self.weather.view(), View::Lies(_)) && self.rng.chance(50)
    }

    /// The operators as they never were: one is missing, or holds another stake.
    pub(super) fn another_set(&self, set: &OperatorSet) -> OperatorSet {
        let mut operators = set.operators.clone();
        let ids: Vec<_> = operators.keys().copied().collect();
        let one = self.rng.one_of(&ids);
        if self.rng.chance(50) {
            operators.remove(one);
        } else if let Some(one) = operators.get_mut(one) {
            let stake = *self.rng.one_of(&[1, 10_000]);
            one.stakes.values_mut().for_each(|held| *held = U256::from(stake));
        }
        OperatorSet::new(set.quorums.clone(), operators)
    }

    /// A nonce that is too low, or so high that nobody has come that far.
    pub(super) fn another_nonce(&self, nonce: u64) -> u64 {
        match self.rng.below(3) {
            0 => nonce.saturating_sub(self.rng.between(1, 5)),
            1 => nonce + self.rng.between(1, 3),
            _ => nonce + 1_000_000,
        }
    }

    /// That a transaction is nowhere, or in the newest block, whatever it did there.
    pub(super) fn another_receipt(&self, fork: &Fork) -> Option<Receipt> {
        let succeeded = self.rng.chance(50);
        let gas_used = 100_000;
        let receipt = Receipt { at: fork.head().at, gas_used, fee: U256::from(gas_used), succeeded };
        self.rng.chance(50).then_some(receipt)
    }
}
