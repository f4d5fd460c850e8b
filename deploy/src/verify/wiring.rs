//! Who knows whom.

use super::checker::Checker;
use crate::chain::ChainError;
use alloy::{
    primitives::{Address, U256},
    sol_types::SolCall,
};
use anzen_contracts::{
    AnzenDisputes, AnzenServiceManager, AnzenTaskManager, ModelEvaluator, SafetyFactorModels,
    SafetyFactorOracle,
    eigenlayer::{
        AllocationManager, BLSApkRegistry, IndexRegistry, PauserRegistry, SlashingRegistryCoordinator,
        SocketRegistry, StakeRegistry,
    },
};

/// What an immutable holds only another implementation can change.
const REDEPLOY: &str =
    "have the timelock upgrade it to an implementation that was built with the right address";

pub(super) async fn check(checker: &mut Checker<'_>) -> Result<(), ChainError> {
    check_task_manager(checker).await?;
    check_models(checker).await?;
    check_disputes(checker).await?;
    check_service_manager(checker).await?;
    check_coordinator(checker).await?;
    check_registries(checker).await
}

async fn link<C: SolCall<Return = Address>>(
    checker: &mut Checker<'_>,
    name: &str,
    of: Address,
    view: C,
    expected: Address,
    todo: &str,
) -> Result<(), ChainError> {
    checker.view(name, of, view, expected, todo).await
}

async fn check_task_manager(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let (at, of) = (c.at, c.at.task_manager);
    let oracle = at.safety_factor_oracle;
    link(c, "task manager: oracle", of, AnzenTaskManager::oracleCall {}, oracle, REDEPLOY).await?;
    let models = AnzenTaskManager::modelsCall {};
    link(c, "task manager: models", of, models, at.safety_factor_models, REDEPLOY).await?;
    let coordinator = AnzenTaskManager::registryCoordinatorCall {};
    link(c, "task manager: coordinator", of, coordinator, at.registry_coordinator, REDEPLOY).await?;
    let stake = AnzenTaskManager::stakeRegistryCall {};
    link(c, "task manager: stake registry", of, stake, at.stake_registry, REDEPLOY).await?;
    let apk = AnzenTaskManager::blsApkRegistryCall {};
    link(c, "task manager: key registry", of, apk, at.bls_apk_registry, REDEPLOY).await?;
    let todo = "have the timelock call setTaskManager: another one could write any safety factor";
    link(c, "oracle: task manager", oracle, SafetyFactorOracle::taskManagerCall {}, of, todo).await?;
    let todo = "find out why it was paused, then have the timelock unpause it";
    c.view("task manager: paused", of, AnzenTaskManager::pausedCall {}, false, todo).await
}

async fn check_models(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let (at, of) = (c.at, c.at.safety_factor_models);
    let todo = "have the timelock call allowStakeRegistry: no new model could count Anzen's own stake";
    let view = SafetyFactorModels::isStakeRegistryAllowedCall { stakeRegistry: at.stake_registry };
    c.view("models: own stake registry is allowed", of, view, true, todo).await
}

async fn check_disputes(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let (at, of, oracle) = (c.at, c.at.disputes, c.at.safety_factor_oracle);
    let todo = "have the timelock call setDisputes: another one could withdraw any round, or this one none";
    link(c, "oracle: disputes", oracle, SafetyFactorOracle::disputesCall {}, of, todo).await?;
    let view = AnzenDisputes::taskManagerCall {};
    link(c, "disputes: task manager", of, view, at.task_manager, REDEPLOY).await?;
    link(c, "disputes: AVS", of, AnzenDisputes::serviceManagerCall {}, at.service_manager, REDEPLOY).await?;
    link(c, "disputes: oracle", of, AnzenDisputes::oracleCall {}, oracle, REDEPLOY).await?;
    let view = AnzenDisputes::evaluatorCall {};
    link(c, "disputes: evaluator", of, view, at.model_evaluator, REDEPLOY).await?;
    let (view, models) = (ModelEvaluator::modelsCall {}, at.safety_factor_models);
    link(c, "evaluator: models", at.model_evaluator, view, models, REDEPLOY).await
}

