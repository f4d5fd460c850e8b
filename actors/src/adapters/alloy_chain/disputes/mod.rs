//! The disputes contract, and what becomes of faults.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `recompute` | what an answer must be, and its proof |
//! | `posted` | the answer that is there |
//! | `standing` | how it stands |
//! | `fault` | how the fault of its signers stands |
//! | `calls` | what is sent |

mod calls;
mod fault;
mod posted;
mod recompute;
mod standing;

use alloy::primitives::{Address, B256, Bytes, U256};
use anzen_messages::{OperatorId, Task};
use async_trait::async_trait;

use super::AlloyChain;
use crate::ports::{
    AnswerStanding, ChainError, ContractCall, Disputes, FaultStanding, PostedAnswer, Recomputed,
};

#[async_trait]
impl Disputes for AlloyChain {
    async fn recompute(&self, task: &Task) -> Result<Recomputed, ChainError> {
        self.recomputed(task).await
    }

    async fn posted(&self, task: &Task, transaction: B256) -> Result<Option<PostedAnswer>, ChainError> {
        self.posted_in(task, transaction).await
    }

    async fn standing(&self, task: &Task, answer: &PostedAnswer) -> Result<AnswerStanding, ChainError> {
        self.answer_standing(task, answer).await
    }

    fn challenge_call(
        &self,
        task: &Task,
        answer: &PostedAnswer,
        witness: &Bytes,
    ) -> Result<ContractCall, ChainError> {
        Ok(self.to_disputes(&calls::challenge(task, answer, witness)?))
    }

    fn committee_call(&self, task: &Task, answer: &PostedAnswer, bond: U256) -> ContractCall {
        ContractCall { value: bond, ..self.to_disputes(&calls::challenge_by_committee(task, answer)) }
    }

    fn lapse_call(&self, task: &Task) -> ContractCall {
        self.to_disputes(&calls::lapse(task))
    }

    async fn freeze_call(
        &self,
        task: &Task,
        answer: &PostedAnswer,
        signers: &[OperatorId],
    ) -> Result<ContractCall, ChainError> {
        let members = self.members(task, signers).await?;
        Ok(self.to_disputes(&calls::freeze_signers(task, answer, members)))
    }

    fn eject_call(&self, fault: B256, operator: Address) -> ContractCall {
        self.to_service_manager(&calls::retry_ejection(fault, operator))
    }

    fn execute_call(&self, fault: &FaultStanding, operators: &[Address]) -> ContractCall {
        self.to_service_manager(&calls::execute_slashing(fault, operators))
    }
}
