//! **RpcGateway** carries messages between processes: JSON-RPC 2.0 over WebSocket. `docs/wire.md` is the reference.
//!
//! - *The edge* (`edge.rs`): operators connect over TCP and prove who they are, once a connection; then each message of
//!   theirs must name them. An [`OperatorLink`] is the operator's end.
//! - *Links* (`links.rs`): the processes of one aggregator reach each other's actors through Unix sockets in a directory
//!   that only their user may enter. A [`LinkTransport`] is the calling end.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `sessions.rs`, `rules.rs`, `bucket.rs` | who is connected, and as whom; what each address may try. Pure |
//! | `keys.rs`, `admission.rs` | the keys of operators that were here before; who may have what checked, and when |
//! | `actor.rs`, `opening.rs` | nonces, look-ups and signature checks that the above asks for |
//! | `edge.rs`, `seat.rs`, `tls.rs`, `handshakes.rs` | accepting operators, and answering their calls |
//! | `connection.rs`, `reader.rs`, `writer.rs`, `limits.rs`, `budget.rs` | one connection, the server's end: shared by edge and links |
//! | `frames.rs`, `json_rpc.rs`, `error.rs` | what is said on it |
//! | `redial.rs`, `keeper.rs` | the calling end: a connection that is made again whenever it is lost |
//! | `operator_link.rs`, `links.rs` | what is particular to operators, and to links |

mod actor;
mod admission;
mod bucket;
mod budget;
mod connection;
mod edge;
mod error;
mod frames;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod handshakes;
mod health;
mod json_rpc;
mod keeper;
mod keys;
mod limits;
mod links;
mod metrics;
mod opening;
mod operator_link;
mod reader;
mod redial;
mod rules;
mod seat;
mod sessions;
#[cfg(test)]
mod tests;
mod tls;
mod writer;

use std::time::Duration;

use alloy::primitives::Address;
use serde::{Deserialize, Serialize};

pub use actor::{Dependencies, RpcGateway};
pub use edge::{Edge, EdgeMethods, start};
pub use error::RpcError;
pub use links::{LinkSocket, LinkTransport, SocketError, serve_links};
pub use metrics::{GatewayMetrics, LinkMetrics};
pub use operator_link::{OperatorLink, OperatorLinkConfig, Upstream, UpstreamError, is_exposed};
pub use redial::{LinkDependencies, LinkStatus};
pub use tls::{Tls, TlsError, TlsFiles};

use bucket::Allowance;
use budget::Common;
use limits::{Allowances, Limits};

/// What an aggregator is to its operators. Both ends are told, and compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its name, which sessions are signed for: another aggregator has another name.
    pub server: String,
    /// The chain.
    pub chain_id: u64,
    /// The task manager whose tasks are answered.
    pub task_manager: Address,
}

/// How the edge behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// With a certificate, operators connect to `wss://`; without one, to `ws://`.
    pub tls: Option<TlsFiles>,
    /// The most operators with a session.
    pub most_sessions: usize,
    /// The most connections without one. One more takes the place of the oldest, of the address that has most.
    pub most_strangers: usize,
    /// The most connections without a session of one address (IPv6: of one /64).
    pub most_strangers_per_address: usize,
    /// How many times an address may knock at once: connect, or ask for a nonce. What leads to a session does not count.
    pub knocks: u32,
    /// After how long an address may knock once more, in milliseconds.
    pub knock_refill_ms: u64,
    /// How long TLS and the WebSocket's handshake may take, each, in seconds.
    pub handshake_secs: u64,
    /// The most TLS handshakes at a time: a quarter of them of one address. As many more, half of them of one address, where
    /// operators were before.
    pub most_handshakes: usize,
    /// How long a connection may be without a session, in seconds.
    pub patience_secs: u64,
    /// The longest session, in seconds.
    pub longest_session_secs: u64,
    /// How many failed attempts to open a session an address has at once.
    pub attempts: u32,
    /// After how long an address has one more, in milliseconds.
    pub attempt_refill_ms: u64,
    /// The most addresses whose attempts and knocks are remembered.
    pub most_remembered_addresses: usize,
    /// The most bytes of a WebSocket message.
    pub most_message_bytes: usize,
    /// The most calls in a batch.
    pub most_batch: usize,
    /// The most calls of a connection that are read and not answered. Beyond them nothing is read.
    pub most_in_flight: usize,
    /// The most bytes of a connection's calls that are read and not answered, and of their replies, in KiB. Beyond them
    /// nothing is read.
    pub most_waiting_kib: usize,
    /// The most bytes of all connections together that wait so, beyond the first 64 KiB of each, in KiB.
    pub most_waiting_together_kib: usize,
    /// How many calls of a connection are read in a second (or frames, or KiB: whichever is more); 0 for all that come. A
    /// burst may be twice a second's.
    pub calls_per_second: u32,
    /// How often the chain is asked whether operators that were here are still in a quorum, in seconds.
    pub membership_check_secs: u64,
    /// After how long a call is answered with "unavailable", in milliseconds.
    pub longest_call_ms: u64,
    /// How often a connection is pinged, in seconds.
    pub ping_interval_secs: u64,
    /// After how long a silent connection is dead, in seconds: its session is free then.
    pub longest_silence_secs: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tls: None,
            most_sessions: 1024,
            most_strangers: 256,
            most_strangers_per_address: 64,
            knocks: 512,
            knock_refill_ms: 100,
            handshake_secs: 5,
            most_handshakes: 16,
            patience_secs: 20,
            longest_session_secs: 12 * 3600,
            attempts: 10,
            attempt_refill_ms: 6_000,
            most_remembered_addresses: 16_384,
            most_message_bytes: 256 * 1024,
            most_batch: 256,
            most_in_flight: 512,
            most_waiting_kib: 2_048,
            most_waiting_together_kib: 131_072,
            calls_per_second: 2_000,
            membership_check_secs: 600,
            longest_call_ms: 15_000,
            ping_interval_secs: 5,
            longest_silence_secs: 15,
        }
    }
}

impl Config {
    fn attempts(&self) -> Allowance {
        Allowance {
            burst: self.attempts.max(1),
            refill: Duration::from_millis(self.attempt_refill_ms.max(1)),
        }
    }

    fn knocks(&self) -> Allowance {
        Allowance { burst: self.knocks.max(1), refill: Duration::from_millis(self.knock_refill_ms.max(1)) }
    }

    fn limits(&self) -> Limits {
        let most_batch = self.most_batch.max(1);
        let known = Allowances {
            most_message_bytes: self.most_message_bytes,
            most_batch,
            most_in_flight: self.most_in_flight.max(most_batch),
            most_waiting_bytes: Some(self.most_waiting_kib.max(1).saturating_mul(1024)),
            pace: (self.calls_per_second > 0).then(|| Allowance {
                burst: self.calls_per_second.saturating_mul(2),
                refill: Duration::from_secs(1) / self.calls_per_second,
            }),
        };
        Limits {
            stranger: Allowances::of_a_stranger(&known),
            known,
            common: Some(Common::new(self.most_waiting_together_kib.max(1).saturating_mul(1024))),
            handshake: Duration::from_secs(self.handshake_secs.max(1)),
            longest_call: Duration::from_millis(self.longest_call_ms),
            ping_interval: Duration::from_secs(self.ping_interval_secs.max(1)),
            longest_silence: Duration::from_secs(self.longest_silence_secs.max(2)),
        }
    }
}
