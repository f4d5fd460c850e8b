//! Deployment, verification, operators and models on a real anvil.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as expected")]

mod bindings;
mod chain;
mod deployment;
mod models;
mod operators;
mod oracle;
mod proposal;
mod stand_in;
mod trace;
mod verification;