async fn check_service_manager(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let (at, of) = (c.at, c.at.service_manager);
    let coordinator = AnzenServiceManager::registryCoordinatorCall {};
    link(c, "AVS: coordinator", of, coordinator, at.registry_coordinator, REDEPLOY).await?;
    let stake = AnzenServiceManager::stakeRegistryCall {};
    link(c, "AVS: stake registry", of, stake, at.stake_registry, REDEPLOY).await?;
    let allocation = AnzenServiceManager::allocationManagerCall {};
    link(c, "AVS: allocation manager", of, allocation, at.allocation_manager, REDEPLOY).await?;
    let permission = AnzenServiceManager::permissionControllerCall {};
    link(c, "AVS: permission controller", of, permission, at.permission_controller, REDEPLOY).await?;
    let registrar = AllocationManager::getAVSRegistrarCall { avs: of };
    let todo = "have the timelock call setAVSRegistrar, or operators join and leave unseen";
    link(c, "AVS: registrar", at.allocation_manager, registrar, at.registry_coordinator, todo).await
}

async fn check_coordinator(c: &mut Checker<'_>) -> Result<(), ChainError> {
    use SlashingRegistryCoordinator as Coordinator;
    let (at, of) = (c.at, c.at.registry_coordinator);
    let avs = at.service_manager;
    link(c, "coordinator: AVS", of, Coordinator::avsCall {}, avs, "have the timelock call setAVS").await?;
    let todo = "have the timelock call setEjector";
    link(c, "coordinator: ejector", of, Coordinator::ejectorCall {}, avs, todo).await?;
    let todo = "have the timelock call setChurnApprover: that one can displace operators";
    link(c, "coordinator: churn approver", of, Coordinator::churnApproverCall {}, at.timelock, todo).await?;
    let todo = "have its owner transfer it to the timelock";
    link(c, "coordinator: owner", of, Coordinator::ownerCall {}, at.timelock, todo).await?;
    let stake = Coordinator::stakeRegistryCall {};
    link(c, "coordinator: stake registry", of, stake, at.stake_registry, REDEPLOY).await?;
    let apk = Coordinator::blsApkRegistryCall {};
    link(c, "coordinator: key registry", of, apk, at.bls_apk_registry, REDEPLOY).await?;
    let index = Coordinator::indexRegistryCall {};
    link(c, "coordinator: index registry", of, index, at.index_registry, REDEPLOY).await?;
    let socket = Coordinator::socketRegistryCall {};
    link(c, "coordinator: socket registry", of, socket, at.socket_registry, REDEPLOY).await?;
    let allocation = Coordinator::allocationManagerCall {};
    link(c, "coordinator: allocation manager", of, allocation, at.allocation_manager, REDEPLOY).await?;
    let pausers = Coordinator::pauserRegistryCall {};
    link(c, "coordinator: pauser registry", of, pausers, at.pauser_registry, REDEPLOY).await?;
    let todo = "find out why it was paused, then have the timelock unpause it: operators cannot be refreshed or removed";
    c.view("coordinator: paused", of, Coordinator::pausedCall {}, U256::ZERO, todo).await
}

async fn check_registries(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let (at, of) = (c.at, c.at.registry_coordinator);
    let view = StakeRegistry::registryCoordinatorCall {};
    link(c, "stake registry: coordinator", at.stake_registry, view, of, REDEPLOY).await?;
    let view = StakeRegistry::delegationCall {};
    link(c, "stake registry: delegation", at.stake_registry, view, at.delegation_manager, REDEPLOY).await?;
    let view = StakeRegistry::allocationManagerCall {};
    let allocation = at.allocation_manager;
    link(c, "stake registry: allocation manager", at.stake_registry, view, allocation, REDEPLOY).await?;
    let view = BLSApkRegistry::registryCoordinatorCall {};
    link(c, "key registry: coordinator", at.bls_apk_registry, view, of, REDEPLOY).await?;
    let view = IndexRegistry::registryCoordinatorCall {};
    link(c, "index registry: coordinator", at.index_registry, view, of, REDEPLOY).await?;
    let view = SocketRegistry::slashingRegistryCoordinatorCall {};
    link(c, "socket registry: coordinator", at.socket_registry, view, of, REDEPLOY).await?;
    let view = PauserRegistry::unpauserCall {};
    let todo = "have the unpauser call setUnpauser with the timelock";
    link(c, "pauser registry: unpauser", at.pauser_registry, view, at.timelock, todo).await
}
