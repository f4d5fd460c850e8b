//! The protocols: that the chain asks for what the file of addresses says, and that it can be computed.

use super::{checker::Checker, code::has_code};
use crate::{addresses::Protocol, chain::ChainError, models};
use alloy::primitives::{Bytes, U256};
use anzen_contracts::{AnzenTaskManager, SafetyFactorModels, SafetyFactorOracle};

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
    let view = SafetyFactorOracle::finalFeedCall { oracleIndex: index };
    c.view(&name(protocol, "final feed"), of, view, protocol.final_feed, todo).await?;
    has_code(c, &name(protocol, "feed's code"), protocol.feed).await?;
    has_code(c, &name(protocol, "final feed's code"), protocol.final_feed).await
}

async fn check_policy(c: &mut Checker<'_>, protocol: &Protocol) -> Result<(), ChainError> {
    let of = c.at.task_manager;
    let view = AnzenTaskManager::taskPolicyCall { oracleIndex: protocol.oracle_index };
    let Some(policy) = c.read(&name(protocol, "policy"), of, view).await? else { return Ok(()) };
    let todo =
        "have the timelock call setTaskPolicy, or correct the model's hash in the file if it decided this";
    c.compare(&name(protocol, "model"), &policy.modelHash, &protocol.model_hash, todo);
    let quorums = Bytes::from(protocol.quorum_numbers.clone());
    let todo = "have the timelock call setTaskPolicy, or correct the quorums in the file of addresses if it decided this";
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

/// The model is kept, and what it reads is there.
async fn check_model(c: &mut Checker<'_>, protocol: &Protocol) -> Result<(), ChainError> {
    let (models, hash) = (c.at.safety_factor_models, protocol.model_hash);
    let known = name(protocol, "model is known");
    let todo =
        "have the timelock call addModel, or set a policy with a model that is there: nobody can answer";
    let view = SafetyFactorModels::existsCall { modelHash: hash };
    let Some(exists) = c.read(&known, models, view).await? else { return Ok(()) };
    c.require(&known, exists, hash.to_string(), todo);
    if !exists {
        return Ok(());
    }
    let model = models::get(c.provider, models, hash).await?;
    for finding in models::check_kept(c.provider, models, &model).await? {
        let name = name(protocol, &finding.to_string());
        match finding.found {
            Ok(value) => c.ok(name, value),
            Err(what) => c.fail(name, what, "do so: without this source there is no answer"),
        }
    }
    Ok(())
}
