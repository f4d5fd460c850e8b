//! Who signed: the operators at the reference block, less the non-signers that the answer's event names.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, keccak256};
use anzen_contracts::eigenlayer::OperatorStateRetriever;
use anzen_messages::{OperatorId, Task};

use super::{Part, Response, Tasks};
use crate::chain::{ChainError, read};

impl Tasks {
    /// Every operator that could sign, ascending by account, and whether it did.
    pub async fn signers(&self, task: &Task, response: &Response) -> Result<Vec<Part>, ChainError> {
        let view = OperatorStateRetriever::getOperatorStateCall {
            registryCoordinator: self.addresses.registry_coordinator,
            quorumNumbers: task.quorum_numbers.clone(),
            blockNumber: task.reference_block,
        };
        let state = read(&self.provider, self.addresses.operator_state_retriever, view).await?;
        let mut parts: BTreeMap<Address, Part> = BTreeMap::new();
        for one in state.into_iter().flatten() {
            let id = OperatorId(one.operatorId);
            let signed = !response.non_signers.contains(&id);
            let part = Part { operator: one.operator, id, stake: one.stake.to(), signed };
            parts.entry(one.operator).or_insert(part);
        }
        Ok(parts.into_values().collect())
    }
}

/// What the contract records of a certificate (IBLSSignatureChecker.checkSignatures).
pub fn record_of(reference_block: u32, non_signers: &[B256]) -> B256 {
    let mut packed = reference_block.to_be_bytes().to_vec();
    packed.extend(non_signers.iter().flatten());
    keccak256(packed)
}
