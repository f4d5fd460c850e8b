//! A whole process: configuration, real adapters, links, metrics, the end.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alloy::signers::local::PrivateKeySigner;
use anzen_deploy::Addresses;
use anzen_messages::signature::SubmitSignature;
use anzen_messages::task::SigningDomain;
use anzen_messages::wire::ActorName;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::api::{self, Monitor, RPC_ENDPOINT, STORE, StoreProbe, services_of};
use super::bus::OnBus;
use super::config::NodeConfig;
use super::endpoints::Endpoints;
use super::error::NodeError;
use super::http::HttpListeners;
use super::keys::Signers;
use super::metrics::{self, NodeMetrics};
use super::operator::{Registration, register};
use super::ports::Ports;
use super::roles::{Roles, Upstream, start_roles};
use crate::adapters::{AlloyChain, BlockingPool, OsRng, SqliteStore, StoreMetrics, SystemClock};
use crate::bus::Directory;
use crate::health::HealthProbes;
use crate::keys::KeyKind;
use crate::ports::{Clock, Rng, StoreError, TaskContract, jittered};
use crate::rpc_gateway::{
    self, EdgeMethods, Identity, LinkDependencies, LinkSocket, LinkTransport, OperatorLink, TlsFiles,
    serve_links,
};
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
struct Process {
    config: NodeConfig,
    identity: Identity,
    chain: Arc<AlloyChain>,
    ports: Ports,
    metrics: NodeMetrics,
    /// For the operator's registration; gone after it.
    account: Option<PrivateKeySigner>,
    health: HealthProbes,
    /// The disk has failed for good.
    store_breaks: CancellationToken,
    stop: CancellationToken,
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
        Ok(Self { config, identity, chain, ports, metrics, account, health, store_breaks, stop })
    }

    async fn run(mut self) -> Result<(), NodeError> {
        let listeners = Listeners::bind(&self.config).await?;
        let endpoints = listeners.endpoints();
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
            upstream: self.upstream()?,
            metrics: &self.metrics,
            health: self.health.clone(),
        };
        start_roles(&roles, &mut directory).await?;
        servers.extend(self.serve_edge(listeners.edge, &directory)?);
        servers.extend(self.serve_links(listeners.links, &directory));
        let on_bus = on_bus.map(|on_bus| on_bus.start(&directory, &self.stop));
        endpoints.save(&self.config.data_dir)?;
        let actors: Vec<&str> = self.config.roles.iter().map(|actor| actor.as_str()).collect();
        info!(node = self.config.name, actors = actors.join(" "), "running");
        let ended = self.end().await;
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
    async fn end(&self) -> Result<(), NodeError> {
        tokio::select! {
            () = self.stop.cancelled() => Ok(()),
            () = self.store_breaks.cancelled() => {
                self.stop.cancel();
                let path = store_path(&self.config).display().to_string();
                Err(NodeError::Store(StoreError::Broken(path)))
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

    fn link_dependencies(&self) -> LinkDependencies {
        LinkDependencies {
            clock: Arc::clone(&self.ports.clock),
            rng: Arc::clone(&self.ports.rng) as Arc<dyn Rng>,
            metrics: self.metrics.links.clone(),
        }
    }

    /// The actors of the other processes.
    fn link(&self, directory: &mut Directory) -> Result<(), NodeError> {
        for (actor, path) in &self.config.links.to {
            let transport = LinkTransport::start(path, self.link_dependencies())
                .map_err(|error| NodeError::Gateway(error.to_string()))?;
            directory.link(*actor, Arc::new(transport));
        }
        Ok(())
    }

    async fn join_bus(&self) -> Result<Option<OnBus>, NodeError> {
        let Some(nats) = &self.config.nats else { return Ok(None) };
        OnBus::join(&self.config, nats, &self.ports, &self.metrics.nats).await.map(Some)
    }

    /// An operator's connections to the aggregators.
    fn upstream(&self) -> Result<Vec<Upstream>, NodeError> {
        if !self.config.runs(ActorName::OperatorSigner) {
            return Ok(Vec::new());
        }
        let missing = NodeError::Missing { role: ActorName::OperatorSigner, setting: KeyKind::Bls.setting() };
        let signer = self.ports.bls_signer.clone().ok_or(missing)?;
        let connect = |at: &super::config::AggregatorAt| {
            let identity = Identity { server: at.server_name.clone(), ..self.identity.clone() };
            let (url, ca, plaintext) = (at.url.clone(), at.ca.clone(), at.plaintext);
            let upstream = rpc_gateway::Upstream { identity, url, ca, plaintext };
            let (config, deps) = (&self.config.operator_link, self.link_dependencies());
            let link = OperatorLink::start(config, upstream, signer.clone(), deps);
            let link = link.map_err(|error| NodeError::Gateway(error.to_string()))?;
            Ok(Upstream { name: at.server_name.clone(), transport: Arc::new(link) })
        };
        self.config.aggregators.iter().map(connect).collect()
    }

    /// Serves metrics and the node API, and finds out what the latter tells.
    fn serve_http(&self, listeners: HttpListeners) -> Vec<JoinHandle<()>> {
        let services = services_of(&self.config.roles);
        let (probes, clock) = (self.health.clone(), Arc::clone(&self.ports.clock));
        let metrics = self.metrics.health.clone();
        let (monitor, reports) = Monitor::new(&self.config.api, services, probes, clock, metrics);
        actix::spawn(monitor.run(self.stop.clone()));
        let mut registry = self.metrics.registry(&self.config.roles);
        self.metrics.register_eigen(&mut registry, &self.config.roles);
        listeners.serve(metrics::router(registry), api::router(reports), &self.stop)
    }

    fn serve_edge(
        &self,
        listener: Option<TcpListener>,
        directory: &Directory,
    ) -> Result<Option<JoinHandle<()>>, NodeError> {
        let Some(listener) = listener else { return Ok(None) };
        let mut methods = EdgeMethods::default();
        methods.accept(directory.handle::<SubmitSignature>()?);
        let deps = rpc_gateway::Dependencies {
            registry: Arc::clone(&self.ports.registry),
            standings: Arc::clone(&self.ports.standings),
            store: Arc::clone(&self.ports.store),
            clock: Arc::clone(&self.ports.clock),
            rng: Arc::clone(&self.ports.rng),
            cpu: Arc::clone(&self.ports.cpu),
            metrics: self.metrics.gateway.clone(),
        };
        let edge = rpc_gateway::start(&self.config.rpc_gateway, self.identity.clone(), methods, deps);
        let tls = self.config.rpc_gateway.tls.as_ref().map(TlsFiles::load).transpose();
        let tls = tls.map_err(|error| NodeError::Gateway(error.to_string()))?;
        self.health.add(ActorName::RpcGateway.as_str(), Arc::new(edge.clone()));
        if tls.is_none() && listener.local_addr().is_ok_and(|at| !at.ip().is_loopback()) {
            warn!(
                "operators connect from other machines in plain text: whoever is between can use their sessions; set \
                 [rpc_gateway.tls], unless a proxy with a certificate is in front"
            );
        }
        let served = edge.serve_apart(listener, tls, self.stop.clone());
        served.map(Some).map_err(|error| NodeError::Gateway(format!("the edge cannot be served: {error}")))
    }

    fn serve_links(&self, socket: Option<LinkSocket>, directory: &Directory) -> Option<JoinHandle<()>> {
        Some(actix::spawn(serve_links(socket?, directory.dispatcher(), self.stop.clone())))
    }
}

/// What the process listens on: bound before anything else starts, so that a port that is taken is found at once.
struct Listeners {
    edge: Option<TcpListener>,
    http: HttpListeners,
    links: Option<LinkSocket>,
}

impl Listeners {
    async fn bind(config: &NodeConfig) -> Result<Self, NodeError> {
        let edge = config.runs(ActorName::RpcGateway).then_some(config.edge.listen);
        let links = config.links.listen.as_deref().map(LinkSocket::bind).transpose();
        Ok(Self {
            edge: listen(edge).await?,
            http: HttpListeners::bind(config).await?,
            links: links.map_err(|error| NodeError::Gateway(error.to_string()))?,
        })
    }

    fn endpoints(&self) -> Endpoints {
        let edge = self.edge.as_ref().and_then(|listener| listener.local_addr().ok());
        Endpoints { edge, metrics: self.http.metrics(), api: self.http.api() }
    }
}

pub(super) async fn listen(at: Option<SocketAddr>) -> Result<Option<TcpListener>, NodeError> {
    let Some(at) = at else { return Ok(None) };
    let listener = TcpListener::bind(at).await;
    listener.map(Some).map_err(|error| NodeError::Listen { at: at.to_string(), error: error.to_string() })
}

/// Where the store of a process is.
pub fn store_path(config: &NodeConfig) -> PathBuf {
    config.data_dir.join("anzen.db")
}

/// Opens the store of a process; makes it, and the folder, where there is none.
///
/// # Errors
/// Where another process has it, or it cannot be used.
pub fn open_store(config: &NodeConfig, metrics: StoreMetrics) -> Result<SqliteStore, NodeError> {
    make_private(&config.data_dir)?;
    Ok(SqliteStore::open_with(&store_path(config), &config.store, metrics)?)
}

/// The data folder holds what an operator must not lose: where it is made here, it is the user's alone.
fn make_private(folder: &Path) -> Result<(), NodeError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| NodeError::File { path: folder.to_owned(), error })
}
