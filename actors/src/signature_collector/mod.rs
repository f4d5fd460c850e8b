//! **SignatureCollector** accumulates the operators' signatures, task by task, and tells when a quorum is reached.
//!
//! A signature is acknowledged when it is on disk; it is checked in its answer's sum, when that sum would reach the quorum
//! (`check.rs`), and alone only where the sum fails.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `collector.rs`, `chain.rs`, `handover.rs` | all tasks: what is known, early, answered, certified, over |
//! | `submissions.rs`, `seconds.rs` | what becomes of a signature, before it is on disk and after; and of a second one |
//! | `collection.rs`, `answer.rs`, `doubts.rs` | one task: who signed what, when to check, when it is enough |
//! | `early.rs` | signatures that came before their task |
//! | `standing.rs`, `convictions.rs`, `shares.rs` | who is penalised, of whom there is evidence, who takes how much room |
//! | `operators.rs`, `sets.rs` | who a task's operators are, and when they are read again; sets, kept while nothing changed |
//! | `check.rs`, `trial.rs` | on the CPU pool: the sum and the search for who spoilt it; signatures alone |
//! | `records.rs` | what is on disk |
//! | `start.rs`, `actor.rs`, `work.rs`, `writing.rs` | carry out what the states above decide |

mod actor;
mod answer;
mod chain;
mod check;
mod collection;
mod collector;
mod convictions;
mod doubts;
mod early;
mod effect;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod handover;
mod metrics;
mod operators;
mod records;
mod report;
mod seconds;
mod sets;
mod shares;
mod standing;
mod start;
mod submissions;
#[cfg(test)]
mod tests;
mod trial;
mod work;
mod writing;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use actor::{Dependencies, SignatureCollector};
pub use metrics::CollectorMetrics;
pub use records::evidence_in;
pub use start::start;

/// How the collector behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Requests that are queued or being handled at a time; more are refused. An operator may have as many under way as are
    /// left for the others.
    pub capacity: usize,
    /// After a quorum is reached, how long slower operators may still join, in milliseconds.
    pub linger_ms: u64,
    /// How many signatures of one operator may wait for tasks that are not known yet.
    pub early_per_operator: usize,
    /// How many blocks after its answer, or after its window, a task is kept, so that a reorg can undo either.
    pub finality_blocks: u64,
    /// The protocols whose tasks are served; empty for all of them.
    pub oracle_indices: BTreeSet<u32>,
    /// For how many blocks the signatures of an operator are verified alone, and last, after a bad one of it. Doubles with
    /// each further time, up to sixteenfold; 0 for never.
    pub penalty_blocks: u64,
    /// How many pairs of contradicting answers are kept of one operator; the newest are.
    pub most_evidence_per_operator: usize,
}

impl Config {
    fn serves(&self, oracle_index: u32) -> bool {
        self.oracle_indices.is_empty() || self.oracle_indices.contains(&oracle_index)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            capacity: 4096,
            linger_ms: 500,
            early_per_operator: 16,
            finality_blocks: 64,
            oracle_indices: BTreeSet::new(),
            penalty_blocks: 50,
            most_evidence_per_operator: 16,
        }
    }
}
