//! What StakeUpdater counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfQuorum {
    quorum: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    quorum: u8,
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Hindrance {
    quorum: u8,
    reason: &'static str,
}

/// The metrics.
#[derive(Debug, Clone, Default)]
pub struct StakeUpdaterMetrics {
    age: Family<OfQuorum, Gauge>,
    max_age: Family<OfQuorum, Gauge>,
    operators: Family<OfQuorum, Gauge>,
    drift: Family<OfQuorum, Gauge>,
    refreshed: Family<Kind, Counter>,
    hindered: Family<Hindrance, Counter>,
}

impl StakeUpdaterMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "anzen_stake_age_blocks",
            "Blocks between a quorum's last full refresh and the last look at it",
            self.age.clone(),
        );
        registry.register(
            "anzen_stake_max_age_blocks",
            "The age from which on no task of the quorum can be created",
            self.max_age.clone(),
        );
        registry.register(
            "anzen_stake_operators",
            "Operators of a quorum at the last look",
            self.operators.clone(),
        );
        registry.register(
            "anzen_stake_drift_bps",
            "The greatest distance of an operator's recorded stake from the true one at the last look",
            self.drift.clone(),
        );
        registry.register(
            "anzen_stake_refreshes",
            "Refreshes that took effect, of whole quorums and of batches of operators",
            self.refreshed.clone(),
        );
        registry.register(
            "anzen_stake_hindered",
            "Attempts to read or refresh stakes that failed, by reason",
            self.hindered.clone(),
        );
    }

    pub(super) fn read(&self, quorum: u8, age: u64, max_age: u64, operators: usize, drift_bps: u64) {
        let label = OfQuorum { quorum };
        self.age.get_or_create(&label).set(gauge(age));
        self.max_age.get_or_create(&label).set(gauge(max_age));
        self.operators.get_or_create(&label).set(gauge(operators));
        self.drift.get_or_create(&label).set(gauge(drift_bps));
    }

    pub(super) fn refreshed(&self, quorum: u8, kind: &'static str) {
        self.refreshed.get_or_create(&Kind { quorum, kind }).inc();
    }

    pub(super) fn hindered(&self, quorum: u8, reason: &'static str) {
        self.hindered.get_or_create(&Hindrance { quorum, reason }).inc();
    }
}

fn gauge(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}
