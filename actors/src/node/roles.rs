//! Starting a process's actors, from the chain outwards, and connecting them.

use std::collections::BTreeSet;
use std::sync::Arc;

use anzen_messages::aggregation::QuorumReached;
use anzen_messages::chain::NextBlocks;
use anzen_messages::signature::SubmitSignature;
use anzen_messages::task::SigningDomain;
use anzen_messages::transaction::SendTransaction;
use anzen_messages::wire::ActorName;

use super::config::NodeConfig;
use super::error::NodeError;
use super::metrics::NodeMetrics;
use super::ports::Ports;
use crate::bus::{Directory, Handle};
use crate::health::{HealthProbe, HealthProbes};
use crate::keys::KeyKind;
use crate::ports::{BlsSigner, Transport, TxSigner};
use crate::{
    aggregator, chain_watcher, challenger, operator_signer, signature_collector, stake_updater,
    task_generator, tx_sender,
};

/// An aggregator that an operator submits to.
pub struct Upstream {
    /// Its name, for the log.
    pub name: String,
    /// The way to it.
    pub transport: Arc<dyn Transport>,
    /// The protocols that it serves; all of them where there is none.
    pub oracle_indices: BTreeSet<u32>,
}

/// What the actors of one process are made from.
pub struct Roles<'a> {
    /// Which actors, and how they behave.
    pub config: &'a NodeConfig,
    /// The world.
    pub ports: &'a Ports,
    /// What operators sign in.
    pub domain: SigningDomain,
    /// For how many blocks a task can be answered.
    pub response_window: u64,
    /// The block from which on there can be events: that of the deployment.
    pub first_block: u64,
    /// The aggregators that an operator submits to.
    pub upstream: Vec<Upstream>,
    /// Counts.
    pub metrics: &'a NodeMetrics,
    /// Whom to ask how each actor is; they are added here.
    pub health: HealthProbes,
}

/// Starts the actors that the configuration names and makes them known in `directory`, which has the links to the others.
///
/// The order is that of the handles: whoever is needed comes first.
///
/// # Errors
/// Where an actor needs another that is neither here nor linked, a key that is not given, or records that cannot be read.
pub async fn start_roles(roles: &Roles<'_>, directory: &mut Directory) -> Result<(), NodeError> {
    roles.chain_watcher(directory);
    roles.tx_sender(directory).await?;
    roles.aggregator(directory).await?;
    roles.signature_collector(directory).await?;
    roles.stake_updater(directory)?;
    roles.task_generator(directory)?;
    roles.challenger(directory).await?;
    roles.operator_signer(directory)
}

