//! Why a process does not start, or ends.

use std::path::PathBuf;

use anzen_messages::wire::ActorName;

use super::config::ConfigError;
use crate::bus::NoRoute;
use crate::nats::NatsError;
use crate::ports::{ChainError, StoreError};

/// Each says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Nothing to run.
    #[error("the configuration names no roles; roles = [\"chain-watcher\", …] says which actors to run")]
    NoRoles,
    /// `anzen aggregator` or `anzen operator` with the roles of another process.
    #[error(
        "`anzen {command}` runs {}, and the configuration names {}; leave `roles` out, or run `anzen node`",
        list(own),
        list(configured)
    )]
    OtherRoles {
        /// The command's name.
        command: &'static str,
        /// What the configuration names.
        configured: Vec<ActorName>,
        /// What the command runs.
        own: Vec<ActorName>,
    },
    /// A role needs something that the configuration does not give.
    #[error("the role {role} needs {setting}, which is not set")]
    Missing {
        /// The role.
        role: ActorName,
        /// The setting.
        setting: &'static str,
    },
    /// The addresses.
    #[error(transparent)]
    Addresses(#[from] anzen_deploy::addresses::AddressesError),
    /// The chain that the endpoint serves is not the one of the addresses.
    #[error("the endpoint serves chain {got}, the addresses are of chain {expected}; check chain.rpc_url")]
    WrongChain {
        /// What the endpoint says.
        got: u64,
        /// What the addresses say.
        expected: u64,
    },
    /// A file or folder.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A key cannot be loaded.
    #[error(transparent)]
    Key(#[from] crate::keys::KeyError),
    /// An operator cannot be set up, or be looked at.
    #[error(transparent)]
    Operator(#[from] anzen_deploy::operator::OperatorError),
    /// The operator's stake is no amount of the token.
    #[error("operator.stake: {0}")]
    Stake(#[from] anzen_deploy::operator::TokensError),
    /// The share of the stake is none.
    #[error("operator.share_percent is {0}; it goes from 1 to 100")]
    Share(u8),
    /// A port or socket cannot be listened on.
    #[error("cannot listen on {at}: {error}")]
    Listen {
        /// Which.
        at: String,
        /// What the system said.
        error: String,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// An actor that nothing leads to.
    #[error(transparent)]
    NoRoute(#[from] NoRoute),
    /// The bus.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// Anything of the gateway.
    #[error("{0}")]
    Gateway(String),
    /// An adapter cannot start.
    #[error("{0}")]
    Adapter(String),
}

fn list(roles: &[ActorName]) -> String {
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
}
