//! How an operator stands.

use alloy::primitives::{Address, U256};
use anzen_contracts::eigenlayer::{
    AllocationManager, BLSApkRegistry, OperatorSet, RewardsCoordinator, SlashingRegistryCoordinator,
    StakeRegistry,
};
use anzen_deploy::operator::WHOLE_MAGNITUDE;
use anzen_messages::OperatorId;
use async_trait::async_trait;

use super::AlloyChain;
use super::rpc::At;
use crate::ports::{ChainError, OperatorStanding, OperatorStandings};

#[async_trait]
impl OperatorStandings for AlloyChain {
    async fn standing(
        &self,
        operator: OperatorId,
        tokens: &[Address],
    ) -> Result<OperatorStanding, ChainError> {
        let at = self.addresses;
        let id = operator.0;
        let mut batch = self.rpc.batch();
        let account = BLSApkRegistry::getOperatorFromPubkeyHashCall { pubkeyHash: id };
        let account = batch.view(at.bls_apk_registry, &account, At::Latest);
        let bitmap = SlashingRegistryCoordinator::getCurrentQuorumBitmapCall { operatorId: id };
        let bitmap = batch.view(at.registry_coordinator, &bitmap, At::Latest);
        let count = SlashingRegistryCoordinator::quorumCountCall {};
        let count = batch.view(at.registry_coordinator, &count, At::Latest);
        batch.send().await?;
        let (account, bitmap, count) =
            (account.get().await?, U256::from(bitmap.get().await?), count.get().await?);
        if account.is_zero() {
            return Ok(OperatorStanding::default());
        }
        let quorums: Vec<u8> = (0..count).filter(|quorum| bitmap.bit(usize::from(*quorum))).collect();
        let stake = |quorum| StakeRegistry::getCurrentStakeCall { operatorId: id, quorumNumber: quorum };
        let stakes = quorums.iter().map(|quorum| (at.stake_registry, stake(*quorum)));
        let stakes = self.rpc.views(stakes, At::Latest).await?.into_iter().map(U256::from);
        Ok(OperatorStanding {
            stakes: quorums.into_iter().zip(stakes).collect(),
            fees: self.claimed(account, tokens).await?,
            slashed: self.is_slashed(account, count).await?,
        })
    }
}

impl AlloyChain {
    /// What the account has claimed of rewards, by token.
    async fn claimed(
        &self,
        account: Address,
        tokens: &[Address],
    ) -> Result<Vec<(Address, U256)>, ChainError> {
        let claimed = |token| RewardsCoordinator::cumulativeClaimedCall { earner: account, token };
        let calls = tokens.iter().map(|token| (self.addresses.rewards_coordinator, claimed(*token)));
        let claimed = self.rpc.views(calls, At::Latest).await?;
        Ok(tokens.iter().copied().zip(claimed).collect())
    }

    /// Whether the account has lost some of what it can allocate, of a strategy that counts in one of the quorums. Only
    /// slashing, by whichever AVS, takes that away, and nothing gives it back.
    async fn is_slashed(&self, account: Address, quorums: u8) -> Result<bool, ChainError> {
        let manager = self.addresses.allocation_manager;
        let strategies = |quorum: u8| AllocationManager::getStrategiesInOperatorSetCall {
            operatorSet: OperatorSet { avs: self.addresses.service_manager, id: quorum.into() },
        };
        let calls = (0..quorums).map(|quorum| (manager, strategies(quorum)));
        let mut strategies = self.rpc.views(calls, At::Latest).await?.concat();
        strategies.sort_unstable();
        strategies.dedup();
        let most = |strategy| AllocationManager::getMaxMagnitudeCall { operator: account, strategy };
        let calls = strategies.into_iter().map(|strategy| (manager, most(strategy)));
        Ok(self.rpc.views(calls, At::Latest).await?.into_iter().any(|most| most < WHOLE_MAGNITUDE))
    }
}
