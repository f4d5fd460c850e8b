//! Deploys EigenLayer's core, for local chains.

use super::{EigenLayer, implementations::implementations};
use crate::{
    artifacts::eigenlayer_code,
    error::DeployError,
    steps::{Effect, Step, Steps, with_arguments},
};
use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::{SolCall, SolConstructor},
};
use anzen_contracts::eigenlayer::{
    AVSDirectory, AllocationManager, DelegationManager, EigenPod, EigenPodManager, PauserRegistry,
    RewardsCoordinator, StrategyBase, StrategyFactory, StrategyManager, v4,
};
use serde::{Deserialize, Serialize};

/// The release that the bytecode is of; the contracts sign and answer with it.
pub(crate) const VERSION: &str = "v1.4.0";

/// The constants of a core that is deployed, in blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoreParams {
    /// From setting an allocation delay to the block in which it holds.
    pub allocation_configuration_delay: u32,
    /// For how long stake that leaves can still be slashed.
    pub deallocation_delay: u32,
    /// From queueing a withdrawal to its completion; at least the deallocation delay, or stake escapes slashing.
    pub min_withdrawal_delay: u32,
}

/// The proxies, empty at first, because the implementations know each other's addresses.
pub(crate) struct Proxies {
    pub(crate) admin: Address,
    pub(crate) allocation: Address,
    pub(crate) delegation: Address,
    pub(crate) directory: Address,
    pub(crate) permission: Address,
    pub(crate) pods: Address,
    pub(crate) rewards: Address,
    pub(crate) factory: Address,
    pub(crate) strategies: Address,
}

/// What the proxies stand on.
pub(crate) struct Foundation {
    pub(crate) admin: Address,
    /// What a proxy points to before it has an implementation.
    pub(crate) empty: Address,
    pub(crate) pausers: Address,
}

/// Deploys the core; the account owns it.
pub(crate) async fn deploy(steps: &mut Steps<'_>, params: &CoreParams) -> Result<EigenLayer, DeployError> {
    let foundation = lay_foundation(steps).await?;
    let proxies = create_proxies(steps, foundation.admin, foundation.empty).await?;
    implement(steps, &proxies, foundation.pausers, params).await?;
    Ok(EigenLayer {
        allocation_manager: proxies.allocation,
        avs_directory: proxies.directory,
        delegation_manager: proxies.delegation,
        permission_controller: proxies.permission,
        rewards_coordinator: proxies.rewards,
        strategy_factory: proxies.factory,
        strategy_manager: proxies.strategies,
    })
}

pub(crate) async fn lay_foundation(steps: &mut Steps<'_>) -> Result<Foundation, DeployError> {
    let owner = steps.account.address();
    let pausers = PauserRegistry::constructorCall { pausers: vec![owner], unpauser: owner };
    let [admin, empty, pausers] = steps
        .create([
            ("core/ProxyAdmin", eigenlayer_code("ProxyAdmin")?),
            ("core/EmptyContract", eigenlayer_code("EmptyContract")?),
            ("core/PauserRegistry", code("PauserRegistry", &pausers)?),
        ])
        .await?;
    Ok(Foundation { admin, empty, pausers })
}

/// Deploys EigenLayer's core, with the account as its owner. What the journal has done already is not done again.
pub async fn deploy_eigenlayer(
    account: &crate::chain::Account,
    params: &CoreParams,
    journal: &mut crate::journal::Journal,
) -> Result<EigenLayer, DeployError> {
    deploy(&mut Steps::new(account, journal), params).await
}

pub(crate) fn code(name: &str, arguments: &impl SolConstructor) -> Result<Bytes, DeployError> {
    Ok(with_arguments(&eigenlayer_code(name)?, arguments))
}

/// Creation code of an empty proxy of OpenZeppelin 4.
pub(crate) fn proxy_code(admin: Address, empty: Address) -> Result<Bytes, DeployError> {
    let arguments =
        v4::TransparentUpgradeableProxy::constructorCall { logic: empty, admin, data: Bytes::new() };
    code("TransparentUpgradeableProxy", &arguments)
}

async fn create_proxies(
    steps: &mut Steps<'_>,
    admin: Address,
    empty: Address,
) -> Result<Proxies, DeployError> {
    let proxy = || proxy_code(admin, empty);
    let [allocation, delegation, directory, permission, pods, rewards, factory, strategies] = steps
        .create([
            ("core/AllocationManager/proxy", proxy()?),
            ("core/DelegationManager/proxy", proxy()?),
            ("core/AVSDirectory/proxy", proxy()?),
            ("core/PermissionController/proxy", proxy()?),
            ("core/EigenPodManager/proxy", proxy()?),
            ("core/RewardsCoordinator/proxy", proxy()?),
            ("core/StrategyFactory/proxy", proxy()?),
            ("core/StrategyManager/proxy", proxy()?),
        ])
        .await?;
    Ok(Proxies { admin, allocation, delegation, directory, permission, pods, rewards, factory, strategies })
}

