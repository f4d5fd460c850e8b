//! What the endpoint is asked, and how it answers.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::eigen::EigenRpcMetrics;
use super::failure::Failure;
use crate::health::Pulse;
use crate::measure::{Histograms, at_zero};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Method {
    method: &'static str,
}

/// The RPC endpoint's metrics.
#[derive(Debug, Clone)]
pub struct RpcMetrics {
    requests: Family<Request, Counter>,
    request_seconds: Histograms<Method>,
    subscribed: Gauge,
    pub(super) pulse: Pulse,
    eigen: EigenRpcMetrics,
}

impl Default for RpcMetrics {
    fn default() -> Self {
        let times: fn() -> Histogram = || Histogram::new(exponential_buckets(0.001, 2.0, 15));
        Self {
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(times),
            subscribed: Gauge::default(),
            pulse: Pulse::default(),
            eigen: EigenRpcMetrics::default(),
        }
    }
}

impl RpcMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self { requests, request_seconds, subscribed, .. } = self.clone();
        registry.register(
            "anzen_rpc_requests",
            "Questions to the RPC endpoint; outcome is ok, reverted (a call's answer, no fault of the endpoint), error, \
             timeout or unreachable",
            requests,
        );
        registry.register(
            "anzen_rpc_request_seconds",
            "Time until the RPC endpoint answered, in seconds; several questions at once are a batch",
            request_seconds,
        );
        registry.register(
            "anzen_rpc_subscribed",
            "1 while the endpoint's subscription tells of new blocks",
            subscribed,
        );
    }

    /// Adds those of EigenLayer's specification to a registry, whose label says which AVS they are of.
    pub fn register_eigen(&self, registry: &mut Registry) {
        self.eigen.register(registry);
    }

    /// `client` is what the node calls itself.
    pub(super) fn answered(
        &self,
        methods: &[&'static str],
        outcome: &'static str,
        client: &str,
        took: Duration,
    ) {
        self.eigen.answered(methods, client, took);
        for method in methods {
            at_zero(&self.requests, Failure::OUTCOMES.map(|outcome| Request { method, outcome }));
            self.requests.get_or_create(&Request { method, outcome }).inc();
        }
        let method = match methods {
            [method] => method,
            _ => "batch",
        };
        self.request_seconds.get_or_create(&Method { method }).observe(took.as_secs_f64());
    }

    pub(super) fn subscribed(&self, yes: bool) {
        self.subscribed.set(yes.into());
    }
}
