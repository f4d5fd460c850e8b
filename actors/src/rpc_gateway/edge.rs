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
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info, warn};

use super::actor::{Admitted, Connect, Dependencies, Open, RpcGateway, SayHello};
use super::connection::End;
use super::error::RpcError;
use super::handshakes::Handshakes;
use super::json_rpc::{Outcome, Service, envelope, only_param};
use super::limits::Limits;
use super::metrics::GatewayMetrics;
use super::rules::Grant;
use super::seat::Seat;
use super::sessions::ConnectionId;
use super::tls::Tls;
use super::{Config, Identity};
use crate::bus::Handle;
use crate::health::Pulse;
use crate::ports::Clock;
use crate::telemetry;

/// How long to wait after the system could not accept a connection (it is out of file descriptors, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often it is looked whether the certificate was renewed.
const CERTIFICATE_CHECK: Duration = Duration::from_secs(60);

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
    pub(super) limits: Limits,
    pub(super) patience: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: GatewayMetrics,
    pub(super) handshakes: Arc<Handshakes>,
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
        handshakes: Arc::new(Handshakes::new(config.most_handshakes)),
        door: Arc::default(),
    }
}

impl Edge {
    /// Serves on a thread of its own, so that whatever strangers do, the actors go on. The handle is done when all
    /// connections have ended after `stop`.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn serve_apart(
        self,
        listener: TcpListener,
        tls: Option<Tls>,
        stop: CancellationToken,
    ) -> std::io::Result<JoinHandle<()>> {
        let listener = listener.into_std()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _guard = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let (done, ended) = oneshot::channel();
        std::thread::Builder::new().name("edge".into()).spawn(move || {
            runtime.block_on(self.serve(listener, tls, stop));
            // Nobody may be waiting.
            let _ = done.send(());
        })?;
        Ok(tokio::spawn(async move { drop(ended.await) }))
    }

    /// Accepts operators until `stop`, then ends their connections and returns. `tls` is what [`Config::tls`] loads, if
    /// anything.
    pub async fn serve(self, listener: TcpListener, tls: Option<Tls>, stop: CancellationToken) {
        let mut connections = JoinSet::new();
        let mut look = interval(CERTIFICATE_CHECK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let door = self.door.get_or_init(Pulse::default).clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = connections.join_next() => {}
                _ = look.tick() => self.look_for_a_certificate(tls.as_ref()),
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        door.well();
                        let Some((seat, farewell)) = self.admit(peer).await else { continue };
                        let tls = tls.as_ref().map(Tls::config);
                        connections.spawn(seat.run(stream, tls, self.clone(), farewell, stop.clone()));
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

    /// A certificate that was renewed is used from the next connection on.
    fn look_for_a_certificate(&self, tls: Option<&Tls>) {
        match tls.map(Tls::refresh) {
            None | Some(Ok(false)) => {}
            Some(Ok(true)) => {
                info!("the renewed certificate is used from now on");
                self.metrics.certificate("loaded");
            }
            Some(Err(error)) => {
                warn!(%error, "the renewed certificate cannot be used; the old one is, as long as it lasts");
                self.metrics.certificate("failed");
            }
        }
    }

    /// A place for a connection; nothing where there is none, or the actor has stopped.
    async fn admit(&self, peer: SocketAddr) -> Option<(Seat, oneshot::Receiver<End>)> {
        let (sender, farewell) = oneshot::channel();
        match self.gateway.send(Connect(peer, sender)).await.ok()? {
            Ok(Admitted { id, is_familiar }) => {
                Some((Seat { id, peer, is_familiar, gateway: self.gateway.clone() }, farewell))
            }
            Err(crowded) => {
                self.metrics.turned_away(crowded.reason());
                debug!(%peer, ?crowded, "a connection was turned away");
                None
            }
        }
    }
}

/// What answers the calls of a connection.
pub(super) fn service(
    id: ConnectionId,
    edge: Edge,
    grants: watch::Sender<Option<Grant>>,
) -> impl Service + Clone + 'static {
    EdgeService(Arc::new(Caller { id, edge, grants }))
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

    fn is_known(&self) -> bool {
        self.0.grants.borrow().is_some()
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
        let hello = self.edge.gateway.send(SayHello(self.id)).await.map_err(|_| stopped())??;
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