impl Roles<'_> {
    fn runs(&self, actor: ActorName) -> bool {
        self.config.runs(actor)
    }

    fn watch(&self, actor: ActorName, probe: impl HealthProbe + 'static) {
        self.health.add(actor.as_str(), Arc::new(probe));
    }

    fn chain_watcher(&self, directory: &mut Directory) {
        if !self.runs(ActorName::ChainWatcher) {
            return;
        }
        let deps = chain_watcher::Dependencies {
            reader: Arc::clone(&self.ports.reader),
            clock: Arc::clone(&self.ports.clock),
            rng: Arc::clone(&self.ports.rng),
            store: Arc::clone(&self.ports.store),
            response_window: self.response_window,
            first_block: self.first_block,
            metrics: self.metrics.watcher.clone(),
        };
        let inbox = chain_watcher::start(&self.config.chain_watcher, deps, &self.metrics.bus);
        directory.provide::<_, NextBlocks>(&inbox);
        self.watch(ActorName::ChainWatcher, inbox);
    }

    async fn tx_sender(&self, directory: &mut Directory) -> Result<(), NodeError> {
        if !self.runs(ActorName::TxSender) {
            return Ok(());
        }
        let deps = tx_sender::Dependencies {
            watcher: directory.handle()?,
            broadcast: Arc::clone(&self.ports.broadcast),
            signer: self.tx_signer()?,
            store: Arc::clone(&self.ports.store),
            rng: Arc::clone(&self.ports.rng),
            metrics: self.metrics.tx_sender.clone(),
        };
        let inbox = tx_sender::start(self.config.tx_sender.clone(), deps, &self.metrics.bus).await?;
        directory.provide::<_, SendTransaction>(&inbox);
        self.watch(ActorName::TxSender, inbox);
        Ok(())
    }

    async fn aggregator(&self, directory: &mut Directory) -> Result<(), NodeError> {
        if !self.runs(ActorName::Aggregator) {
            return Ok(());
        }
        let deps = aggregator::Dependencies {
            watcher: directory.handle()?,
            tx_sender: directory.handle()?,
            contract: Arc::clone(&self.ports.contract),
            store: Arc::clone(&self.ports.store),
            rng: Arc::clone(&self.ports.rng),
            response_window: self.response_window,
            metrics: self.metrics.aggregator.clone(),
        };
        let inbox = aggregator::start(self.config.aggregator.clone(), deps, &self.metrics.bus).await?;
        directory.provide::<_, QuorumReached>(&inbox);
        self.watch(ActorName::Aggregator, inbox);
        Ok(())
    }

    async fn signature_collector(&self, directory: &mut Directory) -> Result<(), NodeError> {
        if !self.runs(ActorName::SignatureCollector) {
            return Ok(());
        }
        let deps = signature_collector::Dependencies {
            watcher: directory.handle()?,
            aggregator: directory.handle()?,
            registry: Arc::clone(&self.ports.registry),
            store: Arc::clone(&self.ports.store),
            cpu: Arc::clone(&self.ports.cpu),
            rng: Arc::clone(&self.ports.rng),
            domain: self.domain.clone(),
            response_window: self.response_window,
            metrics: self.metrics.collector.clone(),
        };
        let config = self.config.signature_collector.clone();
        let inbox = signature_collector::start(config, deps, &self.metrics.bus).await?;
        directory.provide::<_, SubmitSignature>(&inbox);
        self.watch(ActorName::SignatureCollector, inbox);
        Ok(())
    }

    fn stake_updater(&self, directory: &Directory) -> Result<(), NodeError> {
        if !self.runs(ActorName::StakeUpdater) {
            return Ok(());
        }
        let deps = stake_updater::Dependencies {
            watcher: directory.handle()?,
            tx_sender: directory.handle()?,
            registry: Arc::clone(&self.ports.registry),
            rng: Arc::clone(&self.ports.rng),
            metrics: self.metrics.updater.clone(),
        };
        let addr = stake_updater::start(self.config.stake_updater.clone(), deps);
        self.watch(ActorName::StakeUpdater, addr);
        Ok(())
    }

    fn task_generator(&self, directory: &Directory) -> Result<(), NodeError> {
        if !self.runs(ActorName::TaskGenerator) {
            return Ok(());
        }
        let deps = task_generator::Dependencies {
            watcher: directory.handle()?,
            tx_sender: directory.handle()?,
            contract: Arc::clone(&self.ports.contract),
            inputs: Arc::clone(&self.ports.inputs),
            rng: Arc::clone(&self.ports.rng),
            metrics: self.metrics.generator.clone(),
        };
        let addr = task_generator::start(self.config.task_generator.clone(), deps);
        self.watch(ActorName::TaskGenerator, addr);
        Ok(())
    }

    async fn challenger(&self, directory: &Directory) -> Result<(), NodeError> {
        if !self.runs(ActorName::Challenger) {
            return Ok(());
        }
        let config = self.config.challenger.clone();
        let deps = challenger::Dependencies {
            watcher: directory.handle()?,
            tx_sender: (!config.dry_run).then(|| directory.handle()).transpose()?,
            disputes: Arc::clone(&self.ports.disputes),
            contract: Arc::clone(&self.ports.contract),
            broadcast: Arc::clone(&self.ports.broadcast),
            store: Arc::clone(&self.ports.store),
            rng: Arc::clone(&self.ports.rng),
            response_window: self.response_window,
            margin_blocks: self
                .runs(ActorName::ChainWatcher)
                .then_some(self.config.chain_watcher.margin_blocks),
            metrics: self.metrics.challenger.clone(),
        };
        let addr = challenger::start(config, deps).await?;
        self.watch(ActorName::Challenger, addr);
        Ok(())
    }

    fn operator_signer(&self, directory: &Directory) -> Result<(), NodeError> {
        if !self.runs(ActorName::OperatorSigner) {
            return Ok(());
        }
        if self.upstream.is_empty() {
            return Err(NodeError::Missing { role: ActorName::OperatorSigner, setting: "aggregators" });
        }
        let deps = operator_signer::Dependencies {
            watcher: directory.handle()?,
            aggregators: self.upstream.iter().map(Upstream::aggregator).collect(),
            contract: Arc::clone(&self.ports.contract),
            inputs: Arc::clone(&self.ports.inputs),
            standings: Arc::clone(&self.ports.standings),
            signer: self.bls_signer()?,
            store: Arc::clone(&self.ports.store),
            rng: Arc::clone(&self.ports.rng),
            clock: Arc::clone(&self.ports.clock),
            domain: self.domain.clone(),
            metrics: self.metrics.signer.clone(),
        };
        let addr = operator_signer::start(self.config.operator_signer.clone(), deps);
        self.watch(ActorName::OperatorSigner, addr);
        Ok(())
    }

    fn tx_signer(&self) -> Result<Arc<dyn TxSigner>, NodeError> {
        let missing = NodeError::Missing { role: ActorName::TxSender, setting: KeyKind::Ecdsa.setting() };
        self.ports.tx_signer.clone().ok_or(missing)
    }

    fn bls_signer(&self) -> Result<Arc<dyn BlsSigner>, NodeError> {
        let missing = NodeError::Missing { role: ActorName::OperatorSigner, setting: KeyKind::Bls.setting() };
        self.ports.bls_signer.clone().ok_or(missing)
    }
}

impl Upstream {
    fn aggregator(&self) -> operator_signer::Aggregator {
        operator_signer::Aggregator {
            name: self.name.clone(),
            handle: Handle::remote(Arc::clone(&self.transport)),
            oracle_indices: self.oracle_indices.clone(),
        }
    }
}
