//! Why a deployment stopped. In every case it can be run again and continues.

use crate::{
    addresses::AddressesError, artifacts::ArtifactError, chain::ChainError, config::ConfigError,
    journal::JournalError, models::ModelFileError,
};
use alloy::primitives::{Address, B256};
use anzen_messages::model::ModelError;

/// Why a deployment stopped.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// A transaction or a view failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// EigenLayer's bytecode cannot be used.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The configuration is inconsistent, or not of this chain.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file of addresses cannot be used.
    #[error(transparent)]
    Addresses(#[from] AddressesError),
    /// A step was carried out without an error, and the chain does not show its effect.
    #[error(
        "{step} was carried out, but the chain does not show it; has someone else changed the same contract?"
    )]
    NoEffect {
        /// The step.
        step: String,
    },
    /// A contract that the configuration names is not there.
    #[error(
        "there is no contract at {address}, which the configuration gives as {what}; is the chain the right one?"
    )]
    NoContract {
        /// What it should be.
        what: String,
        /// Where it should be.
        address: Address,
    },
    /// Two contracts of the core that the configuration names do not belong together.
    #[error(
        "{what} is {actual}, and the configuration gives {configured}; take both from one list of addresses"
    )]
    OtherCore {
        /// Which part.
        what: &'static str,
        /// What the chain says.
        actual: Address,
        /// What the configuration says.
        configured: Address,
    },
    /// A protocol's model is not on chain.
    #[error("SafetyFactorModels has no model {0}; give the model's file (model.file)")]
    UnknownModel(B256),
    /// A protocol's model is on chain already.
    #[error("SafetyFactorModels has the model {0} already; name it (model.hash) instead of its file")]
    ModelExists(B256),
    /// A protocol's model cannot be read from its file.
    #[error(transparent)]
    ModelFile(#[from] ModelFileError),
    /// A protocol's model is not within the bounds.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// What a protocol's model reads is not there.
    #[error("{source_of}: {what}")]
    Source {
        /// Which source of which term.
        source_of: String,
        /// What is wrong, and what to do.
        what: String,
    },
    /// Amounts and prices have fewer decimals than the common unit of cost and profit.
    #[error(
        "{what} has {decimals} decimals with its price, and at least {least} are needed; choose another feed"
    )]
    TooFewDecimals {
        /// Which side of the model.
        what: String,
        /// What it has.
        decimals: u8,
        /// What it needs.
        least: u8,
    },
}
