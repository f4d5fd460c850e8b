//! Tasks and their answers.

use std::fmt;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_sol_types::{Eip712Domain, SolStruct, SolValue, eip712_domain, sol};
use serde::{Deserialize, Serialize};

use crate::SafetyFactor;

mod abi {
    super::sol! {
        /// As in IAnzenTaskManager; the order of the fields is part of the task's identity.
        struct Task {
            uint32 index;
            uint32 oracleIndex;
            bytes32 modelHash;
            int256 proposedSafetyFactor;
            uint32 referenceBlock;
            bytes32 referenceBlockHash;
            uint32 createdBlock;
            bytes quorumNumbers;
            uint32 quorumThresholdPercentage;
        }
        struct TaskResponse {
            bytes32 taskHash;
            int256 safetyFactor;
        }
    }
}

/// A task's identity: `keccak256(abi.encode(task))`. An index that a reorg reuses belongs to another task.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskHash(pub B256);

impl fmt::Display for TaskHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for TaskHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What the operators of some quorums are asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Task {
    /// Its number, from 0, in the order of creation.
    pub index: u32,
    /// The protocol that is measured.
    pub oracle_index: u32,
    /// The model that computes the answer.
    pub model_hash: B256,
    /// What the generator computed, for operators to verify.
    pub proposed_safety_factor: SafetyFactor,
    /// The block whose state the answer is about: the one before the creation.
    pub reference_block: u32,
    /// That block's hash.
    pub reference_block_hash: B256,
    /// The block of the creation; the response window counts from it.
    pub created_block: u32,
    /// The quorums that must sign: one byte each, ascending.
    pub quorum_numbers: Bytes,
    /// The least share of each quorum's stake that must sign (51 to 100).
    pub quorum_threshold_percentage: u32,
}

impl Task {
    /// The task's identity.
    pub fn hash(&self) -> TaskHash {
        let task = abi::Task {
            index: self.index,
            oracleIndex: self.oracle_index,
            modelHash: self.model_hash,
            proposedSafetyFactor: self.proposed_safety_factor.0,
            referenceBlock: self.reference_block,
            referenceBlockHash: self.reference_block_hash,
            createdBlock: self.created_block,
            quorumNumbers: self.quorum_numbers.clone(),
            quorumThresholdPercentage: self.quorum_threshold_percentage,
        };
        TaskHash(keccak256(task.abi_encode()))
    }
}

/// An answer to a task: what operators sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskResponse {
    /// The task that is answered.
    pub task_hash: TaskHash,
    /// The answer.
    pub safety_factor: SafetyFactor,
}

impl TaskResponse {
    /// The digest that operators sign, hashed to the curve: EIP-712 in the task manager's domain.
    pub fn digest(&self, domain: &SigningDomain) -> B256 {
        let response = abi::TaskResponse { taskHash: self.task_hash.0, safetyFactor: self.safety_factor.0 };
        response.eip712_signing_hash(&domain.0)
    }
}

/// The EIP-712 domain of everything that operators sign with their BLS keys: this chain, this task manager.
#[derive(Debug, Clone)]
pub struct SigningDomain(pub(crate) Eip712Domain);

impl SigningDomain {
    /// The domain of the task manager at `task_manager` on the chain `chain_id`.
    pub fn new(chain_id: u64, task_manager: Address) -> Self {
        Self(eip712_domain! {
            name: "AnzenTaskManager",
            version: "1",
            chain_id: chain_id,
            verifying_contract: task_manager,
        })
    }

    /// The chain.
    pub fn chain_id(&self) -> u64 {
        self.0.chain_id.map_or(0, |id| id.saturating_to())
    }

    /// The task manager.
    pub fn task_manager(&self) -> Address {
        self.0.verifying_contract.unwrap_or_default()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use alloy_primitives::{I256, address, b256};

    pub(crate) fn a_task() -> Task {
        Task {
            index: 3,
            oracle_index: 1,
            model_hash: B256::repeat_byte(0x11),
            proposed_safety_factor: SafetyFactor(I256::try_from(-7).unwrap()),
            reference_block: 100,
            reference_block_hash: B256::repeat_byte(0x22),
            created_block: 101,
            quorum_numbers: Bytes::from_static(&[0, 1]),
            quorum_threshold_percentage: 67,
        }
    }

    #[test]
    fn the_hash_covers_every_field() {
        let changes: [fn(&mut Task); 9] = [
            |task| task.index += 1,
            |task| task.oracle_index += 1,
            |task| task.model_hash = B256::ZERO,
            |task| task.proposed_safety_factor = SafetyFactor(I256::ZERO),
            |task| task.reference_block += 1,
            |task| task.reference_block_hash = B256::ZERO,
            |task| task.created_block += 1,
            |task| task.quorum_numbers = Bytes::from_static(&[0]),
            |task| task.quorum_threshold_percentage += 1,
        ];
        for change in changes {
            let mut other = a_task();
            change(&mut other);
            assert_ne!(other.hash(), a_task().hash());
        }
    }

    #[test]
    fn the_digest_is_bound_to_chain_and_contract() {
        let response = TaskResponse {
            task_hash: a_task().hash(),
            safety_factor: SafetyFactor(I256::try_from(5).unwrap()),
        };
        let here = address!("00000000000000000000000000000000000000aa");
        let there = address!("00000000000000000000000000000000000000bb");
        let digests =
            [(1, here), (2, here), (1, there)].map(|(id, at)| response.digest(&SigningDomain::new(id, at)));
        assert!(digests[0] != digests[1] && digests[0] != digests[2]);
        assert_ne!(digests[0], b256!("0000000000000000000000000000000000000000000000000000000000000000"));
    }
}
