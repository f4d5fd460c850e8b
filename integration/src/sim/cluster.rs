//! Processes, assembled as real ones are: an aggregator, and operators.

use std::sync::Arc;

use alloy_primitives::Address;
use anzen_actors::bus::Directory;
use anzen_actors::node::{NodeConfig, NodeError, NodeMetrics, Ports, Roles, Upstream, start_roles};
use anzen_actors::operator_signer::ProtocolModel;
use anzen_actors::task_generator::Protocol;
use anzen_messages::model::Model;
use anzen_messages::task::SigningDomain;
use anzen_messages::wire::ActorName;

use super::chain::SimChain;
use super::chain_ports::SimEndpoint;
use super::log::EventLog;
use super::network::{Faults, Peer, SimLink};
use super::store::{Disk, SimStore};
use super::world::{InPlace, SimBlsSigner, SimClock, SimRng, SimTxSigner, account, operator_key};

/// The simulated chain's id.
pub(super) const CHAIN_ID: u64 = 31_337;

/// The task manager's address.
pub(super) const TASK_MANAGER: Address = Address::repeat_byte(0xaa);

/// What operators sign in.
pub(super) fn domain() -> SigningDomain {
    SigningDomain::new(CHAIN_ID, TASK_MANAGER)
}

/// The model of every protocol; its inputs are made up by the simulated endpoint.
pub(super) fn model() -> Model {
    Model {
        quorum: 0,
        stake_registry: Address::repeat_byte(1),
        stake_price_feed: Address::repeat_byte(2),
        vault: Address::repeat_byte(3),
        vault_price_feed: Address::repeat_byte(4),
        cost_share_bps: 5_000,
        profit_share_bps: 10_000,
        cost_decimals: 0,
        profit_decimals: 0,
    }
}

/// What all processes of a run share.
#[derive(Clone)]
pub(super) struct Cluster {
    pub(super) seed: u64,
    pub(super) chain: SimChain,
    pub(super) faults: Faults,
    pub(super) rpc_failure_percent: u64,
    pub(super) log: EventLog,
    pub(super) response_window: u64,
    pub(super) task_interval: u64,
}

impl Cluster {
    /// Starts the process with all of the aggregator's actors, which takes messages at `peer`.
    pub(super) async fn aggregator(&self, peer: &Peer, disk: Disk) -> Result<(), NodeError> {
        let roles = vec![
            ActorName::ChainWatcher,
            ActorName::TxSender,
            ActorName::Aggregator,
            ActorName::SignatureCollector,
            ActorName::StakeUpdater,
            ActorName::TaskGenerator,
        ];
        let mut config = NodeConfig { roles, ..NodeConfig::default() };
        config.task_generator.protocols = vec![self.protocol()];
        let mut ports = self.ports("aggregator", disk);
        ports.tx_signer = Some(Arc::new(SimTxSigner(account(1_000))));
        let directory = self.start(&config, &ports, Vec::new()).await?;
        peer.up(directory.dispatcher());
        Ok(())
    }

    /// Starts operator `i`, which submits to `aggregator`.
    pub(super) async fn operator(&self, i: usize, aggregator: &Peer, disk: Disk) -> Result<(), NodeError> {
        let name = format!("operator {i}");
        let roles = vec![ActorName::ChainWatcher, ActorName::OperatorSigner];
        let mut config = NodeConfig { roles, ..NodeConfig::default() };
        config.operator_signer.key_is_new = true;
        config.operator_signer.models = vec![ProtocolModel { oracle_index: 0, model: model() }];
        let mut ports = self.ports(&name, disk);
        ports.bls_signer = Some(Arc::new(SimBlsSigner(operator_key(i))));
        let link = SimLink {
            peer: aggregator.clone(),
            faults: self.faults,
            rng: self.rng(&format!("{name}'s link")),
            log: self.log.clone(),
            from: name,
        };
        let upstream = Upstream { name: "aggregator".into(), transport: Arc::new(link) };
        self.start(&config, &ports, vec![upstream]).await.map(|_| ())
    }

    fn protocol(&self) -> Protocol {
        Protocol { oracle_index: 0, interval: self.task_interval, threshold: 66, model: model() }
    }

    async fn start(
        &self,
        config: &NodeConfig,
        ports: &Ports,
        upstream: Vec<Upstream>,
    ) -> Result<Directory, NodeError> {
        let metrics = NodeMetrics::default();
        let roles = Roles {
            config,
            ports,
            domain: domain(),
            response_window: self.response_window,
            upstream,
            metrics: &metrics,
            health: Default::default(),
        };
        let mut directory = Directory::default();
        start_roles(&roles, &mut directory).await?;
        Ok(directory)
    }

    fn ports(&self, process: &str, disk: Disk) -> Ports {
        let endpoint = Arc::new(SimEndpoint {
            chain: self.chain.clone(),
            rng: self.rng(&format!("{process}'s endpoint")),
            failure_percent: self.rpc_failure_percent,
        });
        Ports {
            reader: endpoint.clone(),
            registry: endpoint.clone(),
            standings: endpoint.clone(),
            contract: endpoint.clone(),
            inputs: endpoint.clone(),
            broadcast: endpoint,
            store: Arc::new(SimStore::new(disk, self.rng(&format!("{process}'s disk")))),
            clock: Arc::new(SimClock::new()),
            rng: self.rng(process),
            cpu: Arc::new(InPlace),
            bls_signer: None,
            tx_signer: None,
        }
    }

    fn rng(&self, user: &str) -> Arc<SimRng> {
        Arc::new(SimRng::new(self.seed, user))
    }
}
