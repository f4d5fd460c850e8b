//! What became of tasks, read from the chain alone: for people's commands and the local network's lines.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `record.rs` | a task, its answer, who signed it. No I/O |
//! | `open.rs` | the tasks that can still be answered. No I/O |
//! | `logs.rs` | logs of many blocks, from providers that bound the range |
//! | `history.rs` | the latest tasks, or one of them |
//! | `signers.rs` | who signed |
//! | `watch.rs` | what each block brings, as it comes |

mod history;
mod logs;
mod open;
mod record;
mod signers;
mod watch;

use alloy::providers::DynProvider;

use crate::{TransportError, addresses::Addresses, chain::ChainError};
pub(crate) use logs::Logs;

pub use history::Wanted;
pub use open::{At, Open};
pub use record::{Part, Response, TaskRecord, TaskStatus, signed_bps};
pub use signers::record_of;
pub use watch::{Answered, BlockNews, News, Watch};

/// Reads tasks of one deployment.
#[derive(Debug)]
pub struct Tasks {
    provider: DynProvider,
    addresses: Addresses,
    logs: Logs,
}

impl Tasks {
    /// Reads through `provider`, at first `log_range` blocks of logs at once, and fewer where the provider wants that.
    pub fn new(provider: DynProvider, addresses: Addresses, log_range: u64) -> Self {
        let logs = Logs::new(provider.clone(), log_range);
        Self { provider, addresses, logs }
    }

    /// Where everything is.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }
}

fn rpc(what: &'static str) -> impl FnOnce(TransportError) -> ChainError {
    move |error| ChainError::rpc(what, error)
}

#[cfg(test)]
pub(crate) mod tests {
    use alloy::primitives::B256;
    use anzen_messages::{SafetyFactor, Task};

    pub(crate) fn task(index: u32) -> Task {
        Task {
            index,
            oracle_index: 0,
            model_hash: B256::ZERO,
            proposed_safety_factor: SafetyFactor(Default::default()),
            reference_block: 0,
            reference_block_hash: B256::ZERO,
            created_block: 0,
            quorum_numbers: Default::default(),
            quorum_threshold_percentage: 66,
        }
    }
}
