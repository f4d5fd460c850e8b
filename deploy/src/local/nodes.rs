//! Which processes there are, and the configuration file of each. The files are what a person would write for
//! `anzen node`, with paths that start in the file's folder. The processes are told of their files by paths that start in the
//! network's folder and run there, so that all paths are short: a Unix socket's may have no more than about a hundred bytes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anzen_messages::wire::ActorName;
use serde::{Deserialize, Serialize};

use super::{
    LocalError,
    endpoints::Endpoints,
    folder::{Folder, write_private},
    process::{Program, Sign, this_program},
};

/// The name that the local aggregator goes by.
pub(super) const SERVER_NAME: &str = "local-aggregator";
/// Where the aggregator's processes have their sockets.
const LINKS: &str = "links";
/// What a process keeps, in its own folder.
const DATA: &str = "data";
/// A process's configuration, in its own folder.
const CONFIG: &str = "node.toml";
/// How much of the stake must sign: what two of three operators of equal stake have.
const THRESHOLD_PERCENT: u32 = 66;
/// A port that the system chooses.
const ANY_PORT: &str = "127.0.0.1:0";

/// How the aggregator is divided into processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Topology {
    /// One process.
    Compact,
    /// Each actor in a process of its own.
    Spread,
}

/// What all processes are told.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) rpc_url: String,
    pub(super) ws_url: String,
    /// In blocks.
    pub(super) task_interval: u64,
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) roles: Vec<ActorName>,
}

impl Node {
    pub(super) fn runs(&self, actor: ActorName) -> bool {
        self.roles.contains(&actor)
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        Path::new(&self.name).join(DATA)
    }

    pub(super) fn config(&self, folder: &Folder) -> PathBuf {
        folder.join(&self.name).join(CONFIG)
    }

    /// What runs it. It ends with this process.
    pub(super) fn program(&self, folder: &Folder) -> Result<Program, LocalError> {
        let config = format!("{}/{CONFIG}", self.name);
        Ok(Program {
            name: self.name.clone(),
            program: this_program()?,
            arguments: ["node", "--exit-with-parent", "--config", &config].map(Into::into).to_vec(),
            folder: folder.path().to_owned(),
            log: folder.log_of(&self.name),
            sign: Sign::File(Endpoints::path(folder, self)),
        })
    }
}

/// The aggregator's processes, in the order in which they are started.
pub(super) fn aggregator(topology: Topology) -> Vec<Node> {
    match topology {
        Topology::Compact => vec![Node { name: "aggregator".into(), roles: ActorName::AGGREGATOR.to_vec() }],
        Topology::Spread => {
            ActorName::AGGREGATOR.map(|actor| Node { name: actor.to_string(), roles: vec![actor] }).to_vec()
        }
    }
}

/// The process of an operator.
pub(super) fn operator(number: u32) -> Node {
    Node { name: operator_name(number), roles: ActorName::OPERATOR.to_vec() }
}

pub(super) fn operator_name(number: u32) -> String {
    format!("operator-{number}")
}

/// The part of a node's configuration that a local network sets; the rest has good defaults.
#[derive(Debug, Serialize)]
struct NodeFile<'a> {
    name: &'a str,
    roles: &'a [ActorName],
    addresses: &'static str,
    data_dir: &'static str,
    chain: ChainPart<'a>,
    keys: KeysPart,
    metrics: ListenPart,
    api: ListenPart,
    #[serde(skip_serializing_if = "Option::is_none")]
    edge: Option<EdgePart>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aggregators: Vec<AggregatorPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<LinksPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_generator: Option<GeneratorPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator_signer: Option<SignerPart>,
}

#[derive(Debug, Serialize)]
struct ChainPart<'a> {
    rpc_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ws_url: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct SignerPart {
    key_is_new: bool,
}

#[derive(Debug, Default, Serialize)]
struct KeysPart {
    #[serde(skip_serializing_if = "Option::is_none")]
    bls: Option<KeyPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ecdsa: Option<KeyPart>,
}

/// Keys that are worth nothing, and are used at once: in the clear.
#[derive(Debug, Serialize)]
struct KeyPart {
    private_key_file: &'static str,
}

impl KeyPart {
    fn at(private_key_file: &'static str) -> Option<Self> {
        Some(Self { private_key_file })
    }
}

#[derive(Debug, Serialize)]
struct ListenPart {
    listen: &'static str,
}

#[derive(Debug, Serialize)]
struct EdgePart {
    listen: &'static str,
    server_name: &'static str,
}

#[derive(Debug, Serialize)]
struct AggregatorPart<'a> {
    server_name: &'a str,
    url: &'a str,
}

