//! The protocols: what could be stolen from each, and how its safety factor is computed.

use super::stake::{Stake, expect_contract, local_token, price_feed};
use crate::{
    addresses::Protocol,
    chain,
    config::{ProtocolConfig, VaultConfig},
    error::DeployError,
    steps::{Effect, Step, Steps, View, with_arguments},
};
use alloy::{
    primitives::{Address, U256},
    providers::DynProvider,
};
use anzen_contracts::{AggregatorV3Interface, IERC4626, LocalToken, LocalVault, SafetyFactorOracle};
use anzen_messages::model::Model;

/// Cost and profit are compared in hundred-millionths of the currency that both feeds count in.
const COMMON_DECIMALS: u8 = 8;
/// What a LocalToken that is yet to be created will have.
const LOCAL_TOKEN_DECIMALS: u8 = 18;
/// What a LocalPriceFeed that is yet to be created will have.
const LOCAL_FEED_DECIMALS: u8 = 8;

/// Deploys what is local of the protocols, and returns their models in the configuration's order.
pub(super) async fn deploy(
    steps: &mut Steps<'_>,
    protocols: &[ProtocolConfig],
    stake: &Stake,
    stake_registry: Address,
) -> Result<Vec<Model>, DeployError> {
    let secured = Secured { token: stake.token, price_feed: stake.price_feed, stake_registry };
    let mut models = Vec::with_capacity(protocols.len());
    for protocol in protocols {
        let step = format!("anzen/protocol/{}", protocol.oracle_index);
        let vault = vault(steps, &step, &protocol.vault).await?;
        let vault_price_feed = price_feed(steps, &format!("{step}/price"), &protocol.price).await?;
        models.push(model(steps.view(), protocol, &secured, vault, vault_price_feed).await?);
    }
    Ok(models)
}

/// What secures protocols.
pub(crate) struct Secured {
    pub(crate) token: Address,
    pub(crate) price_feed: Address,
    pub(crate) stake_registry: Address,
}

/// How a protocol's safety factor is computed, whose vault and price feed are there.
pub(crate) async fn model(
    view: View<'_>,
    protocol: &ProtocolConfig,
    secured: &Secured,
    vault: Address,
    vault_price_feed: Address,
) -> Result<Model, DeployError> {
    let asset = view.read_or(vault, IERC4626::assetCall {}, Address::ZERO).await?;
    Ok(Model {
        quorum: 0,
        stake_registry: secured.stake_registry,
        stake_price_feed: secured.price_feed,
        vault,
        vault_price_feed,
        cost_share_bps: protocol.cost_share_bps,
        profit_share_bps: protocol.profit_share_bps,
        cost_decimals: decimals(view, secured.token, secured.price_feed, "the staked token").await?,
        profit_decimals: decimals(view, asset, vault_price_feed, "the vault's asset").await?,
    })
}

async fn vault(steps: &mut Steps<'_>, step: &str, config: &VaultConfig) -> Result<Address, DeployError> {
    let (asset, symbol, assets) = match config {
        VaultConfig::Existing(vault) => {
            expect_contract(steps, "a vault", *vault).await?;
            return Ok(*vault);
        }
        VaultConfig::Local { asset, symbol, assets } => (asset, symbol, *assets),
    };
    let token = local_token(steps, &format!("{step}/asset"), asset, symbol).await?;
    let arguments = LocalVault::constructorCall {
        asset_: token,
        name_: format!("{asset} Vault"),
        symbol_: format!("v{symbol}"),
    };
    let code = with_arguments(&LocalVault::BYTECODE, &arguments);
    let vault = steps.create_one(&format!("{step}/vault"), code).await?;
    // A vault's assets are what it holds of the token.
    let mint = LocalToken::mintCall { account: vault, amount: assets };
    let done = Effect::returns_other(token, &LocalToken::totalSupplyCall {}, &U256::ZERO);
    if !assets.is_zero() {
        steps.call([Step::new(format!("{step}/assets"), token, &mint, done)]).await?;
    }
    Ok(vault)
}

/// The decimals by which an amount times a price exceeds the common unit.
async fn decimals(view: View<'_>, token: Address, feed: Address, what: &str) -> Result<u8, DeployError> {
    let of_token = view.read_or(token, LocalToken::decimalsCall {}, LOCAL_TOKEN_DECIMALS).await?;
    let of_feed = view.read_or(feed, AggregatorV3Interface::decimalsCall {}, LOCAL_FEED_DECIMALS).await?;
    let sum = of_token.saturating_add(of_feed);
    sum.checked_sub(COMMON_DECIMALS).ok_or_else(|| DeployError::TooFewDecimals {
        what: what.to_owned(),
        decimals: sum,
        least: COMMON_DECIMALS,
    })
}

/// The protocols as they are written down, with their feeds in the oracle.
pub(super) async fn list(
    provider: &DynProvider,
    protocols: &[ProtocolConfig],
    models: Vec<Model>,
    oracle: Address,
) -> Result<Vec<Protocol>, DeployError> {
    let mut list = Vec::with_capacity(models.len());
    for (protocol, model) in protocols.iter().zip(models) {
        let oracle_index = protocol.oracle_index;
        let view = SafetyFactorOracle::feedCall { oracleIndex: oracle_index };
        let feed = chain::read(provider, oracle, view).await?;
        list.push(Protocol { oracle_index, name: protocol.name.clone(), feed, model });
    }
    Ok(list)
}
