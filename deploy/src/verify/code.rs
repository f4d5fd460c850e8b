//! Code at every address, and the proxies: what is behind them, and who may change that.

use super::checker::Checker;
use crate::chain::{self, ChainError};
use alloy::{primitives::Address, sol_types::SolCall};
use anzen_contracts::{AnzenServiceManager, AnzenTaskManager, SafetyFactorOracle, Windows, eigenlayer::v4};

const NO_CODE: &str = "deploy, or give the file of addresses of this chain";
const TAKE_BACK: &str =
    "treat the deployment as compromised: whoever owns the administrator can replace the contract";

pub(super) async fn check(checker: &mut Checker<'_>) -> Result<(), ChainError> {
    let at = checker.at;
    let ours = [
        ("AnzenTaskManager", at.task_manager),
        ("AnzenServiceManager", at.service_manager),
        ("SafetyFactorOracle", at.safety_factor_oracle),
        ("SlashingRegistryCoordinator", at.registry_coordinator),
        ("StakeRegistry", at.stake_registry),
        ("BLSApkRegistry", at.bls_apk_registry),
        ("IndexRegistry", at.index_registry),
        ("SocketRegistry", at.socket_registry),
        ("OperatorStateRetriever", at.operator_state_retriever),
        ("PauserRegistry", at.pauser_registry),
        ("TimelockController", at.timelock),
        ("the strategy", at.strategy),
        ("the token", at.token),
    ];
    for (name, address) in ours.into_iter().chain(at.eigenlayer().contracts()) {
        has_code(checker, &format!("code of {name}"), address).await?;
    }
    check_proxies(checker).await?;
    check_locked(checker).await
}

pub(super) async fn has_code(
    checker: &mut Checker<'_>,
    name: &str,
    address: Address,
) -> Result<(), ChainError> {
    let length = chain::code_at(checker.provider, address).await?.len();
    checker.require(name, length > 0, format!("{length} bytes at {address}"), NO_CODE);
    Ok(())
}

async fn check_proxies(checker: &mut Checker<'_>) -> Result<(), ChainError> {
    let (at, admins) = (checker.at, &checker.at.proxy_admins);
    let proxies = [
        ("AnzenTaskManager", at.task_manager, admins.task_manager),
        ("AnzenServiceManager", at.service_manager, admins.service_manager),
        ("SafetyFactorOracle", at.safety_factor_oracle, admins.safety_factor_oracle),
        ("SlashingRegistryCoordinator", at.registry_coordinator, admins.registries),
        ("StakeRegistry", at.stake_registry, admins.registries),
        ("BLSApkRegistry", at.bls_apk_registry, admins.registries),
        ("IndexRegistry", at.index_registry, admins.registries),
        ("SocketRegistry", at.socket_registry, admins.registries),
    ];
    for (name, proxy, admin) in proxies {
        let implementation = chain::proxy_implementation(checker.provider, proxy).await?;
        has_code(checker, &format!("implementation of {name}"), implementation).await?;
        let actual = chain::proxy_admin(checker.provider, proxy).await?;
        checker.compare(&format!("proxy admin of {name}"), &actual, &admin, TAKE_BACK);
    }
    let admins = [
        ("the registries", admins.registries),
        ("AnzenTaskManager", admins.task_manager),
        ("AnzenServiceManager", admins.service_manager),
        ("SafetyFactorOracle", admins.safety_factor_oracle),
    ];
    for (name, admin) in admins {
        let name = format!("owner of the proxy admin of {name}");
        let todo = "have its owner transfer it to the timelock";
        checker.view(&name, admin, v4::ProxyAdmin::ownerCall {}, at.timelock, todo).await?;
    }
    Ok(())
}

/// An implementation that anyone can initialise could be made to act for its proxy's users.
async fn check_locked(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let (at, admin) = (c.at, c.at.timelock);
    let call = SafetyFactorOracle::initializeCall { admin };
    is_locked(c, "SafetyFactorOracle", at.safety_factor_oracle, call).await?;
    let call = AnzenServiceManager::initializeCall { admin, metadataURI: String::new() };
    is_locked(c, "AnzenServiceManager", at.service_manager, call).await?;
    let windows = Windows { maxStakeAge: 0, response: 1, challenge: 0, veto: 0, execution: 0 };
    let call = AnzenTaskManager::initializeCall { admin, generator: admin, pauser: admin, windows_: windows };
    is_locked(c, "AnzenTaskManager", at.task_manager, call).await
}

/// Neither the proxy nor what is behind it can be initialised once more.
async fn is_locked<C: SolCall + Clone>(
    c: &mut Checker<'_>,
    name: &str,
    proxy: Address,
    initialize: C,
) -> Result<(), ChainError> {
    let implementation = chain::proxy_implementation(c.provider, proxy).await?;
    for (part, address) in [("proxy", proxy), ("implementation", implementation)] {
        let name = format!("{part} of {name} is initialised for good");
        let refused = match chain::read(c.provider, address, initialize.clone()).await {
            Err(error @ ChainError::Rpc { .. }) => return Err(error),
            Err(ChainError::Reverted { reason, .. }) => reason == "InvalidInitialization()",
            _ => false,
        };
        let todo = "have the timelock upgrade it at once to an implementation that disables its initialisers";
        c.require(
            &name,
            refused,
            format!("{} initialise it again", if refused { "nobody can" } else { "anyone could" }),
            todo,
        );
    }
    Ok(())
}
