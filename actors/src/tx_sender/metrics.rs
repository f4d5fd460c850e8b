//! What the sender counts.

use std::sync::atomic::AtomicU64;

use alloy::primitives::U256;
use anzen_messages::transaction::{Mined, TxId, TxRefusal};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    purpose: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Purpose {
    purpose: String,
}

/// The sender's metrics.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    outcomes: Family<Labels, Counter>,
    gas: Family<Purpose, Counter>,
    broadcasts: Counter,
    replacements: Counter,
    at_ceiling: Counter,
    pending: Gauge,
    balance: Gauge<f64, AtomicU64>,
}

impl Metrics {
    /// Adds the metrics to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "anzen_tx_outcomes",
            "Requests that ended, by purpose and outcome",
            self.outcomes.clone(),
        );
        registry.register("anzen_tx_gas_used", "Gas of mined transactions, by purpose", self.gas.clone());
        registry.register(
            "anzen_tx_broadcasts",
            "Transactions broadcast, replacements included",
            self.broadcasts.clone(),
        );
        registry.register(
            "anzen_tx_replacements",
            "Transactions broadcast in place of one that was stuck or had become useless",
            self.replacements.clone(),
        );
        registry.register(
            "anzen_tx_at_ceiling",
            "Times that the fee ceiling kept a stuck transaction from being replaced",
            self.at_ceiling.clone(),
        );
        registry.register("anzen_tx_pending", "Requests with a transaction under way", self.pending.clone());
        registry.register("anzen_tx_balance_eth", "What the sender has, in ether", self.balance.clone());
    }

    pub(super) fn concluded(&self, id: &TxId, outcome: &Result<Mined, TxRefusal>) {
        let purpose = id.purpose().to_owned();
        let name = match outcome {
            Ok(Mined { succeeded: true, .. }) => "succeeded",
            Ok(_) => "reverted",
            Err(TxRefusal::Reverts { .. }) => "would_revert",
            Err(TxRefusal::Expired) => "expired",
            Err(TxRefusal::InsufficientFunds { .. }) => "insufficient_funds",
            Err(TxRefusal::Unavailable { .. }) => "unavailable",
        };
        self.outcomes.get_or_create(&Labels { purpose: purpose.clone(), outcome: name }).inc();
        if let Ok(mined) = outcome {
            self.gas.get_or_create(&Purpose { purpose }).inc_by(mined.gas_used);
        }
    }

    pub(super) fn broadcast(&self, replaces: bool) {
        self.broadcasts.inc();
        self.replacements.inc_by(replaces.into());
    }

    pub(super) fn at_ceiling(&self) {
        self.at_ceiling.inc();
    }

    pub(super) fn pending(&self, count: usize) {
        self.pending.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(super) fn balance(&self, wei: U256) {
        self.balance.set(f64::from(wei) / 1e18);
    }
}
