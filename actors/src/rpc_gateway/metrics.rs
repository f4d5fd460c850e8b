//! What the gateway counts, at either end.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Message {
    message: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Peer {
    peer: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PeerOutcome {
    peer: String,
    outcome: &'static str,
}

/// The metrics of the edge.
#[derive(Debug, Clone, Default)]
pub struct GatewayMetrics {
    connections: Gauge,
    sessions: Gauge,
    opened: Counter,
    turned_away: Family<Reason, Counter>,
    messages: Family<Message, Counter>,
    refusals: Family<Reason, Counter>,
}

impl GatewayMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self { connections, sessions, opened, turned_away, messages, refusals } = self.clone();
        registry.register("anzen_gateway_connections", "Connections at the edge", connections);
        registry.register("anzen_gateway_sessions", "Operators with a session", sessions);
        registry.register("anzen_gateway_sessions_opened", "Sessions opened or renewed", opened);
        registry.register(
            "anzen_gateway_turned_away",
            "Connections that were closed before anything was said, by reason",
            turned_away,
        );
        registry.register("anzen_gateway_messages", "Messages of operators handed on, by name", messages);
        registry.register("anzen_gateway_refusals", "Calls refused at the edge, by reason", refusals);
    }

    pub(super) fn sizes(&self, connections: usize, sessions: usize) {
        self.connections.set(i64::try_from(connections).unwrap_or(i64::MAX));
        self.sessions.set(i64::try_from(sessions).unwrap_or(i64::MAX));
    }

    pub(super) fn opened(&self) {
        self.opened.inc();
    }

    pub(super) fn turned_away(&self, reason: &'static str) {
        self.turned_away.get_or_create(&Reason { reason }).inc();
    }

    pub(super) fn message(&self, message: &'static str) {
        self.messages.get_or_create(&Message { message }).inc();
    }

    pub(super) fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&Reason { reason }).inc();
    }

    /// How many sessions were opened.
    #[cfg(test)]
    pub(super) fn sessions_opened(&self) -> u64 {
        self.opened.get()
    }

    /// How many calls were refused for a reason.
    #[cfg(test)]
    pub(super) fn refusals(&self, reason: &'static str) -> u64 {
        self.refusals.get_or_create(&Reason { reason }).get()
    }
}

/// The metrics of the end that calls: an operator's links to aggregators, a process's links to others.
#[derive(Debug, Clone, Default)]
pub struct LinkMetrics {
    connected: Family<Peer, Gauge>,
    dials: Family<PeerOutcome, Counter>,
    calls: Family<PeerOutcome, Counter>,
}

impl LinkMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self { connected, dials, calls } = self.clone();
        registry.register("anzen_link_connected", "1 while there is a connection to the peer", connected);
        registry.register("anzen_link_dials", "Connections that were tried, by outcome", dials);
        registry.register("anzen_link_calls", "Messages sent through the link, by outcome", calls);
    }

    pub(super) fn connected(&self, peer: &str, connected: bool) {
        self.connected.get_or_create(&Peer { peer: peer.to_owned() }).set(connected.into());
    }

    pub(super) fn dialled(&self, peer: &str, outcome: &'static str) {
        self.dials.get_or_create(&PeerOutcome { peer: peer.to_owned(), outcome }).inc();
    }

    pub(super) fn called(&self, peer: &str, outcome: &'static str) {
        self.calls.get_or_create(&PeerOutcome { peer: peer.to_owned(), outcome }).inc();
    }
}
