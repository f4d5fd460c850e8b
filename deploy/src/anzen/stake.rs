//! What operators stake: the token, its strategy in EigenLayer, and its price.

use crate::{
    chain,
    config::{PriceConfig, StakeConfig, TokenConfig},
    eigenlayer::EigenLayer,
    error::DeployError,
    models::present_phase,
    steps::{Effect, Step, Steps, with_arguments},
};
use alloy::primitives::{Address, I256, U256};
use anzen_contracts::{
    AggregatorV3Interface, LocalPriceFeed, LocalToken,
    eigenlayer::{StrategyBase, StrategyFactory},
};
use anzen_messages::model::Source;

/// What a LocalPriceFeed, and a constant price, has.
const FEED_DECIMALS: u8 = 8;

/// The token that is staked.
pub(super) struct Stake {
    pub(super) token: Address,
    pub(super) strategy: Address,
    pub(super) price: Price,
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
    let price = price(steps, "anzen/stake/price", &config.price).await?;
    Ok(Stake { token, strategy, price })
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

/// Where a price comes from.
pub(super) struct Price {
    pub(super) source: Source,
    pub(super) decimals: u8,
}

/// A price, with a feed that has it where it is the deployment's own.
pub(super) async fn price(
    steps: &mut Steps<'_>,
    step: &str,
    config: &PriceConfig,
) -> Result<Price, DeployError> {
    match config {
        PriceConfig::Constant { answer } => {
            Ok(Price { source: Source::Constant { value: U256::from(*answer) }, decimals: FEED_DECIMALS })
        }
        PriceConfig::Existing { feed, max_age_seconds } => {
            expect_contract(steps, "a price feed", *feed).await?;
            let phase_id = present_phase(steps.provider(), *feed).await?;
            let view = AggregatorV3Interface::decimalsCall {};
            let decimals = steps.view().read_or(*feed, view, FEED_DECIMALS).await?;
            let source = Source::FeedRound { feed: *feed, phase_id, max_age: *max_age_seconds };
            Ok(Price { source, decimals })
        }
        PriceConfig::Local { description, answer, max_age_seconds } => {
            let feed = local_feed(steps, step, description, *answer).await?;
            let source = Source::FeedRound { feed, phase_id: 0, max_age: *max_age_seconds };
            Ok(Price { source, decimals: FEED_DECIMALS })
        }
    }
}

/// A price feed with a price in it.
async fn local_feed(
    steps: &mut Steps<'_>,
    step: &str,
    description: &str,
    answer: u64,
) -> Result<Address, DeployError> {
    let arguments = LocalPriceFeed::constructorCall {
        description_: description.to_owned(),
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
