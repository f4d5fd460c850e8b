//! A whole process: configuration, real adapters, the end.

use std::sync::Arc;

use alloy::signers::local::PrivateKeySigner;
use anzen_deploy::Addresses;
use anzen_messages::task::SigningDomain;
use anzen_messages::wire::ActorName;
use futures::future::OptionFuture;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::api::{RPC_ENDPOINT, STORE, StoreProbe};
use super::bus::OnBus;
use super::config::NodeConfig;
use super::endpoints::Endpoints;
use super::error::NodeError;
use super::keys::Signers;
use super::listeners::{Listeners, bind_edge};
use super::metrics::NodeMetrics;
use super::operator::{Registration, register};
use super::ports::Ports;
use super::roles::{Roles, start_roles};
use super::storage::{open_store, store_path};
use crate::adapters::{AlloyChain, BlockingPool, OsRng, SqliteStore, SystemClock};
use crate::bus::Directory;
use crate::health::HealthProbes;
use crate::ports::{Clock, StoreError, TaskContract, jittered};
use crate::rpc_gateway::Identity;
use crate::telemetry;

/// The longest pause before an endpoint that does not answer at the start is asked again.
const LONGEST_PAUSE: std::time::Duration = std::time::Duration::from_secs(2);

/// How long calls under way may take once the process is to stop.
const LAST_CALLS: std::time::Duration = std::time::Duration::from_secs(3);

/// Runs a process until `stop`. Must be called within an actix system.
///
/// # Errors
/// Where the process cannot start; the text says what to do.
pub async fn run(mut config: NodeConfig, stop: CancellationToken) -> Result<(), NodeError> {
    if config.roles.is_empty() {
        return Err(NodeError::NoRoles);
    }
    let addresses = Addresses::load(&config.addresses)?;
    config.complete(&addresses);
    let metrics = NodeMetrics::default();
    // First of all: a second process on the same folder ends here, and has not touched what is the other's.
    let store = open_store(&config, metrics.store.clone())?;
    Endpoints::remove(&config.data_dir);
    let signers = tokio::select! {
        signers = Signers::load(&config) => signers?,
        () = stop.cancelled() => return Ok(()),
    };
    let process = Process::new(config, signers, &addresses, (store, metrics), stop)?;
    process.run().await
}

/// What the parts of a process share while it is assembled.
pub(super) struct Process {
    pub(super) config: NodeConfig,
    pub(super) identity: Identity,
    /// The block of the deployment.
    first_block: u64,
    chain: Arc<AlloyChain>,
    pub(super) ports: Ports,
    pub(super) metrics: NodeMetrics,
    /// For the operator's registration; gone after it.
    account: Option<PrivateKeySigner>,
    pub(super) health: HealthProbes,
    /// The disk has failed for good.
    store_breaks: CancellationToken,
    pub(super) stop: CancellationToken,
}

impl Process {
    fn new(
        config: NodeConfig,
        signers: Signers,
        addresses: &Addresses,
        (store, metrics): (SqliteStore, NodeMetrics),
        stop: CancellationToken,
    ) -> Result<Self, NodeError> {
        metrics.process.started(SystemClock.now());
        let cpu = Arc::new(BlockingPool::new(tokio::runtime::Handle::current()));
        let rng = Arc::new(OsRng::new().map_err(|error| NodeError::Adapter(error.to_string()))?);
        let store_breaks = store.broken();
        let rpc = metrics.rpc.clone();
        let chain =
            Arc::new(AlloyChain::new(&config.chain, addresses.into(), cpu.clone(), rng.clone(), rpc)?);
        let ports = Ports {
            reader: chain.clone(),
            registry: chain.clone(),
            standings: chain.clone(),
            contract: chain.clone(),
            disputes: chain.clone(),
            inputs: chain.clone(),
            broadcast: chain.clone(),
            store: Arc::new(store),
            clock: Arc::new(SystemClock),
            rng,
            cpu,
            bls_signer: signers.bls,
            tx_signer: signers.tx,
        };
        telemetry::identify(telemetry::Identity {
            node: config.name.clone(),
            operator: ports.bls_signer.as_ref().map(|signer| signer.operator_id()),
        });
        let identity = Identity {
            server: config.edge.server_name.clone(),
            chain_id: addresses.chain_id,
            task_manager: addresses.task_manager,
        };
        let health = HealthProbes::default();
        health.add(RPC_ENDPOINT, chain.clone());
        let pulse = metrics.store.pulse().clone();
        health.add(STORE, Arc::new(StoreProbe { store: Arc::clone(&ports.store), pulse }));
        let account = signers.account;
        let first_block = addresses.deployment_block;
        Ok(Self { config, identity, first_block, chain, ports, metrics, account, health, store_breaks, stop })
    }

