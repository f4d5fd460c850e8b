//! Actors and adapters against what they meet in the world: a chain, sockets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as expected")]

mod chain;
mod config;
mod data_folder;
mod disputes;
mod evidence;
mod failover;
mod keys;
mod models;
mod nats;
mod protection;
mod provider;
mod store;
mod tx_sender;
mod watcher;
mod ws_proxy;
