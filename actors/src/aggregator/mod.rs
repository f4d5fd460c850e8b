//! **Aggregator** has certificates posted: once a task, whatever crashes.
//!
//! It takes a task over from SignatureCollector by writing the certificate to disk. Then, until the task is answered or its
//! window has passed: it completes the certificate with the chain's indices, tries the call by `eth_call`, and asks TxSender
//! to send it under the id `respond:<taskHash>`. That somebody else has answered already is success.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `postings.rs` | which tasks are to be posted, being posted, answered |
//! | `actor.rs` | reads the indices, tries the call, has it sent |

mod actor;
mod metrics;
mod postings;
mod records;

use serde::{Deserialize, Serialize};

pub use actor::{Aggregator, Dependencies, start};
pub use metrics::AggregatorMetrics;

/// How the aggregator behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Requests that are queued or being handled at a time; more are refused.
    pub capacity: usize,
    /// How many blocks after its answer a task is kept, so that a reorg can undo the answer.
    pub finality_blocks: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { capacity: 256, finality_blocks: 64 }
    }
}
