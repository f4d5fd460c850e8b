//! What a process listens on.

use std::net::SocketAddr;

use anzen_messages::wire::ActorName;
use tokio::net::TcpListener;

use super::config::NodeConfig;
use super::endpoints::Endpoints;
use super::error::NodeError;
use super::http::HttpListeners;
use crate::rpc_gateway::LinkSocket;

/// Bound before anything else starts, so that a port that is taken is found at once.
pub(super) struct Listeners {
    pub(super) edge: Option<TcpListener>,
    pub(super) http: HttpListeners,
    pub(super) links: Option<LinkSocket>,
}

impl Listeners {
    /// All but the edge of a process on a bus: it may have to wait for another process's place, and operators that connect
    /// would wait with it rather than go to the other.
    pub(super) async fn bind(config: &NodeConfig) -> Result<Self, NodeError> {
        let links = config.links.listen.as_deref().map(LinkSocket::bind).transpose();
        let edge = if config.nats.is_none() { edge(config).await? } else { None };
        let http = HttpListeners::bind(config).await?;
        let links = links.map_err(|error| NodeError::Gateway(error.to_string()))?;
        Ok(Self { edge, http, links })
    }

    /// Where it is reached, as far as that is known.
    pub(super) fn endpoints(&self) -> Endpoints {
        Endpoints { edge: None, metrics: self.http.metrics(), api: self.http.api() }
    }
}

/// The edge, now that the process has its place: as it was `bound`, or bound now. Nothing where it has none.
pub(super) async fn bind_edge(
    bound: Option<TcpListener>,
    config: &NodeConfig,
) -> Result<Option<TcpListener>, NodeError> {
    match bound {
        Some(bound) => Ok(Some(bound)),
        None => edge(config).await,
    }
}

async fn edge(config: &NodeConfig) -> Result<Option<TcpListener>, NodeError> {
    listen(config.runs(ActorName::RpcGateway).then_some(config.edge.listen)).await
}

/// Listens where that is said.
pub(super) async fn listen(at: Option<SocketAddr>) -> Result<Option<TcpListener>, NodeError> {
    let Some(at) = at else { return Ok(None) };
    let listener = TcpListener::bind(at).await;
    listener.map(Some).map_err(|error| NodeError::Listen { at: at.to_string(), error: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_for_anothers_place_takes_no_operators() {
        let mut config = NodeConfig { roles: vec![ActorName::RpcGateway], ..NodeConfig::default() };
        // A port that was free a moment ago.
        config.edge.listen = TcpListener::bind(config.edge.listen).await.unwrap().local_addr().unwrap();
        config.nats = Some(Default::default());
        let waiting = Listeners::bind(&config).await.unwrap();
        let other = TcpListener::bind(config.edge.listen).await.unwrap();
        drop(other);
        let edge = bind_edge(waiting.edge, &config).await.unwrap().unwrap();
        assert_eq!(edge.local_addr().unwrap(), config.edge.listen);
        drop(edge);
        config.nats = None;
        let _bound = Listeners::bind(&config).await.unwrap();
        assert!(TcpListener::bind(config.edge.listen).await.is_err(), "without a bus it is there at once");
    }
}
