//! Why a proposal cannot be made or carried out.

use std::path::PathBuf;

use crate::{addresses::AddressesError, chain::ChainError, error::DeployError, models::ModelFileError};

/// Why a protocol cannot be brought, or changed.
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
    #[error("the oracle has protocol {0} already; choose another oracle_index, or --change it")]
    Exists(u32),
    /// The oracle has no protocol of this index.
    #[error(
        "the oracle has no protocol {0} that could be changed; `anzen oracle list` tells which there are"
    )]
    Unknown(u32),
    /// The protocol has another name.
    #[error(
        "the oracle calls protocol {index} {name:?}, which cannot be changed; correct the name or the oracle_index"
    )]
    OtherName {
        /// Its index.
        index: u32,
        /// What it is called.
        name: String,
    },
    /// The same was executed earlier, and something else has been decided since.
    #[error(
        "the timelock has executed this before, and the protocol's policy was changed since; to set it again, --change it \
         under another --number"
    )]
    Superseded,
    /// The timelock does not know the operation.
    #[error("the timelock knows no such operation; propose it first, with the same file")]
    NotProposed,
    /// The delay has not passed.
    #[error("the timelock lets this be executed {seconds} seconds from now, not earlier")]
    NotReady {
        /// By the chain's clock.
        seconds: u64,
    },
    /// The model, or what it reads, is not what it should be.
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// The model's file.
    #[error(transparent)]
    ModelFile(#[from] ModelFileError),
    /// The file of addresses.
    #[error(transparent)]
    Addresses(#[from] AddressesError),
    /// A transaction or a view failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
}
