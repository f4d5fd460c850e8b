//! **TaskGenerator** has a task created for each protocol, every so many blocks.
//!
//! A task is due when the interval since the protocol's latest one has passed, when the oracle's value is older than its
//! heartbeat, or when the model's value has deviated from it by a threshold; never while the latest task can be answered. The
//! generator proposes what the model yields at the newest block: a claim that operators compare with what they compute. The
//! contract refuses what governance does not allow, so several generators need no coordination.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `policy.rs` | when a task is due, and why |
//! | `schedule.rs`, `protocol.rs`, `effect.rs` | when each protocol gets its next task, and what is to be done for it |
//! | `history.rs` | the latest tasks of a protocol, and which of them nobody answered |
//! | `actor.rs` | asks the contract, computes the proposal, has the call sent |
//! | `report.rs` | what people and metrics are told |

mod actor;
mod births;
pub mod effect;
pub mod history;
mod metrics;
pub mod policy;
mod protocol;
mod report;
pub mod schedule;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use self::policy::Policy;
use crate::retry::Backoff;

pub use actor::{Dependencies, TaskGenerator, start};
pub use metrics::TaskGeneratorMetrics;

/// How TaskGenerator behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The protocols that get tasks; where none is named, those of the addresses file, with the two values below.
    pub protocols: Vec<Protocol>,
    /// The blocks between two tasks of a protocol, whatever its value does; 0 for none of this reason.
    pub interval_blocks: u64,
    /// The age at which the oracle's value is renewed, in blocks; 0 for none of this reason.
    pub heartbeat_blocks: u64,
    /// How far the model's value may be from the oracle's before that is renewed, in hundredths of a per cent of 1.0; 0 for
    /// none of this reason.
    pub deviation_bps: u32,
    /// The blocks between two looks at how far it is.
    pub look_every_blocks: u64,
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
            heartbeat_blocks: 0,
            deviation_bps: 0,
            look_every_blocks: default_look_every(),
            threshold_percentage: default_threshold(),
            patience: 10,
            longest_pause: 32,
            most_per_block: 4,
            finality_blocks: 64,
            retry: Backoff::default(),
        }
    }
}

impl Config {
    /// What would get no tasks after the first, in words.
    pub fn idle(&self) -> Vec<String> {
        let default = Policy {
            interval: self.interval_blocks,
            heartbeat: self.heartbeat_blocks,
            deviation_bps: self.deviation_bps,
            look_every: self.look_every_blocks,
        };
        if self.protocols.is_empty() {
            return default.is_idle().then(|| "every protocol".to_owned()).into_iter().collect();
        }
        let idle = self.protocols.iter().filter(|protocol| protocol.policy().is_idle());
        idle.map(|protocol| format!("protocol {}", protocol.oracle_index)).collect()
    }
}

/// A protocol and its tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// The protocol.
    pub oracle_index: u32,
    /// The blocks between two tasks, whatever the value does; at least governance's least interval is kept. 0 for none of this
    /// reason.
    #[serde(default = "default_interval")]
    pub interval: u64,
    /// The age at which the oracle's value is renewed, in blocks; 0 for none of this reason.
    #[serde(default)]
    pub heartbeat: u64,
    /// How far the model's value may be from the oracle's before that is renewed, in hundredths of a per cent of 1.0; 0 for
    /// none of this reason.
    #[serde(default)]
    pub deviation_bps: u32,
    /// The blocks between two looks at how far it is.
    #[serde(default = "default_look_every")]
    pub look_every: u64,
    /// The share of each quorum's stake that must sign, in per cent; the nearest that governance allows is
    /// asked for.
    #[serde(default = "default_threshold")]
    pub threshold: u32,
}

impl Protocol {
    /// A protocol that gets its tasks at the intervals that are the default.
    pub fn at_intervals(oracle_index: u32) -> Self {
        Self {
            oracle_index,
            interval: default_interval(),
            heartbeat: 0,
            deviation_bps: 0,
            look_every: default_look_every(),
            threshold: default_threshold(),
        }
    }

    /// When its tasks are due.
    pub fn policy(&self) -> Policy {
        let Self { interval, heartbeat, deviation_bps, look_every, .. } = *self;
        Policy { interval, heartbeat, deviation_bps, look_every }
    }
}

fn default_look_every() -> u64 {
    5
}

fn default_interval() -> u64 {
    10
}

fn default_threshold() -> u32 {
    67
}
