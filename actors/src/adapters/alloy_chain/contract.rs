//! The task manager.

use alloy::primitives::{Address, Bytes, U256};
use alloy::sol_types::SolCall;
use anzen_contracts::AnzenTaskManager;
use anzen_contracts::anzen_task_manager::{
    BN254, IAnzenTaskManager, IBLSSignatureChecker::NonSignerStakesAndSignature,
};
use anzen_contracts::eigenlayer::OperatorStateRetriever::{
    CheckSignaturesIndices, getCheckSignaturesIndicesCall,
};
use anzen_messages::bls::{G1Bytes, G2Bytes};
use anzen_messages::{Certificate, SafetyFactor, Task, TaskResponse};
use async_trait::async_trait;
use serde_json::json;

use super::AlloyChain;
use super::events::from_task;
use super::rpc::At;
use crate::ports::{CallError, ChainError, ResponseCall, TaskContract, TaskRules, Windows};

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
        batch.send().await?;
        let (policy, latest) = (policy.get().await?, latest.get().await?);
        if policy.quorumNumbers.is_empty() {
            let error = format!("governance has no task policy for protocol {oracle_index}");
            return Err(ChainError::Nonsense(error));
        }
        Ok(TaskRules {
            quorums: policy.quorumNumbers.to_vec(),
            least_threshold: policy.leastThresholdPercentage,
            greatest_threshold: policy.greatestThresholdPercentage,
            min_interval: policy.minTaskInterval.into(),
            model_hash: policy.modelHash,
            latest_created: latest.exists.then(|| latest.createdBlock.into()),
            open: open.get().await?,
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
        let (task_hash, safety_factor) = response.values();
        let call = AnzenTaskManager::respondToTaskCall {
            task: from_task(task),
            response: IAnzenTaskManager::TaskResponse { taskHash: task_hash, safetyFactor: safety_factor },
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

fn complete(certificate: &Certificate, indices: CheckSignaturesIndices) -> NonSignerStakesAndSignature {
    NonSignerStakesAndSignature {
        nonSignerQuorumBitmapIndices: indices.nonSignerQuorumBitmapIndices,
        nonSignerPubkeys: certificate.non_signers.iter().map(|operator| g1(operator.key)).collect(),
        quorumApks: certificate.quorum_apks.iter().map(|key| g1(*key)).collect(),
        apkG2: g2(certificate.signers_apk),
        sigma: g1(certificate.signature),
        quorumApkIndices: indices.quorumApkIndices,
        totalStakeIndices: indices.totalStakeIndices,
        nonSignerStakeIndices: indices.nonSignerStakeIndices,
    }
}

fn g1(bytes: G1Bytes) -> BN254::G1Point {
    let (x, y): (U256, U256) = bytes.to_words();
    BN254::G1Point { X: x, Y: y }
}

fn g2(bytes: G2Bytes) -> BN254::G2Point {
    let [x0, x1, y0, y1] = bytes.to_words();
    BN254::G2Point { X: [x0, x1], Y: [y0, y1] }
}
