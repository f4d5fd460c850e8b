//! The edge: where operators connect over TCP.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix::{Actor, Addr};
use anzen_messages::OperatorId;
use anzen_messages::session::{FromOperator, OpenSession, SessionOpened};
use anzen_messages::wire::{ActorName, Envelope, Wire};
use futures::future::{BoxFuture, FutureExt};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info, warn};

use super::actor::{Connect, Dependencies, Disconnect, Open, RpcGateway, SayHello};
use super::connection::{End, Limits, serve};
use super::error::RpcError;
use super::json_rpc::{Outcome, Service, envelope, only_param};
use super::metrics::GatewayMetrics;
use super::sessions::{ConnectionId, Grant};
use super::{Config, Identity};
use crate::bus::Handle;
use crate::health::Pulse;
use crate::ports::Clock;
use crate::telemetry;

/// How long to wait after the system could not accept a connection (it is out of file descriptors, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type Entry = Arc<dyn Fn(Envelope, OperatorId) -> BoxFuture<'static, Outcome> + Send + Sync>;
type IsReachable = Box<dyn Fn() -> bool + Send + Sync>;

/// The messages that operators may send, by name.
#[derive(Default)]
pub struct EdgeMethods {
    entries: BTreeMap<&'static str, Entry>,
    receivers: Vec<(ActorName, IsReachable)>,
}

impl EdgeMethods {
    /// Takes messages of one kind from operators, for the actor behind `handle`, wherever it is.
    pub fn accept<M: Wire + FromOperator>(&mut self, handle: Handle<M>) {
        let receiver = handle.clone();
        self.receivers.push((M::TO, Box::new(move || receiver.is_reachable())));
        let entry = move |envelope: Envelope, session: OperatorId| -> BoxFuture<'static, Outcome> {
            let handle = handle.clone();
            Box::pin(async move {
                let message = envelope.open::<M>()?;
                if message.operator_id() != session {
                    return Err(RpcError::NotYourId { session, message: message.operator_id() });
                }
                let span = telemetry::receive(&message, envelope.trace);
                span.record("operator", tracing::field::display(session));
                encode(&handle.ask(message).instrument(span).await?)
            })
        };
        self.entries.insert(M::NAME, Arc::new(entry));
    }

    /// Each receiver, and whether it is within reach.
    pub(super) fn receivers(&self) -> Vec<(ActorName, bool)> {
        self.receivers.iter().map(|(actor, is_reachable)| (*actor, is_reachable())).collect()
    }
}

fn encode(reply: &impl Serialize) -> Outcome {
    to_raw_value(reply).map_err(|error| RpcError::Internal(format!("the reply cannot be encoded: {error}")))
}

/// The started gateway. Clones are the same one.
#[derive(Clone)]
pub struct Edge {
    pub(super) gateway: Addr<RpcGateway>,
    pub(super) methods: Arc<EdgeMethods>,
    limits: Limits,
    patience: Duration,
    clock: Arc<dyn Clock>,
    metrics: GatewayMetrics,
    /// Whether operators get in; nothing is known before it listens.
    pub(super) door: Arc<OnceLock<Pulse>>,
}

/// Starts the gateway's actor. Operators can connect once [`Edge::serve`] runs.
pub fn start(config: &Config, identity: Identity, methods: EdgeMethods, deps: Dependencies) -> Edge {
    let (clock, metrics) = (Arc::clone(&deps.clock), deps.metrics.clone());
    methods.entries.keys().for_each(|name| metrics.takes(name));
    Edge {
        gateway: RpcGateway::new(config, identity, deps).start(),
        methods: Arc::new(methods),
        limits: config.limits(),
        patience: Duration::from_secs(config.patience_secs),
        clock,
        metrics,
        door: Arc::default(),
    }
}