    async fn run(mut self) -> Result<(), NodeError> {
        let listeners = Listeners::bind(&self.config).await?;
        let mut endpoints = listeners.endpoints();
        // From now on: whoever waits for the chain wants to see that.
        let mut servers = self.serve_http(listeners.http);
        let response_window = tokio::select! {
            window = self.reach_chain() => window?,
            () = self.stop.cancelled() => return Ok(()),
        };
        let account = self.account.take();
        tokio::select! {
            registered = Box::pin(self.register(account)) => registered?,
            () = self.stop.cancelled() => return Ok(()),
        }
        let on_bus = tokio::select! {
            joined = Box::pin(self.join_bus()) => joined?,
            () = self.stop.cancelled() => return Ok(()),
        };
        let mut directory = Directory::default();
        self.link(&mut directory)?;
        if let Some(on_bus) = &on_bus {
            on_bus.link(&self.config, &mut directory);
        }
        let roles = Roles {
            config: &self.config,
            ports: &self.ports,
            domain: self.domain(),
            response_window,
            first_block: self.first_block,
            upstream: self.upstream()?,
            metrics: &self.metrics,
            health: self.health.clone(),
        };
        start_roles(&roles, &mut directory).await?;
        let edge = bind_edge(listeners.edge, &self.config).await?;
        endpoints.edge = edge.as_ref().and_then(|edge| edge.local_addr().ok());
        let mut edge = self.serve_edge(edge, &directory)?;
        servers.extend(self.serve_links(listeners.links, &directory));
        let on_bus = on_bus.map(|on_bus| on_bus.start(&directory, &self.stop));
        endpoints.save(&self.config.data_dir)?;
        let actors: Vec<&str> = self.config.roles.iter().map(|actor| actor.as_str()).collect();
        info!(node = self.config.name, actors = actors.join(" "), "running");
        let ended = self.end(edge.as_mut()).await;
        servers.extend(edge.filter(|edge| !edge.is_finished()));
        // They end their connections by themselves; whoever hangs is left behind.
        let _ = tokio::time::timeout(LAST_CALLS, futures::future::join_all(servers)).await;
        let left = match on_bus {
            Some(on_bus) => tokio::time::timeout(LAST_CALLS, Box::pin(on_bus.end())).await.unwrap_or(Ok(())),
            None => Ok(()),
        };
        Endpoints::remove(&self.config.data_dir);
        info!(node = self.config.name, "stopped");
        ended.and(left.map_err(NodeError::from))
    }

    /// Returns when the process is to stop.
    async fn end(&self, edge: Option<&mut JoinHandle<()>>) -> Result<(), NodeError> {
        let edge = OptionFuture::from(edge);
        tokio::select! {
            // The edge ends, too, where all is to stop.
            biased;
            () = self.stop.cancelled() => Ok(()),
            () = self.store_breaks.cancelled() => {
                self.stop.cancel();
                let path = store_path(&self.config).display().to_string();
                Err(NodeError::Store(StoreError::Broken(path)))
            }
            // It ends by itself only where its thread has panicked.
            Some(_) = edge => {
                self.stop.cancel();
                Err(NodeError::Gateway("the edge has ended, which is a bug: start the process again, and report it".into()))
            }
        }
    }

    /// Waits until the endpoint answers; whoever starts everything at once need not care for the order.
    async fn reach_chain(&self) -> Result<u64, NodeError> {
        loop {
            let failure = match self.ask_chain().await {
                Ok(window) => return Ok(window),
                Err(crate::ports::ChainError::Nonsense(error)) => {
                    return Err(crate::ports::ChainError::Nonsense(error).into());
                }
                Err(error) => error,
            };
            tracing::warn!(error = %failure, "waiting for the chain");
            tokio::time::sleep(jittered(self.ports.rng.as_ref(), LONGEST_PAUSE)).await;
        }
    }

    /// Sets the operator up on chain, where the configuration asks for that.
    async fn register(&self, account: Option<PrivateKeySigner>) -> Result<(), NodeError> {
        let Some(account) = account else { return Ok(()) };
        let (state, seen) = watch::channel(Registration::default());
        // Until the actor itself can tell.
        self.health.add(ActorName::OperatorSigner.as_str(), Arc::new(seen));
        let bls = self.ports.bls_signer.clone();
        register(&self.config, account, bls, self.ports.rng.as_ref(), &state).await
    }

    async fn ask_chain(&self) -> Result<u64, crate::ports::ChainError> {
        self.chain.check().await?;
        Ok(self.chain.windows().await?.response)
    }

    fn domain(&self) -> SigningDomain {
        SigningDomain::new(self.identity.chain_id, self.identity.task_manager)
    }

    async fn join_bus(&self) -> Result<Option<OnBus>, NodeError> {
        let Some(nats) = &self.config.nats else { return Ok(None) };
        OnBus::join(&self.config, nats, &self.ports, &self.metrics.nats).await.map(Some)
    }
}
