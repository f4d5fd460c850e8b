//! How small and how large numbers may be.

use std::ops::RangeInclusive;

use figment::value::{Dict, Value};

use super::NodeConfig;
use super::key::Key;
use super::known::{lookup, settings};
use super::shape::Shape;

/// Where nothing else is said, a number is 1 or more: none, of what an actor does or waits for, is no use. One whose default
/// is 0 may be 0.
const LEAST: u128 = 1;

/// Those that may be 0, or have a greatest value.
const EXCEPTIONS: &[(&str, RangeInclusive<u128>)] = &[
    ("aggregator.replica_delay_blocks", 0..=u128::MAX),
    ("api.grace_ms", 0..=u128::MAX),
    ("chain_watcher.margin_blocks", 0..=u128::MAX),
    ("chain_watcher.stalled_after_secs", 0..=u128::MAX),
    ("challenger.finality_blocks", 0..=u128::MAX),
    ("operator.allocation_delay", 0..=u128::MAX),
    ("operator.share_percent", 1..=100),
    ("rpc_gateway.calls_per_second", 0..=u128::MAX),
    ("signature_collector.early_per_operator", 0..=u128::MAX),
    ("signature_collector.linger_ms", 0..=u128::MAX),
    ("signature_collector.penalty_blocks", 0..=u128::MAX),
    // What an empty store takes, and a little.
    ("store.most_bytes", 1_048_576..=u128::MAX),
    ("stake_updater.drift_threshold_bps", 0..=u128::MAX),
    ("stake_updater.refresh_margin_percent", 1..=100),
    ("task_generator.interval_blocks", 0..=u128::MAX),
    ("task_generator.threshold_percentage", 1..=100),
];

/// The whole numbers among the settings, with the least and the greatest value of each.
pub(super) fn all() -> Vec<(Key, RangeInclusive<u128>)> {
    let whole = |key: &Key| match lookup(key) {
        Some(Shape::Leaf(leaf)) => matches!(leaf.expected.as_str(), "u8" | "u16" | "u32" | "u64" | "usize"),
        _ => false,
    };
    let defaults = Value::serialize(NodeConfig::default()).unwrap_or_else(|_| Dict::new().into());
    let range = |key: Key| {
        let exception = EXCEPTIONS.iter().find(|(name, _)| *name == key.to_string());
        let default = defaults.find_ref(&key.0.join(".")).and_then(Value::to_u128);
        let least = default.map_or(LEAST, |default| default.min(LEAST));
        (key, exception.map_or(least..=u128::MAX, |(_, range)| range.clone()))
    };
    settings().into_iter().filter(whole).map(range).collect()
}

pub(super) fn in_words(range: &RangeInclusive<u128>) -> String {
    match (*range.start(), *range.end()) {
        (least, u128::MAX) => format!("{least} or more"),
        (least, greatest) => format!("a whole number from {least} to {greatest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exceptions_are_whole_numbers_that_there_are() {
        let all: Vec<String> = all().iter().map(|(key, _)| key.to_string()).collect();
        for (name, _) in EXCEPTIONS {
            assert!(all.iter().any(|key| key == name), "{name}");
        }
    }
}
