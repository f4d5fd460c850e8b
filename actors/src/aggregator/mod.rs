//! **Aggregator** has certificates posted: once a task, whatever crashes.
//!
//! It takes a task over from SignatureCollector by writing the certificate to disk. Then, until the task is answered or its
//! window has passed: it completes the certificate with the chain's indices, tries the call by `eth_call`, and asks TxSender
//! to send it under the id `respond:<taskHash>`. That somebody else has answered already is success.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `postings.rs` | which tasks are to be posted, being posted, answered; and whose turn it is |
//! | `actor.rs` | what comes to the actor, and what is written to disk |
//! | `attempt.rs` | reads the indices, tries the call, has it sent |
//! | `records.rs` | what is on disk |
//!
//! Several aggregators need no coordination. Each is given a number, `replica`, and leaves it to those before it to post for
//! so many times `replica_delay_blocks`. Where two post all the same, the contract takes one response.

mod actor;
mod attempt;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod metrics;
mod postings;
mod records;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use actor::{Aggregator, Dependencies, start};
pub use metrics::AggregatorMetrics;

/// How the aggregator behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Requests that are queued or being handled at a time; more are refused.
    pub capacity: usize,
    /// How many blocks after its answer, or after its window, a task is kept, so that a reorg can undo either.
    pub finality_blocks: u64,
    /// Which of several aggregators this one is, from 0. The first posts at once.
    pub replica: u32,
    /// How many blocks each aggregator leaves to the one before it; half of a task's window at most in all.
    pub replica_delay_blocks: u64,
}

impl Config {
    fn delay(&self) -> u64 {
        u64::from(self.replica).saturating_mul(self.replica_delay_blocks)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { capacity: 256, finality_blocks: 64, replica: 0, replica_delay_blocks: 2 }
    }
}
