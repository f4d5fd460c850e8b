//! What a node is told: defaults, then a file, then variables, then flags.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `mod.rs` | the settings |
//! | `shape.rs`, `known.rs`, `key.rs` | which settings there are, read off their types; the nearest to a misspelt one |
//! | `file.rs`, `variables.rs`, `layer.rs` | the sources |
//! | `load.rs`, `limits.rs`, `problem.rs` | putting them together; all that is wrong, and where |
//! | `check.rs`, `online.rs` | what else has to be so before the process can start: here, and on chain |
//!
//! A new section is a field of [`NodeConfig`] whose type derives serde's traits with `default` and `deny_unknown_fields`:
//! files, variables, flags, `anzen config` and the errors know it from there.

mod check;
mod file;
#[cfg(any(test, feature = "fuzz"))]
pub(super) mod fuzz;
mod key;
mod known;
mod layer;
mod limits;
mod load;
mod online;
mod problem;
mod shape;
mod variables;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use anzen_deploy::Addresses;
use anzen_deploy::addresses::Protocol;
use anzen_messages::wire::ActorName;
use serde::{Deserialize, Serialize};

use super::api::ApiConfig;
use super::error::NodeError;
use super::operator::OperatorConfig;
use crate::adapters::{ChainConfig, StoreConfig};
use crate::keys::KeysConfig;
use crate::nats::NatsConfig;
use crate::telemetry::TelemetryConfig;
use crate::{
    aggregator, chain_watcher, challenger, operator_signer, rpc_gateway, signature_collector, stake_updater,
    task_generator, tx_sender,
};

pub use check::CheckError;
pub use file::FileError;
pub use key::Key;
pub use layer::{Flag, Origin};
pub use load::{Loaded, Setting, Sources};
pub use online::{OnlineError, check_chain};
pub use problem::{ConfigError, Problem};
pub use variables::own_variables;

/// A node: the actors that it runs, and all that they need to be told. A relative path starts in the configuration file's
/// folder where the file says it or nobody does, and in the folder that the process runs in where a variable or a flag does.
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
    /// and membership of the quorum, as far as they are missing. It needs `[keys.ecdsa]` for that alone. Who has left the
    /// quorum, or was ejected, is brought back by `anzen operator register` alone.
    pub register_operator_on_startup: bool,
    /// The file for what must last.
    pub store: StoreConfig,
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
    /// The other processes of the same aggregator, where they are on this machine.
    pub links: LinksConfig,
    /// The bus to the other processes of the same aggregator, where they are on other machines: a NATS server. Nothing where
    /// there is none. What is in `links.to` goes there.
    pub nats: Option<NatsConfig>,
    /// Where metrics are served.
    pub metrics: MetricsConfig,
    /// What is logged, and where traces go.
    pub telemetry: TelemetryConfig,
    /// The AVS node API.
    pub api: ApiConfig,
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
    /// See [`challenger::Config`].
    pub challenger: challenger::Config,
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
    /// `wss://`; `ws://` on this machine.
    pub url: String,
    /// Who vouches for its certificate, PEM; instead of those whom the system trusts.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Whether `ws://` may be used to another machine: whoever is between could use the operator's session.
    #[serde(default)]
    pub plaintext: bool,
    /// The protocols that it serves (`signature_collector.oracle_indices` there); all of them where there is none. Only
    /// answers about these go to it.
    #[serde(default)]
    pub oracle_indices: BTreeSet<u32>,
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
            store: StoreConfig::default(),
            chain: ChainConfig::default(),
            keys: KeysConfig::default(),
            operator: OperatorConfig::default(),
            edge: EdgeConfig::default(),
            aggregators: Vec::new(),
            operator_link: Default::default(),
            links: LinksConfig::default(),
            nats: None,
            metrics: MetricsConfig::default(),
            telemetry: TelemetryConfig::default(),
            api: ApiConfig::default(),
            chain_watcher: Default::default(),
            task_generator: Default::default(),
            operator_signer: Default::default(),
            signature_collector: Default::default(),
            aggregator: Default::default(),
            stake_updater: Default::default(),
            challenger: Default::default(),
            tx_sender: Default::default(),
            rpc_gateway: Default::default(),
        }
    }
}

impl NodeConfig {
    /// Fills in what the addresses say where the configuration says nothing: which protocols there are.
    pub(super) fn complete(&mut self, addresses: &Addresses) {
        let protocols = &addresses.protocols;
        if self.operator_signer.protocols.is_empty() {
            self.operator_signer.protocols = protocols.iter().map(|one| one.oracle_index).collect();
        }
        if self.operator_signer.fee_tokens.is_empty() {
            self.operator_signer.fee_tokens = vec![addresses.token];
        }
        if self.task_generator.protocols.is_empty() {
            let default = &self.task_generator;
            let task = |one: &Protocol| task_generator::Protocol {
                oracle_index: one.oracle_index,
                interval: default.interval_blocks,
                heartbeat: default.heartbeat_blocks,
                deviation_bps: default.deviation_bps,
                look_every: default.look_every_blocks,
                threshold: default.threshold_percentage,
            };
            self.task_generator.protocols = protocols.iter().map(task).collect();
        }
    }

    /// Takes the roles of `anzen aggregator`, `anzen operator` or `anzen challenger` where the configuration names none.
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

    /// The roles of `anzen challenger`: a dry run sends nothing, and needs no key.
    pub fn challenger_roles(&self) -> Vec<ActorName> {
        let sends = |actor: &ActorName| *actor == ActorName::TxSender;
        ActorName::CHALLENGER.into_iter().filter(|actor| !(self.challenger.dry_run && sends(actor))).collect()
    }

    /// The actors that `role` sends to.
    pub(super) fn needs_of(&self, role: ActorName) -> Vec<ActorName> {
        let unused = |other: ActorName| {
            role == ActorName::Challenger && other == ActorName::TxSender && self.challenger.dry_run
        };
        role.talks_to().iter().copied().filter(|other| !unused(*other)).collect()
    }

    /// True where this process runs the actor.
    pub fn runs(&self, actor: ActorName) -> bool {
        self.roles.contains(&actor)
    }
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a test that says which sample is wrong")]
mod samples;
#[cfg(test)]
mod tests;
