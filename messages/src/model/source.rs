//! Where a value of a model comes from.

use std::borrow::Cow;
use std::fmt;

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Where an amount or a price comes from. All of it is read at the reference block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Source {
    /// A number.
    Constant {
        /// In JSON a decimal string.
        #[serde(serialize_with = "to_decimal", deserialize_with = "from_decimal")]
        value: U256,
    },
    /// A quorum's total stake, from the registry's history.
    QuorumStake {
        /// Anzen's own or another AVS's. The contract has a list of those that are allowed.
        stake_registry: Address,
        /// The quorum.
        quorum_number: u8,
    },
    /// The answer of an AggregatorV3 feed in the latest round at the time of the reference block.
    FeedRound {
        /// An aggregator, or a proxy of one.
        feed: Address,
        /// Zero for an aggregator, whose rounds count from 1. Else the phase of the proxy whose rounds count:
        /// `phase_id << 64 | round`.
        phase_id: u16,
        /// For how many seconds from its time on an answer is good. Not zero.
        max_age: u32,
    },
    /// Bytes of a storage slot, as an unsigned number.
    StorageSlot {
        /// Whose storage it is.
        account: Address,
        /// The slot.
        slot: B256,
        /// How many of the slot's bytes, from the right, stand before them.
        offset: u8,
        /// How many they are. `offset + width` is at most 32.
        width: u8,
        /// What the slot's meaning depends on; at most 4.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        guards: Vec<Guard>,
    },
    /// What a call returns: one uint256. Nobody can prove it on chain, so the committee decides a dispute.
    ViewCall {
        /// Who is called.
        target: Address,
        /// With what; at most 256 bytes.
        call_data: Bytes,
    },
}

/// A slot that must hold `expected`, or else there is no answer: a proxy's implementation (EIP-1967), say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Guard {
    /// Whose storage it is.
    pub account: Address,
    /// The slot.
    pub slot: B256,
    /// What it must hold.
    pub expected: B256,
}

/// The kinds of [`Source`], by the names that they have in the contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are documented at `Source`")]
pub enum SourceKind {
    Constant,
    QuorumStake,
    FeedRound,
    StorageSlot,
    ViewCall,
}

impl Source {
    /// Which kind of source it is.
    pub fn kind(&self) -> SourceKind {
        match self {
            Self::Constant { .. } => SourceKind::Constant,
            Self::QuorumStake { .. } => SourceKind::QuorumStake,
            Self::FeedRound { .. } => SourceKind::FeedRound,
            Self::StorageSlot { .. } => SourceKind::StorageSlot,
            Self::ViewCall { .. } => SourceKind::ViewCall,
        }
    }

    /// How many storage slots it reads, guards included.
    pub fn slots(&self) -> usize {
        match self {
            Self::StorageSlot { guards, .. } => 1 + guards.len(),
            _ => 0,
        }
    }
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

fn to_decimal<S: Serializer>(value: &U256, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn from_decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<U256, D::Error> {
    let text = <Cow<'de, str>>::deserialize(deserializer)?;
    if text.is_empty() || text.len() > 78 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(de::Error::custom("a constant is a decimal uint256 in a string, such as \"1000000\""));
    }
    U256::from_str_radix(&text, 10).map_err(|_| de::Error::custom("the constant does not fit a uint256"))
}
