//! What is asked: a model, what it reads of which is made up from the reference block's hash.

use alloy_primitives::{Address, B256, I256, U256};
use anzen_messages::SafetyFactor;
use anzen_messages::model::{Model, ModelError, Reading, Side, Source, Term, evaluate};

/// How many different lies an endpoint can tell about a block's inputs.
pub(super) const LIES: u64 = 3;

/// The model of every protocol; what it reads is made up by the simulated endpoint.
fn model() -> Result<Model, ModelError> {
    let [registry, feed, vault] = [1, 2, 3].map(Address::repeat_byte);
    let stake = Source::QuorumStake { stake_registry: registry, quorum_number: 0 };
    let assets =
        Source::StorageSlot { account: vault, slot: B256::ZERO, offset: 0, width: 32, guards: Vec::new() };
    let price = Source::FeedRound { feed, phase_id: 0, max_age: 3_600 };
    let one = Source::Constant { value: U256::from(1) };
    let term = |side, amount, price, share_bps| Term { side, amount, price, share_bps, decimals: 0 };
    Model::new(vec![term(Side::Cost, stake, price, 5_000), term(Side::Profit, assets, one, 10_000)])
}

/// Its name.
pub(super) fn model_hash() -> B256 {
    model().map(|model| model.hash()).unwrap_or_default()
}

/// What the model of this name reads at a block: a price that moves with it, as any node would read it there. A `lie` is
/// another price. Nothing where there is no such model.
pub(super) fn terms(hash: B256, at: B256, lie: u64) -> Option<Vec<Term<Reading>>> {
    let model = model().ok().filter(|model| model.hash() == hash)?;
    let price = 90 + u64::from(at[31] % 20) + 7 * lie;
    let read = |source: &Source| match source {
        Source::Constant { value } => Ok(*value),
        Source::QuorumStake { .. } => Ok(U256::from(400)),
        Source::FeedRound { .. } => Ok(U256::from(price)),
        Source::StorageSlot { .. } | Source::ViewCall { .. } => Ok(U256::from(50)),
    };
    Some(model.terms().iter().map(|term| term.map(read)).collect())
}

/// What one computes who is told so.
pub(super) fn answer(at: B256, lie: u64) -> SafetyFactor {
    let answer = terms(model_hash(), at, lie).and_then(|terms| evaluate(&terms).ok());
    answer.unwrap_or(SafetyFactor(I256::ZERO))
}
