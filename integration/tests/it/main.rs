//! Anzen as a whole. One binary, because each one costs a link.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test ends by panicking")]

mod chaos;
mod dispute_absence;
mod dispute_commands;
mod dispute_committee;
mod dispute_majority;
mod dispute_proofs;
mod e2e_byzantine;
mod e2e_commands;
mod e2e_evidence;
mod e2e_faults;
mod e2e_health;
mod e2e_operator;
mod e2e_processes;
mod e2e_replicas;
mod e2e_topologies;
mod e2e_traces;
mod guides;
mod monitoring;
mod sim;
mod sim_sabotage;
mod sim_seeds;
mod specification;
