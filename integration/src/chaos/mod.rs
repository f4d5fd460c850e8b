//! Chaos: real processes on a real chain, which are killed, whose chain forks, and whose aggregator is flooded.
//!
//! What must hold meanwhile is in [`invariants`](crate::invariants), and nowhere else. This module watches and tells facts:
//! the chain's blocks; what passes between operators and an aggregator; what is on disk of a process at an instant; what the
//! true answer is. A process is stopped where it is, its files are copied and read, and then it is killed: so what is looked at
//! is what the crash leaves.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `kill.rs`, `reorg.rs`, `flood.rs` | what is done to the network (R2, R3, R5) |
//! | `plan.rs` | what a seed stands for |
//! | `world.rs` | the network, watched |
//! | `observer.rs`, `tap.rs`, `disk.rs`, `follows.rs`, `said.rs` | where facts come from |
//! | `witness.rs`, `terms.rs` | telling the ledger |
//! | `report.rs` | what is told at the end |

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a harness ends by panicking, as a test does"
)]

mod disk;
mod flood;
mod follows;
mod kill;
mod observer;
mod plan;
mod reorg;
mod report;
mod said;
mod tap;
mod terms;
mod witness;
mod world;

use std::time::Duration;

pub use report::{Failure, Fault, Report};

/// Nothing takes that long, on any machine: a task's window is half a minute. Who waits for many things waits for each.
const PATIENCE: Duration = Duration::from_secs(300);

/// How much is done, and which chances are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// What chance depends on. The machine's pace has its part too: the same seed does the same things, not at the same instant.
    pub seed: u64,
    /// How many tasks there are at least while processes are killed.
    pub tasks: usize,
    /// How often each kind of process is killed.
    pub kills: usize,
    /// How many reorgs there are.
    pub reorgs: usize,
    /// Operators, by their numbers, that reach no aggregator while processes are killed. Where the others lack the threshold
    /// no task can be answered, which must be noticed.
    pub cut_off: &'static [u32],
    /// How many tasks are measured without a flood, and with each.
    pub flood_tasks: usize,
}

/// Kills the processes of a local network, started by `anzen local run` with these arguments.
///
/// # Errors
/// Where something does not hold.
///
/// # Panics
/// Where the network cannot be run or looked at.
pub async fn kill(options: &Options, arguments: &[&str]) -> Result<Report, Failure> {
    Box::pin(kill::run(options, arguments)).await
}

/// Has the chain of a local network fork.
///
/// # Errors
/// Where something does not hold.
///
/// # Panics
/// Where the network cannot be run or looked at.
pub async fn reorg(options: &Options, arguments: &[&str]) -> Result<Report, Failure> {
    Box::pin(reorg::run(options, arguments)).await
}

/// Floods the aggregator of a local network.
///
/// # Errors
/// Where something does not hold.
///
/// # Panics
/// Where the network cannot be run or looked at.
pub async fn flood(options: &Options, arguments: &[&str]) -> Result<Report, Failure> {
    Box::pin(flood::run(options, arguments)).await
}

/// What comes within any reasonable time, on any machine.
///
/// # Panics
/// Where it does not.
async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(outcome) => outcome,
        Err(_) => panic!("{PATIENCE:?} have passed, and nothing like: {what}"),
    }
}
