//! What is deployed, per network.

mod check;
mod disputes;
mod protocol;

pub use {
    disputes::{DisputesConfig, SlashingConfig},
    protocol::{LocalVaultConfig, ModelConfig, ProtocolConfig},
};

use crate::eigenlayer::{CoreParams, EigenLayer};
use alloy::primitives::{Address, U256};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const ANVIL: &str = include_str!("../../networks/anvil.toml");
const SEPOLIA: &str = include_str!("../../networks/sepolia.toml");
const HOODI: &str = include_str!("../../networks/hoodi.toml");

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the deployment's configuration {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The text is not a configuration.
    #[error("the deployment's configuration {name} is malformed: {source}")]
    Malformed {
        /// Network or file.
        name: String,
        /// What is wrong, and where.
        source: Box<toml::de::Error>,
    },
    /// No configuration of that name comes with Anzen.
    #[error("there is no network {0}; give anvil, sepolia or hoodi, or the path of a file")]
    UnknownNetwork(String),
    /// The node is of another chain.
    #[error(
        "the configuration {name} is for chain {expected}, and the node is of chain {actual}; check the node's URL"
    )]
    OtherChain {
        /// The network.
        name: String,
        /// The configuration's chain.
        expected: u64,
        /// The node's.
        actual: u64,
    },
    /// Two values contradict each other, or one is out of its range.
    #[error("the configuration {name}: {what}")]
    Inconsistent {
        /// The network.
        name: String,
        /// What is wrong and what to do.
        what: String,
    },
}

/// A deployment on one network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployConfig {
    /// The network's name.
    pub name: String,
    /// The chain that it must be.
    pub chain_id: u64,
    /// How many seconds pass from block to block, at least 1: what is counted in seconds is compared with the windows by it.
    pub seconds_per_block: u64,
    /// Where EigenLayer finds the AVS's name, logo and so on.
    pub metadata_uri: String,
    /// Whether EigenLayer is there.
    pub eigenlayer: CoreConfig,
    /// The owner of everything.
    pub timelock: TimelockConfig,
    /// Who may do what, beside the timelock.
    pub roles: RolesConfig,
    /// How long things may take.
    pub windows: WindowsConfig,
    /// What a dispute before the committee costs, and how often an operator may be absent.
    pub disputes: DisputesConfig,
    /// What a fault costs.
    pub slashing: SlashingConfig,
    /// The quorum that answers.
    pub quorum: QuorumConfig,
    /// What operators stake.
    pub stake: StakeConfig,
    /// Whose safety factor is asked for.
    pub protocols: Vec<ProtocolConfig>,
}

/// EigenLayer's core.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoreConfig {
    /// Is deployed, with these constants.
    Deploy(CoreParams),
    /// Is there, at these addresses.
    Existing(EigenLayer),
}

/// OpenZeppelin's TimelockController, which owns and administers everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimelockConfig {
    /// From scheduling to execution, in seconds.
    pub min_delay_seconds: u64,
    /// Who may schedule, and cancel.
    pub proposers: Vec<Address>,
    /// Who may execute what was scheduled; the zero address lets anyone.
    pub executors: Vec<Address>,
}

/// Roles in AnzenTaskManager, and in the contracts of disputes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolesConfig {
    /// Who may create tasks.
    pub generators: Vec<Address>,
    /// Who may pause.
    pub pausers: Vec<Address>,
    /// Who vetoes slashings, and rules where nothing can be proved: each of them alone, so give a Safe.
    pub committee: Vec<Address>,
    /// Who may write a safety factor while the committee has to rule about the protocol; may be nobody.
    pub fallback_posters: Vec<Address>,
}

/// Windows of a task, in blocks. Their sum must exceed neither the quorum's look-ahead nor EigenLayer's withdrawal delay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowsConfig {
    /// From the last refresh of all stakes to a task's creation.
    pub max_stake_age: u32,
    /// From creation to the answer.
    pub response: u32,
    /// From the answer to a challenge.
    pub challenge: u32,
    /// From a challenge's success to the end of the time for a veto.
    pub veto: u32,
    /// From there to the slashing.
    pub execution: u32,
}

impl WindowsConfig {
    /// For how long stake must be sure to be slashable, in blocks.
    pub fn sum(&self) -> u64 {
        [self.max_stake_age, self.response, self.challenge, self.veto, self.execution]
            .map(u64::from)
            .iter()
            .sum()
    }
}

