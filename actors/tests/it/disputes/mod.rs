//! What a challenger is told, against the contracts.

mod answer;
mod witness;

use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, U256, utils::parse_ether};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall;
use anzen_actors::ports::ContractCall;
use anzen_contracts::SafetyFactorModels::addModelCall;
use anzen_deploy::chain::Account;
use anzen_deploy::operator::{Blocks, OperatorParams, OperatorSetup};
use anzen_messages::bls::SecretKey;
use anzen_messages::model::Model;

use crate::chain::Chain;
use crate::models::deployer;

fn call(to: Address, call: &impl SolCall) -> ContractCall {
    ContractCall { to, data: call.abi_encode().into(), value: U256::ZERO }
}

/// Governance adds a model.
async fn add_model(chain: &Chain, model: &Model) -> B256 {
    let data = Bytes::from([&addModelCall::SELECTOR, &model.encode()[..]].concat());
    let to = chain.addresses.safety_factor_models;
    chain.send_as(chain.addresses.timelock, ContractCall { to, data, value: U256::ZERO }).await;
    model.hash()
}

/// An operator of this stake, in tokens, that is about to join quorum 0, with its key.
async fn operator(chain: &Chain, tokens: u64) -> (OperatorSetup, SecretKey) {
    let (account, key) = (PrivateKeySigner::random(), SecretKey::generate().unwrap());
    let account = Account::new(chain.provider.clone(), account).await.unwrap();
    let params =
        OperatorParams::new(format!("operator-{tokens}:9000"), parse_ether(&tokens.to_string()).unwrap());
    (OperatorSetup::new(account, Some(Arc::new(key.clone())), chain.addresses.clone(), params), key)
}

/// Has operators join quorum 0.
async fn join(chain: &Chain, operators: &[&OperatorSetup]) {
    let funder = deployer(chain).await;
    let joined = operators.iter().map(|operator| operator.run(Blocks::Mine, Some(&funder)));
    futures::future::try_join_all(joined).await.unwrap();
}

/// The chain's clock goes on: what is written next is of another second.
async fn pass(chain: &Chain, time: Duration) {
    chain.tell("evm_increaseTime", [time.as_secs()]).await;
    chain.tell("evm_mine", ()).await;
}
