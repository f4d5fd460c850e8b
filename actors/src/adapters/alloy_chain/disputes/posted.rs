//! The answer to a task that is on chain.

use alloy::primitives::{B256, U256, keccak256};
use alloy::rpc::types::{Filter, Log};
use alloy::sol_types::{SolEvent, SolValue};
use anzen_contracts::AnzenTaskManager::{TaskResponded, responseHashCall};
use anzen_contracts::SafetyFactorOracle::SafetyFactorUpdated;
use anzen_deploy::tasks::record_of;
use anzen_messages::{OperatorId, Task};
use serde::Deserialize;

use super::super::rpc::{Answer, At};
use super::super::{AlloyChain, ChainAddresses};
use crate::ports::{ChainError, PostedAnswer};

/// What is needed of a transaction; nodes answer with more.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RpcPlace {
    block_hash: Option<B256>,
}

impl AlloyChain {
    /// Asks for the transaction's block, then for the logs there that matter. The receipt has all logs, and whoever posts an answer
    /// chooses what else the transaction does: tens of megabytes of them.
    pub(super) async fn posted_in(
        &self,
        task: &Task,
        transaction: B256,
    ) -> Result<Option<PostedAnswer>, ChainError> {
        let mut batch = self.rpc.batch();
        let hash = responseHashCall { taskHash: task.hash().0 };
        let hash = batch.view(self.addresses.task_manager, &hash, At::Latest);
        let place: Answer<Option<RpcPlace>> = batch.ask("eth_getTransactionByHash", &[transaction]);
        batch.send().await?;
        let hash = hash.get().await?;
        if hash.is_zero() {
            return Ok(None);
        }
        let unknown = || {
            let what = format!("task {} is answered, and there is no transaction {transaction}", task.index);
            ChainError::Nonsense(what)
        };
        let block = place.get().await?.and_then(|place| place.block_hash).ok_or_else(unknown)?;
        let filters = self.addresses.logs_of_answer(task, block).map(|filter| [filter]);
        let logs: Vec<Vec<Log>> = self.rpc.ask_many("eth_getLogs", filters.into()).await?;
        self.addresses.answer_of(task, hash, &logs.concat()).map(Some)
    }
}

impl ChainAddresses {
    /// Those logs of a block that tell the answer to a task, and the round that it was written in.
    fn logs_of_answer(&self, task: &Task, block: B256) -> [Filter; 2] {
        let posted = Filter::new().address(self.task_manager).event_signature(TaskResponded::SIGNATURE_HASH);
        let posted = posted.topic2(task.hash().0);
        let written = Filter::new().address(self.oracle).event_signature(SafetyFactorUpdated::SIGNATURE_HASH);
        let written = written.topic1(U256::from(task.oracle_index)).topic3(U256::from(task.index));
        [posted, written].map(|filter| filter.at_block_hash(block))
    }

