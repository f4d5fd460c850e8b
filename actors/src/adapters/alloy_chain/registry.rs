//! Operators and stakes.

use std::collections::BTreeMap;

use alloy::primitives::{Address, Bytes, U256};
use alloy::sol_types::SolCall;
use anzen_contracts::AnzenTaskManager;
use anzen_contracts::eigenlayer::OperatorStateRetriever::{self, getOperatorStateCall};
use anzen_contracts::eigenlayer::{BLSApkRegistry, SlashingRegistryCoordinator, StakeRegistry};
use anzen_messages::chain::BlockRef;
use anzen_messages::operator::Operator;
use anzen_messages::{OperatorId, OperatorSet};
use async_trait::async_trait;

use super::AlloyChain;
use super::rpc::At;
use crate::ports::{
    ChainError, ChainReader, OperatorRegistry, RecordedStake, RegisteredOperator, StakeStatus,
};

#[async_trait]
impl OperatorRegistry for AlloyChain {
    async fn operators_at(&self, at: BlockRef, quorums: &[u8]) -> Result<OperatorSet, ChainError> {
        let call = self.state_call(at, quorums)?;
        let retriever = self.addresses.operator_state_retriever;
        let state = self.rpc.view(retriever, &call, At::Block(at.hash)).await?;
        if state.len() != quorums.len() {
            return Err(ChainError::Nonsense(format!(
                "{} quorums where {} were asked for",
                state.len(),
                quorums.len()
            )));
        }
        let members = memberships(quorums, &state);
        let accounts: Vec<_> = members.iter().map(|(id, (address, _))| (*id, *address)).collect();
        let keys = self.keys_of(&accounts).await?;
        let operators = members.into_iter().zip(keys);
        let operators =
            operators.map(|((id, (address, stakes)), key)| (id, Operator { address, key, stakes }));
        Ok(OperatorSet::new(quorums.to_vec(), operators.collect()))
    }

    async fn operator(&self, id: OperatorId) -> Result<Option<RegisteredOperator>, ChainError> {
        let call = BLSApkRegistry::getOperatorFromPubkeyHashCall { pubkeyHash: id.0 };
        let address = self.rpc.view(self.addresses.bls_apk_registry, &call, At::Latest).await?;
        if address.is_zero() {
            return Ok(None);
        }
        let keys = self.keys_of(&[(id, address)]).await?;
        Ok(keys.first().map(|key| RegisteredOperator { address, key: *key }))
    }

    async fn stakes(&self, quorum: u8) -> Result<StakeStatus, ChainError> {
        // All of it at one block: the newest.
        let at = self.head().await?.at;
        let block = At::Block(at.hash);
        let refreshed = SlashingRegistryCoordinator::quorumUpdateBlockNumberCall { quorumNumber: quorum };
        let least = StakeRegistry::minimumStakeForQuorumCall { quorumNumber: quorum };
        let mut batch = self.rpc.batch();
        let state =
            batch.view(self.addresses.operator_state_retriever, &self.state_call(at, &[quorum])?, block);
        let refreshed = batch.view(self.addresses.registry_coordinator, &refreshed, block);
        let noted = AnzenTaskManager::notedRefreshCall { quorumNumber: quorum };
        let noted = batch.view(self.addresses.task_manager, &noted, block);
        let max_age = batch.view(self.addresses.task_manager, &AnzenTaskManager::maxStakeAgeCall {}, block);
        let least = batch.view(self.addresses.stake_registry, &least, block);
        batch.send().await?;
        let members = state.get().await?.into_iter().next().unwrap_or_default();
        let least = U256::from(least.get().await?);
        let max_age = max_age.get().await?.into();
        let (refreshed, noted) = (refreshed.get().await?.saturating_to(), noted.get().await?.into());
        Ok(StakeStatus {
            refreshed_at: refresh_that_counts(refreshed, noted, max_age, at.number),
            max_age,
            operators: self.weigh(quorum, members, least, block).await?,
        })
    }

