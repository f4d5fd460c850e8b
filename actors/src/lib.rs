//! Anzen's actors: what each decides, how they reach each other and the world, and how a process is assembled.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`chain_watcher`], [`task_generator`], [`operator_signer`], [`signature_collector`], [`aggregator`], [`stake_updater`], [`challenger`], [`tx_sender`], [`rpc_gateway`] | one actor each |
//! | [`bus`], [`nats`] | handles, inboxes, and the way between processes; the one between machines |
//! | [`follow`] | how an actor follows the chain |
//! | [`health`] | how an actor is, and how it is asked |
//! | [`retry`], [`errand`] | when to try again |
//! | `measure` | what the actors' metrics have in common |
//! | [`ports`], [`adapters`] | what actors know of the world, and what that is in a real process |
//! | [`telemetry`] | log lines and traces |
//! | [`node`] | configuration, and assembling a process from it |

pub mod adapters;
pub mod aggregator;
pub mod bus;
pub mod chain_watcher;
pub mod challenger;
pub mod errand;
pub mod follow;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod health;
pub mod keys;
mod measure;
pub mod nats;
pub mod node;
pub mod operator_signer;
pub mod ports;
pub mod response_windows;
pub mod retry;
pub mod rpc_gateway;
pub mod signature_collector;
pub mod stake_updater;
pub mod task_generator;
pub mod telemetry;
// A fuzz target needs a part of what tests do.
#[cfg(any(test, feature = "fuzz"))]
#[cfg_attr(not(test), allow(dead_code))]
#[allow(clippy::unwrap_used, reason = "a test ends where something is not as expected")]
mod testing;
pub mod tx_sender;