    /// The answer that logs of a block tell, if it is the one that the task manager keeps the hash of.
    pub(in super::super) fn answer_of(
        &self,
        task: &Task,
        response_hash: B256,
        logs: &[Log],
    ) -> Result<PostedAnswer, ChainError> {
        let nonsense =
            |what: &str| ChainError::Nonsense(format!("the answer to task {}: {what}", task.index));
        let task_hash = task.hash();
        let posted = logs.iter().filter(|log| log.address() == self.task_manager).filter_map(|log| {
            let event = TaskResponded::decode_log_validate(&log.inner).ok()?.data;
            (event.taskHash == task_hash.0).then_some(event)
        });
        let posted =
            posted.last().ok_or_else(|| nonsense("the transaction that was named did not post it"))?;
        let written = logs.iter().filter(|log| log.address() == self.oracle).filter_map(|log| {
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

#[cfg(test)]
mod tests {
    use super::super::super::fuzz::ADDRESSES;
    use super::*;
    use crate::testing;
    use alloy::primitives::aliases::U80;
    use alloy::primitives::{Address, I256, LogData};
    use anzen_contracts::{TaskResponse, TaskResponseMetadata};

    const ABSENT: B256 = B256::repeat_byte(5);

    fn log(address: Address, data: LogData) -> Log {
        Log { inner: alloy::primitives::Log { address, data }, ..Log::default() }
    }

    fn responded(task: &Task) -> TaskResponded {
        TaskResponded {
            taskIndex: task.index,
            taskHash: task.hash().0,
            response: TaskResponse { taskHash: task.hash().0, safetyFactor: I256::ONE },
            metadata: TaskResponseMetadata {
                respondedBlock: 103,
                signatoryRecordHash: record_of(task.reference_block, &[ABSENT]),
            },
            nonSignerIds: vec![ABSENT],
        }
    }

    fn hash(event: &TaskResponded) -> B256 {
        keccak256((event.response.clone(), event.metadata.clone()).abi_encode())
    }

    fn updated(task: &Task, round: u64) -> Log {
        let event = SafetyFactorUpdated {
            oracleIndex: task.oracle_index,
            roundId: U80::from(round),
            taskIndex: task.index,
            safetyFactor: I256::ONE,
            referenceBlock: task.reference_block,
        };
        log(ADDRESSES.oracle, event.encode_log_data())
    }

    fn logs(event: &TaskResponded, updated: Log) -> Vec<Log> {
        vec![log(ADDRESSES.task_manager, event.encode_log_data()), updated]
    }

    /// Whoever posts an answer may have far more logged in its block.
    #[test]
    fn of_the_block_of_an_answer_only_its_own_logs_are_asked_for() {
        let (task, other, block) = (testing::task(3, 100), testing::task(4, 100), B256::repeat_byte(8));
        let filters = ADDRESSES.logs_of_answer(&task, block);
        let asked_for = |log: &Log| filters.each_ref().map(|filter| filter.matches(&log.inner));
        let told = |task| logs(&responded(task), updated(task, 7));
        assert_eq!(told(&task).iter().map(asked_for).collect::<Vec<_>>(), [[true, false], [false, true]]);
        let elsewhere = log(Address::ZERO, responded(&task).encode_log_data());
        for noise in told(&other).iter().chain([&elsewhere]) {
            assert_eq!(asked_for(noise), [false; 2]);
        }
        assert!(filters.iter().all(|filter| filter.get_block_hash() == Some(block)));
    }

    #[test]
    fn an_answer_is_read_with_those_who_did_not_sign_and_its_round() {
        let task = testing::task(3, 100);
        let event = responded(&task);
        // A node may tell more than it was asked for.
        let other = testing::task(4, 100);
        let mut told = logs(&event, updated(&task, 7));
        told.extend(logs(&responded(&other), updated(&other, 8)));
        let answer = ADDRESSES.answer_of(&task, hash(&event), &told).unwrap();
        assert_eq!((answer.responded_block, answer.round), (103, 7));
        assert_eq!(answer.non_signers, [OperatorId(ABSENT)]);
        assert_eq!(answer.response.task_hash, task.hash());
    }

    #[test]
    fn what_the_task_manager_did_not_keep_is_no_answer() {
        let task = testing::task(3, 100);
        let told = |event: &TaskResponded, updated: Log| {
            let answer = ADDRESSES.answer_of(&task, hash(&responded(&task)), &logs(event, updated));
            answer.unwrap_err().to_string()
        };
        let mut event = responded(&task);
        event.response.safetyFactor = I256::MINUS_ONE;
        assert!(told(&event, updated(&task, 7)).contains("keeps the hash of"));
        let mut event = responded(&task);
        event.nonSignerIds.clear();
        assert!(told(&event, updated(&task, 7)).contains("non-signers"));
        let other = testing::task(4, 100);
        assert!(told(&responded(&other), updated(&task, 7)).contains("did not post it"));
        assert!(told(&responded(&task), updated(&other, 7)).contains("in no round"));
        let elsewhere = Log {
            inner: alloy::primitives::Log { address: Address::ZERO, ..updated(&task, 7).inner },
            ..Log::default()
        };
        assert!(told(&responded(&task), elsewhere).contains("in no round"));
    }
}
