//! Where a process listens: the file that it writes when it is ready. The system chooses the ports at its first start, and
//! the process keeps them.

use std::{net::SocketAddr, path::PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::{LocalError, folder::Folder, nodes::Node};

/// Where a process listens.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Endpoints {
    pub(super) edge: Option<SocketAddr>,
    metrics: Option<SocketAddr>,
    #[serde(default)]
    api: Option<SocketAddr>,
}

impl Endpoints {
    /// The file.
    pub(super) fn path(folder: &Folder, node: &Node) -> PathBuf {
        folder.join(node.data_dir()).join("endpoints.json")
    }

    /// Reads the file; nothing where the process is not ready.
    pub(super) fn load(folder: &Folder, node: &Node) -> Option<Self> {
        let text = std::fs::read_to_string(Self::path(folder, node)).ok()?;
        serde_json::from_str(&text).ok()
    }

    pub(super) fn metrics_url(&self) -> Option<String> {
        self.metrics.map(|address| format!("http://{address}/metrics"))
    }

    pub(super) fn api_url(&self) -> Option<String> {
        self.api.map(|address| format!("http://{address}"))
    }

    /// Has the process listen at the same addresses when it is started again: others know them by now.
    pub(super) fn pin(&self, folder: &Folder, node: &Node) -> Result<(), LocalError> {
        let path = node.config(folder);
        let text = std::fs::read_to_string(&path).map_err(LocalError::file(&path))?;
        let pinned = self.pinned(&text).map_err(|error| LocalError::malformed(&path, &error))?;
        std::fs::write(&path, pinned).map_err(LocalError::file(path))
    }

    /// The configuration `text`, with these addresses.
    fn pinned(&self, text: &str) -> Result<String, toml::de::Error> {
        let mut config: Table = text.parse()?;
        for (section, address) in [("edge", self.edge), ("metrics", self.metrics), ("api", self.api)] {
            if let (Some(Value::Table(section)), Some(address)) = (config.get_mut(section), address) {
                section.insert("listen".into(), address.to_string().into());
            }
        }
        Ok(config.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_keeps_its_ports_and_everything_else() {
        let endpoints: Endpoints =
            serde_json::from_str(r#"{"edge": "127.0.0.1:1", "metrics": "127.0.0.1:2", "api": null}"#)
                .unwrap();
        let text = "name = \"a\"\n\n[edge]\nlisten = \"127.0.0.1:0\"\nserver_name = \"b\"\n\n\
                    [metrics]\nlisten = \"127.0.0.1:0\"\n\n[api]\nlisten = \"127.0.0.1:0\"\n";
        let config: Table = endpoints.pinned(text).unwrap().parse().unwrap();
        let listens = |section: &str| config[section]["listen"].as_str();
        assert_eq!(listens("edge"), Some("127.0.0.1:1"));
        assert_eq!(listens("metrics"), Some("127.0.0.1:2"));
        assert_eq!(listens("api"), Some("127.0.0.1:0"));
        assert_eq!((config["name"].as_str(), config["edge"]["server_name"].as_str()), (Some("a"), Some("b")));
    }

    #[test]
    fn nothing_is_added_that_is_not_configured() {
        let endpoints: Endpoints = serde_json::from_str(r#"{"edge": "127.0.0.1:1"}"#).unwrap();
        assert_eq!(endpoints.pinned("name = \"a\"\n").unwrap(), "name = \"a\"\n");
    }
}
