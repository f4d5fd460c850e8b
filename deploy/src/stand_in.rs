//! A chain on this machine that stands in for a public network, for tests and for trying things out: it has the network's
//! id, and at the network's addresses EigenLayer's core, the strategy over wrapped ether, and the price feeds. What is
//! there is real: the same proxies and implementations as on a chain of one's own, only at other addresses. A deployment
//! to the network runs on it unchanged.
//!
//! Only anvil lets code be put at an address of one's choice.

use std::collections::BTreeSet;

use alloy::sol_types::SolCall;
use alloy::{
    primitives::{Address, B256, Bytes, I256, U256},
    providers::{DynProvider, Provider},
};
use anzen_contracts::{
    LocalPriceFeed, LocalWrappedEther,
    eigenlayer::{StrategyBase, StrategyFactory, StrategyManager},
};
use serde_json::{Value, json};

use crate::{
    chain::{self, ADMIN_SLOT, Account, ChainError, IMPLEMENTATION_SLOT},
    config::{ConfigError, CoreConfig, DeployConfig, ModelConfig, PriceConfig, TokenConfig},
    eigenlayer::{self, CoreParams, EigenLayer, Foundation, Proxies},
    error::DeployError,
    journal::Journal,
    steps::{Effect, Step, Steps, with_arguments},
};

/// EigenLayer's delays on its test networks are said to be about 50 blocks; the one that an operator waits for is shorter
/// here.
const DELAYS: CoreParams =
    CoreParams { allocation_configuration_delay: 3, deallocation_delay: 50, min_withdrawal_delay: 50 };
/// What each price feed says, with 8 decimals.
const PRICE: u64 = 300_000_000_000;
/// How many slots a feed's state takes, and more.
const FEED_SLOTS: u8 = 8;

/// Puts everything in its place that `config` expects to be on its chain. The account owns it.
///
/// # Errors
/// Where the configuration deploys a core of its own, or the chain is not anvil.
pub async fn place(
    account: &Account,
    config: &DeployConfig,
    journal: &mut Journal,
) -> Result<(), DeployError> {
    let CoreConfig::Existing(core) = &config.eigenlayer else {
        let what = "it deploys EigenLayer itself, so that nothing has to stand in for it".to_owned();
        return Err(ConfigError::Inconsistent { name: config.name.clone(), what }.into());
    };
    let mut steps = Steps::new(account, journal);
    let (proxy, foundation) = place_core(&mut steps, core).await?;
    if let TokenConfig::Existing { strategy } = &config.stake.token {
        place_strategy(&mut steps, core, &foundation, proxy, *strategy).await?;
    }
    for feed in feeds(config) {
        place_feed(&mut steps, feed).await?;
    }
    Ok(())
}

/// The core, each part behind a proxy at its address. Returns a proxy to copy others from.
async fn place_core(steps: &mut Steps<'_>, core: &EigenLayer) -> Result<(Address, Foundation), DeployError> {
    let foundation = eigenlayer::lay_foundation(steps).await?;
    let code = eigenlayer::proxy_code(foundation.admin, foundation.empty)?;
    let pods = steps.create_one("core/EigenPodManager/proxy", code).await?;
    for (_, address) in core.contracts() {
        copy(steps.provider(), pods, address, &[ADMIN_SLOT, IMPLEMENTATION_SLOT]).await?;
    }
    let proxies = Proxies {
        admin: foundation.admin,
        allocation: core.allocation_manager,
        delegation: core.delegation_manager,
        directory: core.avs_directory,
        permission: core.permission_controller,
        pods,
        rewards: core.rewards_coordinator,
        factory: core.strategy_factory,
        strategies: core.strategy_manager,
    };
    eigenlayer::implement(steps, &proxies, foundation.pausers, &DELAYS).await?;
    Ok((pods, foundation))
}

/// The strategy over wrapped ether, into which EigenLayer takes deposits.
async fn place_strategy(
    steps: &mut Steps<'_>,
    core: &EigenLayer,
    foundation: &Foundation,
    proxy: Address,
    strategy: Address,
) -> Result<(), DeployError> {
    copy(steps.provider(), proxy, strategy, &[ADMIN_SLOT]).await?;
    let implementation = eigenlayer::strategy_code(core.strategy_manager, foundation.pausers)?;
    let token = ("stand-in/token", LocalWrappedEther::BYTECODE.clone());
    let [implementation, token] = steps.create([implementation, token]).await?;
    let initialize = StrategyBase::initializeCall { underlyingToken: token };
    let initialize: Bytes = initialize.abi_encode().into();
    let admin = foundation.admin;
    let upgrade = eigenlayer::upgrade("stand-in/strategy", admin, strategy, implementation, initialize);
    let whitelist = StrategyFactory::whitelistStrategiesCall { strategies: vec![strategy] };
    let view = StrategyManager::strategyIsWhitelistedForDepositCall { strategy };
    let done = Effect::returns(core.strategy_manager, &view, &true);
    let whitelist = Step::new("stand-in/whitelist", core.strategy_factory, &whitelist, done);
    steps.call([upgrade, whitelist]).await
}

/// The price feeds that are expected to be there.
fn feeds(config: &DeployConfig) -> BTreeSet<Address> {
    let prices = config.protocols.iter().filter_map(|protocol| match &protocol.model {
        ModelConfig::LocalVault(vault) => Some(&vault.price),
        ModelConfig::File(_) | ModelConfig::Hash(_) => None,
    });
    let existing = |price: &PriceConfig| match price {
        PriceConfig::Existing { feed, .. } => Some(*feed),
        PriceConfig::Local { .. } | PriceConfig::Constant { .. } => None,
    };
    prices.chain([&config.stake.price]).filter_map(existing).collect()
}

/// A price feed with a price, to which the account transmits.
async fn place_feed(steps: &mut Steps<'_>, feed: Address) -> Result<(), DeployError> {
    let arguments = LocalPriceFeed::constructorCall {
        description_: "ETH / USD".to_owned(),
        owner_: steps.account.address(),
    };
    let code = with_arguments(&LocalPriceFeed::BYTECODE, &arguments);
    let model = steps.create_one("stand-in/feed", code).await?;
    let slots: Vec<B256> = (0..FEED_SLOTS).map(B256::with_last_byte).collect();
    copy(steps.provider(), model, feed, &slots).await?;
    let call = LocalPriceFeed::transmitCall { answer: I256::unchecked_from(PRICE) };
    let done = Effect::returns_other(feed, &LocalPriceFeed::latestRoundCall {}, &Default::default());
    steps.call([Step::new(format!("stand-in/feed/{feed}"), feed, &call, done)]).await
}

/// Puts a contract's code, and some of its storage, at another address.
async fn copy(provider: &DynProvider, from: Address, to: Address, slots: &[B256]) -> Result<(), ChainError> {
    let code = chain::code_at(provider, from).await?;
    ask(provider, "anvil_setCode", json!([to, code])).await?;
    for slot in slots {
        let value = provider.get_storage_at(from, U256::from_be_bytes(slot.0)).await;
        let value = value.map_err(|error| ChainError::rpc(format!("the storage of {from}"), error))?;
        ask(provider, "anvil_setStorageAt", json!([to, slot, B256::from(value)])).await?;
    }
    Ok(())
}

async fn ask(provider: &DynProvider, method: &'static str, parameters: Value) -> Result<(), ChainError> {
    let asked: Result<Value, _> = provider.raw_request(method.into(), parameters).await;
    asked.map(drop).map_err(|error| ChainError::rpc(format!("{method}, which only anvil does,"), error))
}
