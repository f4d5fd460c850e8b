//! The latest tasks, or one of them.

use std::collections::BTreeMap;

use alloy::{
    eips::BlockNumberOrTag,
    primitives::{B256, TxHash},
    providers::Provider,
    rpc::types::{Filter, Log},
    sol_types::SolEvent,
};
use anzen_contracts::AnzenTaskManager::{self, NewTaskCreated, TaskResponded};
use anzen_messages::{OperatorId, SafetyFactor, Task};
use futures::{StreamExt, TryStreamExt, stream};

use super::{At, Response, TaskRecord, TaskStatus, Tasks, rpc};
use crate::chain::{ChainError, read};

/// How many questions are under way at once.
const AT_ONCE: usize = 8;

/// Which tasks are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of this protocol only.
    pub oracle_index: Option<u32>,
    /// That stand so only.
    pub status: Option<TaskStatus>,
    /// At most so many, the latest.
    pub last: usize,
    /// Created in this block or later.
    pub from_block: u64,
}

impl Wanted {
    fn wants(&self, record: &TaskRecord, head: u64) -> bool {
        self.oracle_index.is_none_or(|index| record.task.oracle_index == index)
            && self.status.is_none_or(|status| record.status(head) == status)
    }
}

impl Tasks {
    /// The newest block.
    pub async fn head(&self) -> Result<At, ChainError> {
        self.at(BlockNumberOrTag::Latest).await
    }

    /// The time of a block.
    pub(super) async fn at(&self, number: BlockNumberOrTag) -> Result<At, ChainError> {
        let found = self.provider.get_block_by_number(number).await.map_err(rpc("a block"))?;
        let header = found.map(|block| block.header).unwrap_or_default();
        Ok(At { block: header.number, time: header.timestamp })
    }

    /// The latest tasks of those that are wanted, as of block `head`, oldest first. Blocks are read from `head` backwards,
    /// no further than needed.
    pub async fn latest(&self, wanted: &Wanted, head: u64) -> Result<Vec<TaskRecord>, ChainError> {
        let events = vec![NewTaskCreated::SIGNATURE_HASH, TaskResponded::SIGNATURE_HASH];
        let filter = Filter::new().address(self.addresses.task_manager).event_signature(events);
        let first = wanted.from_block.max(self.addresses.deployment_block);
        let (mut records, mut responses) = (Vec::new(), BTreeMap::new());
        let mut last = head;
        while last >= first && records.len() < wanted.last {
            let from = self.logs.newest_part(first, last);
            let logs = self.logs.between(&filter, from, last).await?;
            responses.extend(logs.iter().filter_map(response_in));
            let created = logs.iter().rev().filter_map(task_in).map(|created| {
                let response = responses.remove(&created.hash);
                self.record(created, response)
            });
            let mut found = stream::iter(created).buffered(AT_ONCE);
            while records.len() < wanted.last
                && let Some(record) = found.try_next().await?
            {
                records.extend(Some(record).filter(|record| wanted.wants(record, head)));
            }
            let Some(next) = from.checked_sub(1) else { break };
            last = next;
        }
        records.reverse();
        Ok(records)
    }

    /// The task with this hash; nothing where there is none.
    pub async fn find(&self, hash: B256, head: u64) -> Result<Option<TaskRecord>, ChainError> {
        let filter = Filter::new().address(self.addresses.task_manager).topic2(hash);
        let first = self.addresses.deployment_block;
        let (mut last, mut response) = (head, None);
        while last >= first {
            let from = self.logs.newest_part(first, last);
            let logs = self.logs.between(&filter, from, last).await?;
            response = response.or_else(|| logs.iter().find_map(response_in));
            if let Some(created) = logs.iter().find_map(task_in) {
                return Ok(Some(self.record(created, response.map(|(_, response)| response)).await?));
            }
            let Some(next) = from.checked_sub(1) else { break };
            last = next;
        }
        Ok(None)
    }

    /// The hash of the task with this index; nothing where there is none.
    pub async fn hash_at(&self, index: u32) -> Result<Option<B256>, ChainError> {
        let view = AnzenTaskManager::taskHashAtCall { taskIndex: index };
        let hash = read(&self.provider, self.addresses.task_manager, view).await?;
        Ok(Some(hash).filter(|hash| !hash.is_zero()))
    }

    /// The first block in which a task that can still be answered after `head` can have been created.
    pub(super) async fn oldest_open(&self, head: u64) -> Result<u64, ChainError> {
        let windows = read(&self.provider, self.addresses.task_manager, AnzenTaskManager::windowsCall {});
        Ok(head.saturating_sub(windows.await?.response.into()))
    }

    /// The last block in which a task can be answered.
    pub(super) async fn last_block(&self, task: &Task) -> Result<u64, ChainError> {
        let view = AnzenTaskManager::windowsAtCall { blockNumber: task.created_block };
        let windows = read(&self.provider, self.addresses.task_manager, view).await?;
        Ok(u64::from(task.created_block) + u64::from(windows.response))
    }

    async fn record(&self, created: Created, response: Option<Response>) -> Result<TaskRecord, ChainError> {
        let Created { hash, task, transaction } = created;
        let last_block = self.last_block(&task).await?;
        Ok(TaskRecord { hash, task, transaction, last_block, response })
    }
}

/// What a log tells of a new task.
pub(super) struct Created {
    pub(super) hash: B256,
    pub(super) task: Task,
    transaction: TxHash,
}

/// The task that a log tells of.
pub(super) fn task_in(log: &Log) -> Option<Created> {
    let event = NewTaskCreated::decode_log(&log.inner).ok()?.data;
    let transaction = log.transaction_hash.unwrap_or_default();
    Some(Created { hash: event.taskHash, task: event.task.into(), transaction })
}

/// The answer that a log tells of, with its task's hash.
pub(super) fn response_in(log: &Log) -> Option<(B256, Response)> {
    let event = TaskResponded::decode_log(&log.inner).ok()?.data;
    let response = Response {
        value: SafetyFactor(event.response.safetyFactor),
        block: event.metadata.respondedBlock.into(),
        transaction: log.transaction_hash.unwrap_or_default(),
        non_signers: event.nonSignerIds.into_iter().map(OperatorId).collect(),
    };
    Some((event.taskHash, response))
}
