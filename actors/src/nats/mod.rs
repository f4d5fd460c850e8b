//! The bus between the processes of one aggregator that run on several machines: NATS with JetStream. It takes the place of
//! the gateway's own links, by configuration; actors and their handles are the same.
//!
//! What changes something at its receiver is *kept*: the server has it on disk until the receiver's actor has replied, which is
//! after that actor's own disk. So a restart of the server, or of either end, loses nothing; what may come of it is a message
//! that arrives twice, which every message allows for. A *question* (for the next blocks) is answered from what the receiver
//! has and is worth nothing to a sender that has stopped waiting: it goes to whoever is there, and is not kept.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `config.rs`, `servers.rs` | where the server is |
//! | `subjects.rs` | what everything is called on the server |
//! | `bus.rs`, `connection.rs` | a process's place on the bus, and its connection |
//! | `setup.rs` | what is set up on the server |
//! | `transport.rs`, `replies.rs` | the sender's end |
//! | `serve.rs` | the receiver's end |
//! | `lease.rs` | that each actor runs in one process |
//! | `metrics.rs` | what is counted |
//!
//! The server writes to disk at once and syncs every two minutes unless it is told otherwise (`sync_interval`): after a power
//! cut the latest messages may be gone from it. Nothing that was acknowledged is, since that was on the receiver's disk before;
//! and who got no reply asks again.

mod bus;
mod config;
mod connection;
mod error;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod lease;
mod metrics;
mod replies;
mod serve;
mod servers;
mod setup;
mod subjects;
mod transport;

pub use bus::{Bus, BusDependencies};
pub use config::NatsConfig;
pub use error::NatsError;
pub use lease::{Holder, Lease, Leases};
pub use metrics::NatsMetrics;
pub use serve::serve;
pub(crate) use servers::is_loopback;
pub use servers::{Servers, ServersError};
pub use transport::NatsTransport;
