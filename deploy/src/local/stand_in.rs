//! A stand-in for a public network, as a process of its own.

use std::{future::Future, io, path::PathBuf};

use super::{
    LocalError,
    anvil::{Chain, DevKey},
    folder::Claimed,
    supervise::Processes,
};
use crate::{DeployConfig, open_journal, stand_in};

/// Which stand-in.
#[derive(Debug, Clone)]
pub struct StandInOptions {
    /// The network's name, or the file of its deployment.
    pub network: String,
    /// The port of the node; 0 lets the system choose.
    pub port: u16,
    /// Seconds between two blocks.
    pub block_time: u64,
    /// Where the chain's log goes. Cleared first.
    pub folder: PathBuf,
}

/// A stand-in that is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    /// The network's name.
    pub network: String,
    /// The network's chain id.
    pub chain_id: u64,
    /// The node over HTTP.
    pub rpc_url: String,
    /// The node over WebSocket.
    pub ws_url: String,
}

/// Runs a stand-in until `shutdown`, and says when it is `ready`. No process of it is left when this returns.
///
/// # Errors
/// Where the network is not one that is there already, or anvil does not start or ends.
pub async fn run_stand_in(
    options: &StandInOptions,
    ready: impl FnOnce(&StandIn) -> io::Result<()>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), LocalError> {
    let config = DeployConfig::load(&options.network)?;
    let claimed = Claimed::take(&options.folder)?;
    let mut processes = Processes::new(false);
    let outcome = tokio::select! {
        outcome = live(options, &config, &claimed, &mut processes, ready) => outcome,
        () = shutdown => Ok(()),
    };
    processes.stop().await;
    outcome
}

async fn live(
    options: &StandInOptions,
    config: &DeployConfig,
    claimed: &Claimed,
    processes: &mut Processes,
    ready: impl FnOnce(&StandIn) -> io::Result<()>,
) -> Result<(), LocalError> {
    let (port, chain_id) = (options.port.to_string(), config.chain_id.to_string());
    let folder = &claimed.folder;
    let chain = Chain::start(processes, folder.path(), &["--port", &port, "--chain-id", &chain_id]).await?;
    let owner = chain.account(DevKey::Owner).await?;
    let mut journal = open_journal(&owner, config, &folder.join("stand-in.json")).await?;
    stand_in::place(&owner, config, &mut journal).await?;
    chain.mine_every(options.block_time).await?;
    chain.log_less().await?;
    ready(&StandIn {
        network: config.name.clone(),
        chain_id: config.chain_id,
        rpc_url: chain.rpc_url,
        ws_url: chain.ws_url,
    })
    .map_err(LocalError::file("standard output"))?;
    Err(processes.next_ended().await.into_error())
}
