//! An operator's way to an aggregator, with the gateway's check at its end: nobody speaks for another.

use std::sync::Arc;
use std::time::Duration;

use anzen_actors::bus::{DeliveryError, DispatchError, Dispatcher};
use anzen_actors::ports::{Transport, TransportError};
use anzen_messages::OperatorId;
use anzen_messages::signature::SubmitSignature;
use anzen_messages::wire::{ActorName, Envelope, Wire};
use async_trait::async_trait;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::log::EventLog;
use super::network::{Net, Peer};
use super::sabotage::Sabotage;
use super::store::Disk;
use super::witness::Witness;
use super::world::SimRng;
use crate::invariants::{Fact, Moment};

/// The end of the ways to an aggregator: where its messages arrive, and its disk, for those who check what it promises.
#[derive(Clone)]
pub(super) struct Destination {
    pub(super) number: usize,
    pub(super) peer: Peer,
    pub(super) disk: Disk,
}

impl Destination {
    pub(super) fn name(&self) -> String {
        format!("aggregator {}", self.number)
    }
}

/// One operator's way to one aggregator.
#[derive(Clone)]
pub(super) struct SimLink {
    pub(super) from: usize,
    /// Who has the session.
    pub(super) operator: OperatorId,
    pub(super) to: Destination,
    pub(super) net: Net,
    pub(super) rng: Arc<SimRng>,
    pub(super) log: EventLog,
    pub(super) witness: Witness,
    pub(super) sabotage: Option<Sabotage>,
}

type Reply = Result<Box<RawValue>, TransportError>;

/// Where a late copy ends up, in milliseconds at most.
const LATEST_COPY_MS: u64 = 60_000;

#[async_trait]
impl Transport for SimLink {
    async fn call(&self, to: ActorName, name: &'static str, message: Envelope, timeout_ms: u64) -> Reply {
        let limit = Duration::from_millis(timeout_ms);
        let late = || TransportError::NoReply { peer: to.to_string(), error: "lost on the way".into() };
        tokio::time::timeout(limit, self.carry(to, name, message)).await.map_err(|_| late())?
    }
}

impl SimLink {
    async fn carry(&self, to: ActorName, name: &'static str, message: Envelope) -> Reply {
        if self.net.is_cut(self.from, self.to.number) {
            return Err(TransportError::Unreachable {
                peer: to.to_string(),
                error: "the network is cut".into(),
            });
        }
        if self.rng.chance(self.net.faults().duplicate_percent) {
            self.log.add(format_args!("operator {} -> {} {name} twice", self.from, self.to.name()));
            let (link, copy) = (self.clone(), message.clone());
            let delay = Duration::from_millis(self.rng.below(LATEST_COPY_MS));
            // Nobody waits for the copy's reply.
            self.net.send(delay, async move { drop(link.arrive(to, name, copy).await) });
        }
        self.lose(name).await;
        let (reply, replied) = oneshot::channel();
        let link = self.clone();
        self.net.send(self.delay(), async move {
            // Whoever asked may be gone.
            let _ = reply.send(link.arrive(to, name, message).await);
        });
        let closed = || TransportError::NoReply { peer: to.to_string(), error: "the network is gone".into() };
        let reply = replied.await.map_err(|_| closed())?;
        self.lose("reply").await;
        tokio::time::sleep(self.delay()).await;
        if self.net.is_cut(self.from, self.to.number) {
            std::future::pending::<()>().await;
        }
        reply
    }

    /// For ever where the message is lost, and then the caller's limit ends it.
    async fn lose(&self, name: &str) {
        if self.rng.chance(self.net.faults().loss_percent) {
            self.log.add(format_args!("operator {} -> {} {name} lost", self.from, self.to.name()));
            std::future::pending::<()>().await;
        }
    }

    fn delay(&self) -> Duration {
        Duration::from_millis(self.rng.below(self.net.faults().longest_delay_ms + 1))
    }

    /// The message is at the aggregator's gateway.
    async fn arrive(&self, to: ActorName, name: &'static str, message: Envelope) -> Reply {
        let peer = to.to_string();
        if self.net.is_cut(self.from, self.to.number) {
            std::future::pending::<()>().await;
        }
        let Some(dispatcher) = self.to.peer.dispatcher() else {
            return Err(TransportError::Unreachable { peer, error: "it is down".into() });
        };
        let submission = message.open::<SubmitSignature>().ok().filter(|_| name == SubmitSignature::NAME);
        let foreign = submission.as_ref().is_some_and(|message| message.operator_id != self.operator);
        if foreign && self.sabotage != Some(Sabotage::LetsImpersonate) {
            return Err(TransportError::Refused { peer, error: "the session is another operator's".into() });
        }
        let asked = self.witness.now();
        let reply = hand_over(&dispatcher, to, name, message).await;
        if let (Some(message), Ok(raw)) = (submission, &reply) {
            self.note(message, asked, raw);
        }
        reply
    }

    /// Tells what the collector has said.
    fn note(&self, message: SubmitSignature, asked: Moment, reply: &RawValue) {
        let Ok(reply) = serde_json::from_str::<<SubmitSignature as Wire>::Reply>(reply.get()) else { return };
        let (task, operator) = (message.response.task_hash, message.operator_id);
        let name = self.to.name();
        self.log.add(format_args!("operator {} -> {name}: {} for {task}", self.from, reply.as_str()));
        let on_disk = self.to.disk.has_signature(task, operator, message.signature.0.as_slice());
        self.witness.tell(Fact::Replied { aggregator: name, message, asked, reply, on_disk });
    }
}

async fn hand_over(dispatcher: &Dispatcher, to: ActorName, name: &str, message: Envelope) -> Reply {
    dispatcher.dispatch(name, message).await.map_err(|error| in_transit(to, error))
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
