//! Messages between processes: lost, late, duplicated, out of order.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anzen_actors::bus::{DeliveryError, DispatchError, Dispatcher};
use anzen_actors::ports::{Transport, TransportError};
use anzen_messages::wire::{ActorName, Envelope};
use async_trait::async_trait;
use serde_json::value::RawValue;

use super::log::EventLog;
use super::world::SimRng;

/// How bad the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    /// How many of a hundred messages, and how many of a hundred replies, are lost.
    pub loss_percent: u64,
    /// How many of a hundred messages arrive twice.
    pub duplicate_percent: u64,
    /// The longest that a message is under way, in milliseconds; so later ones overtake it.
    pub longest_delay_ms: u64,
}

/// The process at the other end: what it takes, while it runs.
#[derive(Clone, Default)]
pub(super) struct Peer(Arc<Mutex<Option<Dispatcher>>>);

impl Peer {
    pub(super) fn up(&self, dispatcher: Dispatcher) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(dispatcher);
    }

    fn dispatcher(&self) -> Option<Dispatcher> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One process's way to another.
pub(super) struct SimLink {
    pub(super) from: String,
    pub(super) peer: Peer,
    pub(super) faults: Faults,
    pub(super) rng: Arc<SimRng>,
    pub(super) log: EventLog,
}

#[async_trait]
impl Transport for SimLink {
    async fn call(
        &self,
        to: ActorName,
        name: &'static str,
        message: Envelope,
        timeout_ms: u64,
    ) -> Result<Box<RawValue>, TransportError> {
        let limit = Duration::from_millis(timeout_ms);
        let late = || TransportError::NoReply { peer: to.to_string(), error: "lost on the way".into() };
        tokio::time::timeout(limit, self.carry(to, name, message)).await.map_err(|_| late())?
    }
}

impl SimLink {
    async fn carry(
        &self,
        to: ActorName,
        name: &str,
        message: Envelope,
    ) -> Result<Box<RawValue>, TransportError> {
        if self.rng.chance(self.faults.duplicate_percent) {
            self.log.add(format_args!("{} -> {to} {name} twice", self.from));
            let (peer, copy, name) = (self.peer.clone(), message.clone(), name.to_owned());
            let delay = self.delay();
            actix::spawn(async move {
                tokio::time::sleep(delay).await;
                if let Some(dispatcher) = peer.dispatcher() {
                    // Nobody waits for the copy's reply.
                    let _ = dispatcher.dispatch(&name, copy).await;
                }
            });
        }
        self.travel(to, name).await;
        let Some(dispatcher) = self.peer.dispatcher() else {
            return Err(TransportError::Unreachable { peer: to.to_string(), error: "it is down".into() });
        };
        let reply = dispatcher.dispatch(name, message).await.map_err(|error| in_transit(to, error));
        self.travel(to, "reply").await;
        reply
    }

    /// Takes its time; for ever where the message is lost, and then the caller's limit ends it.
    async fn travel(&self, to: ActorName, name: &str) {
        if self.rng.chance(self.faults.loss_percent) {
            self.log.add(format_args!("{} -> {to} {name} lost", self.from));
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(self.delay()).await;
    }

    fn delay(&self) -> Duration {
        Duration::from_millis(self.rng.below(self.faults.longest_delay_ms + 1))
    }
}

/// The receiver's refusal, as a transport reports it.
fn in_transit(to: ActorName, error: DispatchError) -> TransportError {
    let peer = to.to_string();
    match error {
        DispatchError::Delivery(DeliveryError::Full(_)) => TransportError::Full { peer },
        DispatchError::Delivery(other) => TransportError::NoReply { peer, error: other.to_string() },
        refused => TransportError::Refused { peer, error: refused.to_string() },
    }
}
