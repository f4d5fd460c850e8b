//! What is looked at before anything is paid for: the contracts would refuse it too, but only after most of the deployment.

use crate::{
    chain::Account,
    config::{ConfigError, DeployConfig},
    eigenlayer::EigenLayer,
    error::DeployError,
    steps::Steps,
};
use anzen_contracts::eigenlayer::{AllocationManager, DelegationManager};

pub(super) fn check_chain(account: &Account, config: &DeployConfig) -> Result<(), DeployError> {
    if account.chain_id() == config.chain_id {
        return Ok(());
    }
    let (expected, actual) = (config.chain_id, account.chain_id());
    Err(ConfigError::OtherChain { name: config.name.clone(), expected, actual }.into())
}

/// Nobody's stake may be gone before it is slashed, neither by deallocating nor by withdrawing it.
pub(super) async fn check_delays(
    steps: &Steps<'_>,
    config: &DeployConfig,
    core: &EigenLayer,
) -> Result<(), DeployError> {
    // Of a core that is yet to be deployed the configuration was checked against itself.
    let (look_ahead, windows) = (config.quorum.look_ahead, config.windows.sum());
    let view = AllocationManager::DEALLOCATION_DELAYCall {};
    let delay = steps.view().read_or(core.allocation_manager, view, look_ahead).await?;
    require(look_ahead <= delay, config, || {
        format!(
            "look_ahead is {look_ahead} and EigenLayer's deallocation delay on this chain is {delay} blocks, its upper limit; \
             lower look_ahead, and the windows so that their sum is at most that"
        )
    })?;
    let view = DelegationManager::minWithdrawalDelayBlocksCall {};
    let delay = steps.view().read_or(core.delegation_manager, view, u32::MAX).await?;
    require(windows <= delay.into(), config, || {
        format!(
            "the windows need {windows} blocks and EigenLayer's withdrawal delay on this chain is {delay} blocks, after which \
             stake cannot be slashed; shorten the windows"
        )
    })
}

fn require(holds: bool, config: &DeployConfig, what: impl FnOnce() -> String) -> Result<(), DeployError> {
    if holds {
        return Ok(());
    }
    Err(ConfigError::Inconsistent { name: config.name.clone(), what: what() }.into())
}
