//! A core that is there already.

use super::EigenLayer;
use crate::{chain, error::DeployError};
use alloy::{primitives::Address, providers::DynProvider};
use anzen_contracts::eigenlayer::{DelegationManager, StrategyFactory};

/// Checks that the core that a configuration names is on this chain, and that its parts belong together.
pub async fn existing_eigenlayer(provider: &DynProvider, core: &EigenLayer) -> Result<(), DeployError> {
    for (name, address) in core.contracts() {
        if chain::code_at(provider, address).await?.is_empty() {
            return Err(DeployError::NoContract { what: name.to_owned(), address });
        }
    }
    let delegation = core.delegation_manager;
    let allocation = chain::read(provider, delegation, DelegationManager::allocationManagerCall {}).await?;
    same("the DelegationManager's AllocationManager", allocation, core.allocation_manager)?;
    let strategies = chain::read(provider, delegation, DelegationManager::strategyManagerCall {}).await?;
    same("the DelegationManager's StrategyManager", strategies, core.strategy_manager)?;
    let factory =
        chain::read(provider, core.strategy_factory, StrategyFactory::strategyManagerCall {}).await?;
    same("the StrategyFactory's StrategyManager", factory, core.strategy_manager)
}

fn same(what: &'static str, actual: Address, configured: Address) -> Result<(), DeployError> {
    if actual == configured { Ok(()) } else { Err(DeployError::OtherCore { what, actual, configured }) }
}
