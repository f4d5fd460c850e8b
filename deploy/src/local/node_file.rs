//! The configuration file of each process: what a person would write for `anzen node`, with paths that start in the file's
//! folder.

use std::collections::BTreeMap;

use anzen_messages::wire::ActorName;
use serde::Serialize;

use super::{
    LocalError,
    folder::{Folder, write_private},
    nats,
    network::AggregatorInfo,
    nodes::{Aggregator, CONFIG, DATA, Node},
};

/// Where an aggregator's processes have their sockets.
const LINKS: &str = "links";
/// How much of the stake must sign: what two of three operators of equal stake have.
const THRESHOLD_PERCENT: u32 = 66;
/// For how many blocks an answer can be challenged: so many are told to a challenger that starts.
const CHALLENGE_WINDOW: u64 = 120;
/// A port that the system chooses.
const ANY_PORT: &str = "127.0.0.1:0";
/// The most that the bus keeps of an aggregator's messages; of a local network's there are few.
const MOST_BYTES: u64 = 64 << 20;

/// What all processes are told.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) rpc_url: String,
    pub(super) ws_url: String,
    /// In blocks.
    pub(super) task_interval: u64,
    /// The server of the bus, where the aggregators' processes have one.
    pub(super) nats_url: Option<String>,
}

/// The part of a node's configuration that a local network sets; the rest has good defaults.
#[derive(Debug, Serialize)]
struct NodeFile<'a> {
    name: &'a str,
    roles: &'a [ActorName],
    addresses: String,
    data_dir: &'static str,
    chain: ChainPart<'a>,
    keys: KeysPart,
    metrics: ListenPart,
    api: ListenPart,
    #[serde(skip_serializing_if = "Option::is_none")]
    edge: Option<EdgePart>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aggregators: Vec<AggregatorPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<LinksPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nats: Option<NatsPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregator: Option<ReplicaPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_generator: Option<GeneratorPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator_signer: Option<SignerPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_watcher: Option<WatcherPart>,
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

#[derive(Debug, Serialize)]
struct WatcherPart {
    margin_blocks: u64,
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
    server_name: String,
}

#[derive(Debug, Serialize)]
struct AggregatorPart {
    server_name: String,
    url: String,
}

#[derive(Debug, Serialize)]
struct LinksPart {
    listen: String,
    to: BTreeMap<ActorName, String>,
}

#[derive(Debug, Serialize)]
struct NatsPart<'a> {
    url: &'a str,
    aggregator: &'a str,
    password_file: String,
    most_bytes: u64,
}

#[derive(Debug, Serialize)]
struct ReplicaPart {
    replica: u32,
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
    aggregator: &Aggregator,
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
        file.edge = Some(EdgePart { listen: ANY_PORT, server_name: aggregator.server_name() });
    }
    if node.runs(ActorName::TaskGenerator) {
        file.task_generator = Some(GeneratorPart {
            interval_blocks: world.task_interval,
            threshold_percentage: THRESHOLD_PERCENT,
        });
    }
    if node.runs(ActorName::Aggregator) {
        file.aggregator = Some(ReplicaPart { replica: aggregator.replica });
    }
    match &world.nats_url {
        Some(url) => file.nats = Some(on_bus(url, aggregator, node)),
        None if aggregator.nodes.len() > 1 => {
            folder.make_private(&beside(node, LINKS))?;
            file.links = Some(links(node, &aggregator.nodes));
        }
        None => {}
    }
    file.write(folder)
}

/// How the processes of an aggregator reach each other over the bus.
fn on_bus<'a>(url: &'a str, aggregator: &'a Aggregator, node: &Node) -> NatsPart<'a> {
    let password_file = up_from(node) + nats::PASSWORD_FILE;
    NatsPart { url, aggregator: &aggregator.name, password_file, most_bytes: MOST_BYTES }
}

/// The sockets of the processes whose actors those of `node` talk to.
fn links(node: &Node, all: &[Node]) -> LinksPart {
    let needed = node.roles.iter().flat_map(|role| role.talks_to()).filter(|actor| !node.runs(**actor));
    let at = |actor: &ActorName| all.iter().find(|other| other.runs(*actor)).map(socket);
    LinksPart { listen: socket(node), to: needed.filter_map(|actor| Some((*actor, at(actor)?))).collect() }
}

fn socket(node: &Node) -> String {
    let name = node.name.rsplit('/').next().unwrap_or_default();
    format!("../{LINKS}/{name}.sock")
}

/// The path of `other` in the folder in which the process's own is.
fn beside(node: &Node, other: &str) -> String {
    node.name.rsplit_once('/').map_or_else(|| other.to_owned(), |(parent, _)| format!("{parent}/{other}"))
}

/// From the process's folder to the network's.
fn up_from(node: &Node) -> String {
    "../".repeat(node.name.split('/').count())
}

/// Writes the files of the challenger, which gets `transaction_key`.
pub(super) fn write_challenger(
    folder: &Folder,
    node: &Node,
    world: &World,
    transaction_key: &str,
) -> Result<(), LocalError> {
    let private = folder.make_private(&node.name)?;
    write_private(&private.join("ecdsa.key"), transaction_key)?;
    let mut file = NodeFile::new(node, world);
    file.keys.ecdsa = KeyPart::at("ecdsa.key");
    file.chain_watcher = Some(WatcherPart { margin_blocks: CHALLENGE_WINDOW });
    file.write(folder)
}

/// Writes the configuration of an operator, whose keys are there already.
pub(super) fn write_operator(
    folder: &Folder,
    node: &Node,
    world: &World,
    aggregators: &[AggregatorInfo],
) -> Result<(), LocalError> {
    folder.make_private(&node.name)?;
    let mut file = NodeFile::new(node, world);
    file.keys.bls = KeyPart::at("bls.key");
    // Made for this network, beside the store: what is open when the operator starts was never signed with it.
    file.operator_signer = Some(SignerPart { key_is_new: true });
    let part = |at: &AggregatorInfo| AggregatorPart { server_name: at.name.clone(), url: at.url.clone() };
    file.aggregators = aggregators.iter().map(part).collect();
    file.write(folder)
}

impl<'a> NodeFile<'a> {
    fn new(node: &'a Node, world: &'a World) -> Self {
        Self {
            name: &node.name,
            roles: &node.roles,
            addresses: up_from(node) + "addresses.json",
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
            nats: None,
            aggregator: None,
            task_generator: None,
            operator_signer: None,
            chain_watcher: None,
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
    use crate::local::nodes::{Topology, aggregators};

    #[test]
    fn each_process_is_linked_to_those_before_it_that_it_needs() {
        for Aggregator { nodes, .. } in aggregators(Topology::Spread, 2) {
            for (index, node) in nodes.iter().enumerate() {
                let links = links(node, &nodes);
                let earlier: Vec<String> = nodes[..index].iter().map(socket).collect();
                assert!(links.to.values().all(|socket| earlier.contains(socket)), "{node:?}");
                assert_eq!(links.to.len(), node.roles[0].talks_to().len());
            }
        }
    }

    #[test]
    fn paths_lead_from_the_processs_folder_to_the_networks() {
        let one = &aggregators(Topology::Spread, 1)[0].nodes[0];
        let of_several = &aggregators(Topology::Spread, 2)[1].nodes[0];
        assert_eq!((up_from(one), up_from(of_several)), ("../".into(), "../../".into()));
        assert_eq!(
            (beside(one, LINKS), beside(of_several, LINKS)),
            ("links".into(), "aggregator-2/links".into())
        );
    }
}
