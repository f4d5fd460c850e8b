//! What the actor asks of the world.

use std::sync::Arc;

use alloy::primitives::B256;
use anzen_messages::model;

use super::Config;
use super::duty::Computed;
use super::protection::{Protection, SPACE};
use crate::ports::{ChainError, ModelInputs, Rng, Store, TaskContract};

/// The signing records and the response window, as soon as both can be read. Without its records nothing is signed.
pub(super) async fn load(
    store: Arc<dyn Store>,
    contract: Arc<dyn TaskContract>,
    rng: Arc<dyn Rng>,
    config: Config,
) -> (Protection, u64) {
    let read = async || {
        let records = store.load(SPACE).await.map_err(|error| error.to_string())?;
        Protection::load(records, store.restorations()).map_err(|error| error.to_string())
    };
    let mut protection = config.retry.until_answered(rng.as_ref(), "the signing protection", read).await;
    if config.key_is_new && !protection.trust_that_the_key_is_new() {
        tracing::debug!("operator_signer.key_is_new says nothing any more: the signing protection has begun");
    }
    let windows = async || contract.windows().await;
    let windows = config.retry.until_answered(rng.as_ref(), "the task manager", windows).await;
    (protection, windows.response)
}

/// Reads what the model of this name needs at a block, and evaluates it.
pub(super) async fn evaluate(
    model: B256,
    at: B256,
    inputs: &dyn ModelInputs,
) -> Result<Computed, ChainError> {
    let terms = inputs.terms(model, at).await?;
    Ok(match model::evaluate(&terms) {
        Ok(value) => Computed::Answer(value),
        Err(reason) => Computed::NoAnswer(reason),
    })
}
