//! How full the actors are.

use anzen_messages::wire::ActorName;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    actor: &'static str,
    message: &'static str,
}

/// Counts what actors take on and what they refuse.
#[derive(Debug, Clone, Default)]
pub struct BusMetrics {
    requests: Family<Labels, Counter>,
    refusals: Family<Labels, Counter>,
}

impl BusMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("anzen_actor_requests", "Messages taken on by an actor", self.requests.clone());
        registry.register(
            "anzen_actor_full",
            "Messages refused because the actor was full",
            self.refusals.clone(),
        );
    }

    pub(super) fn accepted(&self, actor: ActorName, message: &'static str) {
        self.requests.get_or_create(&Labels { actor: actor.as_str(), message }).inc();
    }

    pub(super) fn refused(&self, actor: ActorName, message: &'static str) {
        self.refusals.get_or_create(&Labels { actor: actor.as_str(), message }).inc();
    }
}
