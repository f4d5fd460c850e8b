//! An operator as the chain has it: questions that need no key.

use super::{Amount, QUORUM};
use crate::{
    addresses::Addresses,
    chain::{self, ChainError},
};
use alloy::{
    primitives::{Address, U256},
    providers::{DynProvider, Provider},
    sol_types::SolCall,
};
use anzen_contracts::{
    LocalToken,
    eigenlayer::{
        Allocation, AllocationManager, DelegationManager, OperatorSet, SlashingRegistryCoordinator,
        SocketRegistry, StakeRegistry, StrategyBase, StrategyManager,
    },
};
use std::time::Duration;

/// The coordinator's number of an operator that was registered, and is not any more.
const DEREGISTERED: u8 = 2;

/// How an operator stands with the quorum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// It has not belonged to it yet.
    Never,
    /// It belongs to it.
    Member,
    /// It has belonged to it: it left, or was ejected.
    Left,
}

/// One operator of a deployment, by its address.
#[derive(Debug, Clone)]
pub struct Operator {
    pub(super) provider: DynProvider,
    pub(super) address: Address,
    pub(super) addresses: Addresses,
}

impl Operator {
    /// The operator with this address.
    pub fn new(provider: DynProvider, address: Address, addresses: Addresses) -> Self {
        Self { provider, address, addresses }
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// The chain's id.
    pub async fn chain_id(&self) -> Result<u64, ChainError> {
        self.provider.get_chain_id().await.map_err(|e| ChainError::rpc("the chain's id", e))
    }

    /// The chain's height.
    pub async fn height(&self) -> Result<u64, ChainError> {
        self.provider.get_block_number().await.map_err(|e| ChainError::rpc("the latest block's number", e))
    }

    /// How long a block takes, as of the last ones; nothing where that cannot be told.
    pub async fn block_time(&self) -> Result<Option<Duration>, ChainError> {
        chain::block_time(&self.provider).await
    }

    pub(super) async fn read<C: SolCall>(&self, to: Address, call: C) -> Result<C::Return, ChainError> {
        chain::read(&self.provider, to, call).await
    }

    pub(super) fn operator_set(&self) -> OperatorSet {
        OperatorSet { avs: self.addresses.service_manager, id: QUORUM.into() }
    }

    pub(super) async fn is_operator(&self) -> Result<bool, ChainError> {
        let view = DelegationManager::isOperatorCall { operator: self.address };
        self.read(self.addresses.delegation_manager, view).await
    }

    /// How the operator stands with the quorum.
    ///
    /// # Errors
    /// Where the node does not answer.
    pub async fn membership(&self) -> Result<Membership, ChainError> {
        if self.is_member().await? {
            return Ok(Membership::Member);
        }
        let view = SlashingRegistryCoordinator::getOperatorStatusCall { operator: self.address };
        let status = self.read(self.addresses.registry_coordinator, view).await?;
        Ok(if status == DEREGISTERED { Membership::Left } else { Membership::Never })
    }

    /// Whether the operator belongs to the quorum.
    pub(super) async fn is_member(&self) -> Result<bool, ChainError> {
        let view = AllocationManager::isMemberOfOperatorSetCall {
            operator: self.address,
            operatorSet: self.operator_set(),
        };
        self.read(self.addresses.allocation_manager, view).await
    }

    /// The block in which an operator that is no member left the quorum; nothing where it never was one.
    pub(super) async fn left_in(&self) -> Result<Option<u64>, ChainError> {
        let Some(id) = self.id().await? else { return Ok(None) };
        // Who leaves gets a last stake, of nothing.
        let view = StakeRegistry::getLatestStakeUpdateCall { operatorId: id, quorumNumber: QUORUM };
        let last = self.read(self.addresses.stake_registry, view).await?;
        Ok((last.updateBlockNumber > 0).then(|| last.updateBlockNumber.into()))
    }

    /// Whether it can be slashed: a member can, and whoever left lately.
    pub(super) async fn is_slashable(&self) -> Result<bool, ChainError> {
        let view = AllocationManager::isOperatorSlashableCall {
            operator: self.address,
            operatorSet: self.operator_set(),
        };
        self.read(self.addresses.allocation_manager, view).await
    }

    pub(super) async fn deallocation_delay(&self) -> Result<u32, ChainError> {
        self.read(self.addresses.allocation_manager, AllocationManager::DEALLOCATION_DELAYCall {}).await
    }

    pub(super) async fn allocation(&self) -> Result<Allocation, ChainError> {
        let view = AllocationManager::getAllocationCall {
            operator: self.address,
            operatorSet: self.operator_set(),
            strategy: self.addresses.strategy,
        };
        self.read(self.addresses.allocation_manager, view).await
    }

    /// The allocation delay that holds, in blocks; nothing where none holds yet.
    pub(super) async fn allocation_delay(&self) -> Result<Option<u32>, ChainError> {
        let view = AllocationManager::getAllocationDelayCall { operator: self.address };
        let answer = self.read(self.addresses.allocation_manager, view).await?;
        Ok(answer.isSet.then_some(answer.delay))
    }

    /// What is left to be allocated at all after slashings, of 1e18.
    pub(super) async fn max_magnitude(&self) -> Result<u64, ChainError> {
        let (operator, strategy) = (self.address, self.addresses.strategy);
        let view = AllocationManager::getMaxMagnitudeCall { operator, strategy };
        self.read(self.addresses.allocation_manager, view).await
    }

    /// What it has deposited itself, in the strategy's shares.
    pub(super) async fn deposited(&self) -> Result<U256, ChainError> {
        let (staker, strategy) = (self.address, self.addresses.strategy);
        let view = StrategyManager::stakerDepositSharesCall { staker, strategy };
        self.read(self.addresses.strategy_manager, view).await
    }

    /// What its deposit is worth, in the token's smallest unit.
    pub async fn deposited_value(&self) -> Result<U256, ChainError> {
        let view = StrategyBase::userUnderlyingViewCall { user: self.address };
        self.read(self.addresses.strategy, view).await
    }

    pub(super) async fn minimum_stake(&self) -> Result<U256, ChainError> {
        let view = StakeRegistry::minimumStakeForQuorumCall { quorumNumber: QUORUM };
        Ok(U256::from(self.read(self.addresses.stake_registry, view).await?))
    }

    pub(super) async fn socket(&self, id: alloy::primitives::B256) -> Result<String, ChainError> {
        let view = SocketRegistry::getOperatorSocketCall { operatorId: id };
        self.read(self.addresses.socket_registry, view).await
    }

    /// What it has of the token, outside the strategy, in the smallest unit.
    pub(super) async fn balance(&self) -> Result<U256, ChainError> {
        self.read(self.addresses.token, LocalToken::balanceOfCall { account: self.address }).await
    }

    /// What it has to pay for gas with, in wei.
    pub(super) async fn ether(&self) -> Result<U256, ChainError> {
        let balance = self.provider.get_balance(self.address).await;
        balance.map_err(|e| ChainError::rpc(format!("the balance of {}", self.address), e))
    }

    /// How many digits the token has after the point.
    pub async fn decimals(&self) -> Result<u8, ChainError> {
        self.read(self.addresses.token, LocalToken::decimalsCall {}).await
    }

    /// An amount of the token, as people write it.
    pub(super) async fn amount(&self, units: U256) -> Result<Amount, ChainError> {
        let symbol = self.read(self.addresses.token, LocalToken::symbolCall {}).await?;
        Ok(Amount { units, decimals: self.decimals().await?, symbol })
    }
}
