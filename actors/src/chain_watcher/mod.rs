//! **ChainWatcher** follows the chain and tells everyone else about it.
//!
//! It keeps the recent blocks and the events in them. Other actors pull: each asks for the blocks after the last one that
//! it has applied, and is answered when there is one. A reorg is an answer like any other: "go back to block B, then apply
//! these". After a restart it reads the recent blocks again, and so does who asks. On disk is only how far it was (the cursor),
//! so that what was missed while the process was away is told too, and another chain is noticed.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `tracker.rs` | the recent blocks, forks; in `tracker/answers.rs` who waits for what |
//! | `ring.rs`, `retracted.rs`, `marks.rs` | the canonical blocks that are kept, those that a fork has undone, and older ones |
//! | `lookback.rs` | how old an open task can be |
//! | `cursor.rs`, `records.rs` | how far the chain was followed before this process started |
//! | `drive.rs` | asks the endpoint for the head, and for the blocks that are missing |
//! | `actor.rs` | takes questions, and answers them |
//! | `health.rs` | whether the chain is being followed, and goes on |

mod actor;
#[cfg(test)]
mod actor_tests;
mod cursor;
mod drive;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod health;
mod lookback;
mod marks;
mod metrics;
mod records;
mod retracted;
mod ring;
mod tracker;
#[cfg(test)]
mod tracker_properties;
#[cfg(test)]
mod tracker_tests;
#[cfg(test)]
mod world;

use serde::{Deserialize, Serialize};

pub use actor::{ChainWatcher, Dependencies, start};
pub use metrics::WatcherMetrics;

/// How the watcher behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Questions that wait for a block at a time; more are refused.
    pub capacity: usize,
    /// How many blocks, beyond the response window, an actor that starts is told of.
    pub margin_blocks: u64,
    /// How many recent blocks are kept, at least: a reorg deeper than that makes everyone start again.
    pub keep_blocks: u64,
    /// How many blocks, at most, are told of those that were missed while the process was away.
    pub most_missed_blocks: u64,
    /// How many blocks are asked of the endpoint at a time while catching up.
    pub fetch_blocks: u64,
    /// After how many seconds without a new block the chain, or its endpoint, counts as stalled; 0 for a chain that makes
    /// blocks on demand only.
    pub stalled_after_secs: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            capacity: 256,
            margin_blocks: 64,
            keep_blocks: 1024,
            most_missed_blocks: 7_200,
            fetch_blocks: 256,
            stalled_after_secs: 120,
        }
    }
}
