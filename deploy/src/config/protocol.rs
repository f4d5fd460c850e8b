//! A protocol, and how its safety factor is computed.

use super::PriceConfig;
use alloy::primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How a protocol's safety factor is computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ModelConfig {
    /// By the model in this file (JSON, docs/models.md), which is added with the protocol. A relative path starts at the file
    /// that names it.
    File(PathBuf),
    /// By a model that has been added.
    Hash(B256),
    /// By what a LocalVault holds against the stake of quorum 0.
    LocalVault(LocalVaultConfig),
}

/// A LocalVault over a LocalToken of its own, and what it means for safety.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalVaultConfig {
    /// The token's name.
    pub asset: String,
    /// The token's symbol.
    pub symbol: String,
    /// What is in the vault, in the token's smallest unit.
    pub assets: U256,
    /// The price of the token.
    pub price: PriceConfig,
    /// The share of the stake that an attacker must corrupt, in hundredths of a per cent.
    pub cost_share_bps: u32,
    /// The share of the vault that an attacker could take, in hundredths of a per cent.
    pub profit_share_bps: u32,
}

/// One protocol, and what is demanded of its tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtocolConfig {
    /// Its number in the oracle.
    pub oracle_index: u32,
    /// Its name.
    pub name: String,
    /// How its safety factor is computed.
    pub model: ModelConfig,
    /// Stake registries of others that the model reads, and that are not on the list of `SafetyFactorModels` yet.
    #[serde(default)]
    pub allow_stake_registries: Vec<Address>,
    /// The quorums that must sign, ascending.
    #[serde(default = "default_quorums")]
    pub quorum_numbers: Vec<u8>,
    /// The least threshold of a task, in per cent of the quorum's stake; at least 51.
    pub least_threshold_percentage: u32,
    /// The greatest threshold of a task, from the least to 100: with a generator's key one can demand no more, so that a
    /// few operators that are down do not stall the protocol.
    #[serde(default = "default_greatest_threshold")]
    pub greatest_threshold_percentage: u32,
    /// The least number of blocks between two tasks; at least 1.
    pub min_task_interval: u32,
}

impl ProtocolConfig {
    /// Lets a relative path of the model start in the folder of `file`.
    pub(crate) fn named_in(&mut self, file: &Path) {
        if let (ModelConfig::File(path), Some(folder)) = (&mut self.model, file.parent()) {
            *path = folder.join(&path);
        }
    }
}

fn default_quorums() -> Vec<u8> {
    vec![0]
}

fn default_greatest_threshold() -> u32 {
    80
}
