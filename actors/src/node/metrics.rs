//! All metrics of a process, in one registry, served at `GET /metrics` in the OpenMetrics text format.

use std::sync::Arc;

use anzen_messages::wire::ActorName;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use super::api::HealthMetrics;
use super::process::ProcessMetrics;
use crate::adapters::{RpcMetrics, StoreMetrics};
use crate::aggregator::AggregatorMetrics;
use crate::bus::BusMetrics;
use crate::chain_watcher::WatcherMetrics;
use crate::challenger::ChallengerMetrics;
use crate::nats::NatsMetrics;
use crate::operator_signer::OperatorSignerMetrics;
use crate::rpc_gateway::{GatewayMetrics, LinkMetrics};
use crate::signature_collector::CollectorMetrics;
use crate::stake_updater::StakeUpdaterMetrics;
use crate::task_generator::TaskGeneratorMetrics;
use crate::telemetry::export_metrics;
use crate::tx_sender;

/// What EigenLayer's metrics are labelled with.
const AVS_NAME: &str = "anzen";

/// The metrics of every actor and adapter. A process serves those of the actors that it runs: what is absent is not run,
/// what is zero has not happened.
#[derive(Clone, Default)]
pub struct NodeMetrics {
    /// The process's own.
    pub process: ProcessMetrics,
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
    /// Challenger's.
    pub challenger: ChallengerMetrics,
    /// TxSender's.
    pub tx_sender: tx_sender::Metrics,
    /// RpcGateway's.
    pub gateway: GatewayMetrics,
    /// The connections to other processes.
    pub links: LinkMetrics,
    /// The bus's.
    pub nats: NatsMetrics,
    /// The store's.
    pub store: StoreMetrics,
    /// The RPC endpoint's.
    pub rpc: RpcMetrics,
    /// What the node API says.
    pub health: HealthMetrics,
}

impl NodeMetrics {
    /// A registry with those of a process that runs `actors`.
    pub fn registry(&self, actors: &[ActorName]) -> Registry {
        let mut registry = Registry::default();
        self.process.register(&mut registry);
        self.bus.register(&mut registry);
        self.links.register(&mut registry);
        self.nats.register(&mut registry);
        self.store.register(&mut registry);
        self.rpc.register(&mut registry);
        export_metrics().register(&mut registry);
        self.health.register(&mut registry);
        for actor in ActorName::ALL.into_iter().filter(|actor| actors.contains(actor)) {
            match actor {
                ActorName::ChainWatcher => self.watcher.register(&mut registry),
                ActorName::TaskGenerator => self.generator.register(&mut registry),
                ActorName::OperatorSigner => self.signer.register(&mut registry),
                ActorName::SignatureCollector => self.collector.register(&mut registry),
                ActorName::Aggregator => self.aggregator.register(&mut registry),
                ActorName::StakeUpdater => self.updater.register(&mut registry),
                ActorName::Challenger => self.challenger.register(&mut registry),
                ActorName::TxSender => self.tx_sender.register(&mut registry),
                ActorName::RpcGateway => self.gateway.register(&mut registry),
            }
        }
        registry
    }
}

impl NodeMetrics {
    /// Adds those that EigenLayer's specification names.
    pub fn register_eigen(&self, registry: &mut Registry, actors: &[ActorName]) {
        let registry = registry.sub_registry_with_label(("avs_name".into(), AVS_NAME.into()));
        self.rpc.register_eigen(registry);
        if actors.contains(&ActorName::OperatorSigner) {
            self.signer.eigen.register(registry);
        }
    }
}

/// Serves the registry.
pub(super) fn router(registry: Registry) -> Router {
    let registry = Arc::new(registry);
    let scrape = move || {
        let registry = Arc::clone(&registry);
        async move { exposition(&registry) }
    };
    Router::new().route("/metrics", get(scrape))
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
