//! What a node's configuration file says.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anzen_deploy::Addresses;
use anzen_deploy::addresses::Protocol;
use anzen_messages::wire::ActorName;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, UncasedStr};
use serde::{Deserialize, Serialize};

use super::error::NodeError;
use super::operator::OperatorConfig;
use crate::adapters::ChainConfig;
use crate::keys::KeysConfig;
use crate::operator_signer::ProtocolModel;
use crate::{
    aggregator, chain_watcher, operator_signer, rpc_gateway, signature_collector, stake_updater,
    task_generator, tx_sender,
};

/// A node: the actors that it runs, and all that they need to be told. Relative paths are relative to the folder that the
/// process runs in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeConfig {
    /// What the process calls itself in its log.
    pub name: String,
    /// The actors that this process runs.
    pub roles: Vec<ActorName>,
    /// Where everything is on chain: the file that the deployment wrote.
    pub addresses: PathBuf,
    /// The folder for what must last. One process at a time uses it.
    pub data_dir: PathBuf,
    /// Whether an operator sets itself up on chain (`[operator]`) before its actors start: registration, deposit, allocation
    /// and membership of the quorum, as far as they are missing. It needs `[keys.ecdsa]` for that alone. Turn it off before
    /// the operator leaves, or it joins again.
    pub register_operator_on_startup: bool,
    /// The chain.
    pub chain: ChainConfig,
    /// Where the keys are.
    pub keys: KeysConfig,
    /// What an operator stakes and publishes.
    pub operator: OperatorConfig,
    /// Where operators connect (role `rpc-gateway`).
    pub edge: EdgeConfig,
    /// The aggregators that an operator submits to (role `operator-signer`).
    pub aggregators: Vec<AggregatorAt>,
    /// How an operator keeps its connections to them.
    pub operator_link: rpc_gateway::OperatorLinkConfig,
    /// The other processes of the same aggregator.
    pub links: LinksConfig,
    /// Where metrics are served.
    pub metrics: MetricsConfig,
    /// See [`chain_watcher::Config`].
    pub chain_watcher: chain_watcher::Config,
    /// See [`task_generator::Config`].
    pub task_generator: task_generator::Config,
    /// See [`operator_signer::Config`].
    pub operator_signer: operator_signer::Config,
    /// See [`signature_collector::Config`].
    pub signature_collector: signature_collector::Config,
    /// See [`aggregator::Config`].
    pub aggregator: aggregator::Config,
    /// See [`stake_updater::Config`].
    pub stake_updater: stake_updater::Config,
    /// See [`tx_sender::Config`].
    pub tx_sender: tx_sender::Config,
    /// See [`rpc_gateway::Config`].
    pub rpc_gateway: rpc_gateway::Config,
}

/// Where operators connect.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EdgeConfig {
    /// Address and port; port 0 lets the system choose (`endpoints.json` in the data folder tells).
    pub listen: SocketAddr,
    /// The aggregator's name, which operators sign in their sessions.
    pub server_name: String,
}

impl Default for EdgeConfig {
    fn default() -> Self {
        Self { listen: ([127, 0, 0, 1], 0).into(), server_name: "anzen-aggregator".into() }
    }
}

/// An aggregator to submit to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AggregatorAt {
    /// The name that it must have; it is signed in the session.
    pub server_name: String,
    /// `ws://` or `wss://`.
    pub url: String,
}

/// The other processes of the same aggregator, on this machine.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinksConfig {
    /// The Unix socket on which this process takes messages for its actors; nothing where nobody links here.
    pub listen: Option<PathBuf>,
    /// The Unix socket of the process that runs an actor which is not run here.
    pub to: BTreeMap<ActorName, PathBuf>,
}

/// Where metrics are served.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// Address and port of `GET /metrics`; nothing turns it off, port 0 lets the system choose.
    pub listen: Option<SocketAddr>,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            name: "anzen".into(),
            roles: Vec::new(),
            addresses: "addresses.json".into(),
            data_dir: "data".into(),
            register_operator_on_startup: false,
            chain: ChainConfig::default(),
            keys: KeysConfig::default(),
            operator: OperatorConfig::default(),
            edge: EdgeConfig::default(),
            aggregators: Vec::new(),
            operator_link: Default::default(),
            links: LinksConfig::default(),
            metrics: MetricsConfig::default(),
            chain_watcher: Default::default(),
            task_generator: Default::default(),
            operator_signer: Default::default(),
            signature_collector: Default::default(),
            aggregator: Default::default(),
            stake_updater: Default::default(),
            tx_sender: Default::default(),
            rpc_gateway: Default::default(),
        }
    }
}

