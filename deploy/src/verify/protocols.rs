//! The protocols: that the chain asks for what the file of addresses says, and that it can be computed.

use super::{checker::Checker, code::has_code};
use crate::{addresses::Protocol, chain::ChainError};
use alloy::primitives::{Address, Bytes, I256, U256};
use anzen_contracts::{AggregatorV3Interface, AnzenTaskManager, IERC4626, SafetyFactorOracle};

/// AnzenTaskManager refuses less.
const LEAST_THRESHOLD: u32 = 51;

pub(super) async fn check(c: &mut Checker<'_>) -> Result<(), ChainError> {
    let at = c.at;
    let todo = "deploy again to write the addresses anew, or add the protocol to the file";
    let count = U256::from(at.protocols.len());
    let view = SafetyFactorOracle::protocolCountCall {};
    c.view("protocols: count", at.safety_factor_oracle, view, count, todo).await?;
    for protocol in &at.protocols {
        check_oracle(c, protocol).await?;
        check_policy(c, protocol).await?;
        check_model(c, protocol).await?;
    }
    Ok(())
}

fn name(protocol: &Protocol, what: &str) -> String {
    format!("protocol {}: {what}", protocol.oracle_index)
}

async fn check_oracle(c: &mut Checker<'_>, protocol: &Protocol) -> Result<(), ChainError> {
    let (of, index) = (c.at.safety_factor_oracle, protocol.oracle_index);
    let todo = "have the timelock add it to the oracle, or correct the file of addresses";
    let view = SafetyFactorOracle::protocolNameCall { oracleIndex: index };
    c.view(&name(protocol, "name"), of, view, protocol.name.clone(), todo).await?;
    let view = SafetyFactorOracle::feedCall { oracleIndex: index };
    c.view(&name(protocol, "feed"), of, view, protocol.feed, todo).await?;
    has_code(c, &name(protocol, "feed's code"), protocol.feed).await
}

async fn check_policy(c: &mut Checker<'_>, protocol: &Protocol) -> Result<(), ChainError> {
    let of = c.at.task_manager;
    let view = AnzenTaskManager::taskPolicyCall { oracleIndex: protocol.oracle_index };
    let Some(policy) = c.read(&name(protocol, "policy"), of, view).await? else { return Ok(()) };
    let todo = "have the timelock call setTaskPolicy, or correct the model in the file: operators would refuse to answer";
    c.compare(&name(protocol, "model"), &policy.modelHash, &protocol.model.hash(), todo);
    let quorums = Bytes::from(vec![protocol.model.quorum]);
    let todo = "have the timelock call setTaskPolicy with the quorum whose stake the model counts";
    c.compare(&name(protocol, "quorums"), &policy.quorumNumbers, &quorums, todo);
    let least = policy.leastThresholdPercentage;
    let todo = "have the timelock call setTaskPolicy with a threshold of 51 to 100";
    let holds = (LEAST_THRESHOLD..=100).contains(&least);
    c.require(&name(protocol, "least threshold"), holds, format!("{least} %"), todo);
    let greatest = policy.greatestThresholdPercentage;
    let todo = "have the timelock call setTaskPolicy with a greatest threshold from the least to 100";
    let holds = (least..=100).contains(&greatest);
    c.require(&name(protocol, "greatest threshold"), holds, format!("{greatest} %"), todo);
    Ok(())
}

async fn check_model(c: &mut Checker<'_>, protocol: &Protocol) -> Result<(), ChainError> {
    let model = &protocol.model;
    let todo = "have the timelock set a policy with a model of this deployment's registry";
    c.compare(&name(protocol, "stake registry"), &model.stake_registry, &c.at.stake_registry, todo);
    check_price(c, &name(protocol, "price of the stake"), model.stake_price_feed).await?;
    check_price(c, &name(protocol, "price of the asset"), model.vault_price_feed).await?;
    let name = name(protocol, "vault");
    if let Some(assets) = c.read(&name, model.vault, IERC4626::totalAssetsCall {}).await? {
        c.ok(name, format!("holds {assets} of the asset's smallest unit"));
    }
    Ok(())
}

async fn check_price(c: &mut Checker<'_>, name: &str, feed: Address) -> Result<(), ChainError> {
    let view = AggregatorV3Interface::latestRoundDataCall {};
    if let Some(round) = c.read(name, feed, view).await? {
        let todo = "have the feed report a price: without one there is no answer";
        c.require(name, round.answer > I256::ZERO, format!("{} of {feed}", round.answer), todo);
    }
    Ok(())
}
