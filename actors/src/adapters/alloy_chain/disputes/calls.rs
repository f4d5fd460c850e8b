//! What is sent to the contracts.

use alloy::primitives::aliases::U80;
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::{SolCall, SolValue};
use anzen_contracts::AnzenDisputes::{challengeByCommitteeCall, challengeCall, freezeSignersCall, lapseCall};
use anzen_contracts::AnzenServiceManager::{executeSlashingCall, retryEjectionCall};
use anzen_contracts::anzen_disputes::IAnzenDisputes::Member;
use anzen_contracts::anzen_disputes::IAnzenTaskManager::TaskResponseMetadata;
use anzen_contracts::anzen_disputes::IModelEvaluator::Witness;
use anzen_contracts::anzen_service_manager::IAnzenServiceManager::QuorumStrategies;
use anzen_contracts::eigenlayer::SlashingRegistryCoordinator::getQuorumBitmapIndicesAtBlockNumberCall;
use anzen_messages::{OperatorId, Task};

use super::super::AlloyChain;
use super::super::rpc::At;
use crate::ports::{ChainError, ContractCall, FaultStanding, PostedAnswer};

impl AlloyChain {
    pub(super) fn to_disputes(&self, call: &impl SolCall) -> ContractCall {
        to(self.addresses.disputes, call)
    }

    pub(super) fn to_service_manager(&self, call: &impl SolCall) -> ContractCall {
        to(self.addresses.service_manager, call)
    }

    /// Where in the coordinator's history these operators of a task stand.
    pub(super) async fn members(
        &self,
        task: &Task,
        operators: &[OperatorId],
    ) -> Result<Vec<Member>, ChainError> {
        let question = getQuorumBitmapIndicesAtBlockNumberCall {
            blockNumber: task.reference_block,
            operatorIds: operators.iter().map(|operator| operator.0).collect(),
        };
        let indices = self.rpc.view(self.addresses.registry_coordinator, &question, At::Latest).await?;
        if indices.len() != operators.len() {
            let what = format!("{} indices of bitmaps for {} operators", indices.len(), operators.len());
            return Err(ChainError::Nonsense(what));
        }
        let member = |(id, index): (&OperatorId, u32)| Member { operatorId: id.0, bitmapIndex: index };
        Ok(operators.iter().zip(indices).map(member).collect())
    }
}

fn to(contract: Address, call: &impl SolCall) -> ContractCall {
    ContractCall { to: contract, data: call.abi_encode().into(), value: U256::ZERO }
}

/// What the task manager added to an answer.
pub(super) fn metadata(answer: &PostedAnswer) -> TaskResponseMetadata {
    TaskResponseMetadata {
        respondedBlock: answer.responded_block,
        signatoryRecordHash: answer.signatory_record,
    }
}

pub(super) fn challenge(
    task: &Task,
    answer: &PostedAnswer,
    witness: &Bytes,
) -> Result<challengeCall, ChainError> {
    let unread = |error| ChainError::Nonsense(format!("the witness that was kept cannot be read: {error}"));
    Ok(challengeCall {
        task: task.into(),
        response: (&answer.response).into(),
        metadata: metadata(answer),
        roundId: U80::from(answer.round),
        witness: Witness::abi_decode_validate(witness).map_err(unread)?,
    })
}

pub(super) fn challenge_by_committee(task: &Task, answer: &PostedAnswer) -> challengeByCommitteeCall {
    challengeByCommitteeCall {
        task: task.into(),
        response: (&answer.response).into(),
        metadata: metadata(answer),
        roundId: U80::from(answer.round),
    }
}

pub(super) fn lapse(task: &Task) -> lapseCall {
    lapseCall { taskHash: task.hash().0 }
}

pub(super) fn freeze_signers(task: &Task, answer: &PostedAnswer, signers: Vec<Member>) -> freezeSignersCall {
    freezeSignersCall {
        task: task.into(),
        response: (&answer.response).into(),
        metadata: metadata(answer),
        nonSignerIds: answer.non_signers.iter().map(|operator| operator.0).collect(),
        signers,
    }
}

pub(super) fn retry_ejection(fault: B256, operator: Address) -> retryEjectionCall {
    retryEjectionCall { faultId: fault, operator }
}

pub(super) fn execute_slashing(fault: &FaultStanding, operators: &[Address]) -> executeSlashingCall {
    let part = |(quorum, strategies): &(u8, Vec<Address>)| QuorumStrategies {
        quorumNumber: *quorum,
        strategies: strategies.clone(),
    };
    executeSlashingCall {
        faultId: fault.id,
        plan: fault.plan.iter().map(part).collect(),
        operators: operators.to_vec(),
    }
}
