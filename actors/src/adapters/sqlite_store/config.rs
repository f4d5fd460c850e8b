//! How the store behaves.

use serde::{Deserialize, Serialize};

/// How the store behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// The most that the file takes, in bytes. What would make it larger is refused, as on a full disk; what is in it already
    /// stays, and can be replaced and removed.
    pub most_bytes: u64,
    /// Whether the file system keeps a file's number (inode) and time of birth for good. On one that does not (some networks'
    /// and FUSE's) the store would count as restored at each start; without it, a copy of the whole data folder is not
    /// noticed.
    pub file_ids_are_stable: bool,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { most_bytes: 1 << 29, file_ids_are_stable: true }
    }
}

/// What a file is told from its copy by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileIds {
    Stable,
    Unstable,
}

impl StoreConfig {
    pub(super) fn file_ids(&self) -> FileIds {
        if self.file_ids_are_stable { FileIds::Stable } else { FileIds::Unstable }
    }
}
