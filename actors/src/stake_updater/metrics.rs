//! What StakeUpdater counts.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::report::HINDRANCES;
use crate::measure::{at_zero, level};

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
    drift: Family<OfQuorum, Gauge<f64, AtomicU64>>,
    refreshed: Family<Kind, Counter>,
    hindered: Family<Hindrance, Counter>,
}

impl StakeUpdaterMetrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self { age, max_age, operators, drift, refreshed, hindered } = self.clone();
        registry.register(
            "anzen_stake_age_blocks",
            "Blocks between a quorum's last full refresh and the last look at it",
            age,
        );
        registry.register(
            "anzen_stake_max_age_blocks",
            "The age from which on no task of the quorum can be created, in blocks",
            max_age,
        );
        registry.register("anzen_stake_operators", "Operators of a quorum at the last look", operators);
        registry.register(
            "anzen_stake_drift_ratio",
            "The greatest distance of an operator's recorded stake from the true one at the last look, as a share of the \
             record",
            drift,
        );
        registry.register(
            "anzen_stake_refreshes",
            "Refreshes that took effect, of whole quorums (full) and of some operators (batch)",
            refreshed,
        );
        registry.register(
            "anzen_stake_hindered",
            "Attempts to read or refresh stakes that failed, by reason",
            hindered,
        );
    }

    /// This quorum is looked after.
    pub(super) fn starts(&self, quorum: u8) {
        at_zero(&self.refreshed, ["full", "batch"].map(|kind| Kind { quorum, kind }));
        at_zero(&self.hindered, HINDRANCES.map(|reason| Hindrance { quorum, reason }));
    }

    pub(super) fn read(&self, quorum: u8, age: u64, max_age: u64, operators: usize, drift_bps: u64) {
        let label = OfQuorum { quorum };
        self.age.get_or_create(&label).set(level(age));
        self.max_age.get_or_create(&label).set(level(max_age));
        self.operators.get_or_create(&label).set(level(operators));
        self.drift
            .get_or_create(&label)
            .set(f64::from(u32::try_from(drift_bps).unwrap_or(u32::MAX)) / 10_000.0);
    }

    pub(super) fn refreshed(&self, quorum: u8, kind: &'static str) {
        self.refreshed.get_or_create(&Kind { quorum, kind }).inc();
    }

    pub(super) fn hindered(&self, quorum: u8, reason: &'static str) {
        self.hindered.get_or_create(&Hindrance { quorum, reason }).inc();
    }
}