#[derive(Debug, Serialize)]
struct LinksPart {
    listen: String,
    to: BTreeMap<ActorName, String>,
}

#[derive(Debug, Serialize)]
struct GeneratorPart {
    interval_blocks: u64,
    threshold_percentage: u32,
}

/// Writes the files of an aggregator's process. The one that sends transactions gets `transaction_key`.
pub(super) fn write_aggregator(
    folder: &Folder,
    node: &Node,
    all: &[Node],
    world: &World,
    transaction_key: &str,
) -> Result<(), LocalError> {
    let private = folder.make_private(&node.name)?;
    let mut file = NodeFile::new(node, world);
    if node.runs(ActorName::TxSender) {
        write_private(&private.join("ecdsa.key"), transaction_key)?;
        file.keys.ecdsa = KeyPart::at("ecdsa.key");
    }
    if node.runs(ActorName::RpcGateway) {
        file.edge = Some(EdgePart { listen: ANY_PORT, server_name: SERVER_NAME });
    }
    if node.runs(ActorName::TaskGenerator) {
        file.task_generator = Some(GeneratorPart {
            interval_blocks: world.task_interval,
            threshold_percentage: THRESHOLD_PERCENT,
        });
    }
    if all.len() > 1 {
        folder.make_private(LINKS)?;
        file.links = Some(links(node, all));
    }
    file.write(folder)
}

/// The sockets of the processes whose actors those of `node` talk to.
fn links(node: &Node, all: &[Node]) -> LinksPart {
    let needed = node.roles.iter().flat_map(|role| role.talks_to()).filter(|actor| !node.runs(**actor));
    let at = |actor: &ActorName| all.iter().find(|other| other.runs(*actor)).map(socket);
    LinksPart { listen: socket(node), to: needed.filter_map(|actor| Some((*actor, at(actor)?))).collect() }
}

fn socket(node: &Node) -> String {
    format!("../{LINKS}/{}.sock", node.name)
}

/// Writes the configuration of an operator, whose keys are there already.
pub(super) fn write_operator(
    folder: &Folder,
    node: &Node,
    world: &World,
    aggregator_url: &str,
) -> Result<(), LocalError> {
    folder.make_private(&node.name)?;
    let mut file = NodeFile::new(node, world);
    file.keys.bls = KeyPart::at("bls.key");
    // Made for this network, beside the store: what is open when the operator starts was never signed with it.
    file.operator_signer = Some(SignerPart { key_is_new: true });
    file.aggregators = vec![AggregatorPart { server_name: SERVER_NAME, url: aggregator_url }];
    file.write(folder)
}

impl<'a> NodeFile<'a> {
    fn new(node: &'a Node, world: &'a World) -> Self {
        Self {
            name: &node.name,
            roles: &node.roles,
            addresses: "../addresses.json",
            data_dir: DATA,
            // Only who follows the chain has a use for a subscription.
            chain: ChainPart {
                rpc_url: &world.rpc_url,
                ws_url: node.runs(ActorName::ChainWatcher).then_some(&world.ws_url),
            },
            keys: KeysPart::default(),
            // The same for both: one server.
            metrics: ListenPart { listen: ANY_PORT },
            api: ListenPart { listen: ANY_PORT },
            edge: None,
            aggregators: Vec::new(),
            links: None,
            task_generator: None,
            operator_signer: None,
        }
    }

    fn write(&self, folder: &Folder) -> Result<(), LocalError> {
        let path = folder.join(self.name).join(CONFIG);
        let text = toml::to_string(self).map_err(|error| LocalError::malformed(&path, &error))?;
        std::fs::write(&path, text).map_err(LocalError::file(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_topologies_run_each_of_the_aggregators_actors_once() {
        for topology in [Topology::Compact, Topology::Spread] {
            let nodes = aggregator(topology);
            let mut actors: Vec<ActorName> = nodes.iter().flat_map(|node| node.roles.clone()).collect();
            actors.sort();
            let expected: Vec<ActorName> =
                ActorName::ALL.into_iter().filter(|actor| *actor != ActorName::OperatorSigner).collect();
            assert_eq!(actors, expected);
        }
    }

    #[test]
    fn each_process_is_linked_to_those_before_it_that_it_needs() {
        let nodes = aggregator(Topology::Spread);
        for (index, node) in nodes.iter().enumerate() {
            let links = links(node, &nodes);
            let earlier: Vec<String> = nodes[..index].iter().map(socket).collect();
            assert!(links.to.values().all(|socket| earlier.contains(socket)), "{node:?}");
            assert_eq!(links.to.len(), node.roles[0].talks_to().len());
        }
    }
}
