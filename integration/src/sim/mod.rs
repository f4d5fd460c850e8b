//! The actors, unchanged, in a world that a seed decides.
//!
//! Everything that an actor knows of the world comes through its ports; here the ports are a chain, disks and a network in
//! memory, under a clock that stands still while anybody works and jumps when everybody waits. So an hour takes seconds, and
//! a seed always yields the same run, to the letter. A [`Plan`] has storms, in which processes are killed, disks fail, the
//! network is cut, endpoints lag, stall and lie, the chain forks, and some operators do not follow the rules; and calms. All
//! the time a witness tells what happens to the ledger of [`crate::invariants`].
//!
//! | file | what is in it |
//! | --- | --- |
//! | `chain.rs`, `fork.rs`, `contract.rs`, `transaction.rs` | the chain, what one node sees of it, and the task manager's rules in Rust |
//! | `chain_ports.rs`, `sending.rs`, `lies.rs`, `weather.rs` | the chain, as the actors' ports see it through an endpoint |
//! | `disputes.rs` | that there are none: no challenger runs here |
//! | `network.rs`, `link.rs` | messages between processes: lost, late, duplicated, out of order; the gateway's check of who speaks |
//! | `store.rs`, `lineage.rs` | disks: what is not synced is lost; copies that are put back |
//! | `world.rs`, `model.rs` | clock, chance, threads, keys; what is asked |
//! | `process.rs`, `node.rs`, `cluster.rs` | processes that can be killed, their machines, and how they are assembled |
//! | `byzantine.rs` | operators that do not follow the rules |
//! | `panics.rs` | panics of actors, which the runtime catches |
//! | `sabotage.rs` | deliberately broken variants |
//! | `plan.rs`, `schedule.rs` | what a seed stands for |
//! | `director.rs` | has it happen |
//! | `witness.rs`, `inspect.rs` | tell the ledger |
//! | `run.rs` | one run: a seed and a plan in, what happened out |

mod byzantine;
mod chain;
mod chain_ports;
mod cluster;
mod contract;
mod director;
mod disputes;
mod fork;
mod inspect;
mod lies;
mod lineage;
mod link;
mod log;
mod model;
mod network;
mod node;
mod panics;
mod plan;
mod process;
mod run;
mod sabotage;
mod schedule;
mod sending;
mod store;
mod transaction;
mod weather;
mod witness;
mod world;

pub use byzantine::Mischief;
pub use log::EventLog;
pub use network::Faults;
pub use node::Who;
pub use plan::{DEEPEST_REORG, Plan, Storm};
pub use run::{Failed, Options, Outcome, run};
pub use sabotage::{Sabotage, UnknownSabotage};
pub use schedule::{Event, Trouble};
pub use store::DiskFault;

// What chaos on real processes needs as well.
pub(crate) use inspect::{evidence, faults_in};
pub(crate) use store::{ACKNOWLEDGED, EVIDENCE, PROTECTION, places};
pub(crate) use world::SimRng;
