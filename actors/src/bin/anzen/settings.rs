//! The flags that every command with a configuration takes.

use std::path::PathBuf;

use anzen_actors::node::config::{ConfigError, Flag, Loaded, Sources};
use anzen_actors::node::{NodeConfig, NodeError};

/// Where the settings come from: defaults, then the file, then `ANZEN_…` variables, then these flags.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct Settings {
    /// The configuration, in TOML or YAML; its settings are overridden by variables (ANZEN_CHAIN__RPC_URL) and by flags.
    #[arg(long, value_name = "FILE", env = "ANZEN_CONFIG")]
    config: Option<PathBuf>,
    /// The chain's RPC endpoint (chain.rpc_url); put one with a key in it into the file or ANZEN_CHAIN__RPC_URL.
    #[arg(long, value_name = "URL")]
    rpc_url: Option<String>,
    /// The addresses.json of the deployment (addresses).
    #[arg(long, value_name = "FILE")]
    addresses: Option<String>,
    /// What the process calls itself (name).
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The folder for what must last (data_dir).
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// Where metrics are served (metrics.listen).
    #[arg(long, value_name = "IP:PORT")]
    metrics_listen: Option<String>,
    /// Any other setting, such as task_generator.interval_blocks=20; may be given more than once.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
}

fn key_and_value(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("write it like chain.timeout_ms=5000")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

impl Settings {
    /// The configuration that they amount to.
    ///
    /// # Errors
    /// Where a file is not there, or a setting is not known or has a wrong value.
    pub(crate) fn load(&self) -> Result<NodeConfig, NodeError> {
        Ok(self.load_with_origins()?.config)
    }

    /// The same, with who says what.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn load_with_origins(&self) -> Result<Loaded, ConfigError> {
        Sources::of_process(self.config.clone(), self.flags()).load()
    }

    fn flags(&self) -> Vec<Flag> {
        let named = [
            ("--rpc-url", "chain.rpc_url", &self.rpc_url),
            ("--addresses", "addresses", &self.addresses),
            ("--name", "name", &self.name),
            ("--data-dir", "data_dir", &self.data_dir),
            ("--metrics-listen", "metrics.listen", &self.metrics_listen),
        ];
        let flag = |name: &str, key: &str, value: &str| Flag {
            name: name.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
        };
        let given =
            named.into_iter().filter_map(|(name, key, value)| Some(flag(name, key, value.as_deref()?)));
        given.chain(self.set.iter().map(|(key, value)| flag("--set", key, value))).collect()
    }
}
