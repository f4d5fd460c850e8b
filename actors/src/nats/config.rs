//! Where the server is.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::servers::Servers;

/// Where the server of the bus is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NatsConfig {
    /// `tls://host:port`; `nats://host:port` on this machine. Several servers of one cluster are separated by commas.
    pub url: Servers,
    /// Whether `nats://` may be used to another machine: whoever is between could give orders.
    pub plaintext: bool,
    /// The aggregator whose processes share the bus: letters, digits, `-` and `_`. Aggregators that share a server have
    /// different ones.
    pub aggregator: String,
    /// The file with the credentials that `nsc` wrote; nothing where the server asks for none.
    pub credentials_file: Option<PathBuf>,
    /// The file with the user name on its first line and the password on its second; nothing where the server asks for none.
    pub password_file: Option<PathBuf>,
    /// The certificate of the authority that signed the server's, where the system does not know it. With it, all is TLS.
    pub ca: Option<PathBuf>,
    /// On how many servers of the cluster a message is kept: 1, 3 or 5. All processes of the aggregator say the same.
    pub replicas: usize,
    /// The most bytes of messages that are kept; beyond it senders are told that the receiver is full. All processes of the
    /// aggregator say the same.
    pub most_bytes: u64,
}

impl NatsConfig {
    /// True where it would be plain text to another machine, and nobody has said that it may be.
    pub fn is_exposed(&self) -> bool {
        !self.plaintext && self.ca.is_none() && self.url.are_exposed()
    }
}

impl Default for NatsConfig {
    fn default() -> Self {
        Self {
            url: Servers::here(),
            plaintext: false,
            aggregator: "anzen".into(),
            credentials_file: None,
            password_file: None,
            ca: None,
            replicas: 1,
            most_bytes: 1 << 30,
        }
    }
}
