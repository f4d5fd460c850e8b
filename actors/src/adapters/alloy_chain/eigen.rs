//! The metrics of RPC that EigenLayer's specification names, with its help texts:
//! <https://docs.eigenlayer.xyz/eigenlayer/avs-guides/spec/metrics/metrics-prom-spec>.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::measure::Histograms;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Question {
    method: &'static str,
    client_version: String,
}

/// RPC as the specification wants it.
#[derive(Debug, Clone)]
pub(super) struct EigenRpcMetrics {
    seconds: Histograms<Question>,
    requests: Family<Question, Counter>,
}

impl Default for EigenRpcMetrics {
    fn default() -> Self {
        // The buckets of Prometheus' Go client, which EigenLayer's SDK uses: its dashboard expects them.
        let seconds: fn() -> Histogram =
            || Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]);
        Self { seconds: Family::new_with_constructor(seconds), requests: Family::default() }
    }
}

impl EigenRpcMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "eigen_rpc_request_duration_seconds",
            "Duration of json-rpc <method> in seconds",
            self.seconds.clone(),
        );
        // The exposition adds `_total`.
        registry.register(
            "eigen_rpc_request",
            "Total number of json-rpc <method> requests",
            self.requests.clone(),
        );
    }

    /// Questions that were asked at once took as long as their batch.
    pub(super) fn answered(&self, methods: &[&'static str], client_version: &str, took: Duration) {
        for method in methods {
            let question = Question { method, client_version: client_version.to_owned() };
            self.seconds.get_or_create(&question).observe(took.as_secs_f64());
            self.requests.get_or_create(&question).inc();
        }
    }
}