impl Edge {
    /// Accepts operators until `stop`, then ends their connections and returns. It may run on another thread than the
    /// actors. `tls` is what [`Config::tls`] loads, if anything.
    pub async fn serve(self, listener: TcpListener, tls: Option<TlsAcceptor>, stop: CancellationToken) {
        let mut connections = JoinSet::new();
        let door = self.door.get_or_init(Pulse::default).clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        door.well();
                        let Some(connection) = self.admit(peer).await else { continue };
                        connections.spawn(connection.run(stream, tls.clone(), self.clone(), stop.clone()));
                    }
                    Err(error) => {
                        door.failed(&format_args!("operators cannot connect: {error}"));
                        warn!(%error, "could not accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        connections.join_all().await;
    }

    /// A place for a connection; nothing where there is none, or the actor has stopped.
    async fn admit(&self, peer: SocketAddr) -> Option<Seat> {
        match self.gateway.send(Connect(peer)).await.ok()? {
            Ok(id) => Some(Seat { id, peer, gateway: self.gateway.clone() }),
            Err(crowded) => {
                self.metrics.turned_away(crowded.reason());
                debug!(%peer, ?crowded, "a connection was turned away");
                None
            }
        }
    }
}

/// A connection's place among the others; free again when this is dropped.
struct Seat {
    id: ConnectionId,
    peer: SocketAddr,
    gateway: Addr<RpcGateway>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Not bounded by the mailbox, and need not be: there is one for each connection.
        self.gateway.do_send(Disconnect(self.id));
    }
}

impl Seat {
    async fn run(self, stream: TcpStream, tls: Option<TlsAcceptor>, edge: Edge, stop: CancellationToken) {
        if let Err(error) = stream.set_nodelay(true) {
            debug!(peer = %self.peer, %error, "TCP_NODELAY was not set");
        }
        let (grants, granted) = watch::channel(None);
        let end = match tls {
            None => self.serve(stream, edge, grants, stop).await,
            Some(tls) => match timeout(edge.limits.longest_silence, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.serve(stream, edge, grants, stop).await,
                Ok(Err(error)) => End::Handshake(error.to_string()),
                Err(_) => End::Silent(edge.limits.longest_silence),
            },
        };
        match *granted.borrow() {
            Some(Grant { operator, .. }) => {
                info!(%operator, peer = %self.peer, %end, "an operator's connection ended");
            }
            // Strangers do not fill the log.
            None => debug!(peer = %self.peer, %end, "a connection ended"),
        }
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
        let service = EdgeService(Arc::new(Caller { id: self.id, edge, grants }));
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

/// What a connection's calls need.
struct Caller {
    id: ConnectionId,
    edge: Edge,
    grants: watch::Sender<Option<Grant>>,
}

#[derive(Clone)]
struct EdgeService(Arc<Caller>);

impl Service for EdgeService {
    fn call(&self, method: &str, params: Option<&RawValue>) -> BoxFuture<'static, Outcome> {
        let caller = Arc::clone(&self.0);
        match method {
            "session_hello" => caller.hello().boxed(),
            "session_open" => match only_param(params) {
                Ok(open) => caller.open(open).boxed(),
                Err(error) => refuse(error),
            },
            other => caller.submit(other, params),
        }
    }

    fn refused(&self, error: &RpcError) {
        self.0.edge.metrics.refused(error.kind().1);
    }
}

fn refuse(error: RpcError) -> BoxFuture<'static, Outcome> {
    std::future::ready(Err(error)).boxed()
}

impl Caller {
    async fn hello(self: Arc<Self>) -> Outcome {
        let hello = self.edge.gateway.send(SayHello(self.id)).await.map_err(|_| stopped())?;
        encode(&hello)
    }

    async fn open(self: Arc<Self>, open: OpenSession) -> Outcome {
        let grant = self.edge.gateway.send(Open(self.id, open)).await.map_err(|_| stopped())??;
        self.grants.send_replace(Some(grant));
        encode(&SessionOpened { expiry: grant.expiry })
    }

    fn submit(&self, method: &str, params: Option<&RawValue>) -> BoxFuture<'static, Outcome> {
        let Some((name, entry)) = self.edge.methods.entries.get_key_value(method) else {
            return refuse(RpcError::UnknownMethod(method.to_owned()));
        };
        let operator = match self.operator() {
            Ok(operator) => operator,
            Err(error) => return refuse(error),
        };
        match envelope(params) {
            Ok(envelope) => {
                let (name, metrics, start) = (*name, self.edge.metrics.clone(), Instant::now());
                metrics.message(name);
                entry(envelope, operator).inspect(move |_| metrics.replied(name, start.elapsed())).boxed()
            }
            Err(error) => refuse(error),
        }
    }

    /// Whose session this is.
    fn operator(&self) -> Result<OperatorId, RpcError> {
        match *self.grants.borrow() {
            None => Err(RpcError::NoSession),
            Some(grant) if grant.is_alive(self.edge.clock.now().seconds()) => Ok(grant.operator),
            Some(_) => Err(RpcError::SessionExpired),
        }
    }
}

fn stopped() -> RpcError {
    RpcError::Unavailable("the gateway is stopping".into())
}
