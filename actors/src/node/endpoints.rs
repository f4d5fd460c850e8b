//! Where a running process can be reached, for those who start it with port 0.

use std::net::SocketAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::NodeError;

/// Written to `endpoints.json` in the data folder when the process is ready, and removed when it stops.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoints {
    /// Where operators connect.
    pub edge: Option<SocketAddr>,
    /// Where metrics are served.
    pub metrics: Option<SocketAddr>,
    /// Where the AVS node API is served.
    #[serde(default)]
    pub api: Option<SocketAddr>,
}

impl Endpoints {
    /// The file's name.
    pub const FILE: &'static str = "endpoints.json";

    /// Writes the file in one step: a reader sees all of it or none.
    ///
    /// # Errors
    /// Where the folder cannot be written to.
    pub fn save(&self, data_dir: &Path) -> Result<(), NodeError> {
        let failed = |error: std::io::Error| NodeError::File { path: data_dir.join(Self::FILE), error };
        let text = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        let draft = data_dir.join("endpoints.json.new");
        std::fs::write(&draft, text + "\n").map_err(failed)?;
        std::fs::rename(&draft, data_dir.join(Self::FILE)).map_err(failed)
    }

    /// Reads the file; nothing where the process is not ready.
    pub fn load(data_dir: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(data_dir.join(Self::FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Removes the file.
    pub fn remove(data_dir: &Path) {
        // Nothing depends on it: whoever reads it finds that nobody listens.
        let _ = std::fs::remove_file(data_dir.join(Self::FILE));
    }
}
