//! A protocol, as the file of addresses has it.

use super::Addresses;
use crate::{
    chain::{self, ChainError},
    config::ProtocolConfig,
};
use alloy::{
    primitives::{Address, B256},
    providers::DynProvider,
};
use anzen_contracts::SafetyFactorOracle;
use serde::{Deserialize, Serialize};

/// One protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Protocol {
    /// Its number in the oracle.
    pub oracle_index: u32,
    /// Its name.
    pub name: String,
    /// Its safety factor as an AggregatorV3 feed: every round as it is written.
    pub feed: Address,
    /// The same, final rounds only.
    pub final_feed: Address,
    /// How its safety factor is computed: the name of a model of SafetyFactorModels, which is in the chain's task policy.
    pub model_hash: B256,
    /// The quorums that must sign.
    pub quorum_numbers: Vec<u8>,
}

/// Where a protocol's safety factor can be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Feeds {
    pub(crate) all: Address,
    pub(crate) last_final: Address,
}

impl Feeds {
    /// The feeds of a protocol in the oracle.
    pub(crate) async fn read(
        provider: &DynProvider,
        oracle: Address,
        oracle_index: u32,
    ) -> Result<Self, ChainError> {
        let all = chain::read(provider, oracle, SafetyFactorOracle::feedCall { oracleIndex: oracle_index });
        let view = SafetyFactorOracle::finalFeedCall { oracleIndex: oracle_index };
        let (all, last_final) = futures::try_join!(all, chain::read(provider, oracle, view))?;
        Ok(Self { all, last_final })
    }
}

impl Protocol {
    pub(crate) fn new(config: &ProtocolConfig, model_hash: B256, feeds: Feeds) -> Self {
        Self {
            oracle_index: config.oracle_index,
            name: config.name.clone(),
            feed: feeds.all,
            final_feed: feeds.last_final,
            model_hash,
            quorum_numbers: config.quorum_numbers.clone(),
        }
    }
}

impl Addresses {
    /// Adds a protocol, or replaces what was known of one of the same index.
    pub fn add_protocol(&mut self, protocol: Protocol) {
        self.protocols.retain(|known| known.oracle_index != protocol.oracle_index);
        self.protocols.push(protocol);
        self.protocols.sort_by_key(|known| known.oracle_index);
    }
}
