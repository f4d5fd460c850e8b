//! What the oracle says, read from the chain: protocols, their latest values, and what was written before.

use alloy::{
    eips::BlockNumberOrTag,
    primitives::{Address, I256},
    providers::{DynProvider, Provider},
};
use anzen_contracts::{
    AnzenTaskManager,
    SafetyFactorOracle::{self, getRoundCall, latestRoundCall},
    TaskPolicy,
};
use anzen_messages::SafetyFactor;
use futures::{StreamExt, TryStreamExt, future, stream};

use crate::{
    addresses::Addresses,
    chain::{ChainError, read},
};

/// How many questions are under way at once.
const AT_ONCE: usize = 8;

/// Why the oracle has no answer.
#[derive(Debug, thiserror::Error)]
pub enum OracleError {
    /// No protocol has this index.
    #[error("the oracle has no protocol {index}; it has {}", list(known))]
    UnknownProtocol {
        /// What was asked for.
        index: u32,
        /// What there is.
        known: Vec<u32>,
    },
    /// The chain did not tell.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

fn list(known: &[u32]) -> String {
    match known {
        [] => "none".into(),
        _ => known.iter().map(u32::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// A protocol in the oracle.
#[derive(Debug, Clone)]
pub struct OracleProtocol {
    /// Its number.
    pub oracle_index: u32,
    /// Its name.
    pub name: String,
    /// Its safety factor as an AggregatorV3 feed.
    pub feed: Address,
    /// What governance demands of its tasks; nothing where it allows none.
    pub policy: Option<TaskPolicy>,
    /// The latest value; nothing where no task has been answered.
    pub latest: Option<Round>,
}

/// A value that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Its number, from 1.
    pub round: u64,
    /// The value.
    pub value: SafetyFactor,
    /// The block that the value is about.
    pub reference_block: u64,
    /// The task that was answered.
    pub task_index: u32,
    /// When it was written, in seconds since 1970.
    pub updated_at: u64,
}

/// Reads the oracle of one deployment.
#[derive(Debug)]
pub struct Oracle<'a> {
    provider: &'a DynProvider,
    addresses: &'a Addresses,
}

impl<'a> Oracle<'a> {
    /// Reads through `provider`.
    pub fn new(provider: &'a DynProvider, addresses: &'a Addresses) -> Self {
        Self { provider, addresses }
    }

    /// Every protocol, in the order in which they were added.
    pub async fn protocols(&self) -> Result<Vec<OracleProtocol>, ChainError> {
        let indices = self.indices().await?;
        stream::iter(indices).map(|index| self.read_protocol(index)).buffered(AT_ONCE).try_collect().await
    }

    /// One protocol.
    pub async fn protocol(&self, index: u32) -> Result<OracleProtocol, OracleError> {
        let view = SafetyFactorOracle::protocolExistsCall { oracleIndex: index };
        if self.read(view).await? {
            return Ok(self.read_protocol(index).await?);
        }
        Err(OracleError::UnknownProtocol { index, known: self.indices().await? })
    }

    /// The last values of a protocol, the oldest first.
    pub async fn history(&self, index: u32, last: u64) -> Result<Vec<Round>, OracleError> {
        let newest = self.protocol(index).await?.latest.map_or(0, |round| round.round);
        let rounds = newest.saturating_sub(last) + 1..=newest;
        let rounds = stream::iter(rounds).map(|round| self.round(index, round)).buffered(AT_ONCE);
        Ok(rounds.try_collect().await?)
    }

    /// The time of a block, in seconds since 1970.
    pub async fn time_of(&self, block: u64) -> Result<u64, ChainError> {
        let found = self.provider.get_block_by_number(BlockNumberOrTag::Number(block)).await;
        let found = found.map_err(|error| ChainError::rpc("a block's time", error))?;
        Ok(found.map(|block| block.header.timestamp).unwrap_or_default())
    }

    async fn indices(&self) -> Result<Vec<u32>, ChainError> {
        let count = self.read(SafetyFactorOracle::protocolCountCall {}).await?.saturating_to::<u64>();
        let at = |position: u64| {
            self.read(SafetyFactorOracle::protocolAtCall {
                position: alloy::primitives::U256::from(position),
            })
        };
        stream::iter(0..count).map(at).buffered(AT_ONCE).try_collect().await
    }

    async fn read_protocol(&self, index: u32) -> Result<OracleProtocol, ChainError> {
        let policy = AnzenTaskManager::taskPolicyCall { oracleIndex: index };
        let (name, feed, latest, policy) = future::try_join4(
            self.read(SafetyFactorOracle::protocolNameCall { oracleIndex: index }),
            self.read(SafetyFactorOracle::feedCall { oracleIndex: index }),
            self.read(latestRoundCall { oracleIndex: index }),
            read(self.provider, self.addresses.task_manager, policy),
        )
        .await?;
        let latest = match latest.to::<u128>() {
            0 => None,
            // The contract counts in 64 bits.
            round => Some(self.round(index, u64::try_from(round).unwrap_or(u64::MAX)).await?),
        };
        let policy = Some(policy).filter(|policy| !policy.quorumNumbers.is_empty());
        Ok(OracleProtocol { oracle_index: index, name, feed, policy, latest })
    }

    async fn round(&self, index: u32, round: u64) -> Result<Round, ChainError> {
        let view = getRoundCall { oracleIndex: index, roundId: alloy::primitives::aliases::U80::from(round) };
        let snapshot = self.read(view).await?;
        Ok(Round {
            round,
            value: SafetyFactor(I256::try_from(snapshot.safetyFactor).unwrap_or_default()),
            reference_block: snapshot.referenceBlock.into(),
            task_index: snapshot.taskIndex,
            updated_at: snapshot.updatedAt.into(),
        })
    }

    async fn read<C: alloy::sol_types::SolCall>(&self, call: C) -> Result<C::Return, ChainError> {
        read(self.provider, self.addresses.safety_factor_oracle, call).await
    }
}
