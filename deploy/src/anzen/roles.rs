//! Who may do what beside the timelock, which grants it.

use super::{contracts::Contracts, operation::Operation, registries::Registries};
use crate::{config::RolesConfig, error::DeployError, steps::Steps};
use alloy::{
    primitives::{Address, B256},
    sol_types::SolCall,
};
use anzen_contracts::{AnzenDisputes, AnzenServiceManager, AnzenTaskManager, SafetyFactorOracle};

pub(super) async fn add_roles(
    steps: &Steps<'_>,
    operation: &mut Operation,
    config: &RolesConfig,
    registries: &Registries,
    contracts: &Contracts,
) -> Result<(), DeployError> {
    let Contracts { task_manager, oracle, disputes, .. } = *contracts;
    let mut grants = Grants { steps, operation };
    grants.add(task_manager, AnzenTaskManager::GENERATOR_ROLECall {}, &config.generators).await?;
    grants.add(task_manager, AnzenTaskManager::PAUSER_ROLECall {}, &config.pausers).await?;
    grants.add(oracle, SafetyFactorOracle::FALLBACK_ROLECall {}, &config.fallback_posters).await?;
    grants.add(disputes, AnzenDisputes::COMMITTEE_ROLECall {}, &config.committee).await?;
    let avs = registries.service_manager;
    grants.add(avs, AnzenServiceManager::COMMITTEE_ROLECall {}, &config.committee).await?;
    grants.add(avs, AnzenServiceManager::DISPUTES_ROLECall {}, &[disputes]).await
}

/// Grants that are added to an operation.
struct Grants<'a, 'b> {
    steps: &'a Steps<'b>,
    operation: &'a mut Operation,
}

impl Grants<'_, '_> {
    async fn add<C: SolCall<Return = B256>>(
        &mut self,
        of: Address,
        role: C,
        accounts: &[Address],
    ) -> Result<(), DeployError> {
        let role = self.steps.view().read_or(of, role, B256::ZERO).await?;
        for account in accounts {
            // The same function in all of them.
            self.operation.add(of, &AnzenTaskManager::grantRoleCall { role, account: *account });
        }
        Ok(())
    }
}
