//! The flags that every command with a configuration takes.

use std::path::PathBuf;

use anzen_actors::node::{NodeConfig, NodeError};

/// Where the settings come from: defaults, then the file, then `ANZEN_…` variables, then these flags.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Settings {
    /// The configuration; its settings are overridden by variables (ANZEN_CHAIN__RPC_URL) and by flags.
    #[arg(long, value_name = "FILE", env = "ANZEN_CONFIG")]
    config: Option<PathBuf>,
    /// The chain's RPC endpoint (chain.rpc_url).
    #[arg(long, value_name = "URL")]
    rpc_url: Option<String>,
    /// The addresses.json of the deployment (addresses).
    #[arg(long, value_name = "FILE")]
    addresses: Option<PathBuf>,
}

impl Settings {
    /// The configuration that they amount to.
    ///
    /// # Errors
    /// Where a file is not there, or a setting is not known or has a wrong value.
    pub(crate) fn load(&self) -> Result<NodeConfig, NodeError> {
        let mut flags = figment::value::Dict::new();
        let mut chain = figment::value::Dict::new();
        if let Some(url) = &self.rpc_url {
            chain.insert("rpc_url".into(), url.clone().into());
        }
        if !chain.is_empty() {
            flags.insert("chain".into(), chain.into());
        }
        if let Some(addresses) = &self.addresses {
            flags.insert("addresses".into(), addresses.display().to_string().into());
        }
        NodeConfig::load(self.config.as_deref(), flags)
    }
}
