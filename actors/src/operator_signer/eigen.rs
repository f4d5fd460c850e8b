//! The metrics of an operator that EigenLayer's specification names, with its help texts:
//! <https://docs.eigenlayer.xyz/eigenlayer/avs-guides/spec/metrics/metrics-prom-spec>. Amounts are in the smallest units.

use std::sync::atomic::AtomicU64;

use alloy::primitives::{Address, U256};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::ports::OperatorStanding;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Quorum {
    quorum_number: u8,
    quorum_name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Token {
    token: String,
}

/// The operator's metrics of the specification.
#[derive(Debug, Clone)]
pub struct EigenMetrics {
    stakes: Family<Quorum, Gauge<f64, AtomicU64>>,
    fees: Family<Token, Counter<f64, AtomicU64>>,
    slashed: Gauge,
    score: Gauge<f64, AtomicU64>,
}

impl Default for EigenMetrics {
    fn default() -> Self {
        let score = Gauge::<f64, AtomicU64>::default();
        // It goes down when the node does not perform well.
        score.set(100.0);
        Self { stakes: Family::default(), fees: Family::default(), slashed: Gauge::default(), score }
    }
}

impl EigenMetrics {
    /// Adds the metrics to a registry, whose label says which AVS they are of.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "eigen_registered_stakes",
            "Operator stake in <quorum> of <avs_name>'s StakeRegistry contract",
            self.stakes.clone(),
        );
        registry.register(
            "eigen_performance_score",
            "The share of the last 100 tasks that the operator answered in time, from 0 to 100",
            self.score.clone(),
        );
        // The exposition adds `_total`.
        registry.register("eigen_fees_earned", "The amount of fees earned in <token>", self.fees.clone());
        registry.register(
            "eigen_slashing_status",
            "Whether the operator has been slashed",
            self.slashed.clone(),
        );
    }

    pub(super) fn score(&self, score: f64) {
        self.score.set(score);
    }

    pub(super) fn standing(&self, standing: &OperatorStanding) {
        self.stakes.clear();
        for (quorum_number, stake) in &standing.stakes {
            let quorum = Quorum { quorum_number: *quorum_number, quorum_name: quorum_name(*quorum_number) };
            self.stakes.get_or_create(&quorum).set(f64::from(*stake));
        }
        for (token, earned) in &standing.fees {
            self.earned(*token, *earned);
        }
        self.slashed.set(standing.slashed.into());
    }

    /// The chain knows the sum; a counter takes what is new.
    fn earned(&self, token: Address, earned: U256) {
        let counter = self.fees.get_or_create(&Token { token: token.to_string() });
        counter.inc_by((f64::from(earned) - counter.get()).max(0.0));
    }
}

/// What a quorum is called. All of Anzen's hold slashable stake.
fn quorum_name(number: u8) -> String {
    format!("slashable-{number}")
}
