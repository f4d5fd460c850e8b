//! What the bus counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::measure::at_zero;

/// How a call ended, and how a message that came did.
pub(super) const OUTCOMES: [&str; 4] = ["done", "full", "refused", "unanswered"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Server {
    server: String,
}

/// The metrics of the bus.
#[derive(Debug, Clone)]
pub struct NatsMetrics {
    /// Absent in a process that is on no bus.
    connected: Family<Server, Gauge>,
    connections: Counter,
    calls: Family<Outcome, Counter>,
    received: Family<Outcome, Counter>,
}

impl Default for NatsMetrics {
    fn default() -> Self {
        let metrics = Self {
            connected: Family::default(),
            connections: Counter::default(),
            calls: Family::default(),
            received: Family::default(),
        };
        at_zero(&metrics.calls, OUTCOMES.map(|outcome| Outcome { outcome }));
        at_zero(&metrics.received, OUTCOMES.map(|outcome| Outcome { outcome }));
        metrics
    }
}

impl NatsMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self { connected, connections, calls, received } = self.clone();
        registry.register(
            "anzen_bus_connected",
            "1 while there is a connection to the NATS server",
            connected,
        );
        registry.register(
            "anzen_bus_connections",
            "Connections to the NATS server that were made",
            connections,
        );
        registry.register("anzen_bus_calls", "Messages sent through the bus, by outcome", calls);
        registry.register("anzen_bus_received", "Messages that came through the bus, by outcome", received);
    }

    pub(super) fn connected(&self, server: &str, connected: bool) {
        if connected {
            self.connections.inc();
        }
        self.connected.get_or_create(&Server { server: server.to_owned() }).set(connected.into());
    }

    pub(super) fn called(&self, outcome: &'static str) {
        self.calls.get_or_create(&Outcome { outcome }).inc();
    }

    pub(super) fn received(&self, outcome: &'static str) {
        self.received.get_or_create(&Outcome { outcome }).inc();
    }
}
