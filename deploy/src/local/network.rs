//! `network.json`: who is who in a running local network, for whoever joins it.

use serde::{Deserialize, Serialize};

use super::{LocalError, Topology, folder::Folder};
use crate::files;

const FILE: &str = "network.json";

/// A running local network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// The process that runs the network.
    pub pid: u32,
    /// How the aggregator is divided into processes.
    pub topology: Topology,
    /// The chain over HTTP.
    pub rpc_url: String,
    /// The chain over WebSocket.
    pub ws_url: String,
    /// Where operators connect.
    pub aggregator_url: String,
    /// The name that the aggregator goes by in sessions.
    pub aggregator_name: String,
    /// Blocks between two tasks of a protocol.
    pub task_interval: u64,
    /// All processes, the chain first.
    pub processes: Vec<ProcessInfo>,
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessInfo {
    /// Its name: `chain`, `aggregator`, `operator-1` and so on.
    pub name: String,
    /// Its process id.
    pub pid: u32,
    /// Where it serves its metrics.
    pub metrics_url: Option<String>,
    /// Where it serves the AVS node API: what `/eigen/node` is to be added to.
    #[serde(default)]
    pub api_url: Option<String>,
}

impl Network {
    pub(super) fn load(folder: &Folder) -> Result<Self, LocalError> {
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(LocalError::file(&path))?;
        serde_json::from_str(&text).map_err(|error| LocalError::malformed(path, &error))
    }

    pub(super) fn save(&self, folder: &Folder) -> Result<(), LocalError> {
        let path = folder.join(FILE);
        let text =
            serde_json::to_string_pretty(self).map_err(|error| LocalError::malformed(&path, &error))?;
        files::replace(&path, &(text + "\n")).map_err(LocalError::file(path))
    }
}
