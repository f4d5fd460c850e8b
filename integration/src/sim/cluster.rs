//! Processes, assembled as real ones are: an aggregator, and operators.

use std::sync::Arc;

use alloy_primitives::Address;
use anzen_actors::bus::Directory;
use anzen_actors::node::{NodeConfig, NodeError, Ports, Roles, Upstream, start_roles};
use anzen_actors::task_generator::Protocol;
use anzen_messages::task::SigningDomain;
use anzen_messages::wire::ActorName;

use super::chain::SimChain;
use super::chain_ports::SimEndpoint;
use super::link::{Destination, SimLink};
use super::log::EventLog;
use super::network::Net;
use super::node::{Machine, Node, Who};
use super::process::Process;
use super::sabotage::Sabotage;
use super::store::SimStore;
use super::transaction::SimTxSigner;
use super::witness::Witness;
use super::world::{InPlace, SimBlsSigner, SimClock, SimRng, account, operator_key};

/// The simulated chain's id.
pub(super) const CHAIN_ID: u64 = 31_337;

/// The task manager's address.
pub(super) const TASK_MANAGER: Address = Address::repeat_byte(0xaa);

/// What operators sign in.
pub(super) fn domain() -> SigningDomain {
    SigningDomain::new(CHAIN_ID, TASK_MANAGER)
}

/// After how many blocks actors take what is on chain for final: more than the deepest reorg.
pub(super) const FINALITY: u64 = 20;
/// For how many blocks operators keep records: longer than a task can matter.
pub(super) const KEEP_RECORDS: u64 = 80;
/// For how many blocks senders remember transactions.
pub(super) const REMEMBER: u64 = 64;

/// What all processes of a run share.
#[derive(Clone)]
pub(super) struct Cluster {
    pub(super) seed: u64,
    pub(super) chain: SimChain,
    pub(super) net: Net,
    pub(super) log: EventLog,
    pub(super) witness: Witness,
    pub(super) sabotage: Option<Sabotage>,
    /// The ends of the ways to the aggregators.
    pub(super) aggregators: Vec<Destination>,
    pub(super) task_interval: u64,
    /// The operators that do not say of their keys that they have signed nothing before.
    pub(super) old_keys: Vec<usize>,
    pub(super) clock: Arc<SimClock>,
}

impl Cluster {
    /// Starts the process of a machine, which must have none.
    pub(super) async fn start(&self, node: &mut Node) -> Result<(), String> {
        node.lives += 1;
        let machine = node.machine.clone();
        let name = machine.who.to_string();
        self.log.add(format_args!("{name} starts"));
        let (cluster, life) = (self.clone(), format!("{name}, life {}", node.lives));
        let process = Process::start(name, async move { cluster.assemble(&machine, &life).await }).await?;
        node.machine.peer.up(process.dispatcher.clone());
        node.process = Some(process);
        Ok(())
    }

    /// Kills the process of a machine, if it runs.
    pub(super) async fn kill(&self, node: &mut Node) {
        let Some(process) = node.process.take() else { return };
        node.machine.peer.down();
        process.kill().await;
        let rng = self.rng(&format!("{}, death {}", node.machine.who, node.lives));
        let lost = node.machine.disk.crash(&rng);
        self.log.add(format_args!("{} is killed; {lost} writes are lost", node.machine.who));
    }

    async fn assemble(&self, machine: &Machine, life: &str) -> Result<Directory, NodeError> {
        let (config, upstream) = match machine.who {
            Who::Aggregator(number) => (self.aggregator_config(number), Vec::new()),
            Who::Operator(number) => {
                (operator_config(!self.old_keys.contains(&number)), self.upstream(number, life))
            }
        };
        let mut ports = self.ports(machine, life);
        match machine.who {
            Who::Aggregator(number) => {
                ports.tx_signer = Some(Arc::new(SimTxSigner(account(1_000 + number))));
            }
            Who::Operator(number) => {
                let (disk, witness) = (machine.disk.clone(), self.witness.clone());
                ports.bls_signer = Some(Arc::new(SimBlsSigner::new(operator_key(number), disk, witness)));
            }
        }
        let metrics = machine.new_metrics();
        let roles = Roles {
            config: &config,
            ports: &ports,
            domain: domain(),
            response_window: self.chain.fork().contract().rules.response_window,
            first_block: 0,
            upstream,
            metrics: &metrics,
            health: Default::default(),
        };
        let mut directory = Directory::default();
        start_roles(&roles, &mut directory).await?;
        Ok(directory)
    }

