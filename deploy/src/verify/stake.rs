//! The stake: that it is slashable, for long enough, and that all of it can be refreshed in a block.

use super::checker::Checker;
use crate::{
    anzen::MULTIPLIER,
    chain::{ChainError, MAX_TRANSACTION_GAS},
};
use alloy::{
    eips::BlockNumberOrTag,
    primitives::{U256, aliases::U96},
    providers::Provider,
};
use anzen_contracts::{
    AnzenTaskManager, Windows,
    eigenlayer::{AllocationManager, DelegationManager, SlashingRegistryCoordinator, StakeRegistry},
};
use std::collections::BTreeSet;

/// What a full refresh of a quorum costs for each operator, when every stake has changed, and on its own: measured.
const REFRESH_GAS_PER_OPERATOR: u64 = 66_000;
const REFRESH_GAS: u64 = 180_000;
/// StakeRegistry's number of a quorum that counts slashable stake.
const SLASHABLE: u8 = 1;

pub(super) async fn check(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let quorums: BTreeSet<u8> = c.at.protocols.iter().flat_map(|p| p.quorum_numbers.clone()).collect();
    let count = SlashingRegistryCoordinator::quorumCountCall {};
    let Some(count) = c.read("quorums", c.at.registry_coordinator, count).await? else { return Ok(()) };
    check_withdrawal_delay(c).await?;
    for quorum in quorums {
        if quorum >= count {
            let what = format!("there are {count} quorums, and a protocol names number {quorum}");
            c.fail(
                "quorums",
                what,
                "have the timelock create it, or deploy again to write the addresses anew",
            );
            continue;
        }
        check_quorum(c, quorum).await?;
        check_windows(c, quorum).await?;
        check_refresh(c, quorum).await?;
    }
    Ok(())
}

async fn check_quorum(c: &mut Checker<'_>, quorum: u8) -> Result<(), ChainError> {
    let of = c.at.stake_registry;
    let name = format!("quorum {quorum}: kind of stake");
    let todo = "create another quorum with createSlashableStakeQuorum: a quorum's kind cannot be changed";
    let view = StakeRegistry::stakeTypePerQuorumCall { quorumNumber: quorum };
    c.view(&name, of, view, SLASHABLE, todo).await?;

    let name = format!("quorum {quorum}: number of strategies");
    let view = StakeRegistry::strategyParamsLengthCall { quorumNumber: quorum };
    let todo = "have the timelock call removeStrategies: the price of the stake is that of one token";
    c.view(&name, of, view, U256::ONE, todo).await?;

    let name = format!("quorum {quorum}: strategy");
    let view = StakeRegistry::strategyParamsByIndexCall { quorumNumber: quorum, index: U256::ZERO };
    if let Some(params) = c.read(&name, of, view).await? {
        let todo = "check that the file of addresses is of this deployment";
        c.compare(&name, &params.strategy, &c.at.strategy, todo);
        let name = format!("quorum {quorum}: multiplier");
        let todo = "have the timelock call modifyStrategyParams: the stake's price assumes that shares count one to one";
        c.compare(&name, &U96::from(params.multiplier), &MULTIPLIER, todo);
    }

    let name = format!("quorum {quorum}: minimum stake");
    let view = StakeRegistry::minimumStakeForQuorumCall { quorumNumber: quorum };
    if let Some(minimum) = c.read(&name, of, view).await? {
        let todo = "have the timelock call setMinimumStakeForQuorum, or correct `governance` in the file of addresses";
        c.compare(&name, &U256::from(minimum), &c.at.governance.minimum_stake, todo);
    }
    Ok(())
}

/// windows <= look-ahead <= deallocation delay: nobody can leave before a fault is executed.
async fn check_windows(c: &mut Checker<'_>, quorum: u8) -> Result<(), ChainError> {
    let name = format!("quorum {quorum}: windows within look-ahead");
    let view = AnzenTaskManager::windowsCall {};
    let Some(windows) = c.read(&name, c.at.task_manager, view).await? else { return Ok(()) };
    let view = StakeRegistry::slashableStakeLookAheadPerQuorumCall { quorumNumber: quorum };
    let Some(look_ahead) = c.read(&name, c.at.stake_registry, view).await? else { return Ok(()) };
    let view = AllocationManager::DEALLOCATION_DELAYCall {};
    let Some(delay) = c.read(&name, c.at.allocation_manager, view).await? else { return Ok(()) };

    let needed = sum(&windows);
    let seen = format!("windows {needed}, look-ahead {look_ahead} blocks");
    let todo = "have the timelock shorten the windows, or raise the look-ahead (setSlashableStakeLookahead)";
    c.require(&name, needed <= look_ahead.into(), seen, todo);

    let name = format!("quorum {quorum}: look-ahead within deallocation delay");
    let seen = format!("look-ahead {look_ahead}, deallocation delay {delay} blocks");
    let todo = "have the timelock lower the look-ahead, and the windows before it";
    c.require(&name, look_ahead <= delay, seen, todo);
    Ok(())
}

/// Nor can anybody withdraw: that is another delay, which counts for stake that is on its way out.
async fn check_withdrawal_delay(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let name = "windows within withdrawal delay";
    let view = AnzenTaskManager::windowsCall {};
    let Some(windows) = c.read(name, c.at.task_manager, view).await? else { return Ok(()) };
    let view = DelegationManager::minWithdrawalDelayBlocksCall {};
    let Some(delay) = c.read(name, c.at.delegation_manager, view).await? else { return Ok(()) };
    let needed = sum(&windows);
    let seen = format!("windows {needed}, withdrawal delay {delay} blocks");
    let todo = "have the timelock shorten the windows (setWindows): until then no task can be created";
    c.require(name, needed <= delay.into(), seen, todo);
    Ok(())
}

/// For how long stake must be sure to be slashable, in blocks.
fn sum(windows: &Windows) -> u64 {
    let parts = [windows.maxStakeAge, windows.response, windows.challenge, windows.veto, windows.execution];
    parts.into_iter().map(u64::from).sum()
}

/// What a refresh may use of a block's gas: half of it, and no more than one transaction may have.
fn refresh_limit(block_gas_limit: u64) -> u64 {
    MAX_TRANSACTION_GAS.min(block_gas_limit / 2)
}

/// A refresh of all stakes has to fit a transaction and half a block, or the stakes would grow stale for good.
async fn check_refresh(c: &mut Checker<'_>, quorum: u8) -> Result<(), ChainError> {
    let name = format!("quorum {quorum}: a full refresh fits a block");
    let view = SlashingRegistryCoordinator::getOperatorSetParamsCall { quorumNumber: quorum };
    let Some(params) = c.read(&name, c.at.registry_coordinator, view).await? else { return Ok(()) };
    let block = c.provider.get_block_by_number(BlockNumberOrTag::Latest).await;
    let block = block.map_err(|e| ChainError::rpc("the latest block", e))?;
    let limit = block.map_or(0, |block| block.header.gas_limit);
    let (most, available) = (params.maxOperatorCount, refresh_limit(limit));
    let needed = REFRESH_GAS + REFRESH_GAS_PER_OPERATOR * u64::from(most);
    let seen = format!("{most} operators need {needed} gas, a refresh may use {available}");
    let todo = "have the timelock lower maxOperatorCount (setOperatorSetParams)";
    c.require(&name, needed <= available, seen, todo);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_fits_a_transaction_and_half_a_block() {
        assert_eq!(refresh_limit(30_000_000), 15_000_000);
        assert_eq!(refresh_limit(60_000_000), MAX_TRANSACTION_GAS);
    }
}
