//! An operator that joins a running local network from another terminal, or comes back.

use std::path::{Path, PathBuf};

use super::{
    LocalError, Network,
    anvil::Chain,
    folder::Folder,
    node_file::{self, World},
    nodes,
    operators::{self, LocalOperator},
};
use crate::{Addresses, operator::Blocks};

/// An operator that is ready to run.
#[derive(Debug)]
pub struct Spawned {
    folder: Folder,
    number: u32,
}

/// Makes operator `number` of the network in `folder` ready to run: keys, funds, registration, stake. What is there
/// already stays.
///
/// # Errors
/// Where no network runs there, the operator runs already, or the chain refuses.
pub async fn spawn_operator(folder: &Path, number: u32) -> Result<Spawned, LocalError> {
    let folder = Folder::of_running(folder)?;
    if let Some(pid) = operators::running(&folder, number) {
        return Err(LocalError::OperatorRuns { number, pid });
    }
    let network = Network::load(&folder)?;
    let addresses = Addresses::load(&folder.addresses())?;
    let operator = LocalOperator::load_or_make(&folder, number)?;
    let chain = Chain::running(&network.rpc_url, &network.ws_url, &folder.log_of("chain"))?;
    let new = std::slice::from_ref(&operator);
    operators::set_up(&folder, &chain, &addresses, new, Blocks::Await).await?;
    let world = World {
        rpc_url: network.rpc_url,
        ws_url: network.ws_url,
        task_interval: network.task_interval,
        nats_url: None,
    };
    node_file::write_operator(&folder, &nodes::operator(number), &world, &network.aggregators)?;
    operators::write_pid(&folder, number, std::process::id())?;
    Ok(Spawned { folder, number })
}

impl Spawned {
    /// Its configuration.
    pub fn config(&self) -> PathBuf {
        self.folder.join(nodes::operator_name(self.number)).join("node.toml")
    }

    /// Returns when the network is over. Blocks.
    pub fn wait_for_networks_end(&self) {
        self.folder.wait_for_end();
    }
}
