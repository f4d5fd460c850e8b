//! Parsers of what others send, as functions that take anything at all. `just fuzz` runs them under libFuzzer
//! (`integration/fuzz`; ARCHITECTURE.md, Fuzzing), and `cargo test` on the corpus and on what proptest makes of it; no other build has
//! this module.
//!
//! A target must not panic, and must not take much more memory than its input has bytes. Where something is read, it also
//! checks what must hold then: what is written of it is read as the same.

mod bytes;
mod files;
#[cfg(test)]
mod tests;
mod wire;

use crate::{adapters, rpc_gateway, tx_sender};

/// One parser, or several of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder in the corpus.
    pub name: &'static str,
    /// The longest input that is tried, in bytes.
    pub most_bytes: usize,
    /// Takes anything.
    pub run: fn(&[u8]),
}

const fn target(name: &'static str, most_bytes: usize, run: fn(&[u8])) -> Target {
    Target { name, most_bytes, run }
}

/// All of them, in the order of who may send such things: strangers, operators, nodes of the chain, files.
pub const TARGETS: &[Target] = &[
    target("json-rpc", 16 * 1024, rpc_gateway::fuzz::json_rpc),
    target("session", 4 * 1024, wire::session),
    target("envelope", 16 * 1024, wire::envelope),
    target("reply", 16 * 1024, wire::reply),
    target("text", 1024, wire::text),
    target("points", 256, wire::points),
    target("model", 512, wire::model),
    target("chain-blocks", 16 * 1024, adapters::fuzz::blocks),
    target("chain-events", 4 * 1024, adapters::fuzz::events),
    target("chain-views", 8 * 1024, adapters::fuzz::views),
    target("chain-answers", 8 * 1024, adapters::fuzz::answers),
    target("chain-errors", 4 * 1024, adapters::fuzz::errors),
    target("reverts", 8 * 1024, wire::reverts),
    target("calldata", 16 * 1024, wire::calldata),
    target("tx-queue", 2 * 1024, tx_sender::fuzz::queue),
    target("tx-record", 8 * 1024, tx_sender::fuzz::record),
    target("protection", 2 * 1024, files::protection),
    target("keystore", 8 * 1024, files::keystore),
    target("addresses", 16 * 1024, files::addresses),
    target("protocol", 4 * 1024, files::protocol),
];

pub(crate) use bytes::Taken;
