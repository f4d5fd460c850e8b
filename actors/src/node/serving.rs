//! What a process serves: operators, the other processes of its aggregator on this machine, metrics, the node API.

use std::sync::Arc;

use anzen_messages::signature::SubmitSignature;
use anzen_messages::wire::ActorName;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tracing::warn;

use super::api::{self, Monitor, services_of};
use super::error::NodeError;
use super::http::HttpListeners;
use super::metrics;
use super::run::Process;
use crate::bus::Directory;
use crate::rpc_gateway::{self, EdgeMethods, LinkSocket, TlsFiles, serve_links};

impl Process {
    /// Serves metrics and the node API, and finds out what the latter tells.
    pub(super) fn serve_http(&self, listeners: HttpListeners) -> Vec<JoinHandle<()>> {
        let services = services_of(&self.config.roles);
        let (probes, clock) = (self.health.clone(), Arc::clone(&self.ports.clock));
        let metrics = self.metrics.health.clone();
        let (monitor, reports) = Monitor::new(&self.config.api, services, probes, clock, metrics);
        actix::spawn(monitor.run(self.stop.clone()));
        let mut registry = self.metrics.registry(&self.config.roles);
        self.metrics.register_eigen(&mut registry, &self.config.roles);
        listeners.serve(metrics::router(registry), api::router(reports), &self.stop)
    }

    pub(super) fn serve_edge(
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

    pub(super) fn serve_links(
        &self,
        socket: Option<LinkSocket>,
        directory: &Directory,
    ) -> Option<JoinHandle<()>> {
        Some(actix::spawn(serve_links(socket?, directory.dispatcher(), self.stop.clone())))
    }
}
