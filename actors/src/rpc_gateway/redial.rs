//! The calling end: calls that wait for a connection, which is made again whenever it is lost.

use std::sync::Arc;
use std::time::Duration;

use anzen_messages::wire::Envelope;
use jsonrpsee::core::client::{Client, ClientT, Error as ClientError};
use jsonrpsee::rpc_params;
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::error::{RpcError, short};
use super::keeper::{Dial, Keeper};
use super::metrics::LinkMetrics;
use crate::ports::{Clock, Rng, TransportError, UnixMillis};
use crate::retry::{Backoff, Pauses};

/// The first pause before another attempt to connect, in milliseconds.
pub(super) const FIRST_PAUSE_MS: u64 = 100;

/// How a link stands, for health and logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkStatus {
    /// True while calls go through.
    pub connected: bool,
    /// Since when.
    pub since: UnixMillis,
    /// What failed last, since the process started.
    pub last_error: Option<String>,
}

/// How a link behaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manners {
    /// Between two attempts to connect.
    pub(super) pauses: Backoff,
    /// The most calls that wait for a reply.
    pub(super) most_in_flight: usize,
}

/// What a link needs of the world.
#[derive(Clone)]
pub struct LinkDependencies {
    /// Since when it is connected.
    pub clock: Arc<dyn Clock>,
    /// Jitter.
    pub rng: Arc<dyn Rng>,
    /// Counts.
    pub metrics: LinkMetrics,
}

/// The connection at the moment. The generation counts connections, from 1.
#[derive(Clone, Default)]
pub(super) struct Current {
    pub(super) generation: u64,
    pub(super) client: Option<Arc<Client>>,
}

/// A link to one peer. It stops when this is dropped.
pub(super) struct Link {
    peer: String,
    in_flight: Semaphore,
    current: watch::Receiver<Current>,
    status: watch::Receiver<LinkStatus>,
    /// The last generation whose session the peer says is over.
    stale: watch::Sender<u64>,
    metrics: LinkMetrics,
    keeper: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
        self.metrics.connected(&self.peer, false);
    }
}

impl Link {
    /// Starts to connect, and goes on for good.
    pub(super) fn start(peer: String, dial: impl Dial, manners: Manners, deps: LinkDependencies) -> Self {
        let status = LinkStatus { connected: false, since: deps.clock.now(), last_error: None };
        let (current_sender, current) = watch::channel(Current::default());
        let (status_sender, status) = watch::channel(status);
        let (stale, stale_receiver) = watch::channel(0);
        let metrics = deps.metrics.clone();
        metrics.starts(&peer);
        let keeper = Keeper {
            peer: peer.clone(),
            dial,
            pauses: Pauses::new(manners.pauses),
            current: current_sender,
            status: status_sender,
            stale: stale_receiver,
            deps,
        };
        Self {
            peer,
            in_flight: Semaphore::new(manners.most_in_flight),
            current,
            status,
            stale,
            metrics,
            keeper: tokio::spawn(keeper.run()),
        }
    }

    /// How the link stands, and every change of it.
    pub(super) fn status(&self) -> watch::Receiver<LinkStatus> {
        self.status.clone()
    }

    /// Whether calls go through now.
    pub(super) fn is_connected(&self) -> bool {
        self.status.borrow().connected
    }

    /// Sends a message once there is a connection, and waits for the reply; `timeout_ms` in all.
    pub(super) async fn call(
        &self,
        name: &str,
        message: &Envelope,
        timeout_ms: u64,
    ) -> Result<Box<RawValue>, TransportError> {
        let outcome = match self.in_flight.try_acquire() {
            Ok(_permit) => self.deliver(name, message, Duration::from_millis(timeout_ms)).await,
            Err(_) => Err(TransportError::Full { peer: self.peer.clone() }),
        };
        self.metrics.called(&self.peer, outcome_name(&outcome));
        outcome
    }

    async fn deliver(
        &self,
        name: &str,
        message: &Envelope,
        limit: Duration,
    ) -> Result<Box<RawValue>, TransportError> {
        let deadline = Instant::now() + limit;
        let mut used = 0;
        let mut refusal = None;
        loop {
            let Ok((generation, client)) = timeout_at(deadline, self.connection_after(used)).await else {
                return Err(self.unreachable(refusal));
            };
            let reply = client.request::<Box<RawValue>, _>(name, rpc_params![message]);
            let Ok(reply) = timeout_at(deadline, reply).await else {
                return Err(self.no_reply(format!("nothing came back within {limit:?}")));
            };
            match reply {
                Ok(reply) => return Ok(reply),
                // Refused unseen: it can be sent again as soon as there is a new session.
                Err(ClientError::Call(error)) if is_session_over(error.code()) => {
                    refusal = Some(short(error.message()));
                    used = generation;
                    self.stale.send_if_modified(|stale| std::mem::replace(stale, generation) != generation);
                }
                Err(error) => return Err(self.failed(error)),
            }
        }
    }

    /// The connection, once there is one later than generation `used`.
    async fn connection_after(&self, used: u64) -> (u64, Arc<Client>) {
        let mut current = self.current.clone();
        loop {
            let now = current.borrow_and_update().clone();
            if let Some(client) = now.client.filter(|client| now.generation > used && client.is_connected()) {
                return (now.generation, client);
            }
            if current.changed().await.is_err() {
                // The keeper has stopped; the caller's time limit ends this.
                std::future::pending::<()>().await;
            }
        }
    }

    fn unreachable(&self, refusal: Option<String>) -> TransportError {
        let error = refusal.or_else(|| self.status.borrow().last_error.clone());
        let error = error.unwrap_or_else(|| "still connecting".into());
        TransportError::Unreachable { peer: self.peer.clone(), error }
    }

    fn no_reply(&self, error: String) -> TransportError {
        TransportError::NoReply { peer: self.peer.clone(), error }
    }

    fn failed(&self, error: ClientError) -> TransportError {
        let peer = self.peer.clone();
        match error {
            ClientError::Call(error) => match error.code() {
                RpcError::FULL => TransportError::Full { peer },
                RpcError::UNAVAILABLE => self.no_reply(short(error.message())),
                _ => TransportError::Refused { peer, error: short(error.message()) },
            },
            other => self.no_reply(short(&other.to_string())),
        }
    }
}

fn is_session_over(code: i32) -> bool {
    matches!(code, RpcError::NO_SESSION | RpcError::SESSION_EXPIRED)
}

/// All that [`outcome_name`] says.
pub(super) const OUTCOMES: [&str; 5] = ["answered", "unreachable", "no_reply", "full", "refused"];

fn outcome_name(outcome: &Result<Box<RawValue>, TransportError>) -> &'static str {
    match outcome {
        Ok(_) => "answered",
        Err(TransportError::Unreachable { .. }) => "unreachable",
        Err(TransportError::NoReply { .. }) => "no_reply",
        Err(TransportError::Full { .. }) => "full",
        Err(TransportError::Refused { .. }) => "refused",
    }
}
