//! How far an operator is, and what it counts for.

use super::{OperatorError, OperatorSetup, QUORUM};
use alloy::primitives::{Address, B256, U256};
use anzen_contracts::eigenlayer::{AllocationManager, DelegationManager, StakeRegistry};
use serde::Serialize;
use std::fmt;

/// An operator as the chain shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Its address.
    pub operator: Address,
    /// Its id: the hash of its BLS key.
    pub operator_id: B256,
    /// Whether it is registered with EigenLayer.
    pub is_operator: bool,
    /// What it has deposited itself, in shares.
    pub deposited: U256,
    /// What is delegated to it, its own included, in shares.
    pub delegated: U256,
    /// How much of that is allocated to Anzen, of 1e18.
    pub magnitude: u64,
    /// Whether it belongs to the quorum.
    pub is_member: bool,
    /// Whether it can be slashed: yes, for a while, after it has left too.
    pub is_slashable: bool,
    /// Its stake as the registry recorded it last.
    pub recorded_stake: U256,
    /// Its stake as it would be recorded now.
    pub weight: U256,
    /// The quorum's minimum.
    pub minimum_stake: U256,
    /// The socket that it has published.
    pub socket: String,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yes = |value| if value { "yes" } else { "no" };
        writeln!(f, "operator             {}", self.operator)?;
        writeln!(f, "operator id          {}", self.operator_id)?;
        writeln!(f, "in EigenLayer        {}", yes(self.is_operator))?;
        writeln!(f, "deposited shares     {}", self.deposited)?;
        writeln!(f, "delegated shares     {}", self.delegated)?;
        writeln!(f, "allocated magnitude  {}", self.magnitude)?;
        writeln!(f, "in quorum {QUORUM}          {}", yes(self.is_member))?;
        writeln!(f, "slashable            {}", yes(self.is_slashable))?;
        writeln!(f, "stake, recorded      {}", self.recorded_stake)?;
        writeln!(f, "stake, now           {}", self.weight)?;
        writeln!(f, "minimum stake        {}", self.minimum_stake)?;
        write!(f, "socket               {}", self.socket)
    }
}

impl OperatorSetup {
    /// How far the operator is.
    pub async fn status(&self) -> Result<Status, OperatorError> {
        let (operator, operator_id) = (self.address(), self.operator_id());
        let at = &self.addresses;
        let is_operator =
            self.read(at.delegation_manager, DelegationManager::isOperatorCall { operator }).await?;
        let shares = DelegationManager::operatorSharesCall { operator, strategy: at.strategy };
        let slashable =
            AllocationManager::isOperatorSlashableCall { operator, operatorSet: self.operator_set() };
        let recorded = StakeRegistry::getCurrentStakeCall { operatorId: operator_id, quorumNumber: QUORUM };
        let weight = StakeRegistry::weightOfOperatorForQuorumCall { quorumNumber: QUORUM, operator };
        Ok(Status {
            operator,
            operator_id,
            is_operator,
            deposited: self.deposited().await?,
            delegated: self.read(at.delegation_manager, shares).await?,
            magnitude: self.allocation().await?.currentMagnitude,
            is_member: self.is_member().await?,
            is_slashable: self.read(at.allocation_manager, slashable).await?,
            recorded_stake: U256::from(self.read(at.stake_registry, recorded).await?),
            weight: U256::from(self.read(at.stake_registry, weight).await?),
            minimum_stake: self.minimum_stake().await?,
            socket: self.socket().await?,
        })
    }
}