    fn aggregator_config(&self, number: usize) -> NodeConfig {
        let roles = vec![
            ActorName::ChainWatcher,
            ActorName::TxSender,
            ActorName::Aggregator,
            ActorName::SignatureCollector,
            ActorName::StakeUpdater,
            ActorName::TaskGenerator,
        ];
        let mut config = NodeConfig { roles, ..NodeConfig::default() };
        let protocol = Protocol { interval: self.task_interval, threshold: 66, ..Protocol::at_intervals(0) };
        config.task_generator.protocols = vec![protocol];
        // Short enough for a calm to have tasks.
        config.task_generator.longest_pause = 4;
        config.task_generator.finality_blocks = FINALITY;
        config.signature_collector.finality_blocks = FINALITY;
        config.aggregator.finality_blocks = FINALITY;
        config.aggregator.replica = u32::try_from(number).unwrap_or_default();
        config.tx_sender.remember_blocks = REMEMBER;
        config
    }

    /// The ways of operator `from` to every aggregator.
    pub(super) fn links(&self, from: usize, life: &str) -> Vec<SimLink> {
        let operator = operator_key(from).public_key().operator_id();
        let link = |to: &Destination| SimLink {
            from,
            operator,
            to: to.clone(),
            net: self.net.clone(),
            rng: self.rng(&format!("{life}'s link to {}", to.name())),
            log: self.log.clone(),
            witness: self.witness.clone(),
            sabotage: self.sabotage,
        };
        self.aggregators.iter().map(link).collect()
    }

    fn upstream(&self, from: usize, life: &str) -> Vec<Upstream> {
        let named = |link: SimLink| Upstream {
            name: link.to.name(),
            transport: Arc::new(link),
            oracle_indices: Default::default(),
        };
        self.links(from, life).into_iter().map(named).collect()
    }

    fn ports(&self, machine: &Machine, life: &str) -> Ports {
        let endpoint = Arc::new(SimEndpoint {
            chain: self.chain.clone(),
            rng: self.rng(&format!("{life}'s endpoint")),
            weather: Arc::clone(&machine.weather),
            disk: machine.disk.clone(),
            witness: self.witness.clone(),
        });
        let store = SimStore {
            disk: machine.disk.clone(),
            rng: self.rng(&format!("{life}'s disk")),
            sabotage: self.sabotage,
            restorations: machine.disk.open(),
        };
        Ports {
            reader: endpoint.clone(),
            registry: endpoint.clone(),
            standings: endpoint.clone(),
            contract: endpoint.clone(),
            disputes: endpoint.clone(),
            inputs: endpoint.clone(),
            broadcast: endpoint,
            store: Arc::new(store),
            clock: self.clock.clone(),
            rng: self.rng(life),
            cpu: Arc::new(InPlace),
            bls_signer: None,
            tx_signer: None,
        }
    }

    pub(super) fn rng(&self, user: &str) -> Arc<SimRng> {
        Arc::new(SimRng::new(self.seed, user))
    }
}

fn operator_config(key_is_new: bool) -> NodeConfig {
    let roles = vec![ActorName::ChainWatcher, ActorName::OperatorSigner];
    let mut config = NodeConfig { roles, ..NodeConfig::default() };
    config.operator_signer.key_is_new = key_is_new;
    config.operator_signer.protocols = vec![0];
    config.operator_signer.finality_blocks = FINALITY;
    config.operator_signer.keep_records = KEEP_RECORDS;
    config
}
