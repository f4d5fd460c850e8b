//! What the oracle says, read from the chain: protocols, their latest rounds, and those before.

use std::fmt;

use alloy::{
    eips::BlockNumberOrTag,
    primitives::{Address, I256, U256, aliases::U80},
    providers::{DynProvider, Provider},
};
use anzen_contracts::{
    AnzenTaskManager,
    SafetyFactorOracle::{self, getRoundCall, latestFinalRoundCall, latestRoundCall, roundStatusCall},
    TaskPolicy,
};
use anzen_messages::SafetyFactor;
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    addresses::{Addresses, Feeds},
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
    /// Its safety factor as an AggregatorV3 feed: every round as it is written.
    pub feed: Address,
    /// The same, final rounds only.
    pub final_feed: Address,
    /// What governance demands of its tasks; nothing where it allows none.
    pub policy: Option<TaskPolicy>,
    /// The latest round; nothing where no task has been answered.
    pub latest: Option<Round>,
    /// The latest that is final; nothing where none is.
    pub latest_final: Option<Round>,
}

/// A round of a protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Its number, from 1.
    pub round: u64,
    /// How far it can be relied on.
    pub status: RoundStatus,
    /// What is in it; nothing where it was withdrawn: the oracle does not tell it any more.
    pub written: Option<Written>,
}

/// How far a round can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RoundStatus {
    /// It can still be challenged.
    Provisional,
    /// The committee has to rule on it.
    Disputed,
    /// It could have been challenged, and was not with success.
    Final,
    /// The fallback poster's word.
    Fallback,
    /// It was proved wrong.
    Withdrawn,
}

impl RoundStatus {
    /// As `ISafetyFactorOracle.RoundStatus` numbers them. One that is not known yet is as good as none.
    fn new(number: u8) -> Self {
        match number {
            0 => Self::Provisional,
            1 => Self::Disputed,
            2 => Self::Final,
            3 => Self::Fallback,
            _ => Self::Withdrawn,
        }
    }
}

impl fmt::Display for RoundStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Provisional => "provisional",
            Self::Disputed => "disputed",
            Self::Final => "final",
            Self::Fallback => "fallback",
            Self::Withdrawn => "withdrawn",
        })
    }
}

/// A value that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The value.
    pub value: SafetyFactor,
    /// The block that the value is about.
    pub reference_block: u64,
    /// The task that was answered; nothing of a fallback.
    pub task_index: Option<u32>,
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

    /// The last rounds of a protocol, the oldest first; withdrawn ones too.
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
        let at =
            |position: u64| self.read(SafetyFactorOracle::protocolAtCall { position: U256::from(position) });
        stream::iter(0..count).map(at).buffered(AT_ONCE).try_collect().await
    }

    async fn read_protocol(&self, index: u32) -> Result<OracleProtocol, ChainError> {
        let policy = AnzenTaskManager::taskPolicyCall { oracleIndex: index };
        let (name, feeds, latest, latest_final, policy) = futures::try_join!(
            self.read(SafetyFactorOracle::protocolNameCall { oracleIndex: index }),
            Feeds::read(self.provider, self.addresses.safety_factor_oracle, index),
            self.latest(index),
            self.latest_final(index),
            read(self.provider, self.addresses.task_manager, policy),
        )?;
        let policy = Some(policy).filter(|policy| !policy.quorumNumbers.is_empty());
        let Feeds { all: feed, last_final: final_feed } = feeds;
        Ok(OracleProtocol { oracle_index: index, name, feed, final_feed, policy, latest, latest_final })
    }

    async fn latest(&self, index: u32) -> Result<Option<Round>, ChainError> {
        match self.read(latestRoundCall { oracleIndex: index }).await?.to::<u64>() {
            0 => Ok(None),
            round => self.round(index, round).await.map(Some),
        }
    }

    async fn latest_final(&self, index: u32) -> Result<Option<Round>, ChainError> {
        match self.read(latestFinalRoundCall { oracleIndex: index }).await {
            Ok(round) => self.round(index, round.to()).await.map(Some),
            Err(error) if refuses_with(&error, "NoFinalRound") => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn round(&self, index: u32, round: u64) -> Result<Round, ChainError> {
        let id = U80::from(round);
        let withdrawn = Round { round, status: RoundStatus::Withdrawn, written: None };
        let snapshot = match self.read(getRoundCall { oracleIndex: index, roundId: id }).await {
            Ok(snapshot) => snapshot,
            Err(error) if refuses_with(&error, "RoundIsWithdrawn") => return Ok(withdrawn),
            Err(error) => return Err(error),
        };
        let status = self.read(roundStatusCall { oracleIndex: index, roundId: id }).await?;
        let status = RoundStatus::new(status);
        if status == RoundStatus::Withdrawn {
            // Since it was read.
            return Ok(withdrawn);
        }
        let written = Written {
            value: SafetyFactor(I256::try_from(snapshot.safetyFactor).unwrap_or_default()),
            reference_block: snapshot.referenceBlock.into(),
            task_index: (status != RoundStatus::Fallback).then_some(snapshot.taskIndex),
            updated_at: snapshot.updatedAt.into(),
        };
        Ok(Round { round, status, written: Some(written) })
    }

    async fn read<C: alloy::sol_types::SolCall>(&self, call: C) -> Result<C::Return, ChainError> {
        read(self.provider, self.addresses.safety_factor_oracle, call).await
    }
}

/// Whether the contract refuses with the error of this name.
fn refuses_with(error: &ChainError, name: &str) -> bool {
    error.revert_reason().is_some_and(|reason| reason.split('(').next() == Some(name))
}
