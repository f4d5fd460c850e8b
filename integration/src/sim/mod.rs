//! The actors, unchanged, in a world that a seed decides.
//!
//! Everything that an actor knows of the world comes through its ports; here the ports are a chain, disks and a network in
//! memory, under a clock that stands still while anybody works and jumps when everybody waits. So an hour takes seconds, and
//! a seed always yields the same run, to the letter.
//!
//! | file | port |
//! | --- | --- |
//! | `chain.rs`, `contract.rs` | the chain, and the task manager's rules in Rust |
//! | `chain_ports.rs` | the chain, as the actors' ports see it |
//! | `network.rs` | messages between processes: lost, late, duplicated, out of order |
//! | `store.rs` | disks: what is written is there when the write returns, and not before |
//! | `world.rs` | clock, chance, threads, keys |
//! | `cluster.rs` | processes, assembled as real ones are |
//! | `run.rs` | one run: a plan and a seed in, what happened out |

mod chain;
mod chain_ports;
mod cluster;
mod contract;
mod log;
mod network;
mod run;
mod store;
mod world;

pub use log::EventLog;
pub use network::Faults;
pub use run::{Outcome, Plan, run};
