//! How an answer stands.

use alloy::primitives::B256;
use alloy::primitives::aliases::U80;
use anzen_contracts::AnzenDisputes::{bondCall, committeeDisputeCall};
use anzen_contracts::AnzenServiceManager::faultCall;
use anzen_contracts::AnzenTaskManager::windowsAtCall;
use anzen_contracts::SafetyFactorOracle::roundStatusCall;
use anzen_contracts::anzen_disputes::IAnzenDisputes::CommitteeDispute;
use anzen_contracts::eigenlayer::OperatorStateRetriever::getOperatorStateCall;
use anzen_deploy::disputes::{FaultKind, WITHDRAWN};
use anzen_messages::Task;

use super::super::AlloyChain;
use super::super::rpc::At;
use super::fault;
use crate::ports::{AnswerStanding, ChainError, CommitteeCase, PostedAnswer};

impl AlloyChain {
    /// Asked in one batch; where a fault is recorded, in another for its signers.
    pub(super) async fn answer_standing(
        &self,
        task: &Task,
        answer: &PostedAnswer,
    ) -> Result<AnswerStanding, ChainError> {
        let (at, task_hash) = (self.addresses, task.hash().0);
        let fault_id = FaultKind::WrongAnswer.id(task_hash, B256::ZERO);
        let mut batch = self.rpc.batch();
        let windows = windowsAtCall { blockNumber: task.created_block };
        let windows = batch.view(at.task_manager, &windows, At::Latest);
        let status = roundStatusCall { oracleIndex: task.oracle_index, roundId: U80::from(answer.round) };
        let status = batch.view(at.oracle, &status, At::Latest);
        let case = committeeDisputeCall { taskHash: task_hash };
        let case = batch.view(at.disputes, &case, At::Latest);
        let bond = batch.view(at.disputes, &bondCall {}, At::Latest);
        let fault = batch.view(at.service_manager, &faultCall { faultId: fault_id }, At::Latest);
        let state = getOperatorStateCall {
            registryCoordinator: at.registry_coordinator,
            quorumNumbers: task.quorum_numbers.clone(),
            blockNumber: task.reference_block,
        };
        let state = batch.view(at.operator_state_retriever, &state, At::Latest);
        batch.send().await?;

        let fault = fault.get().await?;
        let signers = fault::signers(&state.get().await?, &answer.non_signers);
        let is_recorded = fault.recordedBlock != 0;
        let windows = windows.get().await?;
        let challenge_end = u64::from(answer.responded_block) + u64::from(windows.challenge);
        let committee = case_of(&case.get().await?)?;
        Ok(AnswerStanding {
            challenge_end,
            proof_end: proof_end(challenge_end, windows.veto, committee),
            withdrawn: status.get().await? == WITHDRAWN,
            committee,
            bond: bond.get().await?,
            fault: if is_recorded {
                Some(self.fault_standing(fault_id, fault, signers).await?)
            } else {
                None
            },
        })
    }
}

/// A source that answers again lets a dispute before the committee be decided by proof, as long as half of the veto is left
/// (ProvedDisputes).
fn proof_end(challenge_end: u64, veto: u32, committee: CommitteeCase) -> u64 {
    match committee {
        CommitteeCase::Pending { ruling_end } => {
            challenge_end.max(ruling_end.min(challenge_end + u64::from(veto / 2)))
        }
        _ => challenge_end,
    }
}

/// How a dispute stands, from `IAnzenDisputes.DisputeState`.
fn case_of(dispute: &CommitteeDispute) -> Result<CommitteeCase, ChainError> {
    match dispute.state {
        0 => Ok(CommitteeCase::NotAsked),
        1 => Ok(CommitteeCase::Pending { ruling_end: dispute.rulingEnd.into() }),
        2 => Ok(CommitteeCase::Upheld),
        3 => Ok(CommitteeCase::Rejected),
        4 => Ok(CommitteeCase::Lapsed),
        state => Err(ChainError::Nonsense(format!("a dispute is in state {state}, which there is none of"))),
    }
}
