//! The task manager.

use alloy::primitives::{Address, Bytes};
use alloy::sol_types::SolCall;
use anzen_contracts::SafetyFactorOracle::{getSafetyFactorCall, getSafetyFactorReturn};
use anzen_contracts::eigenlayer::OperatorStateRetriever::{
    CheckSignaturesIndices, getCheckSignaturesIndicesCall,
};
use anzen_contracts::{AnzenTaskManager, NonSignerStakesAndSignature};
use anzen_messages::{Certificate, SafetyFactor, Task, TaskResponse};
use async_trait::async_trait;
use serde_json::json;

use super::AlloyChain;
use super::failure::Failure;
use super::rpc::At;
use crate::ports::{CallError, ChainError, OracleValue, ResponseCall, TaskContract, TaskRules, Windows};

#[async_trait]
impl TaskContract for AlloyChain {
    async fn windows(&self) -> Result<Windows, ChainError> {
        let windows =
            self.rpc.view(self.addresses.task_manager, &AnzenTaskManager::windowsCall {}, At::Latest).await?;
        Ok(Windows { response: windows.response.into() })
    }

    async fn rules(&self, oracle_index: u32) -> Result<TaskRules, ChainError> {
        let manager = self.addresses.task_manager;
        let mut batch = self.rpc.batch();
        let policy =
            batch.view(manager, &AnzenTaskManager::taskPolicyCall { oracleIndex: oracle_index }, At::Latest);
        let latest =
            batch.view(manager, &AnzenTaskManager::latestTaskCall { oracleIndex: oracle_index }, At::Latest);
        let open =
            batch.view(manager, &AnzenTaskManager::isOpenCall { oracleIndex: oracle_index }, At::Latest);
        let value = getSafetyFactorCall { oracleIndex: oracle_index };
        let value = batch.view(self.addresses.oracle, &value, At::Latest);
        batch.send().await?;
        let (policy, latest) = (policy.get().await?, latest.get().await?);
        Ok(TaskRules {
            quorums: policy.quorumNumbers.to_vec(),
            least_threshold: policy.leastThresholdPercentage,
            greatest_threshold: policy.greatestThresholdPercentage,
            min_interval: policy.minTaskInterval.into(),
            model_hash: policy.modelHash,
            latest_created: latest.exists.then(|| latest.createdBlock.into()),
            open: open.get().await?,
            value: value_of(value.get().await)?,
        })
    }

    fn create_call(
        &self,
        oracle_index: u32,
        proposed: SafetyFactor,
        rules: &TaskRules,
        threshold: u32,
    ) -> (Address, Bytes) {
        let call = AnzenTaskManager::createNewTaskCall {
            oracleIndex: oracle_index,
            proposedSafetyFactor: proposed.0,
            quorumThresholdPercentage: threshold,
            quorumNumbers: rules.quorums.clone().into(),
        };
        (self.addresses.task_manager, call.abi_encode().into())
    }

    async fn response_call(
        &self,
        task: &Task,
        response: &TaskResponse,
        certificate: &Certificate,
    ) -> Result<ResponseCall, ChainError> {
        let question = getCheckSignaturesIndicesCall {
            registryCoordinator: self.addresses.registry_coordinator,
            referenceBlockNumber: task.reference_block,
            quorumNumbers: task.quorum_numbers.clone(),
            nonSignerOperatorIds: certificate.non_signers.iter().map(|operator| operator.id.0).collect(),
        };
        let indices = self.rpc.view(self.addresses.operator_state_retriever, &question, At::Latest).await?;
        let call = AnzenTaskManager::respondToTaskCall {
            task: task.into(),
            response: response.into(),
            certificate: complete(certificate, indices),
        };
        Ok(ResponseCall { to: self.addresses.task_manager, data: call.abi_encode().into() })
    }

    async fn preflight(&self, from: Address, to: Address, data: &Bytes) -> Result<(), CallError> {
        let call = json!({ "from": from, "to": to, "data": data });
        let _returned: Bytes = self.rpc.ask("eth_call", (call, "latest")).await?;
        Ok(())
    }

    async fn is_answered(&self, task: &Task) -> Result<bool, ChainError> {
        let call = AnzenTaskManager::responseHashCall { taskHash: task.hash().0 };
        Ok(!self.rpc.view(self.addresses.task_manager, &call, At::Latest).await?.is_zero())
    }
}

/// That there is none is said by a revert.
fn value_of(answer: Result<getSafetyFactorReturn, Failure>) -> Result<Option<OracleValue>, ChainError> {
    match answer {
        Ok(value) => Ok(Some(OracleValue {
            safety_factor: SafetyFactor(value.safetyFactor),
            reference_block: value.referenceBlock.into(),
        })),
        Err(Failure::Reverts(_)) => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

fn complete(certificate: &Certificate, indices: CheckSignaturesIndices) -> NonSignerStakesAndSignature {
    NonSignerStakesAndSignature {
        nonSignerQuorumBitmapIndices: indices.nonSignerQuorumBitmapIndices,
        nonSignerPubkeys: certificate.non_signers.iter().map(|operator| operator.key.into()).collect(),
        quorumApks: certificate.quorum_apks.iter().map(|key| (*key).into()).collect(),
        apkG2: certificate.signers_apk.into(),
        sigma: certificate.signature.into(),
        quorumApkIndices: indices.quorumApkIndices,
        totalStakeIndices: indices.totalStakeIndices,
        nonSignerStakeIndices: indices.nonSignerStakeIndices,
    }
}
