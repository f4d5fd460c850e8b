//! What one operator signed: attesting its answer, proving that it gave two.

use alloy::primitives::B256;
use anzen_contracts::{AnzenDisputes, eigenlayer::SlashingRegistryCoordinator};
use anzen_messages::{
    OperatorId, Task,
    evidence::{Evidence, OperatorKeys, SignedAnswer},
};

use super::{DisputeError, Disputes, FaultKind};
use crate::{
    chain::{ChainError, Request},
    tasks::TaskRecord,
};

impl Disputes {
    /// Looks whether an operator can attest its answer to a task.
    ///
    /// # Errors
    /// Where the window is over, or it has done so.
    pub async fn check_attestable(
        &self,
        task: &TaskRecord,
        operator: OperatorId,
    ) -> Result<(), DisputeError> {
        let view = AnzenDisputes::hasAttestedCall { taskHash: task.hash, operatorId: operator.0 };
        if self.read(self.addresses.disputes, view).await? {
            return Err(DisputeError::AlreadyAttested { operator: operator.0, task: task.hash });
        }
        let (next, last) = (self.head().await? + 1, task.last_block);
        if next > last {
            return Err(DisputeError::AttestWindowOver { task: task.hash, last, next });
        }
        Ok(())
    }

    /// Records an operator's own answer on chain.
    pub fn attesting(&self, task: &Task, answer: SignedAnswer, key: OperatorKeys) -> Request {
        let call = AnzenDisputes::attestCall { task: task.into(), answer: answer.into(), key: key.into() };
        Request::call("attesting the answer", self.addresses.disputes, &call)
    }

    /// Proves on chain that an operator signed two answers to a task, after a look at the document and the chain.
    ///
    /// # Errors
    /// Where the document proves nothing or is about another deployment, where the task is not on the chain, where it is too late, or
    /// proved already.
    pub async fn proving_equivocation(&self, evidence: &Evidence) -> Result<Request, DisputeError> {
        evidence.verify()?;
        let Evidence { chain_id, task_manager, ref task, operator, first, second, .. } = *evidence;
        if (chain_id, task_manager) != (self.addresses.chain_id, self.addresses.task_manager) {
            return Err(DisputeError::AnotherDeployment { chain_id, task_manager });
        }
        let hash = evidence.task_hash().0;
        if self.tasks.hash_at(task.index).await? != Some(hash) {
            return Err(DisputeError::TaskNotOnChain(hash));
        }
        let fault = FaultKind::Equivocation.id(hash, operator.id.0);
        if self.fault(fault).await?.is_some() {
            return Err(DisputeError::AlreadyProved(fault));
        }
        let (next, last) = (self.head().await? + 1, self.last_proof(task).await?);
        if next > last {
            return Err(DisputeError::ProofWindowOver { task: hash, last, next });
        }
        let call = AnzenDisputes::proveEquivocationCall {
            task: task.into(),
            first: first.into(),
            second: second.into(),
            key: operator.into(),
            bitmapIndex: self.bitmap_index(task, operator.id.0).await?,
        };
        Ok(Request::call("proving the two answers", self.addresses.disputes, &call))
    }

    /// The last block in which two answers to a task can be proved.
    async fn last_proof(&self, task: &Task) -> Result<u64, ChainError> {
        let windows = self.windows_at(task.created_block).await?;
        Ok(u64::from(task.created_block) + u64::from(windows.response) + u64::from(windows.challenge))
    }

    /// Which entry in the coordinator's history of the operator's quorums was in force at the reference block.
    async fn bitmap_index(&self, task: &Task, operator: B256) -> Result<u32, ChainError> {
        Ok(self.bitmap_indices(task, vec![operator]).await?.first().copied().unwrap_or_default())
    }

    /// The same of several operators, in their order.
    pub(super) async fn bitmap_indices(
        &self,
        task: &Task,
        operators: Vec<B256>,
    ) -> Result<Vec<u32>, ChainError> {
        let view = SlashingRegistryCoordinator::getQuorumBitmapIndicesAtBlockNumberCall {
            blockNumber: task.reference_block,
            operatorIds: operators,
        };
        self.read(self.addresses.registry_coordinator, view).await
    }
}
