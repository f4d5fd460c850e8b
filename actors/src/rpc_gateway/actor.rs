//! Carries out what the edge's state decides: draws nonces, looks operators up, has signatures checked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use actix::prelude::*;
use alloy::primitives::B256;
use anzen_messages::OperatorId;
use anzen_messages::bls::{PublicKeyG2, Signature, verify};
use anzen_messages::session::{Hello, OpenSession};
use anzen_messages::task::SigningDomain;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::{info, warn};

use super::error::RpcError;
use super::metrics::GatewayMetrics;
use super::sessions::{ConnectionId, Crowded, Grant, Now, Rules, Sessions};
use super::{Config, Identity};
use crate::health::{Examine, Health};
use crate::ports::{Clock, CpuPool, OperatorRegistry, Rng, run_on};

/// The most operators whose keys are kept. One more is asked for each time.
const MOST_KNOWN: usize = 16_384;
/// The most questions to the chain about operators that are not known yet, at a time. Known ones need none, so strangers
/// cannot crowd them out.
const MOST_LOOKUPS: usize = 16;

/// What the gateway needs of the world.
#[derive(Clone)]
pub struct Dependencies {
    /// Who is registered.
    pub registry: Arc<dyn OperatorRegistry>,
    /// Expiries.
    pub clock: Arc<dyn Clock>,
    /// Nonces.
    pub rng: Arc<dyn Rng>,
    /// Signatures of sessions.
    pub cpu: Arc<dyn CpuPool>,
    /// Counts.
    pub metrics: GatewayMetrics,
}

/// The actor that knows who is connected, and as whom. It sees each connection come and go and each session being
/// opened; messages of a session pass by it.
pub struct RpcGateway {
    identity: Identity,
    domain: SigningDomain,
    sessions: Sessions,
    known: BTreeMap<OperatorId, PublicKeyG2>,
    lookups: Arc<Semaphore>,
    started: Instant,
    deps: Dependencies,
}

/// A connection came in.
#[derive(Message)]
#[rtype(result = "Result<ConnectionId, Crowded>")]
pub(super) struct Connect(pub(super) SocketAddr);

/// A connection is gone.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Disconnect(pub(super) ConnectionId);

/// `session_hello`
#[derive(Message)]
#[rtype(result = "Hello")]
pub(super) struct SayHello(pub(super) ConnectionId);

/// `session_open`
#[derive(Message)]
#[rtype(result = "Result<Grant, RpcError>")]
pub(super) struct Open(pub(super) ConnectionId, pub(super) OpenSession);

impl RpcGateway {
    pub(super) fn new(config: &Config, identity: Identity, deps: Dependencies) -> Self {
        let rules = Rules {
            server: identity.server.clone(),
            longest_seconds: config.longest_session_secs,
            most_connections: config.most_connections,
            most_per_address: config.most_connections_per_address,
            attempts: config.attempts(),
            most_addresses: config.most_remembered_addresses,
        };
        Self {
            domain: SigningDomain::new(identity.chain_id, identity.task_manager),
            identity,
            sessions: Sessions::new(rules),
            known: BTreeMap::new(),
            lookups: Arc::new(Semaphore::new(MOST_LOOKUPS)),
            started: Instant::now(),
            deps,
        }
    }

    fn now(&self) -> Now {
        Now { seconds: self.deps.clock.now().seconds(), uptime: self.started.elapsed() }
    }

    fn count(&self) {
        let (connections, sessions) = self.sessions.sizes();
        self.deps.metrics.sizes(connections, sessions);
    }

    /// What checks a session's signature: yields the operator's key.
    fn check(&self, open: &OpenSession) -> impl Future<Output = Result<PublicKeyG2, RpcError>> + use<> {
        let operator = open.session.operator_id;
        let (known, signature) = (self.known.get(&operator).copied(), Signature::try_from(open.signature));
        let message = open.session.message(&self.domain);
        let (deps, lookups) = (self.deps.clone(), Arc::clone(&self.lookups));
        async move {
            let wrong = RpcError::WrongSignature(operator);
            let signature = signature.map_err(|_| wrong.clone())?;
            let key = match known {
                Some(key) => key,
                None => look_up(deps.registry.as_ref(), &lookups, operator).await?,
            };
            match run_on(deps.cpu.as_ref(), move || verify(&message, &signature, &key)).await {
                Some(true) => Ok(key),
                Some(false) => Err(wrong),
                None => Err(RpcError::Unavailable("the gateway is stopping".into())),
            }
        }
    }

