//! The AVS node API of EigenLayer's specification, v0.0.1, and the health that it tells of.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `http.rs` | the endpoints, to the letter of the specification |
//! | `services.rs` | the services of a process: its actors, and what stands behind them |
//! | `ledger.rs` | what is said of each, given what was found: no I/O and no clock |
//! | `monitor.rs` | asks each how it is, again and again |
//! | `metrics.rs` | the same as metrics |

#[cfg(any(test, feature = "fuzz"))]
pub(super) mod fuzz;
mod http;
mod ledger;
mod metrics;
mod monitor;
mod services;
mod store_probe;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

pub(super) use http::router;
pub use metrics::HealthMetrics;
pub(super) use monitor::Monitor;
pub(super) use services::{RPC_ENDPOINT, STORE, services_of};
pub(super) use store_probe::StoreProbe;

/// How the node API is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiConfig {
    /// Address and port; nothing turns it off, port 0 lets the system choose. The specification's port is 9010. Where it is
    /// the address of the metrics, one server serves both.
    pub listen: Option<SocketAddr>,
    /// For how long a service that was up must be in trouble before it counts as down, in milliseconds.
    pub grace_ms: u64,
    /// For how long a service that has not been up yet counts as initializing, in milliseconds.
    pub starting_ms: u64,
    /// How often each service is asked, in milliseconds.
    pub interval_ms: u64,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self { listen: None, grace_ms: 10_000, starting_ms: 60_000, interval_ms: 1_000 }
    }
}
