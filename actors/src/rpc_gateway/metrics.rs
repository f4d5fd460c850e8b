//! What the gateway counts, at either end.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::connection::End;
use super::error::RpcError;
use super::redial::OUTCOMES;
use super::rules::Crowded;
use crate::measure::{Histograms, Outcome, Reason, at_zero, level, short_times};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Message {
    message: &'static str,
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
#[derive(Debug, Clone)]
pub struct GatewayMetrics {
    connections: Gauge,
    sessions: Gauge,
    opened: Counter,
    turned_away: Family<Reason, Counter>,
    ended: Family<Reason, Counter>,
    certificates: Family<Outcome, Counter>,
    messages: Family<Message, Counter>,
    request_seconds: Histograms<Message>,
    refusals: Family<Reason, Counter>,
}

impl Default for GatewayMetrics {
    fn default() -> Self {
        let metrics = Self {
            connections: Gauge::default(),
            sessions: Gauge::default(),
            opened: Counter::default(),
            turned_away: Family::default(),
            ended: Family::default(),
            certificates: Family::default(),
            messages: Family::default(),
            request_seconds: Family::new_with_constructor(short_times),
            refusals: Family::default(),
        };
        at_zero(&metrics.turned_away, Crowded::REASONS.map(|reason| Reason { reason }));
        at_zero(&metrics.ended, End::REASONS.map(|reason| Reason { reason }));
        at_zero(&metrics.certificates, ["loaded", "failed"].map(|outcome| Outcome { outcome }));
        at_zero(&metrics.refusals, RpcError::REASONS.map(|reason| Reason { reason }));
        metrics
    }
}

impl GatewayMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self { connections, sessions, opened, turned_away, ended, certificates, .. } = self.clone();
        let Self { messages, request_seconds, refusals, .. } = self.clone();
        registry.register("anzen_gateway_connections", "Connections at the edge", connections);
        registry.register("anzen_gateway_sessions", "Operators with a session", sessions);
        registry.register("anzen_gateway_sessions_opened", "Sessions opened or renewed", opened);
        registry.register(
            "anzen_gateway_turned_away",
            "Connections that were closed before anything was said, by reason",
            turned_away,
        );
        registry.register("anzen_gateway_ended", "Connections that ended, by reason", ended);
        registry.register(
            "anzen_gateway_certificates",
            "Times that a renewed certificate was loaded, or could not be, by outcome",
            certificates,
        );
        registry.register("anzen_gateway_messages", "Messages of operators handed on, by name", messages);
        registry.register(
            "anzen_gateway_request_seconds",
            "Time from a message of an operator to the reply, in seconds",
            request_seconds,
        );
        registry.register("anzen_gateway_refusals", "Calls refused at the edge, by reason", refusals);
    }

    pub(super) fn sizes(&self, connections: usize, sessions: usize) {
        self.connections.set(level(connections));
        self.sessions.set(level(sessions));
    }

    pub(super) fn opened(&self) {
        self.opened.inc();
    }

    pub(super) fn turned_away(&self, reason: &'static str) {
        self.turned_away.get_or_create(&Reason { reason }).inc();
    }

    pub(super) fn ended(&self, end: &End) {
        self.ended.get_or_create(&Reason { reason: end.reason() }).inc();
    }

    pub(super) fn certificate(&self, outcome: &'static str) {
        self.certificates.get_or_create(&Outcome { outcome }).inc();
    }

    /// Operators may send messages of this kind.
    pub(super) fn takes(&self, message: &'static str) {
        at_zero(&self.messages, [Message { message }]);
        at_zero(&self.request_seconds, [Message { message }]);
    }

    pub(super) fn message(&self, message: &'static str) {
        self.messages.get_or_create(&Message { message }).inc();
    }

    pub(super) fn replied(&self, message: &'static str, took: Duration) {
        self.request_seconds.get_or_create(&Message { message }).observe(took.as_secs_f64());
    }

    pub(super) fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&Reason { reason }).inc();
    }

    /// How many operators have a session.
    #[cfg(test)]
    pub(super) fn open_sessions(&self) -> i64 {
        self.sessions.get()
    }

    /// How many sessions were opened.
    #[cfg(test)]
    pub(super) fn sessions_opened(&self) -> u64 {
        self.opened.get()
    }

    /// How many connections were turned away for a reason.
    #[cfg(test)]
    pub(super) fn turned_away_for(&self, reason: &'static str) -> u64 {
        self.turned_away.get_or_create(&Reason { reason }).get()
    }

    /// How many connections ended for a reason.
    #[cfg(test)]
    pub(super) fn ended_for(&self, reason: &'static str) -> u64 {
        self.ended.get_or_create(&Reason { reason }).get()
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

    /// There is a link to the peer, without a connection yet.
    pub(super) fn starts(&self, peer: &str) {
        let with = |outcome| PeerOutcome { peer: peer.to_owned(), outcome };
        self.connected(peer, false);
        at_zero(&self.dials, ["connected", "failed"].map(with));
        at_zero(&self.calls, OUTCOMES.map(with));
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
