//! Code at every address, and the proxies: what is behind them, and who may change that.

use super::checker::Checker;
use crate::{
    artifacts::eigenlayer_code,
    chain::{self, ChainError},
};
use alloy::{
    primitives::{Address, B256},
    sol_types::SolCall,
};
use anzen_contracts::{
    AnzenDisputes, AnzenServiceManager, AnzenTaskManager, SafetyFactorModels, SafetyFactorOracle, Windows,
    anzen_disputes::IAnzenDisputes::DisputePolicy, eigenlayer::v4, runtime::Runtime,
};
use std::collections::BTreeSet;

const NO_CODE: &str = "deploy, or give the file of addresses of this chain";
/// What Solidity's code starts with: it reserves memory.
const CODE_START: [u8; 5] = [0x60, 0x80, 0x60, 0x40, 0x52];
/// What it ends with: the length of its metadata.
const CODE_END: [u8; 2] = [0x00, 0x33];
const OTHER_CODE: &str = "treat it as compromised, unless the timelock decided to upgrade it: then verify with the sources of \
     that upgrade";
const TAKE_BACK: &str =
    "treat the deployment as compromised: whoever owns the administrator can replace the contract";

pub(super) async fn check(checker: &mut Checker<'_>) -> Result<(), ChainError> {
    let at = checker.at;
    let ours = [
        ("AnzenTaskManager", at.task_manager),
        ("AnzenServiceManager", at.service_manager),
        ("SafetyFactorOracle", at.safety_factor_oracle),
        ("SafetyFactorModels", at.safety_factor_models),
        ("ModelEvaluator", at.model_evaluator),
        ("AnzenDisputes", at.disputes),
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
    check_compiled(checker).await?;
    check_registries(checker).await?;
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
        ("SafetyFactorModels", at.safety_factor_models, admins.safety_factor_models),
        ("AnzenDisputes", at.disputes, admins.disputes),
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
        ("SafetyFactorModels", admins.safety_factor_models),
        ("AnzenDisputes", admins.disputes),
    ];
    for (name, admin) in admins {
        let name = format!("owner of the proxy admin of {name}");
        let todo = "have its owner transfer it to the timelock";
        checker.view(&name, admin, v4::ProxyAdmin::ownerCall {}, at.timelock, todo).await?;
    }
    Ok(())
}

/// Our own contracts have the code that was compiled from these sources, and know the addresses that they should.
async fn check_compiled(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let (at, admins) = (c.at, &c.at.proxy_admins);
    let implementations: [(&str, Address, &[Address]); 5] = [
        (
            "AnzenTaskManager",
            at.task_manager,
            &[
                at.safety_factor_oracle,
                at.safety_factor_models,
                at.allocation_manager,
                at.delegation_manager,
                at.registry_coordinator,
                at.stake_registry,
                at.bls_apk_registry,
            ],
        ),
        (
            "AnzenServiceManager",
            at.service_manager,
            &[at.registry_coordinator, at.stake_registry, at.allocation_manager, at.permission_controller],
        ),
        ("SafetyFactorOracle", at.safety_factor_oracle, &[]),
        ("SafetyFactorModels", at.safety_factor_models, &[]),
        (
            "AnzenDisputes",
            at.disputes,
            &[
                at.task_manager,
                at.safety_factor_oracle,
                at.service_manager,
                at.model_evaluator,
                at.registry_coordinator,
            ],
        ),
    ];
    for (contract, proxy, immutables) in implementations {
        let implementation = chain::proxy_implementation(c.provider, proxy).await?;
        let name = format!("compiled code of the implementation of {contract}");
        is_compiled(c, &name, contract, implementation, immutables).await?;
    }
    let proxies = [
        ("AnzenTaskManager", at.task_manager, admins.task_manager),
        ("AnzenServiceManager", at.service_manager, admins.service_manager),
        ("SafetyFactorOracle", at.safety_factor_oracle, admins.safety_factor_oracle),
        ("SafetyFactorModels", at.safety_factor_models, admins.safety_factor_models),
        ("AnzenDisputes", at.disputes, admins.disputes),
    ];
    for (contract, proxy, admin) in proxies {
        // It is the immutable that lets an administrator upgrade; what ERC-1967 shows is a copy.
        let name = format!("compiled code of the proxy of {contract}");
        is_compiled(c, &name, "TransparentUpgradeableProxy", proxy, &[admin]).await?;
        let name = format!("compiled code of the proxy admin of {contract}");
        is_compiled(c, &name, "ProxyAdmin", admin, &[]).await?;
    }
    let (name, contract) = ("compiled code of ModelEvaluator", "ModelEvaluator");
    is_compiled(c, name, contract, at.model_evaluator, &[at.safety_factor_models]).await?;
    is_compiled(c, "compiled code of TimelockController", "TimelockController", at.timelock, &[]).await
}

