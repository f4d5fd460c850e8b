//! How far an operator is, and what it counts for.

use super::{Operator, OperatorError, QUORUM, WHOLE_MAGNITUDE, allocation::share};
use crate::chain::ChainError;
use alloy::primitives::{Address, B256, U256};
use anzen_contracts::eigenlayer::{BLSApkRegistry, DelegationManager, StakeRegistry};
use serde::{Serialize, Serializer};
use std::fmt::{self, Display};

/// An operator as the chain shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Its address.
    pub operator: Address,
    /// Its id: the hash of its BLS key; nothing where it never registered one.
    pub operator_id: Option<B256>,
    /// What it can pay for gas with, in wei.
    #[serde(serialize_with = "decimal")]
    pub ether: U256,
    /// Whether it is registered with EigenLayer.
    pub is_operator: bool,
    /// From an allocation to the block in which it holds, in blocks; nothing where that does not hold yet.
    pub allocation_delay: Option<u32>,
    /// The strategy of the quorum.
    pub strategy: Address,
    /// What it has deposited itself, in the strategy's shares.
    #[serde(serialize_with = "decimal")]
    pub deposited: U256,
    /// What is delegated to it, its own included, in shares.
    #[serde(serialize_with = "decimal")]
    pub delegated: U256,
    /// What it has of the token outside the strategy, in the smallest unit.
    #[serde(serialize_with = "decimal")]
    pub token_balance: U256,
    /// How much of its stake is allocated to Anzen, of 1e18.
    #[serde(serialize_with = "decimal")]
    pub magnitude: u64,
    /// The change of that which is under way.
    pub pending: Option<PendingAllocation>,
    /// How much slashing has left to be allocated at all, of 1e18.
    #[serde(serialize_with = "decimal")]
    pub max_magnitude: u64,
    /// Whether it belongs to the quorum.
    pub is_member: bool,
    /// Whether it can be slashed: yes, for a while, after it has left too.
    pub is_slashable: bool,
    /// Its stake as the registry recorded it last.
    #[serde(serialize_with = "decimal")]
    pub recorded_stake: U256,
    /// Its stake as it would be recorded now.
    #[serde(serialize_with = "decimal")]
    pub weight: U256,
    /// The quorum's minimum.
    #[serde(serialize_with = "decimal")]
    pub minimum_stake: U256,
    /// The socket that it has published.
    pub socket: String,
}

/// A change of an allocation that does not hold yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingAllocation {
    /// What will be allocated, of 1e18.
    #[serde(serialize_with = "decimal")]
    pub magnitude: u64,
    /// From which block.
    pub effect_block: u32,
}

/// Numbers of that size lose digits in JSON readers that have floats only.
pub(super) fn decimal<S: Serializer>(number: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

impl Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yes = |value| if value { "yes" } else { "no" };
        let id = self.operator_id.map_or_else(|| "none yet".to_owned(), |id| id.to_string());
        let delay =
            self.allocation_delay.map_or_else(|| "none yet".into(), |blocks| format!("{blocks} blocks"));
        let pending = self
            .pending
            .as_ref()
            .map(|pending| format!(", from block {} {}", pending.effect_block, share(pending.magnitude)));
        let slashed = if self.max_magnitude < WHOLE_MAGNITUDE { " (the rest was slashed)" } else { "" };
        writeln!(f, "operator             {}", self.operator)?;
        writeln!(f, "operator id          {id}")?;
        writeln!(f, "ether                {}", super::Amount::ether(self.ether))?;
        writeln!(f, "in EigenLayer        {}", yes(self.is_operator))?;
        writeln!(f, "allocation delay     {delay}")?;
        writeln!(f, "strategy             {}", self.strategy)?;
        writeln!(f, "deposited shares     {}", self.deposited)?;
        writeln!(f, "delegated shares     {}", self.delegated)?;
        writeln!(f, "allocated            {}{}", share(self.magnitude), pending.unwrap_or_default())?;
        writeln!(f, "can be allocated     {}{slashed}", share(self.max_magnitude))?;
        writeln!(f, "in quorum {QUORUM}          {}", yes(self.is_member))?;
        writeln!(f, "slashable            {}", yes(self.is_slashable))?;
        writeln!(f, "stake, recorded      {}", self.recorded_stake)?;
        writeln!(f, "stake, now           {}", self.weight)?;
        writeln!(f, "minimum stake        {}", self.minimum_stake)?;
        write!(f, "socket               {}", self.socket)
    }
}

impl Operator {
    /// How far the operator is.
    pub async fn status(&self) -> Result<Status, OperatorError> {
        let (operator, at) = (self.address, &self.addresses);
        let shares = DelegationManager::operatorSharesCall { operator, strategy: at.strategy };
        let weight = StakeRegistry::weightOfOperatorForQuorumCall { quorumNumber: QUORUM, operator };
        let operator_id = self.id().await?;
        let allocation = self.allocation().await?;
        let pending = (allocation.pendingDiff != 0).then(|| PendingAllocation {
            magnitude: after(allocation.currentMagnitude, allocation.pendingDiff),
            effect_block: allocation.effectBlock,
        });
        Ok(Status {
            operator,
            operator_id,
            ether: self.ether().await?,
            is_operator: self.is_operator().await?,
            allocation_delay: self.allocation_delay().await?,
            strategy: at.strategy,
            deposited: self.deposited().await?,
            delegated: self.read(at.delegation_manager, shares).await?,
            token_balance: self.balance().await?,
            magnitude: allocation.currentMagnitude,
            pending,
            max_magnitude: self.max_magnitude().await?,
            is_member: self.is_member().await?,
            is_slashable: self.is_slashable().await?,
            recorded_stake: self.recorded_stake(operator_id).await?,
            weight: U256::from(self.read(at.stake_registry, weight).await?),
            minimum_stake: self.minimum_stake().await?,
            socket: match operator_id {
                Some(id) => self.socket(id).await?,
                None => String::new(),
            },
        })
    }

    /// The id of its BLS key, which it keeps after it has left; nothing where it never registered one.
    pub(super) async fn id(&self) -> Result<Option<B256>, ChainError> {
        let view = BLSApkRegistry::getOperatorIdCall { operator: self.address };
        let id = self.read(self.addresses.bls_apk_registry, view).await?;
        Ok((!id.is_zero()).then_some(id))
    }

    async fn recorded_stake(&self, id: Option<B256>) -> Result<U256, ChainError> {
        let Some(id) = id else { return Ok(U256::ZERO) };
        let view = StakeRegistry::getCurrentStakeCall { operatorId: id, quorumNumber: QUORUM };
        Ok(U256::from(self.read(self.addresses.stake_registry, view).await?))
    }
}

fn after(magnitude: u64, change: i128) -> u64 {
    u64::try_from(i128::from(magnitude).saturating_add(change)).unwrap_or_default()
}
