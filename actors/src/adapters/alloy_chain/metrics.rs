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
use crate::measure::{Histograms, at_zero, level};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Method {
    method: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Endpoint {
    endpoint: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndpointRequest {
    endpoint: String,
    outcome: &'static str,
}

/// The RPC endpoint's metrics.
#[derive(Debug, Clone)]
pub struct RpcMetrics {
    requests: Family<Request, Counter>,
    request_seconds: Histograms<Method>,
    endpoint_requests: Family<EndpointRequest, Counter>,
    endpoint_usable: Family<Endpoint, Gauge>,
    endpoint_lag: Family<Endpoint, Gauge>,
    unproven: Family<Endpoint, Counter>,
    disagreements: Family<Endpoint, Counter>,
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
            endpoint_requests: Family::default(),
            endpoint_usable: Family::default(),
            endpoint_lag: Family::default(),
            unproven: Family::default(),
            disagreements: Family::default(),
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
        let Self { endpoint_requests, endpoint_usable, endpoint_lag, unproven, disagreements, .. } =
            self.clone();
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
            "anzen_rpc_endpoint_requests",
            "Exchanges with each RPC endpoint; outcome as of anzen_rpc_requests",
            endpoint_requests,
        );
        registry.register(
            "anzen_rpc_endpoint_usable",
            "1 while an RPC endpoint answers, serves the right chain and is not behind the others",
            endpoint_usable,
        );
        registry.register(
            "anzen_rpc_endpoint_lag_blocks",
            "Blocks that an RPC endpoint was behind the others when they were last compared",
            endpoint_lag,
        );
        registry.register(
            "anzen_rpc_unproven",
            "Answers of an RPC endpoint about a model's inputs that its own header or proof refutes; should be none",
            unproven,
        );
        registry.register(
            "anzen_rpc_disagreements",
            "Times that an RPC endpoint contradicted the others about a model's inputs; should be none",
            disagreements,
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
        endpoint: &str,
        client: &str,
        took: Duration,
    ) {
        self.eigen.answered(methods, client, took);
        for method in methods {
            at_zero(&self.requests, Failure::OUTCOMES.map(|outcome| Request { method, outcome }));
            self.requests.get_or_create(&Request { method, outcome }).inc();
        }
        let of = |outcome| EndpointRequest { endpoint: endpoint.to_owned(), outcome };
        at_zero(&self.endpoint_requests, Failure::OUTCOMES.map(of));
        self.endpoint_requests.get_or_create(&of(outcome)).inc();
        let method = match methods {
            [method] => method,
            _ => "batch",
        };
        self.request_seconds.get_or_create(&Method { method }).observe(took.as_secs_f64());
    }

    /// How an endpoint stands.
    pub(super) fn endpoint(&self, endpoint: &str, is_usable: bool, lag: u64) {
        let endpoint = Endpoint { endpoint: endpoint.to_owned() };
        at_zero(&self.unproven, [endpoint.clone()]);
        at_zero(&self.disagreements, [endpoint.clone()]);
        self.endpoint_usable.get_or_create(&endpoint).set(is_usable.into());
        self.endpoint_lag.get_or_create(&endpoint).set(level(lag));
    }

    /// An endpoint answered what its own proof refutes.
    pub(super) fn unproven(&self, endpoint: &str) {
        self.unproven.get_or_create(&Endpoint { endpoint: endpoint.to_owned() }).inc();
    }

    /// An endpoint contradicted the others.
    pub(super) fn disagreed(&self, endpoint: &str) {
        self.disagreements.get_or_create(&Endpoint { endpoint: endpoint.to_owned() }).inc();
    }

    pub(super) fn subscribed(&self, yes: bool) {
        self.subscribed.set(yes.into());
    }
}