async fn is_compiled(
    c: &mut Checker<'_>,
    name: &str,
    contract: &str,
    address: Address,
    immutables: &[Address],
) -> Result<(), ChainError> {
    let code = chain::code_at(c.provider, address).await?;
    match Runtime::of(contract).and_then(|runtime| runtime.immutables_of(&code)) {
        None => c.fail(name, format!("the code at {address} is another"), OTHER_CODE),
        Some(values) => {
            let expected: BTreeSet<B256> = immutables.iter().map(|address| address.into_word()).collect();
            c.compare(name, &BTreeSet::from_iter(values), &expected, OTHER_CODE);
        }
    }
    Ok(())
}

/// EigenLayer's registries have the implementations that the deployment gave them, behind EigenLayer's own proxies.
async fn check_registries(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let (at, behind) = (c.at, &c.at.implementations);
    let registries = [
        ("SlashingRegistryCoordinator", at.registry_coordinator, behind.registry_coordinator),
        ("StakeRegistry", at.stake_registry, behind.stake_registry),
        ("BLSApkRegistry", at.bls_apk_registry, behind.bls_apk_registry),
        ("IndexRegistry", at.index_registry, behind.index_registry),
        ("SocketRegistry", at.socket_registry, behind.socket_registry),
    ];
    for (registry, proxy, expected) in registries {
        let implementation = chain::proxy_implementation(c.provider, proxy).await?;
        let name = format!("recorded implementation of {registry}");
        let todo = "have the timelock upgrade it back, or correct `implementations` in the file of addresses if it decided \
                    this upgrade";
        c.compare(&name, &implementation, &expected, todo);
        is_eigenlayers(c, &format!("proxy of {registry}"), "TransparentUpgradeableProxy", proxy).await?;
    }
    let admin = at.proxy_admins.registries;
    is_eigenlayers(c, "proxy admin of the registries", "ProxyAdmin", admin).await?;
    is_eigenlayers(c, "PauserRegistry", "PauserRegistry", at.pauser_registry).await
}

/// Of these contracts there is creation code only. The code on chain, which has no immutables, stands in it as it is.
async fn is_eigenlayers(
    c: &mut Checker<'_>,
    name: &str,
    contract: &str,
    address: Address,
) -> Result<(), ChainError> {
    let code = chain::code_at(c.provider, address).await?;
    let compiled = eigenlayer_code(contract).unwrap_or_default();
    let same = deployed_part(&compiled, code.len()) == Some(code.as_ref());
    let seen = format!("{} bytes at {address}{}", code.len(), if same { "" } else { ", of something else" });
    c.require(&format!("EigenLayer's code of the {name}"), same, seen, OTHER_CODE);
    Ok(())
}

/// The part of creation code that stays on chain, if that is of this length: from the second time that code starts.
fn deployed_part(creation: &[u8], length: usize) -> Option<&[u8]> {
    let mut starts =
        creation.windows(CODE_START.len()).enumerate().filter(|(_, bytes)| **bytes == CODE_START);
    let (start, _) = starts.nth(1)?;
    let part = creation.get(start..start + length)?;
    part.ends_with(&CODE_END).then_some(part)
}

/// An implementation that anyone can initialise could be made to act for its proxy's users.
async fn check_locked(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let (at, admin) = (c.at, c.at.timelock);
    let call = SafetyFactorOracle::initializeCall { admin };
    is_locked(c, "SafetyFactorOracle", at.safety_factor_oracle, call).await?;
    let call = SafetyFactorModels::initializeCall { admin };
    is_locked(c, "SafetyFactorModels", at.safety_factor_models, call).await?;
    let call = AnzenServiceManager::initializeCall { admin, metadataURI: String::new() };
    is_locked(c, "AnzenServiceManager", at.service_manager, call).await?;
    let windows = Windows { maxStakeAge: 0, response: 1, challenge: 0, veto: 0, execution: 0 };
    let call = AnzenTaskManager::initializeCall { admin, generator: admin, pauser: admin, windows_: windows };
    is_locked(c, "AnzenTaskManager", at.task_manager, call).await?;
    let policy = DisputePolicy::from(&c.at.governance.disputes);
    let call = AnzenDisputes::initializeCall { admin, committee: admin, policy };
    is_locked(c, "AnzenDisputes", at.disputes, call).await
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
