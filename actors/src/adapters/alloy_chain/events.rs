//! From logs to events.

use alloy::primitives::{B256, Bloom, BloomInput};
use alloy::rpc::types::{Filter, Log};
use alloy::sol_types::SolEvent;
use anzen_contracts::AnzenTaskManager::{NewTaskCreated, TaskResponded, WindowsSet};
use anzen_contracts::eigenlayer::BLSApkRegistry::{OperatorAddedToQuorums, OperatorRemovedFromQuorums};
use anzen_contracts::eigenlayer::SlashingRegistryCoordinator::QuorumBlockNumberUpdated;
use anzen_contracts::eigenlayer::StakeRegistry::OperatorStakeUpdate;
use anzen_messages::Task;
use anzen_messages::chain::ChainEvent;

use super::ChainAddresses;
use crate::ports::ChainError;

/// What is followed. An operator that joins or leaves a quorum shows in the key registry; the index registry's own event
/// comes with it and says no more.
pub(super) const EVENTS: [B256; 7] = [
    NewTaskCreated::SIGNATURE_HASH,
    TaskResponded::SIGNATURE_HASH,
    WindowsSet::SIGNATURE_HASH,
    OperatorAddedToQuorums::SIGNATURE_HASH,
    OperatorRemovedFromQuorums::SIGNATURE_HASH,
    OperatorStakeUpdate::SIGNATURE_HASH,
    QuorumBlockNumberUpdated::SIGNATURE_HASH,
];

impl ChainAddresses {
    fn emitters(&self) -> [alloy::primitives::Address; 4] {
        [self.task_manager, self.registry_coordinator, self.stake_registry, self.bls_apk_registry]
    }

    /// The logs that are followed.
    pub(super) fn filter(&self) -> Filter {
        Filter::new().address(self.emitters().to_vec()).event_signature(EVENTS.to_vec())
    }

    /// True where a block with this bloom may have such logs. Some blocks that have none look as if they had.
    pub(super) fn may_be_in(&self, bloom: &Bloom) -> bool {
        let has = |bytes: &[u8]| bloom.contains_input(BloomInput::Raw(bytes));
        self.emitters().iter().any(|address| has(address.as_slice()))
            && EVENTS.iter().any(|topic| has(topic.as_slice()))
    }

    /// The events of one block, from its logs in order.
    pub(super) fn events(&self, logs: &[&Log]) -> Result<Vec<ChainEvent>, ChainError> {
        let mut events = Vec::new();
        for log in logs {
            let event = self.event(log)?;
            // One suffices to tell that the sets have changed.
            if event != ChainEvent::OperatorsChanged || !events.contains(&event) {
                events.push(event);
            }
        }
        Ok(events)
    }

    fn event(&self, log: &Log) -> Result<ChainEvent, ChainError> {
        let from = |emitter| log.address() == emitter;
        match log.topic0().copied().unwrap_or_default() {
            NewTaskCreated::SIGNATURE_HASH if from(self.task_manager) => task_created(log),
            TaskResponded::SIGNATURE_HASH if from(self.task_manager) => task_responded(log),
            WindowsSet::SIGNATURE_HASH if from(self.task_manager) => {
                let blocks = decode::<WindowsSet>(log)?.windows.response.into();
                Ok(ChainEvent::ResponseWindowChanged { blocks })
            }
            QuorumBlockNumberUpdated::SIGNATURE_HASH if from(self.registry_coordinator) => {
                let quorum = decode::<QuorumBlockNumberUpdated>(log)?.quorumNumber;
                Ok(ChainEvent::QuorumRefreshed { quorum })
            }
            OperatorStakeUpdate::SIGNATURE_HASH
            | OperatorAddedToQuorums::SIGNATURE_HASH
            | OperatorRemovedFromQuorums::SIGNATURE_HASH => Ok(ChainEvent::OperatorsChanged),
            topic => Err(ChainError::Nonsense(format!("{} emitted {topic}, which it cannot", log.address()))),
        }
    }
}

fn decode<E: SolEvent>(log: &Log) -> Result<E, ChainError> {
    let decoded = log.log_decode::<E>().map_err(|error| {
        ChainError::Nonsense(format!(
            "{} emitted a {} that cannot be read: {error}",
            log.address(),
            E::SIGNATURE
        ))
    })?;
    Ok(decoded.inner.data)
}

