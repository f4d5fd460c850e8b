//! Who signed: the operators at the reference block, less the non-signers that the certificate names.

use std::collections::{BTreeMap, BTreeSet};

use alloy::{
    consensus::Transaction,
    primitives::{Address, B256, Bytes, keccak256},
    providers::Provider,
    sol_types::SolCall,
};
use anzen_contracts::{AnzenTaskManager, eigenlayer::OperatorStateRetriever};
use anzen_messages::{OperatorId, Task};

use super::{Part, Response, Tasks, rpc};
use crate::chain::{ChainError, read};

impl Tasks {
    /// Every operator that could sign, ascending by account, and whether it did. Nothing where the transaction does not
    /// show the certificate that the contract recorded: another contract may have posted it.
    pub async fn signers(&self, task: &Task, response: &Response) -> Result<Option<Vec<Part>>, ChainError> {
        let found = self.provider.get_transaction_by_hash(response.transaction).await;
        let input = found.map_err(rpc("a transaction"))?.map(|found| found.inner.input().clone());
        let absent = input.and_then(|input| non_signers(&input));
        let shown = |absent: &Vec<B256>| record_of(task.reference_block, absent) == response.signatory_record;
        let Some(absent) = absent.filter(shown) else { return Ok(None) };
        let view = OperatorStateRetriever::getOperatorStateCall {
            registryCoordinator: self.addresses.registry_coordinator,
            quorumNumbers: task.quorum_numbers.clone(),
            blockNumber: task.reference_block,
        };
        let state = read(&self.provider, self.addresses.operator_state_retriever, view).await?;
        let absent: BTreeSet<B256> = absent.into_iter().collect();
        let mut parts: BTreeMap<Address, Part> = BTreeMap::new();
        for one in state.into_iter().flatten() {
            let signed = !absent.contains(&one.operatorId);
            let id = OperatorId(one.operatorId);
            let part = Part { operator: one.operator, id, stake: one.stake.to(), signed };
            parts.entry(one.operator).or_insert(part);
        }
        Ok(Some(parts.into_values().collect()))
    }
}

/// The ids of the non-signers, in the certificate's order.
fn non_signers(input: &Bytes) -> Option<Vec<B256>> {
    let call = AnzenTaskManager::respondToTaskCall::abi_decode(input).ok()?;
    let id = |x: [u8; 32], y: [u8; 32]| keccak256([x, y].concat());
    let keys = call.certificate.nonSignerPubkeys.into_iter();
    Some(keys.map(|key| id(key.X.to_be_bytes(), key.Y.to_be_bytes())).collect())
}

/// What the contract records of a certificate (IBLSSignatureChecker.checkSignatures).
fn record_of(reference_block: u32, non_signers: &[B256]) -> B256 {
    let mut packed = reference_block.to_be_bytes().to_vec();
    packed.extend(non_signers.iter().flatten());
    keccak256(packed)
}