    fn refresh_quorum_call(&self, quorum: u8, operators: &[Address]) -> (Address, Bytes) {
        let call = AnzenTaskManager::refreshStakesCall {
            operatorsPerQuorum: vec![ascending(operators)],
            quorumNumbers: vec![quorum].into(),
        };
        (self.addresses.task_manager, call.abi_encode().into())
    }

    fn refresh_operators_call(&self, operators: &[Address]) -> (Address, Bytes) {
        let call = SlashingRegistryCoordinator::updateOperatorsCall { operators: ascending(operators) };
        (self.addresses.registry_coordinator, call.abi_encode().into())
    }
}

impl AlloyChain {
    fn state_call(&self, at: BlockRef, quorums: &[u8]) -> Result<getOperatorStateCall, ChainError> {
        let number = u32::try_from(at.number).map_err(|_| ChainError::NoSuchBlock(at.number.to_string()))?;
        Ok(getOperatorStateCall {
            registryCoordinator: self.addresses.registry_coordinator,
            quorumNumbers: quorums.to_vec().into(),
            blockNumber: number,
        })
    }

    /// What a refresh would record: an operator below the quorum's minimum has no stake, and is removed.
    async fn weigh(
        &self,
        quorum: u8,
        members: Vec<OperatorStateRetriever::Operator>,
        least: U256,
        at: At,
    ) -> Result<Vec<RecordedStake>, ChainError> {
        let weight =
            |operator| StakeRegistry::weightOfOperatorForQuorumCall { quorumNumber: quorum, operator };
        let calls = members.iter().map(|member| (self.addresses.stake_registry, weight(member.operator)));
        let weights = self.rpc.views(calls, at).await?.into_iter().map(U256::from);
        let current = weights.map(|weight| if weight < least { U256::ZERO } else { weight });
        let stake = |(member, current): (OperatorStateRetriever::Operator, U256)| RecordedStake {
            operator: member.operator,
            recorded: U256::from(member.stake),
            current,
        };
        let mut stakes: Vec<_> = members.into_iter().zip(current).map(stake).collect();
        stakes.sort_by_key(|stake| stake.operator);
        Ok(stakes)
    }
}

/// The block of the refresh whose age decides when the next one is due. Someone may refresh at the coordinator in every
/// block: then only a refresh that the task manager notes lets tasks be created. It replaces a note that is older than half
/// of `max_age`; a younger one needs no other, and would get none.
fn refresh_that_counts(refreshed: u64, noted: u64, max_age: u64, head: u64) -> u64 {
    if noted.saturating_add(max_age / 2) < head { noted } else { refreshed.max(noted) }
}

type Memberships = BTreeMap<OperatorId, (Address, BTreeMap<u8, U256>)>;

fn memberships(quorums: &[u8], state: &[Vec<OperatorStateRetriever::Operator>]) -> Memberships {
    let mut members = Memberships::new();
    for (quorum, operators) in quorums.iter().zip(state) {
        for operator in operators {
            let entry = members.entry(OperatorId(operator.operatorId));
            let (_, stakes) = entry.or_insert_with(|| (operator.operator, BTreeMap::new()));
            stakes.insert(*quorum, U256::from(operator.stake));
        }
    }
    members
}

fn ascending(operators: &[Address]) -> Vec<Address> {
    let mut operators = operators.to_vec();
    operators.sort_unstable();
    operators
}

#[cfg(test)]
mod tests {
    use super::refresh_that_counts;

    #[test]
    fn a_refresh_that_is_not_noted_counts_while_the_note_is_young() {
        // Half of the greatest age, 200, is over in block 1001.
        assert_eq!(refresh_that_counts(950, 900, 200, 1000), 950);
        assert_eq!(refresh_that_counts(1001, 900, 200, 1001), 900);
        assert_eq!(refresh_that_counts(1001, 0, 200, 1001), 0);
    }
}
