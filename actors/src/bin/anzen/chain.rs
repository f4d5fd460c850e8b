//! The chain and the deployment that a command is about.

use std::{error::Error, future::Future, io, time::Duration};

use alloy::providers::{DynProvider, Provider};
use anzen_actors::{
    adapters::ChainConfig,
    keys::load_ecdsa,
    node::{NodeConfig, NodeError, client_of},
};
use anzen_deploy::{
    Addresses, DeployError,
    chain::{Account, ChainError, code_at},
    disputes::Disputes,
};
use tokio::runtime::Builder;

use crate::settings::Settings;

/// A deployment, and the node through which it is read.
#[derive(Debug)]
pub(crate) struct Site {
    /// The settings.
    pub(crate) config: NodeConfig,
    /// Where everything is.
    pub(crate) addresses: Addresses,
    /// The node.
    pub(crate) provider: DynProvider,
}

impl Site {
    /// Reaches the node that the settings name, and checks that the deployment is on its chain.
    ///
    /// # Errors
    /// Where the settings are wrong, the node is not there, or is of another chain.
    pub(crate) async fn reach(settings: &Settings) -> Result<Self, Box<dyn Error>> {
        let config = settings.load()?;
        let addresses = Addresses::load(&config.addresses)?;
        let provider = connect(&config.chain)?;
        let got = provider.get_chain_id().await;
        let got = got.map_err(|error| ChainError::rpc("the chain's id", error))?;
        if got != addresses.chain_id {
            return Err(NodeError::WrongChain { got, expected: addresses.chain_id }.into());
        }
        let address = addresses.task_manager;
        if code_at(&provider, address).await?.is_empty() {
            return Err(DeployError::NoContract { what: "the task manager".into(), address }.into());
        }
        Ok(Self { config, addresses, provider })
    }

    /// The account of the configured ECDSA key.
    ///
    /// # Errors
    /// Where there is no key, or the node does not answer.
    pub(crate) async fn account(&self) -> Result<Account, Box<dyn Error>> {
        Ok(Account::new(self.provider.clone(), load_ecdsa(&self.config.keys.ecdsa)?).await?)
    }

    /// The disputes of the deployment.
    pub(crate) fn disputes(&self) -> Disputes {
        Disputes::new(self.provider.clone(), self.addresses.clone(), self.config.chain.log_range)
    }
}

/// A client of the configured node, with its time limit. Asks nothing yet.
///
/// # Errors
/// Where no HTTP client can be made.
pub(crate) fn connect(config: &ChainConfig) -> Result<DynProvider, NodeError> {
    client_of(&config.rpc_url, Duration::from_millis(config.timeout_ms))
}

/// Runs a command's work to its end.
///
/// # Errors
/// Where the system gives no runtime.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> io::Result<T> {
    Ok(Builder::new_current_thread().enable_all().build()?.block_on(work))
}
