//! Asks each service how it is, again and again, whether or not anybody wants to know: the API only tells what is known.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::ApiConfig;
use super::ledger::{Ledger, Limits, NodeHealth, Report};
use super::metrics::HealthMetrics;
use super::services::Service;
use crate::health::{Health, HealthProbes};
use crate::ports::Clock;

/// How long a service may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known, and every change of it.
pub(crate) type Reports = watch::Receiver<Report>;

/// Keeps the report up to date.
pub(crate) struct Monitor {
    ledger: Ledger,
    services: Vec<Service>,
    probes: HealthProbes,
    clock: Arc<dyn Clock>,
    metrics: HealthMetrics,
    reports: watch::Sender<Report>,
    node: Option<NodeHealth>,
    every: Duration,
}

impl Monitor {
    /// Nothing is known yet: all services are initializing.
    pub(crate) fn new(
        config: &ApiConfig,
        services: Vec<Service>,
        probes: HealthProbes,
        clock: Arc<dyn Clock>,
        metrics: HealthMetrics,
    ) -> (Self, Reports) {
        let limits = Limits {
            grace: Duration::from_millis(config.grace_ms),
            starting: Duration::from_millis(config.starting_ms),
        };
        let ledger = Ledger::new(services.clone(), limits);
        let (reports, receiver) = watch::channel(ledger.report());
        let every = Duration::from_millis(config.interval_ms.max(10));
        (Self { ledger, services, probes, clock, metrics, reports, node: None, every }, receiver)
    }

    /// Asks until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let start = Instant::now();
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => self.look(start).await,
            }
        }
    }

    async fn look(&mut self, start: Instant) {
        let findings = join_all(self.services.iter().map(|service| self.examine(service.id))).await;
        let now = start.elapsed();
        for (service, found) in self.services.iter().zip(findings) {
            if let Some(health) = self.ledger.found(service.id, now, found) {
                tell(service.id, health);
            }
        }
        let report = self.ledger.report();
        self.metrics.report(&report);
        let node = report.node();
        if self.node.replace(node) != Some(node) {
            match node {
                NodeHealth::Healthy => tracing::info!("the node is healthy"),
                NodeHealth::PartiallyHealthy => tracing::info!("the node is partially healthy"),
                NodeHealth::Unhealthy => tracing::warn!("the node is unhealthy"),
            }
        }
        self.reports.send_replace(report);
    }

    async fn examine(&self, service: &'static str) -> Health {
        let Some(probe) = self.probes.get(service) else {
            return Health::Initializing("it has not been started yet".into());
        };
        let answer = timeout(PATIENCE, probe.examine(self.clock.now())).await;
        answer
            .unwrap_or_else(|_| Health::Down("it does not answer; if that lasts, restart the process".into()))
    }
}

fn tell(service: &str, health: &Health) {
    match health {
        Health::Up => tracing::info!(service, "up"),
        Health::Initializing(reason) => tracing::info!(service, reason, "initializing"),
        Health::Down(reason) => tracing::warn!(service, reason, "down"),
    }
}