    fn admit(&mut self, id: ConnectionId, open: &OpenSession, key: PublicKeyG2) -> Result<Grant, RpcError> {
        let operator = open.session.operator_id;
        if self.known.len() < MOST_KNOWN {
            self.known.insert(operator, key);
        }
        let (now, peer) = (self.now(), self.sessions.peer(id).map(tracing::field::display));
        let admitted = self.sessions.verified(id, &open.session, now);
        match &admitted {
            Ok(grant) => {
                self.deps.metrics.opened();
                info!(%operator, peer, expiry = grant.expiry, "an operator opened a session");
            }
            Err(RpcError::SecondSession(_)) => {
                let alive =
                    self.sessions.holder(operator, now).map(|(_, peer)| tracing::field::display(peer));
                warn!(
                    %operator, peer, alive,
                    "ALARM: a second session of an operator was refused; unless the operator has just restarted, \
                     two processes use its key"
                );
            }
            Err(refusal) => info!(%operator, peer, %refusal, "a session was refused"),
        }
        self.count();
        admitted
    }
}

async fn look_up(
    registry: &dyn OperatorRegistry,
    lookups: &Semaphore,
    operator: OperatorId,
) -> Result<PublicKeyG2, RpcError> {
    let _permit = lookups.try_acquire().map_err(|_| RpcError::Full("the look-up of operators".into()))?;
    match registry.operator(operator).await {
        Ok(Some(registered)) => Ok(registered.key.g2()),
        Ok(None) => Err(RpcError::NotRegistered(operator)),
        Err(error) => {
            warn!(%operator, %error, "an operator could not be looked up");
            Err(RpcError::Unavailable("the aggregator cannot read the chain at the moment".into()))
        }
    }
}

impl Actor for RpcGateway {
    type Context = Context<Self>;
}

impl Handler<Connect> for RpcGateway {
    type Result = Result<ConnectionId, Crowded>;

    fn handle(&mut self, Connect(peer): Connect, _ctx: &mut Context<Self>) -> Self::Result {
        let id = self.sessions.connect(peer);
        self.count();
        id
    }
}

impl Handler<Disconnect> for RpcGateway {
    type Result = ();

    fn handle(&mut self, Disconnect(id): Disconnect, _ctx: &mut Context<Self>) {
        self.sessions.disconnect(id);
        self.count();
    }
}

impl Handler<SayHello> for RpcGateway {
    type Result = MessageResult<SayHello>;

    fn handle(&mut self, SayHello(id): SayHello, _ctx: &mut Context<Self>) -> Self::Result {
        let mut nonce = B256::ZERO;
        self.deps.rng.fill(nonce.as_mut_slice());
        self.sessions.hello(id, nonce);
        MessageResult(Hello {
            server: self.identity.server.clone(),
            nonce,
            time: self.now().seconds,
            chain_id: self.identity.chain_id,
            task_manager: self.identity.task_manager.0,
        })
    }
}

impl Handler<Examine> for RpcGateway {
    type Result = Health;

    /// That it answers is all: whether operators get in is known where they come in.
    fn handle(&mut self, _: Examine, _ctx: &mut Context<Self>) -> Health {
        Health::Up
    }
}

impl Handler<Open> for RpcGateway {
    type Result = ResponseActFuture<Self, Result<Grant, RpcError>>;

    fn handle(&mut self, Open(id, open): Open, _ctx: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        if let Err(refusal) = self.sessions.open(id, &open.session, now) {
            return Box::pin(fut::ready(Err(refusal)));
        }
        let check = self.check(&open).into_actor(self);
        Box::pin(check.map(move |checked, actor, _ctx| actor.admit(id, &open, checked?)))
    }
}
