//! **TaskGenerator** has a task created for each protocol, every so many blocks.
//!
//! A task is due when the interval since the protocol's latest one has passed and that one can no longer be answered. The
//! generator proposes what the model yields at the newest block: a claim that operators compare with what they compute. The
//! contract refuses what governance does not allow, so several generators need no coordination.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `schedule.rs`, `effect.rs` | when each protocol gets its next task, and what is to be done for it |
//! | `history.rs` | the latest tasks of a protocol, and which of them nobody answered |
//! | `actor.rs` | asks the contract, computes the proposal, has the call sent |
//! | `report.rs` | what people and metrics are told |

mod actor;
mod births;
pub mod effect;
pub mod history;
mod metrics;
mod report;
pub mod schedule;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::retry::Backoff;

pub use actor::{Dependencies, TaskGenerator, start};
pub use metrics::TaskGeneratorMetrics;

/// How TaskGenerator behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The protocols that get tasks; where none is named, those of the addresses file, with the two values below.
    pub protocols: Vec<Protocol>,
    /// The blocks between two tasks of a protocol.
    pub interval_blocks: u64,
    /// The share of each quorum's stake that must sign, in per cent; the nearest that governance allows is asked for.
    pub threshold_percentage: u32,
    /// For how many blocks a transaction that creates a task is tried.
    pub patience: u64,
    /// The longest pause after failures, in blocks; the first is one block, and each is twice the one before.
    pub longest_pause: u64,
    /// The most protocols that get a task in the same block.
    pub most_per_block: usize,
    /// After how many blocks a task that is over is forgotten.
    pub finality_blocks: u64,
    /// Pauses until the chain can be read at the start.
    pub retry: Backoff,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            protocols: Vec::new(),
            interval_blocks: default_interval(),
            threshold_percentage: default_threshold(),
            patience: 10,
            longest_pause: 32,
            most_per_block: 4,
            finality_blocks: 64,
            retry: Backoff::default(),
        }
    }
}

/// A protocol and its tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// The protocol.
    pub oracle_index: u32,
    /// The blocks between two tasks; at least governance's least interval is kept.
    #[serde(default = "default_interval")]
    pub interval: u64,
    /// The share of each quorum's stake that must sign, in per cent; the nearest that governance allows is
    /// asked for.
    #[serde(default = "default_threshold")]
    pub threshold: u32,
}

fn default_interval() -> u64 {
    10
}

fn default_threshold() -> u32 {
    67
}
