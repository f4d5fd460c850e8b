//! **StakeUpdater** keeps the registry's view of operator stakes fresh.
//!
//! The registry records what an operator's stake weighs when it is told to look; in between the record drifts from the
//! truth. Two things are done about that, for each quorum: all stakes are refreshed before the task manager would call them
//! stale, because only such a full refresh counts there; and operators whose recorded stake is far from the truth are
//! refreshed in between, those first whose weight fell most.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `schedule.rs`, `effect.rs` | when each quorum is looked at, and what is refreshed |
//! | `drift.rs` | whose record is too far from the truth |
//! | `actor.rs` | reads the stakes, has the calls sent |
//! | `report.rs` | what people and metrics are told |

mod actor;
pub mod drift;
pub mod effect;
mod metrics;
mod report;
pub mod schedule;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use actor::{Dependencies, StakeUpdater, start};
pub use metrics::StakeUpdaterMetrics;

/// How StakeUpdater behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The quorums whose stakes are kept fresh.
    pub quorums: Vec<u8>,
    /// A full refresh is due when this share of the greatest age that the task manager accepts is over, in per cent.
    pub refresh_margin_percent: u64,
    /// An operator is refreshed when its stake is this far from the record, in hundredths of a per cent of the record.
    pub drift_threshold_bps: u64,
    /// A quorum's stakes are read at least every so many blocks.
    pub check_every: u64,
    /// The most operators that are refreshed in one transaction, other than in a full refresh.
    pub batch_size: usize,
    /// For how many blocks a transaction is tried; then the stakes are read again.
    pub patience: u64,
    /// The longest pause after failures, in blocks; the first is one block, and each is twice the one before.
    pub longest_pause: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            quorums: vec![0],
            refresh_margin_percent: 75,
            drift_threshold_bps: 500,
            check_every: 25,
            batch_size: 20,
            patience: 20,
            longest_pause: 16,
        }
    }
}
