//! All metrics of a process, in one registry, served at `GET /metrics` in the OpenMetrics text format.

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

use crate::adapters::{RpcMetrics, StoreMetrics};
use crate::aggregator::AggregatorMetrics;
use crate::bus::BusMetrics;
use crate::chain_watcher::WatcherMetrics;
use crate::operator_signer::OperatorSignerMetrics;
use crate::rpc_gateway::{GatewayMetrics, LinkMetrics};
use crate::signature_collector::CollectorMetrics;
use crate::stake_updater::StakeUpdaterMetrics;
use crate::task_generator::TaskGeneratorMetrics;
use crate::telemetry::export_metrics;
use crate::tx_sender;

/// The metrics of every actor and adapter. A process registers them all; those of actors that it does not run stay at zero.
#[derive(Clone, Default)]
pub struct NodeMetrics {
    /// What actors take on and refuse.
    pub bus: BusMetrics,
    /// ChainWatcher's.
    pub watcher: WatcherMetrics,
    /// TaskGenerator's.
    pub generator: TaskGeneratorMetrics,
    /// OperatorSigner's.
    pub signer: OperatorSignerMetrics,
    /// SignatureCollector's.
    pub collector: CollectorMetrics,
    /// Aggregator's.
    pub aggregator: AggregatorMetrics,
    /// StakeUpdater's.
    pub updater: StakeUpdaterMetrics,
    /// TxSender's.
    pub tx_sender: tx_sender::Metrics,
    /// RpcGateway's.
    pub gateway: GatewayMetrics,
    /// The connections to other processes.
    pub links: LinkMetrics,
    /// The store's.
    pub store: StoreMetrics,
    /// The RPC endpoint's.
    pub rpc: RpcMetrics,
}

impl NodeMetrics {
    /// A registry with all of them.
    pub fn registry(&self) -> Registry {
        let mut registry = Registry::default();
        self.bus.register(&mut registry);
        self.watcher.register(&mut registry);
        self.generator.register(&mut registry);
        self.signer.register(&mut registry);
        self.collector.register(&mut registry);
        self.aggregator.register(&mut registry);
        self.updater.register(&mut registry);
        self.tx_sender.register(&mut registry);
        self.gateway.register(&mut registry);
        self.links.register(&mut registry);
        self.store.register(&mut registry);
        self.rpc.register(&mut registry);
        export_metrics().register(&mut registry);
        registry
    }
}

/// Serves the registry until `shutdown` resolves.
pub(super) async fn serve(
    listener: TcpListener,
    registry: Registry,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let registry = Arc::new(registry);
    let scrape = move || {
        let registry = Arc::clone(&registry);
        async move { exposition(&registry) }
    };
    let router = Router::new().route("/metrics", get(scrape));
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

fn exposition(registry: &Registry) -> Response {
    let mut text = String::new();
    match encode(&mut text, registry) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
