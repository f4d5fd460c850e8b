//! Disputes, of which the simulation has none: no challenger runs in it, and nothing is ever posted as far as one could ask.

use alloy_primitives::{Address, B256, Bytes, U256};
use anzen_actors::ports::{
    AnswerStanding, ChainError, ContractCall, Disputes, FaultStanding, PostedAnswer, Recomputed,
};
use anzen_messages::{OperatorId, Task};
use async_trait::async_trait;

use super::chain_ports::SimEndpoint;

fn none() -> ChainError {
    ChainError::Nonsense("there are no disputes in the simulation".into())
}

fn nowhere() -> ContractCall {
    ContractCall { to: Address::ZERO, data: Bytes::new(), value: U256::ZERO }
}

#[async_trait]
impl Disputes for SimEndpoint {
    async fn recompute(&self, _: &Task) -> Result<Recomputed, ChainError> {
        Err(none())
    }

    async fn posted(&self, _: &Task, _: B256) -> Result<Option<PostedAnswer>, ChainError> {
        Ok(None)
    }

    async fn standing(&self, _: &Task, _: &PostedAnswer) -> Result<AnswerStanding, ChainError> {
        Err(none())
    }

    fn challenge_call(&self, _: &Task, _: &PostedAnswer, _: &Bytes) -> Result<ContractCall, ChainError> {
        Err(none())
    }

    fn committee_call(&self, _: &Task, _: &PostedAnswer, _: U256) -> ContractCall {
        nowhere()
    }

    fn lapse_call(&self, _: &Task) -> ContractCall {
        nowhere()
    }

    async fn freeze_call(
        &self,
        _: &Task,
        _: &PostedAnswer,
        _: &[OperatorId],
    ) -> Result<ContractCall, ChainError> {
        Err(none())
    }

    fn eject_call(&self, _: B256, _: Address) -> ContractCall {
        nowhere()
    }

    fn execute_call(&self, _: &FaultStanding, _: &[Address]) -> ContractCall {
        nowhere()
    }
}
