//! The protocols: what could be stolen from each, and how its safety factor is computed.

use super::stake::{Price, Stake, local_token, price};
use crate::{
    addresses::{Feeds, Protocol},
    config::{LocalVaultConfig, ModelConfig, ProtocolConfig},
    error::DeployError,
    models,
    steps::{Effect, Step, Steps, with_arguments},
};
use alloy::{
    primitives::{Address, B256, U256, keccak256},
    providers::DynProvider,
    sol_types::SolValue,
};
use anzen_contracts::{LocalToken, LocalVault};
use anzen_messages::model::{Model, Side, Source, Term};

/// Cost and profit are compared in hundred-millionths of the currency that all prices count in.
const COMMON_DECIMALS: u8 = 8;
/// What every LocalToken has.
const LOCAL_TOKEN_DECIMALS: u8 = 18;
/// Where OpenZeppelin's ERC20 keeps the balances, which a LocalToken is.
const BALANCES: U256 = U256::ZERO;

/// Deploys what is local of the protocols, and returns their models in the configuration's order.
pub(super) async fn deploy(
    steps: &mut Steps<'_>,
    protocols: &[ProtocolConfig],
    stake: &Stake,
    stake_registry: Address,
) -> Result<Vec<Model>, DeployError> {
    let amount = Source::QuorumStake { stake_registry, quorum_number: 0 };
    let decimals =
        steps.view().read_or(stake.token, LocalToken::decimalsCall {}, LOCAL_TOKEN_DECIMALS).await?;
    let cost =
        Value { amount, price: &stake.price, decimals: scale("the staked token", decimals, &stake.price)? };
    let mut list = Vec::with_capacity(protocols.len());
    for protocol in protocols {
        list.push(match &protocol.model {
            ModelConfig::File(path) => models::load(path)?,
            // A deployment has none at first: `DeployConfig::validate`.
            ModelConfig::Hash(hash) => return Err(DeployError::UnknownModel(*hash)),
            ModelConfig::LocalVault(vault) => {
                let step = format!("anzen/protocol/{}", protocol.oracle_index);
                of_vault(steps, &step, vault, &cost).await?
            }
        });
    }
    Ok(list)
}

/// An amount at a price.
struct Value<'a> {
    amount: Source,
    price: &'a Price,
    /// Those that the product has beyond the common unit.
    decimals: u8,
}

impl Value<'_> {
    fn term(&self, side: Side, share_bps: u32) -> Term<Source> {
        let (amount, price) = (self.amount.clone(), self.price.source.clone());
        Term { side, amount, price, share_bps, decimals: self.decimals }
    }
}

/// What a vault holds against what secures it: nothing of it need be believed, all of it can be proved.
async fn of_vault(
    steps: &mut Steps<'_>,
    step: &str,
    config: &LocalVaultConfig,
    cost: &Value<'_>,
) -> Result<Model, DeployError> {
    let (token, vault) = local_vault(steps, step, config).await?;
    let price = price(steps, &format!("{step}/price"), &config.price).await?;
    let slot = balance_slot(vault);
    let amount = Source::StorageSlot { account: token, slot, offset: 0, width: 32, guards: Vec::new() };
    let profit =
        Value { amount, price: &price, decimals: scale("the vault's asset", LOCAL_TOKEN_DECIMALS, &price)? };
    let terms = vec![
        cost.term(Side::Cost, config.cost_share_bps),
        profit.term(Side::Profit, config.profit_share_bps),
    ];
    Ok(Model::new(terms)?)
}

/// Where a LocalToken keeps what `account` has of it.
fn balance_slot(account: Address) -> B256 {
    keccak256((account, BALANCES).abi_encode())
}

/// Deploys a vault; returns its token, and it.
async fn local_vault(
    steps: &mut Steps<'_>,
    step: &str,
    config: &LocalVaultConfig,
) -> Result<(Address, Address), DeployError> {
    let LocalVaultConfig { asset, symbol, assets, .. } = config;
    let token = local_token(steps, &format!("{step}/asset"), asset, symbol).await?;
    let arguments = LocalVault::constructorCall {
        asset_: token,
        name_: format!("{asset} Vault"),
        symbol_: format!("v{symbol}"),
    };
    let code = with_arguments(&LocalVault::BYTECODE, &arguments);
    let vault = steps.create_one(&format!("{step}/vault"), code).await?;
    // A vault's assets are what it holds of the token.
    let mint = LocalToken::mintCall { account: vault, amount: *assets };
    let done = Effect::returns_other(token, &LocalToken::totalSupplyCall {}, &U256::ZERO);
    if !assets.is_zero() {
        steps.call([Step::new(format!("{step}/assets"), token, &mint, done)]).await?;
    }
    Ok((token, vault))
}

/// The decimals by which an amount times a price exceeds the common unit.
fn scale(what: &str, of_token: u8, price: &Price) -> Result<u8, DeployError> {
    let sum = of_token.saturating_add(price.decimals);
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
    models: &[Model],
    oracle: Address,
) -> Result<Vec<Protocol>, DeployError> {
    let mut list = Vec::with_capacity(models.len());
    for (protocol, model) in protocols.iter().zip(models) {
        let feeds = Feeds::read(provider, oracle, protocol.oracle_index).await?;
        list.push(Protocol::new(protocol, model.hash(), feeds));
    }
    Ok(list)
}
