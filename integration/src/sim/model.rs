//! What is asked: a model whose inputs are made up from the reference block's hash.

use alloy_primitives::{Address, B256, I256, U256};
use anzen_messages::SafetyFactor;
use anzen_messages::model::{Inputs, Model, SafetyModel};

/// How many different lies an endpoint can tell about a block's inputs.
pub(super) const LIES: u64 = 3;

/// The model of every protocol; its inputs are made up by the simulated endpoint.
pub(super) fn model() -> Model {
    Model {
        quorum: 0,
        stake_registry: Address::repeat_byte(1),
        stake_price_feed: Address::repeat_byte(2),
        vault: Address::repeat_byte(3),
        vault_price_feed: Address::repeat_byte(4),
        cost_share_bps: 5_000,
        profit_share_bps: 10_000,
        cost_decimals: 0,
        profit_decimals: 0,
    }
}

/// The inputs at a block: a price that moves with it, as any node would read it there. A `lie` is another price.
pub(super) fn inputs(at: B256, lie: u64) -> Inputs {
    let price = I256::from_raw(U256::from(90 + u64::from(at[31] % 20) + 7 * lie));
    Inputs { stake: U256::from(400), stake_price: price, assets: U256::from(50), asset_price: I256::ONE }
}

/// What one computes who is told so.
pub(super) fn answer(at: B256, lie: u64) -> SafetyFactor {
    model().evaluate(&inputs(at, lie)).unwrap_or(SafetyFactor(I256::ZERO))
}
