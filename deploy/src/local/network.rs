//! `network.json`: who is who in a running local network, for whoever joins it.

use serde::{Deserialize, Serialize};

use super::{Bus, LocalError, Topology, folder::Folder};
use crate::files;

const FILE: &str = "network.json";

/// A running local network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// The process that runs the network.
    pub pid: u32,
    /// How an aggregator is divided into processes.
    pub topology: Topology,
    /// How the processes of an aggregator reach each other.
    pub bus: Bus,
    /// The chain over HTTP.
    pub rpc_url: String,
    /// The chain over WebSocket.
    pub ws_url: String,
    /// Where operators connect to the first aggregator.
    pub aggregator_url: String,
    /// The name that the first aggregator goes by in sessions.
    pub aggregator_name: String,
    /// All aggregators.
    pub aggregators: Vec<AggregatorInfo>,
    /// The NATS server, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nats_url: Option<String>,
    /// Blocks between two tasks of a protocol.
    pub task_interval: u64,
    /// All processes, the chain first.
    pub processes: Vec<ProcessInfo>,
}

/// An aggregator, to an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AggregatorInfo {
    /// The name that it goes by in sessions.
    pub name: String,
    /// Where operators connect.
    pub url: String,
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessInfo {
    /// Its name: `chain`, `aggregator`, `aggregator-1/tx-sender`, `operator-1` and so on.
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
