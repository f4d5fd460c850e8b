//! What is known of the world that chaos makes.

use std::collections::BTreeMap;

use anzen_actors::{operator_signer, signature_collector, tx_sender};
use anzen_deploy::DeployConfig;
use anzen_messages::bls::PublicKey;
use anzen_messages::task::SigningDomain;

use crate::e2e::chain::Chain;
use crate::invariants::Terms;

/// How many quiet blocks a task needs to be answered, at most: a process that is back needs some seconds to find the others,
/// which pause before they try again, for five seconds at most; and what was lost is sent again.
pub(super) const QUIET_BLOCKS: u64 = 14;

/// For how many blocks a task of a local network can be answered.
pub(super) fn response_window() -> u64 {
    DeployConfig::anvil().unwrap().windows.response.into()
}

/// The terms of a local network with these operators, some of which break the rules.
pub(super) fn of(chain: &Chain, operators: &BTreeMap<String, PublicKey>, liars: &[u32]) -> Terms {
    let id = |number: &u32| operators[&format!("operator-{number}")].operator_id();
    let collector = signature_collector::Config::default();
    Terms {
        domain: SigningDomain::new(chain.chain_id(), chain.address("taskManager")),
        operators: operators.values().map(|key| (key.operator_id(), *key)).collect(),
        liars: liars.iter().map(id).collect(),
        misled: Default::default(),
        misled_aggregators: Default::default(),
        response_window: response_window(),
        finality_blocks: collector.finality_blocks,
        keep_records: operator_signer::Config::default().keep_records,
        remember_blocks: tx_sender::Config::default().remember_blocks,
        early_per_operator: collector.early_per_operator,
        quiet_blocks: QUIET_BLOCKS,
        // As long as the longest pause of a generator whose attempts have failed, and some blocks for the task itself. One that
        // nobody answers counts as open for its window, so that the interval, five blocks, has passed by then.
        task_blocks: response_window() + QUIET_BLOCKS,
    }
}
