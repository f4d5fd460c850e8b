//! Running the real program and looking at it from outside: its output, the chain, the wire, its metrics. Shared by the
//! end-to-end tests and by chaos; what is not as it should be ends the run, with what was seen.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a harness ends by panicking, as a test does"
)]

pub mod abi;
pub mod chain;
pub mod collector;
pub mod colluders;
pub mod command;
pub mod disputes;
pub mod door;
pub mod network;
pub mod newcomer;
pub mod node;
pub mod process;
pub mod wire;

use std::time::Duration;

/// How long to wait for what the real program is to do, on a machine that is busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// What is awaited, or a panic that says `what` was awaited in vain.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let in_vain = |_| panic!("{what}: nothing came for {PATIENCE:?}");
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(in_vain)
}
