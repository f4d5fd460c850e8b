//! One operator's connection, or one stranger's: TLS, then calls, until it ends for one reason or another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::actor::{Disconnect, RpcGateway};
use super::connection::{End, serve};
use super::edge::{Edge, service};
use super::rules::Grant;
use super::sessions::ConnectionId;
use crate::ports::Clock;

/// A connection's place among the others; free again when this is dropped.
pub(super) struct Seat {
    pub(super) id: ConnectionId,
    pub(super) peer: SocketAddr,
    /// Operators came from its address before.
    pub(super) is_familiar: bool,
    pub(super) gateway: Addr<RpcGateway>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Not bounded by the mailbox, and need not be: there is one for each connection.
        self.gateway.do_send(Disconnect(self.id));
    }
}

impl Seat {
    /// Serves the connection until it ends, or `farewell` says that it has to.
    pub(super) async fn run(
        self,
        stream: TcpStream,
        tls: Option<Arc<ServerConfig>>,
        edge: Edge,
        farewell: oneshot::Receiver<End>,
        stop: CancellationToken,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            debug!(peer = %self.peer, %error, "TCP_NODELAY was not set");
        }
        let (grants, granted) = watch::channel(None);
        let metrics = edge.metrics.clone();
        let served = async {
            match tls {
                None => self.serve(stream, edge, grants, stop).await,
                Some(tls) => match self.shake_hands(stream, tls, &edge).await {
                    Ok(stream) => self.serve(stream, edge, grants, stop).await,
                    Err(end) => end,
                },
            }
        };
        let end = tokio::select! {
            end = Box::pin(served) => end,
            Ok(end) = farewell => end,
        };
        metrics.ended(&end);
        match *granted.borrow() {
            Some(Grant { operator, .. }) => {
                info!(%operator, peer = %self.peer, %end, "an operator's connection ended");
            }
            // Strangers do not fill the log.
            None => debug!(peer = %self.peer, %end, "a connection ended"),
        }
    }

    async fn shake_hands(
        &self,
        stream: TcpStream,
        tls: Arc<ServerConfig>,
        edge: &Edge,
    ) -> Result<TlsStream<TcpStream>, End> {
        let who = (self.peer.ip(), self.is_familiar);
        edge.handshakes.shake(stream, tls, who, edge.limits.handshake).await
    }

    async fn serve<S>(
        &self,
        stream: S,
        edge: Edge,
        grants: watch::Sender<Option<Grant>>,
        stop: CancellationToken,
    ) -> End
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let (clock, patience, limits) = (Arc::clone(&edge.clock), edge.patience, edge.limits.clone());
        let granted = grants.subscribe();
        let service = service(self.id, edge, grants);
        tokio::select! {
            end = serve(stream, service, &limits, stop) => end,
            () = without_session(granted, clock.as_ref(), patience) => End::NoSession(patience),
        }
    }
}

/// Returns when the connection has been without a live session for `patience`.
async fn without_session(mut granted: watch::Receiver<Option<Grant>>, clock: &dyn Clock, patience: Duration) {
    loop {
        let grant = *granted.borrow_and_update();
        let left = grant.map_or(0, |grant: Grant| grant.expiry.saturating_sub(clock.now().seconds()));
        match timeout(Duration::from_secs(left) + patience, granted.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}