impl NodeConfig {
    /// Defaults, then the file, then variables (`ANZEN_CHAIN__RPC_URL` sets `chain.rpc_url`), then flags.
    ///
    /// # Errors
    /// Where the file is not there, or something is said that is not known.
    pub fn load(path: Option<&Path>, flags: Dict) -> Result<Self, NodeError> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(path) = path {
            if !path.is_file() {
                return Err(NodeError::NoConfig(path.to_owned()));
            }
            figment = figment.merge(Toml::file_exact(path));
        }
        figment
            .merge(Env::prefixed("ANZEN_").filter(is_setting).split("__"))
            .merge(Serialized::defaults(flags))
            .extract()
            .map_err(|error| NodeError::Config { error: error.to_string() })
    }

    /// Fills in what the addresses say where the configuration says nothing: which protocols there are, by which model.
    pub(super) fn complete(&mut self, addresses: &Addresses) {
        let protocols = &addresses.protocols;
        if self.operator_signer.models.is_empty() {
            let model =
                |one: &Protocol| ProtocolModel { oracle_index: one.oracle_index, model: one.model.clone() };
            self.operator_signer.models = protocols.iter().map(model).collect();
        }
        if self.task_generator.protocols.is_empty() {
            let default = &self.task_generator;
            let task = |one: &Protocol| task_generator::Protocol {
                oracle_index: one.oracle_index,
                interval: default.interval_blocks,
                threshold: default.threshold_percentage,
                model: one.model.clone(),
            };
            self.task_generator.protocols = protocols.iter().map(task).collect();
        }
    }

    /// Takes the roles of `anzen aggregator` or `anzen operator` where the configuration names none.
    ///
    /// # Errors
    /// Where it names others.
    pub fn run_as(&mut self, command: &'static str, roles: &[ActorName]) -> Result<(), NodeError> {
        let set = |roles: &[ActorName]| roles.iter().copied().collect::<BTreeSet<_>>();
        if self.roles.is_empty() {
            self.roles = roles.to_vec();
        }
        if set(&self.roles) == set(roles) {
            return Ok(());
        }
        Err(NodeError::OtherRoles { command, configured: self.roles.clone(), own: roles.to_vec() })
    }

    /// True where this process runs the actor.
    pub fn runs(&self, actor: ActorName) -> bool {
        self.roles.contains(&actor)
    }
}

/// Other variables of that prefix are the program's own (`ANZEN_CONFIG`): only what names a setting is one.
fn is_setting(name: &UncasedStr) -> bool {
    const TOP: [&str; 5] = ["name", "roles", "addresses", "data_dir", "register_operator_on_startup"];
    name.as_str().contains("__") || TOP.iter().any(|setting| name == *setting)
}

#[cfg(test)]
#[allow(clippy::result_large_err, reason = "figment's error, in a closure that figment asks for")]
mod tests {
    use super::*;

    #[test]
    fn variables_override_the_file_and_the_programs_own_are_no_settings() {
        figment::Jail::expect_with(|jail| {
            jail.create_file("node.toml", "name = \"from the file\"\nroles = [\"chain-watcher\"]")?;
            jail.set_env("ANZEN_CONFIG", "node.toml");
            jail.set_env("ANZEN_RPC_URL", "http://127.0.0.1:1");
            jail.set_env("ANZEN_NAME", "from the environment");
            jail.set_env("ANZEN_CHAIN__RPC_URL", "http://127.0.0.1:2");
            let config = NodeConfig::load(Some(Path::new("node.toml")), Dict::new()).unwrap();
            assert_eq!(config.name, "from the environment");
            assert_eq!(config.roles, [ActorName::ChainWatcher]);
            assert_eq!(config.chain.rpc_url.to_string(), "http://127.0.0.1:2");
            Ok(())
        });
    }

    #[test]
    fn a_setting_that_is_not_known_is_refused() {
        figment::Jail::expect_with(|jail| {
            jail.create_file("node.toml", "[chain]\nrpc_ulr = \"http://127.0.0.1:1\"")?;
            let error = NodeConfig::load(Some(Path::new("node.toml")), Dict::new()).unwrap_err().to_string();
            assert!(error.contains("rpc_ulr") && error.contains("node.toml"), "{error}");
            Ok(())
        });
    }
}
