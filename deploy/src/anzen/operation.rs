//! Calls that the timelock makes, one after the other, in one transaction.

use alloy::{
    primitives::{Address, B256, Bytes, U256, keccak256},
    sol_types::SolCall,
};
use anzen_contracts::TimelockController;

/// An operation of OpenZeppelin's TimelockController, without a predecessor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    targets: Vec<Address>,
    payloads: Vec<Bytes>,
    salt: B256,
}

impl Operation {
    /// Of no calls yet; `name` tells it from others with the same calls.
    pub(crate) fn new(name: &str) -> Self {
        Self { targets: Vec::new(), payloads: Vec::new(), salt: keccak256(name) }
    }

    pub(crate) fn add(&mut self, target: Address, call: &impl SolCall) {
        self.add_encoded(target, call.abi_encode().into());
    }

    pub(crate) fn add_encoded(&mut self, target: Address, data: Bytes) {
        self.targets.push(target);
        self.payloads.push(data);
    }

    /// The view that tells its id.
    pub(crate) fn identify(&self) -> TimelockController::hashOperationBatchCall {
        let Self { targets, payloads, salt } = self.clone();
        let values = self.values();
        TimelockController::hashOperationBatchCall {
            targets,
            values,
            payloads,
            predecessor: B256::ZERO,
            salt,
        }
    }

    /// The proposer's call.
    pub(crate) fn schedule(&self, delay: U256) -> TimelockController::scheduleBatchCall {
        let Self { targets, payloads, salt } = self.clone();
        let (values, predecessor) = (self.values(), B256::ZERO);
        TimelockController::scheduleBatchCall { targets, values, payloads, predecessor, salt, delay }
    }

    /// The executor's call, once the delay has passed.
    pub(crate) fn execute(&self) -> TimelockController::executeBatchCall {
        let Self { targets, payloads, salt } = self.clone();
        let (values, predecessor) = (self.values(), B256::ZERO);
        TimelockController::executeBatchCall { targets, values, payloads, predecessor, salt }
    }

    fn values(&self) -> Vec<U256> {
        vec![U256::ZERO; self.targets.len()]
    }
}
