//! Carries out what the edge's state decides: draws nonces, ends connections, asks who is a member still. `opening.rs` opens
//! sessions.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use alloy::primitives::B256;
use anzen_messages::OperatorId;
use anzen_messages::session::{Hello, OpenSession};
use anzen_messages::task::SigningDomain;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::{info, warn};

use super::admission::Admission;
use super::connection::End;
use super::error::RpcError;
use super::keys::{KEYS, Keys};
use super::metrics::GatewayMetrics;
use super::rules::{Crowded, Grant, Now, Rules};
use super::sessions::{ConnectionId, Sessions};
use super::{Config, Identity};
use crate::health::{Examine, Health};
use crate::ports::{Clock, CpuPool, OperatorRegistry, OperatorStandings, Rng, Store, Write};

/// What the gateway needs of the world.
#[derive(Clone)]
pub struct Dependencies {
    /// Who is registered.
    pub registry: Arc<dyn OperatorRegistry>,
    /// Who is in a quorum.
    pub standings: Arc<dyn OperatorStandings>,
    /// The keys of operators that were here before.
    pub store: Arc<dyn Store>,
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
    pub(super) domain: SigningDomain,
    pub(super) sessions: Sessions,
    /// How each connection is told to end.
    farewells: BTreeMap<ConnectionId, oneshot::Sender<End>>,
    pub(super) keys: Keys,
    pub(super) admission: Admission,
    membership_check: Duration,
    are_members_checked: bool,
    pub(super) started: Instant,
    pub(super) deps: Dependencies,
}

/// A connection came in. It is told through the channel if it has to end.
#[derive(Message)]
#[rtype(result = "Result<Admitted, Crowded>")]
pub(super) struct Connect(pub(super) SocketAddr, pub(super) oneshot::Sender<End>);

/// A connection that was taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admitted {
    pub(super) id: ConnectionId,
    /// Operators came from its address before.
    pub(super) is_familiar: bool,
}

/// A connection is gone.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Disconnect(pub(super) ConnectionId);

/// `session_hello`
#[derive(Message)]
#[rtype(result = "Result<Hello, RpcError>")]
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
            most_sessions: config.most_sessions.max(1),
            most_strangers: config.most_strangers.max(1),
            most_strangers_per_address: config.most_strangers_per_address.max(1),
            knocks: config.knocks(),
            attempts: config.attempts(),
            most_addresses: config.most_remembered_addresses,
        };
        Self {
            domain: SigningDomain::new(identity.chain_id, identity.task_manager),
            identity,
            sessions: Sessions::new(rules),
            farewells: BTreeMap::new(),
            keys: Keys::default(),
            admission: Admission::default(),
            membership_check: Duration::from_secs(config.membership_check_secs.max(1)),
            are_members_checked: false,
            started: Instant::now(),
            deps,
        }
    }

    pub(super) fn now(&self) -> Now {
        Now { seconds: self.deps.clock.now().seconds(), uptime: self.started.elapsed() }
    }

    pub(super) fn count(&self) {
        let (connections, sessions) = self.sessions.sizes();
        self.deps.metrics.sizes(connections, sessions);
    }

    /// Keys that are not on disk are looked up again after a restart; so nobody waits for it.
    pub(super) fn save(&self, writes: Vec<Write>, ctx: &mut Context<Self>) {
        if writes.is_empty() {
            return;
        }
        let store = Arc::clone(&self.deps.store);
        let save = async move {
            if let Err(error) = store.commit(writes).await {
                warn!(%error, "the keys of operators were not saved");
            }
        };
        ctx.spawn(save.into_actor(self));
    }

    /// Tells a connection to end.
    fn end(&mut self, id: ConnectionId, end: End) {
        if let Some(farewell) = self.farewells.remove(&id) {
            // Where it has ended by itself, nobody listens.
            let _ = farewell.send(end);
        }
    }

    /// Asks the chain whether operators that were here are still in a quorum, one after the other.
    fn check_members(&mut self, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.are_members_checked, true) {
            return;
        }
        let (operators, standings) = (self.keys.operators(), Arc::clone(&self.deps.standings));
        let check = async move {
            let mut gone = Vec::new();
            for operator in operators {
                // Where the chain cannot be asked, nobody is sent away.
                if standings.standing(operator, &[]).await.is_ok_and(|standing| !standing.is_in_quorum()) {
                    gone.push(operator);
                }
            }
            gone
        };
        let send_away = |gone: Vec<OperatorId>, gateway: &mut Self, ctx: &mut Context<Self>| {
            gateway.are_members_checked = false;
            let writes = gone.iter().filter_map(|operator| gateway.keys.forget(*operator)).collect();
            gateway.save(writes, ctx);
            for operator in gone {
                if let Some(id) = gateway.sessions.connection_of(operator) {
                    info!(%operator, "an operator that has left its quorums is sent away");
                    gateway.end(id, End::Ejected);
                }
            }
        };
        ctx.spawn(check.into_actor(self).map(send_away));
    }
}

impl Actor for RpcGateway {
    type Context = Context<Self>;

    /// Nothing is handled before the keys have been read.
    fn started(&mut self, ctx: &mut Context<Self>) {
        let store = Arc::clone(&self.deps.store);
        let load = async move { store.load(KEYS).await };
        ctx.wait(load.into_actor(self).map(|loaded, gateway, _ctx| match loaded {
            Ok(records) => gateway.keys = Keys::read(&records),
            Err(error) => {
                warn!(%error, "the keys of operators could not be read; the chain is asked for them");
            }
        }));
        ctx.run_interval(self.membership_check, Self::check_members);
    }
}

impl Handler<Connect> for RpcGateway {
    type Result = Result<Admitted, Crowded>;

    fn handle(&mut self, Connect(peer, farewell): Connect, _ctx: &mut Context<Self>) -> Self::Result {
        let connected = self.sessions.connect(peer, self.now());
        self.count();
        let (id, given_way) = connected?;
        self.farewells.insert(id, farewell);
        if let Some(other) = given_way {
            self.end(other, End::GaveWay);
        }
        Ok(Admitted { id, is_familiar: self.keys.are_from(peer.ip()) })
    }
}

impl Handler<Disconnect> for RpcGateway {
    type Result = ();

    fn handle(&mut self, Disconnect(id): Disconnect, _ctx: &mut Context<Self>) {
        self.sessions.disconnect(id);
        self.farewells.remove(&id);
        self.count();
    }
}

impl Handler<SayHello> for RpcGateway {
    type Result = MessageResult<SayHello>;

    fn handle(&mut self, SayHello(id): SayHello, _ctx: &mut Context<Self>) -> Self::Result {
        let mut nonce = B256::ZERO;
        self.deps.rng.fill(nonce.as_mut_slice());
        let now = self.now();
        MessageResult(self.sessions.hello(id, nonce, now).map(|()| Hello {
            server: self.identity.server.clone(),
            nonce,
            time: now.seconds,
            chain_id: self.identity.chain_id,
            task_manager: self.identity.task_manager.0,
        }))
    }
}

impl Handler<Examine> for RpcGateway {
    type Result = Health;

    /// That it answers is all: whether operators get in is known where they come in.
    fn handle(&mut self, _: Examine, _ctx: &mut Context<Self>) -> Health {
        Health::Up
    }
}