/// Quorum 0, of slashable stake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuorumConfig {
    /// The least stake of an operator, in the token's smallest unit.
    pub minimum_stake: U256,
    /// How many operators there may be; a refresh of all must fit half a block's gas.
    pub max_operator_count: u32,
    /// For how many blocks from now stake must stay slashable to count; at most EigenLayer's deallocation delay.
    pub look_ahead: u32,
}

/// What operators stake, and what it is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StakeConfig {
    /// The token.
    pub token: TokenConfig,
    /// Its price.
    pub price: PriceConfig,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TokenConfig {
    /// A LocalToken, which the deployer mints.
    Local {
        /// Its name.
        name: String,
        /// Its symbol.
        symbol: String,
    },
    /// One that is there.
    Existing {
        /// EigenLayer's strategy over it.
        strategy: Address,
    },
}

/// A price in a common currency, with 8 decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PriceConfig {
    /// A LocalPriceFeed, to which the deployer transmits.
    Local {
        /// What it says it is.
        description: String,
        /// The first price.
        answer: u64,
        /// For how many seconds an answer is good.
        max_age_seconds: u32,
    },
    /// An AggregatorV3 feed that is there: an aggregator, or a Chainlink proxy, whose present phase is taken.
    Existing {
        /// The feed.
        feed: Address,
        /// For how many seconds an answer is good: the feed's heartbeat, and a margin.
        max_age_seconds: u32,
    },
    /// Always the same.
    Constant {
        /// The price.
        answer: u64,
    },
}

/// The text of the configuration that comes with Anzen for a network.
pub fn template(network: &str) -> Result<&'static str, ConfigError> {
    match network {
        "anvil" => Ok(ANVIL),
        "sepolia" => Ok(SEPOLIA),
        "hoodi" => Ok(HOODI),
        other => Err(ConfigError::UnknownNetwork(other.to_owned())),
    }
}

impl DeployConfig {
    /// The configuration of a network that comes with Anzen, or of a file. It is validated when it is deployed: those of
    /// test networks leave to their user who governs.
    pub fn load(network_or_path: &str) -> Result<Self, ConfigError> {
        if !network_or_path.ends_with(".toml") {
            return Self::parse(network_or_path, template(network_or_path)?);
        }
        let path = Path::new(network_or_path);
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let mut config = Self::parse(network_or_path, &text)?;
        config.protocols.iter_mut().for_each(|protocol| protocol.named_in(path));
        Ok(config)
    }

    /// The local network's.
    pub fn anvil() -> Result<Self, ConfigError> {
        Self::load("anvil")
    }

    fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text)
            .map_err(|source| ConfigError::Malformed { name: name.to_owned(), source: Box::new(source) })
    }

    /// Whether the chain comes and goes with the machine, so that blocks may be mined at will.
    pub fn is_local(&self) -> bool {
        self.chain_id == 31337
    }

    /// For a chain that makes a block every so many seconds: what depends on it follows.
    pub(crate) fn with_block_time(mut self, seconds: u64) -> Self {
        self.seconds_per_block = seconds;
        self.slashing.ejection_cooldown_seconds = self.veto_seconds();
        self
    }

    /// How long a slashing can be vetoed, in seconds.
    fn veto_seconds(&self) -> u64 {
        u64::from(self.windows.veto).saturating_mul(self.seconds_per_block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_networks_that_come_with_anzen_are_consistent() {
        for (name, chain_id) in [("anvil", 31337), ("sepolia", 11_155_111), ("hoodi", 560_048)] {
            let mut config = DeployConfig::load(name).unwrap();
            assert_eq!((config.name.as_str(), config.chain_id), (name, chain_id));
            if !config.is_local() {
                assert!(config.validate().unwrap_err().to_string().contains("proposer"));
                config.timelock.proposers.push(Address::repeat_byte(1));
                config.timelock.executors.push(Address::ZERO);
                config.roles.generators.push(Address::repeat_byte(2));
                assert!(config.validate().unwrap_err().to_string().contains("committee"));
                config.roles.committee.push(Address::repeat_byte(3));
            }
            config.validate().unwrap();
        }
        assert!(DeployConfig::load("holesky").unwrap_err().to_string().contains("anvil, sepolia or hoodi"));
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        let text = ANVIL.replace("look_ahead", "lookahead");
        assert!(DeployConfig::parse("x", &text).unwrap_err().to_string().contains("lookahead"));
    }
}
