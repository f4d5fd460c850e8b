//! Deploying to the public networks, on chains that stand in for them.

use std::sync::Arc;

use crate::chain::Chain;
use alloy::{
    primitives::{Address, U256, utils::parse_ether},
    signers::local::PrivateKeySigner,
};
use anzen_contracts::LocalWrappedEther;
use anzen_deploy::{
    DeployConfig, DeployError,
    chain::{Account, Request},
    config::CoreConfig,
    deploy, open_journal,
    operator::{Blocks, OperatorParams, OperatorSetup},
    plan, stand_in, verify,
};
use anzen_messages::bls::SecretKey;

/// A network's configuration, with those filled in who govern.
fn filled_in(network: &str) -> DeployConfig {
    let mut config = DeployConfig::load(network).unwrap();
    config.timelock.proposers = vec![Address::repeat_byte(1)];
    config.timelock.executors = vec![Address::ZERO];
    config.roles.generators = vec![Address::repeat_byte(2)];
    config.roles.pausers = vec![Address::repeat_byte(3)];
    config.roles.committee = vec![Address::repeat_byte(4)];
    config
}

async fn deploys_verifies_and_takes_an_operator(network: &str) {
    let config = filled_in(network);
    let chain = Chain::with(&["--chain-id", &config.chain_id.to_string()]);
    let (owner, deployer) = (chain.account(OWNER).await, chain.deployer().await);
    let mut journal = open_journal(&owner, &config, &chain.file("stand-in.json")).await.unwrap();
    stand_in::place(&owner, &config, &mut journal).await.unwrap();

    let empty = DeployConfig::load(network).unwrap();
    let error = plan(&deployer, &empty, &chain.journal()).await.unwrap_err().to_string();
    assert!(error.contains("anzen deploy template"), "{error}");
    let planned = plan(&deployer, &config, &chain.journal()).await.unwrap();
    assert!(!chain.journal().exists() && planned.done.is_empty() && planned.to_do.len() > 30, "{planned:?}");

    let mut journal = open_journal(&deployer, &config, &chain.journal()).await.unwrap();
    let addresses = deploy(&deployer, &config, &chain.url(), &mut journal).await.unwrap();
    assert_eq!(config.eigenlayer, CoreConfig::Existing(addresses.eigenlayer()));
    let report = verify(&chain.provider, &addresses).await.unwrap();
    assert!(report.is_ok(), "{report}");

    let account = Account::new(chain.provider.clone(), PrivateKeySigner::random()).await.unwrap();
    let gift = Request::transfer("a gift", account.address(), parse_ether("3").unwrap());
    deployer.execute(&gift).await.unwrap();
    let stake = parse_ether("1").unwrap();
    let mut wrap = Request::call("wrapping", addresses.token, &LocalWrappedEther::depositCall {});
    wrap.value = stake;
    account.execute(&wrap).await.unwrap();
    let params = OperatorParams::new("operator.example:9000", stake);
    let operator =
        OperatorSetup::new(account, Some(Arc::new(SecretKey::generate().unwrap())), addresses, params);
    operator.run(Blocks::Mine, None).await.unwrap();
    let status = operator.operator().status().await.unwrap();
    assert!(status.is_member && status.recorded_stake >= stake - U256::from(1), "{status}");
}

/// anvil's account 8.
const OWNER: &str = "0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97";

#[tokio::test]
async fn sepolia() {
    deploys_verifies_and_takes_an_operator("sepolia").await;
}

#[tokio::test]
async fn hoodi() {
    deploys_verifies_and_takes_an_operator("hoodi").await;
}

#[tokio::test]
async fn nothing_stands_in_for_a_network_that_deploys_its_core() {
    let (chain, config) = (Chain::start(), DeployConfig::anvil().unwrap());
    let owner = chain.deployer().await;
    let mut journal = open_journal(&owner, &config, &chain.journal()).await.unwrap();
    let error = stand_in::place(&owner, &config, &mut journal).await.unwrap_err();
    assert!(matches!(error, DeployError::Config(_)), "{error}");
}
