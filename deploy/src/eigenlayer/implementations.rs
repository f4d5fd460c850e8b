//! The implementations behind the core's proxies, and their constructors' arguments.

use super::{CoreParams, VERSION, code, deploy::Proxies};
use crate::error::DeployError;
use alloy::primitives::{Address, Bytes};
use anzen_contracts::eigenlayer::{
    AVSDirectory, AllocationManager, DelegationManager, PermissionController, RewardsCoordinator,
    RewardsCoordinatorParams, StrategyFactory, StrategyManager,
};

/// The core counts rewards in whole days. Anzen pays none on a local chain.
const DAY: u32 = 86_400;

pub(super) fn implementations(
    p: &Proxies,
    pausers: Address,
    params: &CoreParams,
) -> Result<[(&'static str, Bytes); 7], DeployError> {
    let version = || VERSION.to_owned();
    let allocation = AllocationManager::constructorCall {
        delegation: p.delegation,
        pauserRegistry: pausers,
        permissionController: p.permission,
        deallocationDelay: params.deallocation_delay,
        allocationConfigurationDelay: params.allocation_configuration_delay,
        version: version(),
    };
    let delegation = DelegationManager::constructorCall {
        strategyManager: p.strategies,
        eigenPodManager: p.pods,
        allocationManager: p.allocation,
        pauserRegistry: pausers,
        permissionController: p.permission,
        minWithdrawalDelay: params.min_withdrawal_delay,
        version: version(),
    };
    let directory = AVSDirectory::constructorCall {
        delegation: p.delegation,
        pauserRegistry: pausers,
        version: version(),
    };
    let factory = StrategyFactory::constructorCall {
        strategyManager: p.strategies,
        pauserRegistry: pausers,
        version: version(),
    };
    let strategies = StrategyManager::constructorCall {
        delegation: p.delegation,
        pauserRegistry: pausers,
        version: version(),
    };
    let permission = PermissionController::constructorCall { version: version() };
    let rewards = RewardsCoordinator::constructorCall { params: rewards_params(p, pausers) };
    Ok([
        ("core/AllocationManager", code("AllocationManager", &allocation)?),
        ("core/DelegationManager", code("DelegationManager", &delegation)?),
        ("core/AVSDirectory", code("AVSDirectory", &directory)?),
        ("core/PermissionController", code("PermissionController", &permission)?),
        ("core/RewardsCoordinator", code("RewardsCoordinator", &rewards)?),
        ("core/StrategyFactory", code("StrategyFactory", &factory)?),
        ("core/StrategyManager", code("StrategyManager", &strategies)?),
    ])
}

fn rewards_params(p: &Proxies, pausers: Address) -> RewardsCoordinatorParams {
    RewardsCoordinatorParams {
        delegationManager: p.delegation,
        strategyManager: p.strategies,
        allocationManager: p.allocation,
        pauserRegistry: pausers,
        permissionController: p.permission,
        calculationIntervalSeconds: DAY,
        maxRewardsDuration: 70 * DAY,
        maxRetroactiveLength: 84 * DAY,
        maxFutureLength: 28 * DAY,
        genesisRewardsTimestamp: DAY,
        version: VERSION.to_owned(),
    }
}
