//! The timelock, and everything that only an administrator may do, done through it in one operation.

use super::{
    contracts::Contracts, disputes::add_disputes, operation::Operation, registries::Registries,
    roles::add_roles,
};
use crate::{
    config::{DeployConfig, ProtocolConfig, TimelockConfig},
    eigenlayer::EigenLayer,
    error::DeployError,
    steps::{Effect, Step, Steps, with_arguments},
};
use alloy::{
    primitives::{Address, B256, Bytes, U256},
    sol_types::SolCall,
};
use anzen_contracts::{
    AnzenTaskManager, SafetyFactorModels, SafetyFactorOracle, TaskPolicy, TimelockController,
    eigenlayer::PermissionController,
};
use anzen_messages::model::Model;
use std::collections::BTreeSet;

/// The timelock. Until `configure` is done the deployer may schedule and execute without delay; nobody else has a role in
/// anything that it owns, and it owns nothing yet that operators or protocols rely on.
pub(super) async fn deploy_timelock(
    steps: &mut Steps<'_>,
    config: &TimelockConfig,
) -> Result<Address, DeployError> {
    let deployer = steps.account.address();
    let with_deployer = |accounts: &[Address]| {
        let others = accounts.iter().copied().filter(|account| *account != deployer);
        others.chain([deployer]).collect()
    };
    let arguments = TimelockController::constructorCall {
        minDelay: U256::ZERO,
        proposers: with_deployer(&config.proposers),
        executors: with_deployer(&config.executors),
        admin: Address::ZERO,
    };
    let code = with_arguments(&TimelockController::BYTECODE, &arguments);
    steps.create_one("anzen/TimelockController", code).await
}

/// Schedules and executes the operation that accepts the AVS's administration, adds models, protocols and policies, opens
/// disputes, grants roles, and at last takes the deployer's own roles away and sets the delay.
pub(super) async fn configure(
    steps: &mut Steps<'_>,
    config: &DeployConfig,
    core: &EigenLayer,
    registries: &Registries,
    contracts: &Contracts,
    models: &[Model],
    timelock: Address,
) -> Result<(), DeployError> {
    let mut operation = Operation::new("anzen/configure");
    let accept = PermissionController::acceptAdminCall { account: registries.service_manager };
    operation.add(core.permission_controller, &accept);
    add_models(&mut operation, config, contracts.models, registries.stake, models);
    add_protocols(&mut operation, config, contracts, models);
    add_disputes(&mut operation, &config.slashing, registries.service_manager, contracts);
    add_roles(steps, &mut operation, &config.roles, registries, contracts).await?;
    add_farewell(steps, &mut operation, &config.timelock, timelock).await?;
    run(steps, timelock, &operation).await
}

/// Anzen's own stake registry is on the list, and those that the protocols want.
fn add_models(
    operation: &mut Operation,
    config: &DeployConfig,
    to: Address,
    own_registry: Address,
    models: &[Model],
) {
    let wanted = config.protocols.iter().flat_map(|protocol| &protocol.allow_stake_registries);
    let mut allowed = BTreeSet::new();
    for registry in std::iter::once(&own_registry).chain(wanted) {
        if allowed.insert(*registry) {
            allow_stake_registry(operation, to, *registry);
        }
    }
    // Protocols may share one, and it can be added but once.
    let mut added = BTreeSet::new();
    for model in models {
        if added.insert(model.hash()) {
            add_model(operation, to, model);
        }
    }
}

/// Has a stake registry put on the list of those that models may read.
pub(crate) fn allow_stake_registry(operation: &mut Operation, models: Address, registry: Address) {
    operation.add(models, &SafetyFactorModels::allowStakeRegistryCall { stakeRegistry: registry });
}

/// Has a model added.
pub(crate) fn add_model(operation: &mut Operation, models: Address, model: &Model) {
    // A single argument is encoded as it is on its own.
    let data = [&SafetyFactorModels::addModelCall::SELECTOR[..], &model.encode()].concat();
    operation.add_encoded(models, data.into());
}

fn add_protocols(operation: &mut Operation, config: &DeployConfig, contracts: &Contracts, models: &[Model]) {
    let set_task_manager = SafetyFactorOracle::setTaskManagerCall { newTaskManager: contracts.task_manager };
    operation.add(contracts.oracle, &set_task_manager);
    for (protocol, model) in config.protocols.iter().zip(models) {
        add_protocol(operation, protocol, contracts.oracle);
        set_policy(operation, protocol, model.hash(), contracts.task_manager);
    }
}

/// Has a protocol added to the oracle. Tasks about it are allowed by its policy.
pub(crate) fn add_protocol(operation: &mut Operation, protocol: &ProtocolConfig, oracle: Address) {
    let (index, name) = (protocol.oracle_index, protocol.name.clone());
    operation.add(oracle, &SafetyFactorOracle::addProtocolCall { oracleIndex: index, name });
}

/// Has what is demanded of a protocol's tasks set.
pub(crate) fn set_policy(
    operation: &mut Operation,
    protocol: &ProtocolConfig,
    model_hash: B256,
    task_manager: Address,
) {
    let policy = policy(protocol, model_hash);
    let set_policy = AnzenTaskManager::setTaskPolicyCall { oracleIndex: protocol.oracle_index, policy };
    operation.add(task_manager, &set_policy);
}

/// What is demanded of a protocol's tasks.
pub(crate) fn policy(protocol: &ProtocolConfig, model_hash: B256) -> TaskPolicy {
    TaskPolicy {
        quorumNumbers: Bytes::from(protocol.quorum_numbers.clone()),
        leastThresholdPercentage: protocol.least_threshold_percentage,
        greatestThresholdPercentage: protocol.greatest_threshold_percentage,
        minTaskInterval: protocol.min_task_interval,
        modelHash: model_hash,
    }
}

async fn add_farewell(
    steps: &Steps<'_>,
    operation: &mut Operation,
    config: &TimelockConfig,
    timelock: Address,
) -> Result<(), DeployError> {
    let (account, none) = (steps.account.address(), B256::ZERO);
    let proposer = steps.view().read_or(timelock, TimelockController::PROPOSER_ROLECall {}, none).await?;
    let canceller = steps.view().read_or(timelock, TimelockController::CANCELLER_ROLECall {}, none).await?;
    let executor = steps.view().read_or(timelock, TimelockController::EXECUTOR_ROLECall {}, none).await?;
    for (role, keepers) in
        [(proposer, &config.proposers), (canceller, &config.proposers), (executor, &config.executors)]
    {
        if !keepers.contains(&account) {
            operation.add(timelock, &TimelockController::revokeRoleCall { role, account });
        }
    }
    let new_delay = U256::from(config.min_delay_seconds);
    operation.add(timelock, &TimelockController::updateDelayCall { newDelay: new_delay });
    Ok(())
}

async fn run(steps: &mut Steps<'_>, timelock: Address, operation: &Operation) -> Result<(), DeployError> {
    let id = steps.view().read_or(timelock, operation.identify(), B256::ZERO).await?;
    let (schedule, execute) = (operation.schedule(U256::ZERO), operation.execute());
    let scheduled = Effect::returns(timelock, &TimelockController::isOperationCall { id }, &true);
    let executed = Effect::returns(timelock, &TimelockController::isOperationDoneCall { id }, &true);
    steps.call([Step::new("anzen/configure/schedule", timelock, &schedule, scheduled)]).await?;
    steps.call([Step::new("anzen/configure/execute", timelock, &execute, executed)]).await
}
