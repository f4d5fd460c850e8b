//! What a dispute costs, and whom; and for how long whoever was ejected stays out.

use super::checker::Checker;
use crate::chain::ChainError;
use alloy::primitives::U256;
use anzen_contracts::{
    AnzenDisputes, AnzenServiceManager, AnzenTaskManager, anzen_disputes::IAnzenDisputes::DisputePolicy,
    eigenlayer::SlashingRegistryCoordinator,
};

pub(super) async fn check(c: &mut Checker<'_>) -> Result<(), ChainError> {
    check_policy(c).await?;
    check_shares(c).await?;
    check_cooldown(c).await
}

async fn check_policy(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let expected = DisputePolicy::from(&c.at.governance.disputes);
    let todo = "have the timelock call setDisputePolicy, or correct `governance.disputes` in the file of addresses if it decided \
                this";
    let view = AnzenDisputes::disputePolicyCall {};
    c.view("disputes: policy", c.at.disputes, view, expected, todo).await
}

async fn check_shares(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let todo = "have the timelock call setFaultShare, or correct `governance.faultShares` in the file of addresses if it decided \
                this";
    for (kind, fault, share) in c.at.governance.fault_shares.by_kind() {
        let name = format!("AVS: share of {fault}, of 1e18");
        let view = AnzenServiceManager::faultShareCall { kind };
        c.view(&name, c.at.service_manager, view, share, todo).await?;
    }
    Ok(())
}

/// Whoever was ejected does not come back before its slashing can no longer be vetoed.
async fn check_cooldown(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let name = "ejection cooldown no less than the veto window";
    let view = AnzenTaskManager::windowsCall {};
    let Some(windows) = c.read(name, c.at.task_manager, view).await? else { return Ok(()) };
    let view = SlashingRegistryCoordinator::ejectionCooldownCall {};
    let Some(cooldown) = c.read(name, c.at.registry_coordinator, view).await? else { return Ok(()) };

    let (blocks, block) = (windows.veto, c.at.governance.seconds_per_block);
    let veto = U256::from(blocks) * U256::from(block);
    let seen = format!("cooldown {cooldown} s, veto window {blocks} blocks of {block} s");
    let todo =
        "have the timelock call setEjectionCooldown: whoever is ejected comes back before it is slashed";
    c.require(name, cooldown >= veto, seen, todo);
    Ok(())
}
