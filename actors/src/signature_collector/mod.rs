//! **SignatureCollector** accumulates the operators' signatures, task by task, and tells when a quorum is reached.
//!
//! A signature is acknowledged when it is on disk; it is checked in its answer's sum, when that sum would reach the quorum
//! (`check.rs`), and alone only where the sum fails.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `collector.rs` | all tasks: what is known, early, answered, over |
//! | `submissions.rs` | what becomes of a signature, before it is on disk and after |
//! | `collection.rs` | one task: who signed what, when to check, when it is enough |
//! | `early.rs` | signatures that came before their task |
//! | `sets.rs` | operator sets, kept while nothing changed |
//! | `check.rs` | the sum and the search for who spoilt it, on the CPU pool |
//! | `records.rs` | what is on disk |
//! | `actor.rs` | carries out what the states above decide |

mod actor;
mod check;
mod collection;
mod collector;
mod early;
mod effect;
mod metrics;
mod records;
mod report;
mod sets;
mod submissions;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use actor::{Dependencies, SignatureCollector, start};
pub use metrics::CollectorMetrics;

/// How the collector behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Requests that are queued or being handled at a time; more are refused.
    pub capacity: usize,
    /// After a quorum is reached, how long slower operators may still join, in milliseconds.
    pub linger_ms: u64,
    /// How many signatures of one operator may wait for tasks that are not known yet.
    pub early_per_operator: usize,
    /// How many blocks after its answer a task is kept, so that a reorg can undo the answer.
    pub finality_blocks: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { capacity: 4096, linger_ms: 500, early_per_operator: 16, finality_blocks: 64 }
    }
}
