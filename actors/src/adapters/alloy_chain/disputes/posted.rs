//! The answer to a task that is on chain.

use alloy::primitives::{B256, U256, keccak256};
use alloy::rpc::types::Log;
use alloy::sol_types::{SolEvent, SolValue};
use anzen_contracts::AnzenTaskManager::{TaskResponded, responseHashCall};
use anzen_contracts::SafetyFactorOracle::SafetyFactorUpdated;
use anzen_messages::{OperatorId, Task};
use serde::Deserialize;

use super::super::rpc::{Answer, At};
use super::super::{AlloyChain, ChainAddresses};
use crate::ports::{ChainError, PostedAnswer};

/// What is needed of a receipt; nodes answer with more.
#[derive(Debug, Deserialize)]
pub(in super::super) struct RpcLogs {
    logs: Vec<Log>,
}

impl AlloyChain {
    pub(super) async fn posted_in(
        &self,
        task: &Task,
        transaction: B256,
    ) -> Result<Option<PostedAnswer>, ChainError> {
        let mut batch = self.rpc.batch();
        let hash = responseHashCall { taskHash: task.hash().0 };
        let hash = batch.view(self.addresses.task_manager, &hash, At::Latest);
        let receipt: Answer<Option<RpcLogs>> = batch.ask("eth_getTransactionReceipt", &[transaction]);
        batch.send().await?;
        let hash = hash.get().await?;
        if hash.is_zero() {
            return Ok(None);
        }
        let unknown = || {
            let what = format!("task {} is answered, and there is no transaction {transaction}", task.index);
            ChainError::Nonsense(what)
        };
        let receipt = receipt.get().await?.ok_or_else(unknown)?;
        self.addresses.answer_of(task, hash, &receipt).map(Some)
    }
}

impl ChainAddresses {
    /// The answer that a transaction posted, if it is the one that the task manager keeps the hash of.
    pub(in super::super) fn answer_of(
        &self,
        task: &Task,
        response_hash: B256,
        receipt: &RpcLogs,
    ) -> Result<PostedAnswer, ChainError> {
        let nonsense =
            |what: &str| ChainError::Nonsense(format!("the answer to task {}: {what}", task.index));
        let task_hash = task.hash();
        let logs = || receipt.logs.iter();
        let posted = logs().filter(|log| log.address() == self.task_manager).filter_map(|log| {
            let event = TaskResponded::decode_log_validate(&log.inner).ok()?.data;
            (event.taskHash == task_hash.0).then_some(event)
        });
        let posted = posted.last().ok_or_else(|| nonsense("the transaction did not post it"))?;
        let written = logs().filter(|log| log.address() == self.oracle).filter_map(|log| {
            let event = SafetyFactorUpdated::decode_log_validate(&log.inner).ok()?.data;
            (event.oracleIndex == task.oracle_index && event.taskIndex == task.index).then_some(event)
        });
        let written = written.last().ok_or_else(|| nonsense("it was written in no round of the oracle"))?;

        if keccak256((posted.response.clone(), posted.metadata.clone()).abi_encode()) != response_hash {
            return Err(nonsense("the log is not what the task manager keeps the hash of"));
        }
        let signatory_record = posted.metadata.signatoryRecordHash;
        if record_of(task.reference_block, &posted.nonSignerIds) != signatory_record {
            return Err(nonsense("the non-signers are not those of the record"));
        }
        let round = U256::from(written.roundId);
        Ok(PostedAnswer {
            response: posted.response.into(),
            responded_block: posted.metadata.respondedBlock,
            signatory_record,
            non_signers: posted.nonSignerIds.into_iter().map(OperatorId).collect(),
            round: round.try_into().map_err(|_| nonsense("no oracle has had so many rounds"))?,
        })
    }
}

/// What the contract records of a certificate (`IBLSSignatureChecker.checkSignatures`).
fn record_of(reference_block: u32, non_signers: &[B256]) -> B256 {
    let mut packed = reference_block.to_be_bytes().to_vec();
    packed.extend(non_signers.iter().flatten());
    keccak256(packed)
}
