//! Bringing a protocol to a deployment: the timelock adds it to the oracle and sets the policy of its tasks.
//!
//! What a proposal does follows from its file and the deployment alone, so that anyone can check what the timelock is asked
//! for: proposing the same file twice yields the same operation.

use crate::{
    addresses::{Addresses, AddressesError, Protocol},
    anzen::{Operation, Secured, add_protocol, model},
    chain::{self, Account, ChainError, Request},
    config::{PriceConfig, ProtocolConfig, VaultConfig},
    error::DeployError,
    steps::View,
};
use alloy::{
    primitives::{Address, B256, Bytes, U256},
    providers::DynProvider,
    sol_types::SolCall,
};
use anzen_contracts::{SafetyFactorOracle, TimelockController};
use std::path::{Path, PathBuf};

/// Why a protocol cannot be brought.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    /// The file could not be read.
    #[error("cannot read the protocol's file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The file is not a protocol's.
    #[error("the protocol's file {path} is malformed: {source}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: Box<toml::de::Error>,
    },
    /// A value is out of its range.
    #[error("{0}; change the protocol's file")]
    Inconsistent(String),
    /// The oracle has a protocol of this index.
    #[error("the oracle has protocol {0} already; choose another oracle_index")]
    Exists(u32),
    /// The deployment has no protocol from which the stake's price feed could be taken.
    #[error(
        "the file of addresses names no protocol, so the stake's price feed is not known; take the deployment's file"
    )]
    NoPriceFeed,
    /// The timelock does not know the operation.
    #[error("the timelock knows no such operation; propose it first, with the same file")]
    NotProposed,
    /// The delay has not passed.
    #[error("the timelock lets this be executed {seconds} seconds from now, not earlier")]
    NotReady {
        /// By the chain's clock.
        seconds: u64,
    },
    /// The chain, or what a deployment looks at.
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// The file of addresses.
    #[error(transparent)]
    Addresses(#[from] AddressesError),
    /// A transaction or a view failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum Progress {
    /// The timelock does not know it.
    Unknown,
    /// Scheduled; by the chain's clock it can be executed in so many seconds.
    Waiting {
        /// Seconds from the latest block on.
        seconds: u64,
    },
    /// It can be executed.
    Ready,
    /// It was executed.
    Done,
}

/// A protocol that is proposed.
#[derive(Debug)]
pub struct Proposal {
    protocol: ProtocolConfig,
    model: anzen_messages::model::Model,
    operation: Operation,
    timelock: Address,
    oracle: Address,
    delay: U256,
    id: B256,
}

/// Reads a protocol's file: what stands under `[[protocols]]` in a network's file, with a vault and a price feed that exist.
///
/// # Errors
/// Where the file is not there, not a protocol's, or a value is out of its range.
pub fn load(path: &Path) -> Result<ProtocolConfig, ProposalError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ProposalError::Read { path: path.to_owned(), source })?;
    let protocol: ProtocolConfig = toml::from_str(&text)
        .map_err(|source| ProposalError::Malformed { path: path.to_owned(), source: Box::new(source) })?;
    protocol.check().map_err(ProposalError::Inconsistent)?;
    Ok(protocol)
}

impl Proposal {
    /// What the timelock is to do, after a look at the chain.
    ///
    /// # Errors
    /// Where vault or feed are not what they should be, or the chain cannot be asked.
    pub async fn new(
        provider: &DynProvider,
        addresses: &Addresses,
        protocol: ProtocolConfig,
    ) -> Result<Self, ProposalError> {
        let (VaultConfig::Existing(vault), PriceConfig::Existing(feed)) = (&protocol.vault, &protocol.price)
        else {
            let what = "vault and price must be of contracts that exist (vault.existing = \"0x…\", price.existing = \"0x…\")";
            return Err(ProposalError::Inconsistent(what.into()));
        };
        for (what, address) in [("a vault", *vault), ("a price feed", *feed)] {
            if chain::code_at(provider, address).await?.is_empty() {
                return Err(DeployError::NoContract { what: what.into(), address }.into());
            }
        }
        let known = addresses.protocols.first().ok_or(ProposalError::NoPriceFeed)?;
        let secured = Secured {
            token: addresses.token,
            price_feed: known.model.stake_price_feed,
            stake_registry: addresses.stake_registry,
        };
        let model = model(View::of(provider), &protocol, &secured, *vault, *feed).await?;
        let mut operation = Operation::new("anzen/protocol");
        add_protocol(
            &mut operation,
            &protocol,
            &model,
            addresses.safety_factor_oracle,
            addresses.task_manager,
        );
        let timelock = addresses.timelock;
        let delay = chain::read(provider, timelock, TimelockController::getMinDelayCall {}).await?;
        let id = chain::read(provider, timelock, operation.identify()).await?;
        Ok(Self { protocol, model, operation, timelock, oracle: addresses.safety_factor_oracle, delay, id })
    }

