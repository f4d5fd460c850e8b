//! The models that have been asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy::primitives::{B256, Bytes};
use anzen_contracts::SafetyFactorModels::getModelCall;
use anzen_messages::model::Model;

use super::super::AlloyChain;
use super::super::rpc::{At, view_params};
use crate::ports::ChainError;

/// The most models that are kept in memory; a deployment has one a protocol, and now and then a new one.
const MOST: usize = 1_024;

/// Models by their names.
#[derive(Debug, Default)]
pub(in super::super) struct Kept(Mutex<BTreeMap<B256, Arc<Model>>>);

impl Kept {
    fn models(&self) -> MutexGuard<'_, BTreeMap<B256, Arc<Model>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, hash: B256) -> Option<Arc<Model>> {
        self.models().get(&hash).cloned()
    }

    fn keep(&self, hash: B256, model: &Arc<Model>) {
        let mut models = self.models();
        if models.len() >= MOST {
            models.pop_first();
        }
        models.insert(hash, Arc::clone(model));
    }
}

impl AlloyChain {
    /// The model of this name, as of the block with this hash.
    ///
    /// # Errors
    /// Where `SafetyFactorModels` has none, or no endpoint tells which it is.
    pub async fn model(&self, hash: B256, at: B256) -> Result<Arc<Model>, ChainError> {
        if let Some(model) = self.kept.get(hash) {
            return Ok(model);
        }
        let params = view_params(self.addresses.models, &getModelCall { modelHash: hash }, At::Block(at));
        let mut first = None;
        for endpoint in self.rpc.order() {
            match self.rpc.ask_of::<_, Bytes>(endpoint, "eth_call", &params).await {
                Ok(encoded) => match Model::decode(&encoded) {
                    Ok(model) if model.hash() == hash => {
                        let model = Arc::new(model);
                        self.kept.keep(hash, &model);
                        return Ok(model);
                    }
                    Ok(_) | Err(_) => {
                        let what = format!("the answer to getModel({hash}) is not that model");
                        first.get_or_insert(ChainError::Nonsense(what));
                    }
                },
                Err(failure) => _ = first.get_or_insert(failure.into()),
            }
        }
        Err(first.unwrap_or_else(|| ChainError::Endpoint("there is none".into())))
    }
}
