//! What the timelock does so that a wrong answer can be withdrawn, and its signers be slashed.

use super::{contracts::Contracts, operation::Operation};
use crate::{addresses::FaultShares, config::SlashingConfig};
use alloy::primitives::Address;
use anzen_contracts::{AnzenServiceManager, SafetyFactorOracle};

/// Has the disputes withdraw from the oracle, and every kind of fault cost its share: one that was never set costs nothing.
pub(super) fn add_disputes(
    operation: &mut Operation,
    slashing: &SlashingConfig,
    service_manager: Address,
    contracts: &Contracts,
) {
    let set_disputes = SafetyFactorOracle::setDisputesCall { newDisputes: contracts.disputes };
    operation.add(contracts.oracle, &set_disputes);
    for (kind, _, share) in FaultShares::from(slashing).by_kind() {
        let call = AnzenServiceManager::setFaultShareCall { kind, wadToSlash: share };
        operation.add(service_manager, &call);
    }
}
