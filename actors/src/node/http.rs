//! What a process serves over HTTP: metrics and the node API, each on an address of its own, or both on one. Operators show
//! the API to everyone and the metrics to themselves.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::config::NodeConfig;
use super::error::NodeError;
use super::http_server::serve_http;
use super::listeners::listen;

/// Bound before anything else starts, so that a port that is taken is found at once.
pub(super) struct HttpListeners {
    metrics: Option<TcpListener>,
    api: Option<TcpListener>,
    /// True where the metrics' listener serves the API too.
    shared: bool,
}

impl HttpListeners {
    pub(super) async fn bind(config: &NodeConfig) -> Result<Self, NodeError> {
        let (metrics, api) = (config.metrics.listen, config.api.listen);
        let shared = metrics.is_some() && metrics == api;
        Ok(Self { metrics: listen(metrics).await?, api: listen(api.filter(|_| !shared)).await?, shared })
    }

    /// Where metrics are served.
    pub(super) fn metrics(&self) -> Option<SocketAddr> {
        self.metrics.as_ref()?.local_addr().ok()
    }

    /// Where the node API is served.
    pub(super) fn api(&self) -> Option<SocketAddr> {
        let listener = if self.shared { &self.metrics } else { &self.api };
        listener.as_ref()?.local_addr().ok()
    }

    /// Serves until `stop`.
    pub(super) fn serve(self, metrics: Router, api: Router, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
        let (metrics, api) = if self.shared { (metrics.merge(api), Router::new()) } else { (metrics, api) };
        let servers = [("metrics", self.metrics, metrics), ("the node API", self.api, api)].into_iter();
        servers
            .filter_map(|(what, listener, router)| {
                Some(actix::spawn(serve_http(what, listener?, router, stop.clone())))
            })
            .collect()
    }
}
