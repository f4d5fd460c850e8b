//! **OperatorSigner** computes the answer to each task, signs it, and submits it to every aggregator until each has
//! acknowledged it or the task is over.
//!
//! It never signs two answers to one task. [`protection::Protection::may_sign`] decides what is signed; no other place does.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `protection.rs` | what may be signed, and the records that bind the next process to it |
//! | `records.rs`, `barrier.rs`, `refusal.rs` | those records on disk; from which block on tasks are signed; why nothing is signed |
//! | `again.rs` | signing again what is on record |
//! | `interchange.rs` | the records as a file, for a move to another machine |
//! | `duties.rs`, `chain.rs`, `duty.rs`, `effect.rs` | the tasks to be answered, how far each is, what is to be done next |
//! | `actor.rs`, `work.rs`, `questions.rs` | reads, records, signs, submits |
//! | `report.rs` | what people and metrics are told |
//! | `standing.rs`, `performance.rs`, `eigen.rs` | how this operator stands on chain and how well it does, as EigenLayer's metrics |
//! | `health.rs` | whether tasks can be answered |

mod actor;
pub mod again;
mod barrier;
mod chain;
pub mod duties;
pub mod duty;
pub mod effect;
mod eigen;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod health;
pub mod interchange;
mod metrics;
mod performance;
pub mod protection;
mod questions;
mod records;
pub mod refusal;
mod report;
mod standing;
#[cfg(test)]
mod tests;
mod work;

use alloy::primitives::Address;
use serde::{Deserialize, Serialize};

use crate::retry::Backoff;

pub use actor::{Aggregator, Dependencies, OperatorSigner, start};
pub use eigen::EigenMetrics;
pub use metrics::OperatorSignerMetrics;

/// How OperatorSigner behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The protocols that this operator answers for; where none is named, those of the addresses file. Which model computes an
    /// answer is governance's decision: the task names it.
    pub protocols: Vec<u32>,
    /// The most tasks that are open at once; more are not answered.
    pub most_open_tasks: usize,
    /// The most tasks whose inputs are read from the endpoint at the same time.
    pub concurrent_reads: usize,
    /// After how many blocks an answer on chain is final, so that nothing more is submitted.
    pub finality_blocks: u64,
    /// For how many blocks after a task's creation its signing record is kept. Older tasks are never signed.
    pub keep_records: u64,
    /// Whether the key has never signed anything elsewhere. Only then is a task answered that is open when the operator starts
    /// for the first time: the signing protection of a new store does not know what was signed before. Counts once; take it
    /// out afterwards, because a data folder that was lost and made anew would be believed too.
    pub key_is_new: bool,
    /// The tokens whose earned rewards are told as metrics; the staked token where nothing is said.
    pub fee_tokens: Vec<Address>,
    /// Pauses before a step that failed is tried again.
    pub retry: Backoff,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            protocols: Vec::new(),
            most_open_tasks: 1_024,
            concurrent_reads: 16,
            finality_blocks: 64,
            keep_records: 7_200,
            key_is_new: false,
            fee_tokens: Vec::new(),
            retry: Backoff::default(),
        }
    }
}
