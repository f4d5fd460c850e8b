//! Assembling a process: which actors it runs, how they reach each other and the others.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `config/` | what a node is told, and by whom |
//! | `client.rs` | a client of a node, for what is done once |
//! | `ports.rs` | the world that the actors are given |
//! | `api/` | the AVS node API, and the health that it tells of |
//! | `http.rs` | where metrics and the node API are served |
//! | `keys.rs` | the signers of the keys that are in this process |
//! | `operator/` | an operator's registration, by command and at the start |
//! | `roles.rs` | starting the actors, from the chain outwards, and connecting them |
//! | `metrics.rs`, `process.rs` | all metrics in one registry; the process's own |
//! | `bus.rs` | the process on the bus that leads to other machines |
//! | `listeners.rs`, `links.rs`, `serving.rs`, `storage.rs` | what it listens on, its ways to others, what it serves, what lasts |
//! | `run.rs` | a whole process: configuration, real adapters, and the end |

mod api;
mod bus;
mod client;
pub mod config;
mod endpoints;
mod error;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz {
    //! What others may send or give, for `just fuzz`.

    pub(crate) use super::api::fuzz::api;
    pub(crate) use super::config::fuzz::config;
}
mod http;
mod http_server;
mod keys;
mod links;
mod listeners;
mod metrics;
pub mod operator;
mod ports;
mod process;
mod roles;
mod run;
mod serving;
mod storage;

pub use api::{ApiConfig, HealthMetrics};
pub use client::client_of;
pub use config::{AggregatorAt, EdgeConfig, LinksConfig, MetricsConfig, NodeConfig};
pub use endpoints::Endpoints;
pub use error::NodeError;
pub use metrics::NodeMetrics;
pub use ports::Ports;
pub use process::ProcessMetrics;
pub use roles::{Roles, Upstream, start_roles};
pub use run::run;
pub use storage::{open_store, store_path};
