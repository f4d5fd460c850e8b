//! Running the real program and looking at it from outside: its output, the chain, the wire, its metrics. Shared by the
//! end-to-end tests and by chaos; what is not as it should be ends the run, with what was seen.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a harness ends by panicking, as a test does"
)]

pub mod chain;
pub mod collector;
pub mod command;
pub mod door;
pub mod network;
pub mod newcomer;
pub mod node;
pub mod process;
pub mod wire;
