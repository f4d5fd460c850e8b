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

#[cfg(test)]
mod tests {
    use actix::{Context, ResponseFuture};
    use anzen_messages::chain::{ChainDelta, NextBlocks, NotFollowing};
    use prometheus_client::registry::Registry;

    use super::*;

    /// Answers when it is told to.
    struct Slow(Arc<Semaphore>);

    impl Actor for Slow {
        type Context = Context<Self>;
    }

    impl Handler<Incoming<NextBlocks>> for Slow {
        type Result = ResponseFuture<Result<ChainDelta, NotFollowing>>;

        fn handle(&mut self, _: Incoming<NextBlocks>, _: &mut Self::Context) -> Self::Result {
            let answers = Arc::clone(&self.0);
            Box::pin(async move {
                answers.acquire().await.unwrap().forget();
                Err(NotFollowing)
            })
        }
    }

    fn question() -> NextBlocks {
        NextBlocks { after: None, wait_ms: 0 }
    }

    #[actix::test]
    async fn one_message_more_than_it_takes_on_is_refused_and_all_is_counted() {
        let (answers, metrics) = (Arc::new(Semaphore::new(0)), BusMetrics::default());
        let actor = Slow(Arc::clone(&answers)).start();
        let handle = Inbox::new(ActorName::ChainWatcher, actor, 1, &metrics).handle::<NextBlocks>();
        let first = handle.ask(question());
        let mut first = std::pin::pin!(first);
        assert!(futures::poll!(&mut first).is_pending());
        assert_eq!(handle.ask(question()).await, Err(DeliveryError::Full("chain-watcher".into())));
        let (mut registry, mut text) = (Registry::default(), String::new());
        metrics.register(&mut registry);
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let of_actor = "{actor=\"chain-watcher\"}";
        let of_message = "{actor=\"chain-watcher\",message=\"chain_nextBlocks\"}";
        for line in [
            format!("anzen_actor_inbox_used{of_actor} 1"),
            format!("anzen_actor_inbox_capacity{of_actor} 1"),
            format!("anzen_actor_requests_total{of_message} 1"),
            format!("anzen_actor_refusals_total{of_message} 1"),
        ] {
            assert!(text.contains(&line), "{line} is missing in {text}");
        }
        answers.add_permits(1);
        assert_eq!(first.await, Ok(Err(NotFollowing)));
        text.clear();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        assert!(text.contains(&format!("anzen_actor_inbox_used{of_actor} 0")), "{text}");
        assert!(text.contains(&format!("anzen_actor_request_seconds_count{of_message} 1")), "{text}");
    }
}
