//! The node's health as metrics.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::ledger::{NodeHealth, Report};
use crate::health::Health;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfService {
    service: &'static str,
}

/// What the node API says.
#[derive(Debug, Clone, Default)]
pub struct HealthMetrics {
    node: Gauge,
    services: Family<OfService, Gauge>,
}

impl HealthMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "anzen_node_health",
            "The node API's word on the node: 2 healthy, 1 partially healthy or initializing, 0 unhealthy",
            self.node.clone(),
        );
        registry.register(
            "anzen_service_status",
            "The node API's word on a service: 2 up, 1 initializing, 0 down",
            self.services.clone(),
        );
    }

    pub(super) fn report(&self, report: &Report) {
        self.node.set(match report.node() {
            NodeHealth::Healthy => 2,
            NodeHealth::PartiallyHealthy => 1,
            NodeHealth::Unhealthy => 0,
        });
        for one in &report.services {
            let status = match one.health {
                Health::Up => 2,
                Health::Initializing(_) => 1,
                Health::Down(_) => 0,
            };
            self.services.get_or_create(&OfService { service: one.service.id }).set(status);
        }
    }
}