fn task_created(log: &Log) -> Result<ChainEvent, ChainError> {
    let event = decode::<NewTaskCreated>(log)?;
    let task = Task::from(event.task);
    let hash = task.hash();
    if hash.0 != event.taskHash {
        let said = event.taskHash;
        return Err(ChainError::Nonsense(format!(
            "task {} hashes to {hash}, and the event says {said}",
            task.index
        )));
    }
    Ok(ChainEvent::TaskCreated { task })
}

fn task_responded(log: &Log) -> Result<ChainEvent, ChainError> {
    let event = decode::<TaskResponded>(log)?;
    Ok(ChainEvent::TaskResponded {
        task_index: event.taskIndex,
        response: event.response.into(),
        transaction: log.transaction_hash.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, LogData};

    use super::*;
    use crate::testing;

    const ADDRESSES: ChainAddresses = ChainAddresses {
        chain_id: 1,
        task_manager: Address::repeat_byte(1),
        registry_coordinator: Address::repeat_byte(2),
        stake_registry: Address::repeat_byte(3),
        bls_apk_registry: Address::repeat_byte(4),
        operator_state_retriever: Address::repeat_byte(5),
        service_manager: Address::repeat_byte(6),
        models: Address::repeat_byte(9),
        oracle: Address::repeat_byte(10),
        allocation_manager: Address::repeat_byte(7),
        rewards_coordinator: Address::repeat_byte(8),
        disputes: Address::repeat_byte(11),
        model_evaluator: Address::repeat_byte(12),
    };

    fn log(address: Address, data: LogData) -> Log {
        Log { inner: alloy::primitives::Log { address, data }, ..Log::default() }
    }

    fn created(task: &Task, hash: B256) -> Log {
        let event = NewTaskCreated { taskIndex: task.index, taskHash: hash, task: task.into() };
        log(ADDRESSES.task_manager, event.encode_log_data())
    }

    fn stake_update() -> Log {
        let event =
            OperatorStakeUpdate { operatorId: B256::ZERO, quorumNumber: 0, stake: Default::default() };
        log(ADDRESSES.stake_registry, event.encode_log_data())
    }

    #[test]
    fn a_task_is_read_as_it_was_created() {
        let task = testing::task(3, 100);
        let log = created(&task, task.hash().0);
        assert_eq!(ADDRESSES.events(&[&log]), Ok(vec![ChainEvent::TaskCreated { task }]));
    }

    #[test]
    fn a_task_that_hashes_to_something_else_is_an_error() {
        let error = ADDRESSES.events(&[&created(&testing::task(3, 100), B256::ZERO)]).unwrap_err();
        assert!(error.to_string().contains("task 3 hashes to"), "{error}");
    }

    #[test]
    fn many_changes_of_operators_in_a_block_are_one() {
        let refreshed = QuorumBlockNumberUpdated { quorumNumber: 7, blocknumber: Default::default() };
        let refreshed = log(ADDRESSES.registry_coordinator, refreshed.encode_log_data());
        let events = ADDRESSES.events(&[&stake_update(), &refreshed, &stake_update()]).unwrap();
        assert_eq!(events, [ChainEvent::OperatorsChanged, ChainEvent::QuorumRefreshed { quorum: 7 }]);
    }

    #[test]
    fn a_log_that_cannot_be_read_is_an_error() {
        let task = testing::task(3, 100);
        let mut cut = created(&task, task.hash().0);
        cut.inner.data.data = cut.inner.data.data.slice(..100);
        assert!(matches!(ADDRESSES.events(&[&cut]), Err(ChainError::Nonsense(_))));
        let mut foreign = created(&task, task.hash().0);
        foreign.inner.address = ADDRESSES.stake_registry;
        assert!(matches!(ADDRESSES.events(&[&foreign]), Err(ChainError::Nonsense(_))));
    }

    #[test]
    fn a_bloom_tells_where_logs_may_be_missing() {
        let mut bloom = Bloom::default();
        assert!(!ADDRESSES.may_be_in(&bloom));
        bloom.accrue_log(&stake_update().inner);
        assert!(ADDRESSES.may_be_in(&bloom));
    }
}
