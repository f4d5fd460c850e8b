//! What models read.

use alloy::primitives::{B256, U256};
use anzen_contracts::eigenlayer::StakeRegistry;
use anzen_contracts::{AggregatorV3Interface, IERC4626};
use anzen_messages::model::{Inputs, Model};
use async_trait::async_trait;

use super::AlloyChain;
use super::rpc::At;
use crate::ports::{ChainError, ModelInputs};

#[async_trait]
impl ModelInputs for AlloyChain {
    async fn inputs(&self, model: &Model, at: B256) -> Result<Inputs, ChainError> {
        let at = At::Block(at);
        let stake = StakeRegistry::getCurrentTotalStakeCall { quorumNumber: model.quorum };
        let price = AggregatorV3Interface::latestRoundDataCall {};
        let mut batch = self.rpc.batch();
        let stake = batch.view(model.stake_registry, &stake, at);
        let stake_price = batch.view(model.stake_price_feed, &price, at);
        let assets = batch.view(model.vault, &IERC4626::totalAssetsCall {}, at);
        let asset_price = batch.view(model.vault_price_feed, &price, at);
        batch.send().await?;
        Ok(Inputs {
            stake: U256::from(stake.get().await?),
            stake_price: stake_price.get().await?.answer,
            assets: assets.get().await?,
            asset_price: asset_price.get().await?.answer,
        })
    }
}
