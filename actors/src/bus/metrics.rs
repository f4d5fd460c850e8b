//! How full the actors are, and how long they take.

use std::time::Duration;

use anzen_messages::wire::ActorName;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::measure::{Held, Histograms, at_zero, level};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    actor: &'static str,
    message: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfActor {
    actor: &'static str,
}

/// Counts what actors take on and what they refuse.
#[derive(Debug, Clone)]
pub struct BusMetrics {
    requests: Family<Labels, Counter>,
    refusals: Family<Labels, Counter>,
    request_seconds: Histograms<Labels>,
    used: Family<OfActor, Gauge>,
    capacity: Family<OfActor, Gauge>,
}

impl Default for BusMetrics {
    fn default() -> Self {
        // To the four minutes that a transaction may be waited for.
        let times: fn() -> Histogram = || Histogram::new(exponential_buckets(0.001, 4.0, 10));
        Self {
            requests: Family::default(),
            refusals: Family::default(),
            request_seconds: Family::new_with_constructor(times),
            used: Family::default(),
            capacity: Family::default(),
        }
    }
}

impl BusMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self { requests, refusals, request_seconds, used, capacity } = self.clone();
        registry.register("anzen_actor_requests", "Messages taken on by an actor", requests);
        registry.register("anzen_actor_refusals", "Messages refused because the actor was full", refusals);
        registry.register(
            "anzen_actor_request_seconds",
            "Time from taking a message on to the reply, in seconds; chain_nextBlocks waits for a block, \
             txSender_sendTransaction for confirmations",
            request_seconds,
        );
        registry.register("anzen_actor_inbox_used", "Messages queued or under way at an actor", used);
        registry.register("anzen_actor_inbox_capacity", "The most messages that an actor takes on", capacity);
    }

    /// An actor is there, with room for so many messages.
    pub(super) fn starts(&self, actor: ActorName, capacity: usize) {
        let label = OfActor { actor: actor.as_str() };
        self.capacity.get_or_create(&label).set(level(capacity));
        self.used.get_or_create(&label).set(0);
    }

    /// An actor takes messages of this kind.
    pub(super) fn takes(&self, actor: ActorName, message: &'static str) {
        let label = Labels { actor: actor.as_str(), message };
        at_zero(&self.requests, [label.clone()]);
        at_zero(&self.refusals, [label.clone()]);
        at_zero(&self.request_seconds, [label]);
    }

    /// A message was taken on; it occupies its place until the value is dropped.
    pub(super) fn accepted(&self, actor: ActorName, message: &'static str) -> Held {
        self.requests.get_or_create(&Labels { actor: actor.as_str(), message }).inc();
        Held::on(&self.used.get_or_create(&OfActor { actor: actor.as_str() }))
    }

    pub(super) fn answered(&self, actor: ActorName, message: &'static str, took: Duration) {
        let label = Labels { actor: actor.as_str(), message };
        self.request_seconds.get_or_create(&label).observe(took.as_secs_f64());
    }

    pub(super) fn refused(&self, actor: ActorName, message: &'static str) {
        self.refusals.get_or_create(&Labels { actor: actor.as_str(), message }).inc();
    }
}
