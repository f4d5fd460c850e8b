//! A bound on what an actor takes on.

use std::sync::Arc;

use actix::dev::ToEnvelope;
use actix::{Actor, Addr, Handler};
use anzen_messages::wire::{ActorName, Wire};
use async_trait::async_trait;
use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::handle::{Deliver, DeliveryError, Handle};
use super::metrics::BusMetrics;
use crate::health::{Examine, Health, HealthProbe};
use crate::ports::UnixMillis;
use crate::telemetry::Incoming;

/// An actor's address with the bound on its work: at most `capacity` requests are waited for at a time.
///
/// actix bounds the mailbox, but a handler that returns a future leaves it at once; so the bound is a permit that is held
/// until the reply, or until the asker goes away. The work of one who went away still ends, and is not counted.
pub struct Inbox<A: Actor> {
    addr: Addr<A>,
    name: ActorName,
    permits: Arc<Semaphore>,
    metrics: BusMetrics,
}

impl<A: Actor> Clone for Inbox<A> {
    fn clone(&self) -> Self {
        Self {
            addr: self.addr.clone(),
            name: self.name,
            permits: Arc::clone(&self.permits),
            metrics: self.metrics.clone(),
        }
    }
}

impl<A: Actor> Inbox<A> {
    /// Bounds the actor at `addr` to `capacity` requests.
    pub fn new(name: ActorName, addr: Addr<A>, capacity: usize, metrics: &BusMetrics) -> Self {
        metrics.starts(name, capacity);
        Self { addr, name, permits: Arc::new(Semaphore::new(capacity)), metrics: metrics.clone() }
    }

    /// The actor's address, for messages that it sends to itself.
    pub fn addr(&self) -> &Addr<A> {
        &self.addr
    }

    /// A handle for messages of one kind.
    pub fn handle<M>(&self) -> Handle<M>
    where
        M: Wire,
        A: Handler<Incoming<M>>,
        A::Context: ToEnvelope<A, Incoming<M>>,
    {
        self.metrics.takes(self.name, M::NAME);
        Handle::new(self.clone())
    }
}

#[async_trait]
impl<A> HealthProbe for Inbox<A>
where
    A: Actor + Handler<Examine>,
    A::Context: ToEnvelope<A, Examine>,
{
    /// The actor's own word, unless it refuses what comes.
    async fn examine(&self, now: UnixMillis) -> Health {
        let health = self.addr.examine(now).await;
        health.and(|| match self.permits.available_permits() {
            0 => Health::Down("its inbox is full: messages come faster than it can handle them".into()),
            _ => Health::Up,
        })
    }
}

impl<A, M> Deliver<M> for Inbox<A>
where
    M: Wire,
    A: Handler<Incoming<M>>,
    A::Context: ToEnvelope<A, Incoming<M>>,
{
    fn deliver(&self, message: M) -> BoxFuture<'static, Result<M::Reply, DeliveryError>> {
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            self.metrics.refused(self.name, M::NAME);
            return Box::pin(std::future::ready(Err(DeliveryError::Full(self.name.to_string()))));
        };
        let (name, metrics, start) = (self.name, self.metrics.clone(), Instant::now());
        let held = metrics.accepted(name, M::NAME);
        let request = self.addr.send(Incoming::new(message));
        Box::pin(async move {
            let reply = request.await.map_err(|_| DeliveryError::Closed(name.to_string()));
            drop((held, permit));
            metrics.answered(name, M::NAME, start.elapsed());
            reply
        })
    }

    fn is_reachable(&self) -> bool {
        self.addr.connected()
    }
}
