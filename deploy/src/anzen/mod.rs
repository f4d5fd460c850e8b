//! Deploys Anzen over EigenLayer's core: the registries, the AVS, the models, the oracle, the task manager, the disputes, and a
//! timelock that owns all of it.
//!
//! The deployer never has a role in Anzen's own contracts: their administrator is the timelock from the first transaction
//! on. What only an administrator may do goes through the timelock too, whose delay is nought until the last of it.

mod before;
mod contracts;
mod disputes;
mod governance;
mod operation;
mod protocols;
mod registries;
mod roles;
mod stake;

pub(crate) use governance::{add_model, add_protocol, allow_stake_registry, policy, set_policy};
pub(crate) use operation::Operation;
pub(crate) use registries::MULTIPLIER;

use crate::{
    addresses::{Addresses, Governance, ProxyAdmins},
    chain::{self, Account, ChainError},
    config::{CoreConfig, DeployConfig},
    eigenlayer::{self, EigenLayer},
    error::DeployError,
    journal::{Identity, Journal, JournalError},
    plan::Plan,
    steps::Steps,
};
use alloy::{eips::BlockNumberOrTag, primitives::Address, providers::Provider};
use anzen_messages::model::Model;
use std::path::Path;

/// Opens the journal of the deployment by `account` on its chain, or starts one. On a local chain, one of a chain that is
/// gone is replaced.
pub async fn open_journal(
    account: &Account,
    config: &DeployConfig,
    path: &Path,
) -> Result<Journal, DeployError> {
    let (identity, block) = identify(account).await?;
    let journal = if config.is_local() {
        Journal::open_or_replace(path, identity, block)
    } else {
        Journal::open(path, identity, block)
    };
    Ok(journal?)
}

/// Whose deployment this is, on which chain; and the chain's latest block.
async fn identify(account: &Account) -> Result<(Identity, u64), ChainError> {
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
    Ok((identity, block))
}

/// What [`deploy`] would do with the journal at `path`. Sends nothing and writes nothing, and refuses what that refuses.
pub async fn plan(account: &Account, config: &DeployConfig, path: &Path) -> Result<Plan, DeployError> {
    let (identity, block) = identify(account).await?;
    let mut journal = match Journal::peek(path, identity.clone(), block) {
        // As open_journal would replace it.
        Err(JournalError::OtherChain { .. }) if config.is_local() => Journal::empty(path, identity, block),
        journal => journal?,
    };
    let mut steps = Steps::planning(account, &mut journal).await?;
    carry_out(&mut steps, config).await?;
    Ok(steps.into_plan().unwrap_or_default())
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
    let mut steps = Steps::new(account, journal);
    let deployed = carry_out(&mut steps, config).await?;
    deployed.addresses(&steps, config, rpc_url).await
}

/// What a deployment consists of.
struct Deployed {
    core: EigenLayer,
    stake: stake::Stake,
    timelock: Address,
    registries: registries::Registries,
    contracts: contracts::Contracts,
    models: Vec<Model>,
}

async fn carry_out(steps: &mut Steps<'_>, config: &DeployConfig) -> Result<Deployed, DeployError> {
    before::check_chain(steps.account, config)?;
    config.validate()?;
    let core = match &config.eigenlayer {
        CoreConfig::Deploy(params) => eigenlayer::deploy(steps, params).await?,
        CoreConfig::Existing(core) => {
            eigenlayer::existing_eigenlayer(steps.provider(), core).await?;
            core.clone()
        }
    };
    before::check_delays(steps, config, &core).await?;

    let stake = stake::deploy(steps, &config.stake, &core).await?;
    let timelock = governance::deploy_timelock(steps, &config.timelock).await?;
    let registries = registries::deploy(steps, &core, timelock, &config.metadata_uri).await?;
    registries::create_quorum(steps, &registries, &config.quorum, stake.strategy).await?;
    registries::set_ejection_cooldown(steps, &registries, config.slashing.ejection_cooldown_seconds).await?;
    let contracts = contracts::deploy(steps, &registries, timelock, config).await?;
    let models = protocols::deploy(steps, &config.protocols, &stake, registries.stake).await?;
    governance::configure(steps, config, &core, &registries, &contracts, &models, timelock).await?;
    registries::hand_over(steps, &registries, timelock).await?;
    Ok(Deployed { core, stake, timelock, registries, contracts, models })
}

impl Deployed {
    async fn addresses(
        self,
        steps: &Steps<'_>,
        config: &DeployConfig,
        rpc_url: &str,
    ) -> Result<Addresses, DeployError> {
        let Self { core, stake, timelock, registries, contracts, models } = self;
        let provider = steps.provider();
        let protocols = protocols::list(provider, &config.protocols, &models, contracts.oracle).await?;
        Ok(Addresses {
            chain_id: config.chain_id,
            rpc_url: chain::without_key(rpc_url),
            deployment_block: steps.journal.first_block(),
            task_manager: contracts.task_manager,
            service_manager: registries.service_manager,
            safety_factor_oracle: contracts.oracle,
            safety_factor_models: contracts.models,
            model_evaluator: contracts.evaluator,
            disputes: contracts.disputes,
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
                safety_factor_models: chain::proxy_admin(provider, contracts.models).await?,
                disputes: chain::proxy_admin(provider, contracts.disputes).await?,
            },
            implementations: registries.implementations,
            governance: Governance::new(config, timelock),
            protocols,
        })
    }
}
