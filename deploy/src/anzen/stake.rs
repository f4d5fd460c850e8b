//! What operators stake: the token, its strategy in EigenLayer, and its price.

use crate::{
    chain,
    config::{PriceConfig, StakeConfig, TokenConfig},
    eigenlayer::EigenLayer,
    error::DeployError,
    steps::{Effect, Step, Steps, with_arguments},
};
use alloy::primitives::{Address, I256};
use anzen_contracts::{
    LocalPriceFeed, LocalToken,
    eigenlayer::{StrategyBase, StrategyFactory},
};

/// The token that is staked.
pub(super) struct Stake {
    pub(super) token: Address,
    pub(super) strategy: Address,
    pub(super) price_feed: Address,
}

pub(super) async fn deploy(
    steps: &mut Steps<'_>,
    config: &StakeConfig,
    core: &EigenLayer,
) -> Result<Stake, DeployError> {
    let (token, strategy) = match &config.token {
        TokenConfig::Existing { strategy } => {
            expect_contract(steps, "the strategy of the stake", *strategy).await?;
            let view = StrategyBase::underlyingTokenCall {};
            (chain::read(steps.provider(), *strategy, view).await?, *strategy)
        }
        TokenConfig::Local { name, symbol } => {
            let token = local_token(steps, "anzen/stake/token", name, symbol).await?;
            (token, strategy_of(steps, token, core.strategy_factory).await?)
        }
    };
    let price_feed = price_feed(steps, "anzen/stake/price", &config.price).await?;
    Ok(Stake { token, strategy, price_feed })
}

/// The factory keeps one strategy a token, which anyone may have it deploy.
async fn strategy_of(
    steps: &mut Steps<'_>,
    token: Address,
    factory: Address,
) -> Result<Address, DeployError> {
    let view = StrategyFactory::deployedStrategiesCall { token };
    let call = StrategyFactory::deployNewStrategyCall { token };
    let done = Effect::returns_other(factory, &view, &Address::ZERO);
    steps.call([Step::new("anzen/stake/strategy", factory, &call, done)]).await?;
    Ok(steps.view().read_or(factory, view, Address::ZERO).await?)
}

/// A LocalToken that the deployer mints.
pub(super) async fn local_token(
    steps: &mut Steps<'_>,
    step: &str,
    name: &str,
    symbol: &str,
) -> Result<Address, DeployError> {
    let arguments = LocalToken::constructorCall {
        name_: name.to_owned(),
        symbol_: symbol.to_owned(),
        owner_: steps.account.address(),
    };
    steps.create_one(step, with_arguments(&LocalToken::BYTECODE, &arguments)).await
}

/// A price feed with a price in it.
pub(super) async fn price_feed(
    steps: &mut Steps<'_>,
    step: &str,
    config: &PriceConfig,
) -> Result<Address, DeployError> {
    let (description, answer) = match config {
        PriceConfig::Existing(feed) => {
            expect_contract(steps, "a price feed", *feed).await?;
            return Ok(*feed);
        }
        PriceConfig::Local { description, answer } => (description, *answer),
    };
    let arguments = LocalPriceFeed::constructorCall {
        description_: description.clone(),
        owner_: steps.account.address(),
    };
    let feed = steps.create_one(step, with_arguments(&LocalPriceFeed::BYTECODE, &arguments)).await?;
    let call = LocalPriceFeed::transmitCall { answer: I256::unchecked_from(answer) };
    let done = Effect::returns_other(feed, &LocalPriceFeed::latestRoundCall {}, &Default::default());
    steps.call([Step::new(format!("{step}/transmit"), feed, &call, done)]).await?;
    Ok(feed)
}

pub(super) async fn expect_contract(
    steps: &Steps<'_>,
    what: &str,
    address: Address,
) -> Result<(), DeployError> {
    if chain::code_at(steps.provider(), address).await?.is_empty() {
        return Err(DeployError::NoContract { what: what.to_owned(), address });
    }
    Ok(())
}
