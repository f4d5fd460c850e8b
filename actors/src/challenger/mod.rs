//! **Challenger** recomputes every answer and disputes a wrong one with proofs, until its signers are slashed.
//!
//! When a task appears, its answer is computed and its proof taken at once, because nodes keep the states that both need for a
//! short time only; both go to disk. When the task is answered, the two are compared. A wrong answer is pursued by blocks, each
//! time from what the chain says then: challenged, its signers frozen, and slashed once the committee can veto no more. So a crash,
//! a reorg, or another challenger that was faster, changes nothing.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `cases.rs` | all tasks: what is captured, answered, over |
//! | `schedule.rs` | which of them is next |
//! | `case.rs` | one task, and the answer to it |
//! | `recheck.rs` | recomputing a task again, where no proof was to be had |
//! | `pursuit.rs` | what comes back while a wrong answer is pursued |
//! | `course.rs` | what is remembered of a dispute between two looks at it |
//! | `decision.rs` | what a wrong answer needs next, as it stands on chain |
//! | `effect.rs` | what these want done, and what they have to say |
//! | `records.rs` | what is on disk |
//! | `actor.rs` | what comes to the actor |
//! | `work.rs` | asks the chain, prepares calls, has them sent |
//! | `report.rs`, `metrics.rs`, `health.rs` | what people are told |
//!
//! Several challengers need no coordination: whoever is first has done it.

mod actor;
mod case;
mod cases;
mod course;
mod decision;
mod effect;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod health;
mod metrics;
mod pursuit;
mod recheck;
mod records;
mod report;
mod schedule;
#[cfg(test)]
mod tests;
mod work;

use serde::{Deserialize, Serialize};

pub use actor::{Challenger, Dependencies, start};
pub use metrics::ChallengerMetrics;

/// How the challenger behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether all is done but sending: the log says what would be sent, and what it would cost. Needs no key.
    pub dry_run: bool,
    /// The most that is paid, in wei, to have the committee rule on an answer that cannot be proved wrong; it comes back unless the
    /// committee rejects. 0: it is never asked, the log says that somebody should.
    pub most_bond_wei: u64,
    /// How many tasks are recomputed at a time; and how many answers are looked at.
    pub at_a_time: usize,
    /// How many signers are frozen, or slashed, in one transaction.
    pub batch_size: usize,
    /// The longest pause after failures, in blocks; the first is one block, and each is twice the one before.
    pub longest_pause: u64,
    /// After how many blocks a dispute that waits is looked at again; while it waits for the veto only when half of the time is over.
    pub check_every: u64,
    /// How many blocks after their end tasks and disputes are kept, so that a reorg can undo it.
    pub finality_blocks: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dry_run: false,
            most_bond_wei: 0,
            at_a_time: 4,
            batch_size: 4,
            longest_pause: 4,
            check_every: 2,
            finality_blocks: 64,
        }
    }
}