    /// The operation's id in the timelock.
    pub fn id(&self) -> B256 {
        self.id
    }

    /// The timelock.
    pub fn timelock(&self) -> Address {
        self.timelock
    }

    /// The model's name in tasks.
    pub fn model_hash(&self) -> B256 {
        self.model.hash()
    }

    /// What a proposer sends to the timelock, from any wallet.
    pub fn schedule_data(&self) -> Bytes {
        self.operation.schedule(self.delay).abi_encode().into()
    }

    /// What an executor sends to the timelock after the delay.
    pub fn execute_data(&self) -> Bytes {
        self.operation.execute().abi_encode().into()
    }

    /// How far it is.
    ///
    /// # Errors
    /// Where the chain cannot be asked.
    pub async fn progress(&self, provider: &DynProvider) -> Result<Progress, ChainError> {
        /// OpenZeppelin's mark of an operation that was executed.
        const DONE: u64 = 1;
        let at = chain::read(provider, self.timelock, TimelockController::getTimestampCall { id: self.id })
            .await?;
        if at.is_zero() {
            return Ok(Progress::Unknown);
        }
        if at == U256::from(DONE) {
            return Ok(Progress::Done);
        }
        let now = U256::from(chain::latest_timestamp(provider).await?);
        Ok(match at.saturating_sub(now) {
            left if left.is_zero() => Progress::Ready,
            left => Progress::Waiting { seconds: left.saturating_to() },
        })
    }

    /// Schedules the operation, unless it is. Only a proposer may.
    ///
    /// # Errors
    /// Where the oracle has such a protocol, or the timelock refuses.
    pub async fn propose(&self, proposer: &Account) -> Result<Progress, ProposalError> {
        let provider = proposer.provider();
        let progress = self.progress(provider).await?;
        if progress != Progress::Unknown {
            return Ok(progress);
        }
        self.check_index(provider).await?;
        let schedule = self.operation.schedule(self.delay);
        proposer.execute(&Request::call("proposing the protocol", self.timelock, &schedule)).await?;
        Ok(self.progress(provider).await?)
    }

    /// Executes the operation, unless it was. Only an executor may.
    ///
    /// # Errors
    /// Where it was not proposed or its delay has not passed, or the timelock refuses.
    pub async fn execute(&self, executor: &Account) -> Result<Protocol, ProposalError> {
        match self.progress(executor.provider()).await? {
            Progress::Unknown => return Err(ProposalError::NotProposed),
            Progress::Waiting { seconds } => return Err(ProposalError::NotReady { seconds }),
            Progress::Ready => {
                let execute = self.operation.execute();
                executor.execute(&Request::call("adding the protocol", self.timelock, &execute)).await?;
            }
            Progress::Done => {}
        }
        let oracle_index = self.protocol.oracle_index;
        let view = SafetyFactorOracle::feedCall { oracleIndex: oracle_index };
        let feed = chain::read(executor.provider(), self.oracle, view).await?;
        Ok(Protocol { oracle_index, name: self.protocol.name.clone(), feed, model: self.model.clone() })
    }

    /// Refused by the oracle too, but only after the delay.
    ///
    /// # Errors
    /// Where the oracle has a protocol of that index.
    pub async fn check_index(&self, provider: &DynProvider) -> Result<(), ProposalError> {
        let index = self.protocol.oracle_index;
        let view = SafetyFactorOracle::protocolExistsCall { oracleIndex: index };
        if chain::read(provider, self.oracle, view).await? {
            return Err(ProposalError::Exists(index));
        }
        Ok(())
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
