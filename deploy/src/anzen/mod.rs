//! Deploys Anzen over EigenLayer's core: the registries, the AVS, the task manager, the oracle, and a timelock that owns
//! all of it.
//!
//! The deployer never has a role in Anzen's own contracts: their administrator is the timelock from the first transaction
//! on. What only an administrator may do goes through the timelock too, whose delay is nought until the last of it.

mod contracts;
mod governance;
mod operation;
mod protocols;
mod registries;
mod stake;

pub(crate) use governance::add_protocol;
pub(crate) use operation::Operation;
pub(crate) use protocols::{Secured, model};
pub(crate) use registries::MULTIPLIER;

use crate::{
    addresses::{Addresses, Governance, ProxyAdmins},
    chain::{self, Account, ChainError},
    config::{ConfigError, CoreConfig, DeployConfig},
    eigenlayer::{self, EigenLayer},
    error::DeployError,
    journal::{Identity, Journal},
    steps::Steps,
};
use alloy::{eips::BlockNumberOrTag, providers::Provider};
use anzen_contracts::eigenlayer::AllocationManager;
use std::path::Path;

/// Opens the journal of the deployment by `account` on its chain, or starts one. On a local chain, one of a chain that is
/// gone is replaced.
pub async fn open_journal(
    account: &Account,
    config: &DeployConfig,
    path: &Path,
) -> Result<Journal, DeployError> {
    let provider = account.provider();
    let genesis = provider.get_block_by_number(BlockNumberOrTag::Earliest).await;
    let genesis = genesis.map_err(|e| ChainError::rpc("the chain's first block", e))?;
    let block =
        provider.get_block_number().await.map_err(|e| ChainError::rpc("the latest block's number", e))?;
    let identity = Identity {
        chain_id: account.chain_id(),
        genesis: genesis.map(|block| block.header.hash).unwrap_or_default(),
        deployer: account.address(),
    };
    let journal = if config.is_local() {
        Journal::open_or_replace(path, identity, block)
    } else {
        Journal::open(path, identity, block)
    };
    Ok(journal?)
}

/// Deploys all of it: EigenLayer's core where the configuration says so, and Anzen. What the journal and the chain show to
/// be done is not done again, so a run that was interrupted continues, and one after the last does nothing.
///
/// `rpc_url` is only written down: whole for a node on this machine, else without what may be a key in it.
pub async fn deploy(
    account: &Account,
    config: &DeployConfig,
    rpc_url: &str,
    journal: &mut Journal,
) -> Result<Addresses, DeployError> {
    check_chain(account, config)?;
    config.validate()?;
    let core = match &config.eigenlayer {
        CoreConfig::Deploy(params) => eigenlayer::deploy_eigenlayer(account, params, journal).await?,
        CoreConfig::Existing(core) => {
            eigenlayer::existing_eigenlayer(account.provider(), core).await?;
            core.clone()
        }
    };
    deploy_anzen(account, config, &core, rpc_url, journal).await
}

/// Deploys Anzen over a core that is there.
pub async fn deploy_anzen(
    account: &Account,
    config: &DeployConfig,
    core: &EigenLayer,
    rpc_url: &str,
    journal: &mut Journal,
) -> Result<Addresses, DeployError> {
    check_chain(account, config)?;
    config.validate()?;
    check_look_ahead(account, config, core).await?;

    let mut steps = Steps { account, journal };
    let stake = stake::deploy(&mut steps, &config.stake, core).await?;
    let timelock = governance::deploy_timelock(&mut steps, &config.timelock).await?;
    let registries = registries::deploy(&mut steps, core, timelock, &config.metadata_uri).await?;
    registries::create_quorum(&mut steps, &registries, &config.quorum, stake.strategy).await?;
    let contracts = contracts::deploy(&mut steps, registries.coordinator, timelock, &config.windows).await?;
    let models = protocols::deploy(&mut steps, &config.protocols, &stake, registries.stake).await?;
    governance::configure(&mut steps, config, core, &registries, &contracts, &models, timelock).await?;
    registries::hand_over(&mut steps, &registries, timelock).await?;
    let protocols = protocols::list(steps.provider(), &config.protocols, models, contracts.oracle).await?;

    let provider = steps.provider();
    Ok(Addresses {
        chain_id: config.chain_id,
        rpc_url: chain::without_key(rpc_url),
        deployment_block: steps.journal.first_block(),
        task_manager: contracts.task_manager,
        service_manager: registries.service_manager,
        safety_factor_oracle: contracts.oracle,
        registry_coordinator: registries.coordinator,
        stake_registry: registries.stake,
        bls_apk_registry: registries.apk,
        index_registry: registries.index,
        socket_registry: registries.socket,
        operator_state_retriever: registries.retriever,
        pauser_registry: registries.pausers,
        allocation_manager: core.allocation_manager,
        delegation_manager: core.delegation_manager,
        strategy_manager: core.strategy_manager,
        permission_controller: core.permission_controller,
        avs_directory: core.avs_directory,
        strategy_factory: core.strategy_factory,
        rewards_coordinator: core.rewards_coordinator,
        strategy: stake.strategy,
        token: stake.token,
        timelock,
        proxy_admins: ProxyAdmins {
            registries: registries.admin,
            service_manager: chain::proxy_admin(provider, registries.service_manager).await?,
            task_manager: chain::proxy_admin(provider, contracts.task_manager).await?,
            safety_factor_oracle: chain::proxy_admin(provider, contracts.oracle).await?,
        },
        implementations: registries.implementations,
        governance: Governance::from(config),
        protocols,
    })
}

fn check_chain(account: &Account, config: &DeployConfig) -> Result<(), DeployError> {
    if account.chain_id() == config.chain_id {
        return Ok(());
    }
    let (expected, actual) = (config.chain_id, account.chain_id());
    Err(ConfigError::OtherChain { name: config.name.clone(), expected, actual }.into())
}

/// The registry would refuse it too, but only after most of the deployment has been paid for.
async fn check_look_ahead(
    account: &Account,
    config: &DeployConfig,
    core: &EigenLayer,
) -> Result<(), DeployError> {
    let view = AllocationManager::DEALLOCATION_DELAYCall {};
    let delay = chain::read(account.provider(), core.allocation_manager, view).await?;
    if config.quorum.look_ahead <= delay {
        return Ok(());
    }
    let what = format!(
        "look_ahead is {} and EigenLayer's deallocation delay on this chain is {delay} blocks, its upper limit; lower \
         look_ahead, and the windows so that their sum is at most that",
        config.quorum.look_ahead
    );
    Err(ConfigError::Inconsistent { name: config.name.clone(), what }.into())
}
