//! Parsers of what others send, as functions that take anything at all. `just fuzz` runs them under libFuzzer
//! (`integration/fuzz`; ARCHITECTURE.md, Fuzzing), and `cargo test` on the corpus and on what proptest makes of it; no other build has
//! this module.
//!
//! A target must not panic, and must not take much more memory than its input has bytes. Where something is read, it also
//! checks what must hold then: what is written of it is read as the same.

mod bytes;
#[cfg(test)]
mod corpus;
mod deployed;
mod files;
mod running;
#[cfg(test)]
mod tests;
mod wire;

use crate::{
    adapters, aggregator, chain_watcher, challenger, nats, node, operator_signer, rpc_gateway,
    signature_collector, tx_sender,
};

/// One parser, or several of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder in the corpus.
    pub name: &'static str,
    /// The longest input that is tried, in bytes.
    pub most_bytes: usize,
    /// How much memory an input may take at a time, in KiB, besides 64 bytes for each of its own.
    pub most_kib: usize,
    /// Takes anything.
    pub run: fn(&[u8]),
}

const fn target(name: &'static str, most_bytes: usize, run: fn(&[u8])) -> Target {
    Target { name, most_bytes, most_kib: 128, run }
}

impl Target {
    /// Where something has its size whatever the input is: the defaults of all settings, and what they are put together from.
    const fn takes_kib(self, most_kib: usize) -> Self {
        Self { most_kib, ..self }
    }
}

/// All of them, in the order of who may send such things: strangers, operators, aggregators, other processes, nodes of the
/// chain, files, the disk.
pub const TARGETS: &[Target] = &[
    target("websocket", 16 * 1024, rpc_gateway::fuzz::websocket),
    target("websocket-frames", 4 * 1024, rpc_gateway::fuzz::frames),
    target("json-rpc", 16 * 1024, rpc_gateway::fuzz::json_rpc),
    target("session", 4 * 1024, wire::session),
    target("sessions", 1024, rpc_gateway::fuzz::sessions),
    target("node-api", 8 * 1024, node::fuzz::api),
    target("envelope", 16 * 1024, wire::envelope),
    target("reply", 16 * 1024, wire::reply),
    target("text", 1024, wire::text),
    target("points", 256, wire::points),
    target("model", 8 * 1024, wire::model),
    target("collector", 512, signature_collector::fuzz::collector),
    target("session-replies", 4 * 1024, rpc_gateway::fuzz::session_replies),
    target("bus", 16 * 1024, nats::fuzz::message),
    target("chain-blocks", 16 * 1024, adapters::fuzz::blocks),
    target("chain-events", 4 * 1024, adapters::fuzz::events),
    target("chain-views", 8 * 1024, adapters::fuzz::views),
    target("chain-answers", 8 * 1024, adapters::fuzz::answers),
    target("chain-proofs", 32 * 1024, adapters::fuzz::proofs),
    target("chain-errors", 4 * 1024, adapters::fuzz::errors),
    target("chain-heads", 8 * 1024, adapters::fuzz::heads),
    target("chain-tracker", 1024, chain_watcher::fuzz::tracker),
    target("task-history", 16 * 1024, deployed::tasks),
    target("operator-steps", 8 * 1024, deployed::operator),
    target("reverts", 8 * 1024, wire::reverts),
    target("calldata", 16 * 1024, wire::calldata),
    target("tx-queue", 2 * 1024, tx_sender::fuzz::queue),
    target("keystore", 8 * 1024, files::keystore),
    target("addresses", 16 * 1024, files::addresses),
    target("protocol", 4 * 1024, files::protocol),
    target("config", 4 * 1024, node::fuzz::config).takes_kib(2048),
    target("interchange", 8 * 1024, operator_signer::fuzz::interchange),
    target("evidence", 8 * 1024, files::evidence),
    target("protection", 2 * 1024, operator_signer::fuzz::protection),
    target("tx-record", 8 * 1024, tx_sender::fuzz::record),
    target("collector-records", 4 * 1024, signature_collector::fuzz::records),
    target("aggregator-records", 8 * 1024, aggregator::fuzz::records),
    target("challenger-records", 8 * 1024, challenger::fuzz::records),
    target("gateway-keys", 2 * 1024, rpc_gateway::fuzz::keys),
    target("watcher-cursor", 4 * 1024, chain_watcher::fuzz::cursor),
];

pub(crate) use bytes::{Taken, lines, records};
pub(crate) use running::finish;
