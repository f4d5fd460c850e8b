//! Deploying Anzen to a chain, verifying a deployment, and setting operators up.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`config`] | what is deployed, per network |
//! | [`addresses`] | the file that says where everything is |
//! | [`anzen`], [`eigenlayer`] | the deployment |
//! | [`journal`], [`mod@plan`] | what makes it restartable; what it would do |
//! | [`chain`] | one key's transactions, reads, and reverts by name |
//! | [`mod@verify`] | whether a deployment is what it should be |
//! | [`operator`] | setting operators up |
//! | [`tasks`], [`oracle`] | what became of tasks; what the oracle says |
//! | [`models`] | models of safety factors: in files, on chain, and what they read |
//! | [`disputes`] | disputes and faults: what there are, and the transactions of those who take part |
//! | [`preview`] | what transactions would do |
//! | [`proposal`] | bringing a protocol to a deployment, through the timelock |
//! | [`anvil`] | a chain on this machine |
//! | [`stand_in`] | a chain on this machine that stands in for a public network |
//! | [`local`] | the local network: a chain, operators and an aggregator in processes of their own |
//! | [`artifacts`] | EigenLayer's bytecode |

pub mod addresses;
pub mod anvil;
pub mod anzen;
pub mod artifacts;
pub mod chain;
pub mod config;
pub mod disputes;
pub mod eigenlayer;
mod error;
#[cfg(test)]
#[allow(dead_code, reason = "build.rs is what uses it")]
mod extract;
mod files;
pub mod journal;
pub mod local;
pub mod models;
pub mod operator;
pub mod oracle;
pub mod plan;
pub mod preview;
pub mod proposal;
pub mod stand_in;
mod steps;
pub mod tasks;
pub mod verify;

pub use addresses::Addresses;
pub use anzen::{deploy, open_journal, plan};
pub use config::DeployConfig;
pub use error::DeployError;
pub use journal::Journal;
pub use verify::verify;

/// What the transport beneath a provider reports.
pub type TransportError = alloy::transports::TransportError;
