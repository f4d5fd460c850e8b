//! What the sender counts.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use alloy::primitives::U256;
use anzen_messages::transaction::{Mined, TxId, TxRefusal};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::measure::{Histograms, at_zero, level, long_times};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    purpose: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Purpose {
    purpose: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepOf {
    purpose: &'static str,
    step: &'static str,
}

const OUTCOMES: [&str; 6] =
    ["succeeded", "reverted", "would_revert", "expired", "insufficient_funds", "unavailable"];

/// The sender's metrics.
#[derive(Debug, Clone)]
pub struct Metrics {
    outcomes: Family<Ended, Counter>,
    gas: Family<Purpose, Counter>,
    fees: Family<Purpose, Counter<f64, AtomicU64>>,
    step_seconds: Histograms<StepOf>,
    broadcasts: Counter,
    replacements: Counter,
    at_ceiling: Counter,
    doubtful_nonces: Counter,
    pending: Gauge,
    balance: Gauge<f64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            outcomes: Family::default(),
            gas: Family::default(),
            fees: Family::default(),
            step_seconds: Family::new_with_constructor(long_times),
            broadcasts: Counter::default(),
            replacements: Counter::default(),
            at_ceiling: Counter::default(),
            doubtful_nonces: Counter::default(),
            pending: Gauge::default(),
            balance: Gauge::default(),
        };
        for purpose in TxId::PURPOSES {
            at_zero(&metrics.outcomes, OUTCOMES.map(|outcome| Ended { purpose, outcome }));
            at_zero(&metrics.gas, [Purpose { purpose }]);
            at_zero(&metrics.fees, [Purpose { purpose }]);
        }
        metrics
    }
}

impl Metrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Self { outcomes, gas, fees, step_seconds, .. } = self.clone();
        registry.register("anzen_tx_outcomes", "Requests that ended, by purpose and outcome", outcomes);
        registry.register("anzen_tx_gas_used", "Gas of mined transactions, by purpose", gas);
        registry.register("anzen_tx_fees_ether", "What mined transactions cost, in ether, by purpose", fees);
        registry.register(
            "anzen_tx_step_seconds",
            "Time from the request to the first broadcast (broadcast), from there to the confirmations (mined), in seconds",
            step_seconds,
        );
        let Self { broadcasts, replacements, at_ceiling, doubtful_nonces, pending, balance, .. } =
            self.clone();
        registry.register("anzen_tx_broadcasts", "Transactions broadcast, replacements included", broadcasts);
        registry.register(
            "anzen_tx_replacements",
            "Transactions broadcast in place of one that was stuck or had become useless",
            replacements,
        );
        registry.register(
            "anzen_tx_at_ceiling",
            "Times that the fee ceiling kept a stuck transaction from being replaced",
            at_ceiling,
        );
        registry.register(
            "anzen_tx_doubtful_nonces",
            "Times that an endpoint began to tell of far more used nonces than is known here",
            doubtful_nonces,
        );
        registry.register("anzen_tx_pending", "Requests with a transaction under way", pending);
        registry.register("anzen_tx_balance_ether", "What the sender has, in ether", balance);
    }

    /// A request has ended. `fee` is in wei.
    pub(super) fn concluded(&self, id: &TxId, outcome: &Result<Mined, TxRefusal>, fee: U256) {
        let purpose = id.purpose();
        let name = match outcome {
            Ok(Mined { succeeded: true, .. }) => "succeeded",
            Ok(_) => "reverted",
            Err(TxRefusal::Reverts { .. }) => "would_revert",
            Err(TxRefusal::Expired) => "expired",
            Err(TxRefusal::InsufficientFunds { .. }) => "insufficient_funds",
            Err(TxRefusal::Unavailable { .. }) => "unavailable",
        };
        self.outcomes.get_or_create(&Ended { purpose, outcome: name }).inc();
        self.fees.get_or_create(&Purpose { purpose }).inc_by(ether(fee));
        if let Ok(mined) = outcome {
            self.gas.get_or_create(&Purpose { purpose }).inc_by(mined.gas_used);
        }
    }

    /// A request has come as far as `step`, so long after the step before.
    pub(super) fn step(&self, id: &TxId, step: &'static str, took: Option<Duration>) {
        if let Some(took) = took {
            let label = StepOf { purpose: id.purpose(), step };
            self.step_seconds.get_or_create(&label).observe(took.as_secs_f64());
        }
    }

    pub(super) fn broadcast(&self, replaces: bool) {
        self.broadcasts.inc();
        self.replacements.inc_by(replaces.into());
    }

    pub(super) fn at_ceiling(&self) {
        self.at_ceiling.inc();
    }

    pub(super) fn doubtful_nonce(&self) {
        self.doubtful_nonces.inc();
    }

    pub(super) fn pending(&self, count: usize) {
        self.pending.set(level(count));
    }

    pub(super) fn balance(&self, wei: U256) {
        self.balance.set(ether(wei));
    }
}

fn ether(wei: U256) -> f64 {
    f64::from(wei) / 1e18
}
