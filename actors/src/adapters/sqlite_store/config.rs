//! How much the store takes.

use serde::{Deserialize, Serialize};

/// How the store behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// The most that the file takes, in bytes. What would make it larger is refused, as on a full disk; what is in it already
    /// stays, and can be replaced and removed.
    pub most_bytes: u64,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { most_bytes: 1 << 29 }
    }
}
