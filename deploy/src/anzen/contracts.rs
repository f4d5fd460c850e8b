//! The models, the oracle and the task manager, each administered by the timelock from its first block.

use super::registries::new_proxy_code;
use crate::{
    config::WindowsConfig,
    error::DeployError,
    steps::{Steps, with_arguments},
};
use alloy::{primitives::Address, sol_types::SolCall};
use anzen_contracts::{AnzenTaskManager, SafetyFactorModels, SafetyFactorOracle, Windows};

/// The proxies.
pub(super) struct Contracts {
    pub(super) models: Address,
    pub(super) oracle: Address,
    pub(super) task_manager: Address,
}

pub(super) async fn deploy(
    steps: &mut Steps<'_>,
    coordinator: Address,
    timelock: Address,
    windows: &WindowsConfig,
) -> Result<Contracts, DeployError> {
    let implementation =
        steps.create_one("anzen/SafetyFactorModels", SafetyFactorModels::BYTECODE.clone()).await?;
    let initialize = SafetyFactorModels::initializeCall { admin: timelock };
    let code = new_proxy_code(implementation, timelock, initialize.abi_encode().into());
    let models = steps.create_one("anzen/SafetyFactorModels/proxy", code).await?;

    let implementation =
        steps.create_one("anzen/SafetyFactorOracle", SafetyFactorOracle::BYTECODE.clone()).await?;
    let initialize = SafetyFactorOracle::initializeCall { admin: timelock };
    let code = new_proxy_code(implementation, timelock, initialize.abi_encode().into());
    let oracle = steps.create_one("anzen/SafetyFactorOracle/proxy", code).await?;

    let arguments = AnzenTaskManager::constructorCall {
        registryCoordinator_: coordinator,
        oracle_: oracle,
        models_: models,
    };
    let code = with_arguments(&AnzenTaskManager::BYTECODE, &arguments);
    let implementation = steps.create_one("anzen/AnzenTaskManager", code).await?;
    // Generators and pausers are granted their roles with the rest of what the timelock does.
    let initialize = AnzenTaskManager::initializeCall {
        admin: timelock,
        generator: Address::ZERO,
        pauser: Address::ZERO,
        windows_: windows.into(),
    };
    let code = new_proxy_code(implementation, timelock, initialize.abi_encode().into());
    let task_manager = steps.create_one("anzen/AnzenTaskManager/proxy", code).await?;
    Ok(Contracts { models, oracle, task_manager })
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
