//! Models that `SafetyFactorModels` keeps.

use crate::chain::{ChainError, read};
use alloy::{
    primitives::{Address, B256},
    providers::DynProvider,
    sol_types::SolValue,
};
use anzen_contracts::SafetyFactorModels;
use anzen_messages::model::Model;

/// Whether `models` has one of this hash.
pub async fn exists(provider: &DynProvider, models: Address, hash: B256) -> Result<bool, ChainError> {
    read(provider, models, SafetyFactorModels::existsCall { modelHash: hash }).await
}

/// The model of this hash. Whatever the node says, it is that model.
pub async fn get(provider: &DynProvider, models: Address, hash: B256) -> Result<Model, ChainError> {
    let call = SafetyFactorModels::getModelCall { modelHash: hash };
    let encoded = read(provider, models, call).await?.abi_encode();
    let model = Model::decode(&encoded).ok().filter(|model| model.hash() == hash);
    model.ok_or_else(|| ChainError::Answer {
        what: format!("getModel({hash})"),
        address: models,
        answer: alloy::hex::encode_prefixed(&encoded),
    })
}
