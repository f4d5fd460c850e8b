//! The models, the oracle, the task manager and the disputes, each administered by the timelock from its first block.

use super::registries::{Registries, new_proxy_code};
use crate::{
    addresses::DisputeRules,
    config::{DeployConfig, WindowsConfig},
    error::DeployError,
    steps::{Steps, with_arguments},
};
use alloy::{
    primitives::{Address, Bytes},
    sol_types::SolCall,
};
use anzen_contracts::{
    AnzenDisputes, AnzenTaskManager, ModelEvaluator, SafetyFactorModels, SafetyFactorOracle, Windows,
};

/// The proxies; and the evaluator, which has none: it keeps nothing, and a better one is named by a better AnzenDisputes.
pub(super) struct Contracts {
    pub(super) models: Address,
    pub(super) oracle: Address,
    pub(super) task_manager: Address,
    pub(super) evaluator: Address,
    pub(super) disputes: Address,
}

pub(super) async fn deploy(
    steps: &mut Steps<'_>,
    registries: &Registries,
    timelock: Address,
    config: &DeployConfig,
) -> Result<Contracts, DeployError> {
    let initialize = SafetyFactorModels::initializeCall { admin: timelock };
    let code = SafetyFactorModels::BYTECODE.clone();
    let models = behind_proxy(steps, "SafetyFactorModels", code, &initialize, timelock).await?;

    let initialize = SafetyFactorOracle::initializeCall { admin: timelock };
    let code = SafetyFactorOracle::BYTECODE.clone();
    let oracle = behind_proxy(steps, "SafetyFactorOracle", code, &initialize, timelock).await?;

    let arguments = AnzenTaskManager::constructorCall {
        registryCoordinator_: registries.coordinator,
        oracle_: oracle,
        models_: models,
    };
    let code = with_arguments(&AnzenTaskManager::BYTECODE, &arguments);
    // Generators and pausers are granted their roles with the rest of what the timelock does.
    let initialize = AnzenTaskManager::initializeCall {
        admin: timelock,
        generator: Address::ZERO,
        pauser: Address::ZERO,
        windows_: (&config.windows).into(),
    };
    let task_manager = behind_proxy(steps, "AnzenTaskManager", code, &initialize, timelock).await?;

    let code =
        with_arguments(&ModelEvaluator::BYTECODE, &ModelEvaluator::constructorCall { models_: models });
    let evaluator = steps.create_one("anzen/ModelEvaluator", code).await?;

    let arguments = AnzenDisputes::constructorCall {
        taskManager_: task_manager,
        serviceManager_: registries.service_manager,
        evaluator_: evaluator,
    };
    let code = with_arguments(&AnzenDisputes::BYTECODE, &arguments);
    // So is the committee.
    let initialize = AnzenDisputes::initializeCall {
        admin: timelock,
        committee: Address::ZERO,
        policy: (&DisputeRules::new(&config.disputes, timelock)).into(),
    };
    let disputes = behind_proxy(steps, "AnzenDisputes", code, &initialize, timelock).await?;
    Ok(Contracts { models, oracle, task_manager, evaluator, disputes })
}

/// Creates an implementation, and a proxy before it, which is initialised when it is created and belongs to the timelock.
async fn behind_proxy(
    steps: &mut Steps<'_>,
    name: &str,
    code: Bytes,
    initialize: &impl SolCall,
    timelock: Address,
) -> Result<Address, DeployError> {
    let step = format!("anzen/{name}");
    let implementation = steps.create_one(&step, code).await?;
    let code = new_proxy_code(implementation, timelock, initialize.abi_encode().into());
    steps.create_one(&format!("{step}/proxy"), code).await
}

impl From<&WindowsConfig> for Windows {
    fn from(config: &WindowsConfig) -> Self {
        Self {
            maxStakeAge: config.max_stake_age,
            response: config.response,
            challenge: config.challenge,
            veto: config.veto,
            execution: config.execution,
        }
    }
}
