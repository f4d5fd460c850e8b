//! **RpcGateway** carries messages between processes: JSON-RPC 2.0 over WebSocket. `docs/wire.md` is the reference.
//!
//! - *The edge* (`edge.rs`): operators connect over TCP and prove who they are, once a connection; then each message of
//!   theirs must name them. An [`OperatorLink`] is the operator's end.
//! - *Links* (`links.rs`): the processes of one aggregator reach each other's actors through Unix sockets in a directory
//!   that only their user may enter. A [`LinkTransport`] is the calling end.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `sessions.rs`, `bucket.rs` | who is connected, and as whom; attempts per address. Pure |
//! | `actor.rs` | nonces, look-ups and signature checks that the above asks for |
//! | `edge.rs`, `tls.rs` | accepting operators, and answering their calls |
//! | `connection.rs`, `writer.rs`, `json_rpc.rs`, `error.rs` | one connection, the server's end: shared by edge and links |
//! | `redial.rs`, `keeper.rs`, `backoff.rs` | the calling end: a connection that is made again whenever it is lost |
//! | `operator_link.rs`, `links.rs` | what is particular to operators, and to links |

mod actor;
mod backoff;
mod bucket;
mod connection;
mod edge;
mod error;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod health;
mod json_rpc;
mod keeper;
mod links;
mod metrics;
mod operator_link;
mod redial;
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
pub use operator_link::{OperatorLink, OperatorLinkConfig};
pub use redial::{LinkDependencies, LinkStatus};
pub use tls::{TlsError, TlsFiles};

use bucket::Allowance;
use connection::Limits;

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
    /// The most connections.
    pub most_connections: usize,
    /// The most connections of one address (IPv6: of one /64).
    pub most_connections_per_address: usize,
    /// How long a connection may be without a session, in seconds.
    pub patience_secs: u64,
    /// The longest session, in seconds.
    pub longest_session_secs: u64,
    /// How many failed attempts to open a session an address has at once.
    pub attempts: u32,
    /// After how long an address has one more, in milliseconds.
    pub attempt_refill_ms: u64,
    /// The most addresses whose attempts are remembered.
    pub most_remembered_addresses: usize,
    /// The most bytes of a WebSocket message.
    pub most_message_bytes: usize,
    /// The most calls in a batch.
    pub most_batch: usize,
    /// The most calls of a connection that are read and not answered. Beyond them nothing is read.
    pub most_in_flight: usize,
    /// How many calls of a connection are read in a second (and KiB: whichever is more); 0 for all that come. A burst may
    /// be twice a second's.
    pub calls_per_second: u32,
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
            most_connections: 1024,
            most_connections_per_address: 256,
            patience_secs: 20,
            longest_session_secs: 12 * 3600,
            attempts: 10,
            attempt_refill_ms: 6_000,
            most_remembered_addresses: 16_384,
            most_message_bytes: 256 * 1024,
            most_batch: 256,
            most_in_flight: 512,
            calls_per_second: 2_000,
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

    fn limits(&self) -> Limits {
        let most_batch = self.most_batch.max(1);
        Limits {
            most_message_bytes: self.most_message_bytes,
            most_batch,
            most_in_flight: self.most_in_flight.max(most_batch),
            pace: (self.calls_per_second > 0).then(|| Allowance {
                burst: self.calls_per_second.saturating_mul(2),
                refill: Duration::from_secs(1) / self.calls_per_second,
            }),
            longest_call: Duration::from_millis(self.longest_call_ms),
            ping_interval: Duration::from_secs(self.ping_interval_secs.max(1)),
            longest_silence: Duration::from_secs(self.longest_silence_secs.max(2)),
        }
    }
}
