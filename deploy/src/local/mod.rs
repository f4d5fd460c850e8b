//! The local network: a chain, the contracts, operators and an aggregator on this machine, in processes of their own.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `run.rs` | the network from its start to its end |
//! | `setup.rs` | what is done on chain before it starts |
//! | `spawn.rs` | an operator that joins from another terminal |
//! | `slots.rs` | operators in containers, which share a folder |
//! | `stand_in.rs` | a chain alone, in place of a public network |
//! | `nodes.rs`, `node_file.rs`, `endpoints.rs` | which processes there are, and their configuration |
//! | `process.rs`, `tether.rs` | starting and stopping processes so that none is left behind |
//! | `supervise.rs`, `restarts.rs` | starting those again that end by themselves |
//! | `anvil.rs`, `prices.rs` | the chain, and prices that move |
//! | `nats.rs` | the bus |
//! | `folder.rs`, `network.rs`, `operators.rs` | the network's files |
//! | `follow.rs`, `line.rs` | what is told while it runs: a line a task |

mod anvil;
mod endpoints;
mod error;
mod folder;
mod follow;
mod line;
mod nats;
mod network;
mod node_file;
mod nodes;
mod operators;
mod prices;
mod process;
mod restarts;
mod run;
mod setup;
mod slots;
mod spawn;
mod stand_in;
mod summary;
mod supervise;
mod tether;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use anvil::MOST_AGGREGATORS;
pub use error::LocalError;
pub use network::{AggregatorInfo, Network, ProcessInfo};
pub use nodes::Topology;
pub use run::{End, run};
pub use setup::deploy_to_anvil;
pub use slots::Slot;
pub use spawn::{Spawned, spawn_operator};
pub use stand_in::{StandIn, StandInOptions, run_stand_in};
pub use tether::{tether, wait_for_parents_end};

/// The folder of the local network that nobody gave another.
pub const DEFAULT_FOLDER: &str = ".anzen/local";

/// How the processes of one aggregator reach each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bus {
    /// By links of their own.
    Links,
    /// Over a NATS server.
    Nats,
}

/// What kind of local network.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many operators.
    pub operators: u32,
    /// After how many answered tasks it ends; nothing lets it run.
    pub tasks: Option<u64>,
    /// Seconds between two blocks.
    pub block_time: u64,
    /// Blocks between two tasks of a protocol.
    pub interval: u64,
    /// How many aggregators, from 1 to [`MOST_AGGREGATORS`].
    pub aggregators: u32,
    /// How each aggregator is divided into processes.
    pub topology: Topology,
    /// How these processes reach each other.
    pub bus: Bus,
    /// Whether a process that ends by itself is started again; else the end of any but an operator's ends the network.
    pub restart: bool,
    /// Where everything is kept. Cleared first.
    pub folder: PathBuf,
}

/// For people: on standard output.
fn say(line: impl std::fmt::Display) {
    use std::io::Write;
    // Whoever closed our output does not want to be told.
    let _ = writeln!(std::io::stdout(), "{line}");
}