/// Gives the proxies their implementations.
pub(crate) async fn implement(
    steps: &mut Steps<'_>,
    p: &Proxies,
    pausers: Address,
    params: &CoreParams,
) -> Result<(), DeployError> {
    let [allocation, delegation, directory, permission, rewards, factory, strategies] =
        steps.create(implementations(p, pausers, params)?).await?;
    let (strategy_beacon, pods) = create_beacons(steps, p, pausers).await?;

    let initial_owner = steps.account.address();
    let none = U256::ZERO;
    let upgrade = |name, proxy, implementation, data| upgrade(name, p.admin, proxy, implementation, data);
    steps
        .call([
            upgrade(
                "core/AllocationManager/initialize",
                p.allocation,
                allocation,
                encode(&AllocationManager::initializeCall {
                    initialOwner: initial_owner,
                    initialPausedStatus: none,
                }),
            ),
            upgrade(
                "core/DelegationManager/initialize",
                p.delegation,
                delegation,
                encode(&DelegationManager::initializeCall {
                    initialOwner: initial_owner,
                    initialPausedStatus: none,
                }),
            ),
            upgrade(
                "core/AVSDirectory/initialize",
                p.directory,
                directory,
                encode(&AVSDirectory::initializeCall {
                    initialOwner: initial_owner,
                    initialPausedStatus: none,
                }),
            ),
            upgrade("core/PermissionController/upgrade", p.permission, permission, Bytes::new()),
            upgrade(
                "core/EigenPodManager/initialize",
                p.pods,
                pods,
                encode(&EigenPodManager::initializeCall {
                    initialOwner: initial_owner,
                    initialPausedStatus: none,
                }),
            ),
            upgrade(
                "core/RewardsCoordinator/initialize",
                p.rewards,
                rewards,
                encode(&rewards_init(initial_owner)),
            ),
            upgrade(
                "core/StrategyFactory/initialize",
                p.factory,
                factory,
                encode(&StrategyFactory::initializeCall {
                    initialOwner: initial_owner,
                    initialPausedStatus: none,
                    strategyBeacon: strategy_beacon,
                }),
            ),
            upgrade(
                "core/StrategyManager/initialize",
                p.strategies,
                strategies,
                encode(&StrategyManager::initializeCall {
                    initialOwner: initial_owner,
                    initialStrategyWhitelister: p.factory,
                    initialPausedStatus: none,
                }),
            ),
        ])
        .await
}

/// The beacon of strategies, and the EigenPodManager's implementation, which needs that of pods.
async fn create_beacons(
    steps: &mut Steps<'_>,
    p: &Proxies,
    pausers: Address,
) -> Result<(Address, Address), DeployError> {
    // No chain but mainnet's kind has a deposit contract, and Anzen restakes no ether.
    let deposits = Address::ZERO;
    let version = || VERSION.to_owned();
    let pod = EigenPod::constructorCall {
        ethPOS: deposits,
        eigenPodManager: p.pods,
        genesisTime: 0,
        version: version(),
    };
    let [pod, strategy] = steps
        .create([("core/EigenPod", code("EigenPod", &pod)?), strategy_code(p.strategies, pausers)?])
        .await?;
    let beacon = |implementation| {
        code("UpgradeableBeacon", &v4::UpgradeableBeacon::constructorCall { implementation })
    };
    let [pod_beacon, strategy_beacon] = steps
        .create([("core/EigenPod/beacon", beacon(pod)?), ("core/StrategyBase/beacon", beacon(strategy)?)])
        .await?;
    let manager = EigenPodManager::constructorCall {
        ethPOS: deposits,
        eigenPodBeacon: pod_beacon,
        delegationManager: p.delegation,
        pauserRegistry: pausers,
        version: version(),
    };
    let manager = steps.create_one("core/EigenPodManager", code("EigenPodManager", &manager)?).await?;
    Ok((strategy_beacon, manager))
}

/// The implementation of a strategy, as a step.
pub(crate) fn strategy_code(
    manager: Address,
    pausers: Address,
) -> Result<(&'static str, Bytes), DeployError> {
    let arguments = StrategyBase::constructorCall {
        strategyManager: manager,
        pauserRegistry: pausers,
        version: VERSION.to_owned(),
    };
    Ok(("core/StrategyBase", code("StrategyBase", &arguments)?))
}

fn rewards_init(owner: Address) -> RewardsCoordinator::initializeCall {
    RewardsCoordinator::initializeCall {
        initialOwner: owner,
        initialPausedStatus: U256::ZERO,
        rewardsUpdater: owner,
        activationDelay: 0,
        defaultSplitBips: 1_000,
    }
}

fn encode(call: &impl SolCall) -> Bytes {
    call.abi_encode().into()
}

/// Gives a proxy of OpenZeppelin 4 its implementation, and initialises it in the same transaction.
pub(crate) fn upgrade(
    name: &str,
    admin: Address,
    proxy: Address,
    implementation: Address,
    data: Bytes,
) -> Step {
    let done = Effect::Implementation(proxy, implementation);
    if data.is_empty() {
        return Step::new(name, admin, &v4::ProxyAdmin::upgradeCall { proxy, implementation }, done);
    }
    Step::new(name, admin, &v4::ProxyAdmin::upgradeAndCallCall { proxy, implementation, data }, done)
}
