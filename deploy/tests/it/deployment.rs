//! Deploying: once, twice, interrupted, over a core that is there.

use crate::chain::Chain;
use alloy::{
    primitives::{Address, U256},
    providers::Provider,
};
use anzen_deploy::{
    DeployConfig, DeployError,
    chain::Request,
    config::{ConfigError, CoreConfig},
    deploy,
    eigenlayer::deploy_eigenlayer,
    open_journal, plan, verify,
};
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};

#[tokio::test]
async fn deploys_what_verifies_and_a_second_run_does_nothing() {
    let chain = Chain::start();
    let first = chain.deploy().await.unwrap();
    let report = verify(&chain.provider, &first).await.unwrap();
    assert!(report.is_ok(), "{report}");

    let height = chain.height().await;
    assert_eq!(chain.deploy().await.unwrap(), first);
    assert_eq!(chain.height().await, height, "a transaction was sent");
}

#[tokio::test]
async fn a_plan_names_every_step_and_about_its_gas_and_sends_nothing() {
    let chain = Chain::start();
    let (config, deployer) = (DeployConfig::anvil().unwrap(), chain.deployer().await);
    let before = plan(&deployer, &config, &chain.journal()).await.unwrap();
    assert!(before.done.is_empty() && !chain.journal().exists(), "{before:?}");
    assert_eq!(chain.height().await, 0, "a transaction was sent");

    chain.deploy().await.unwrap();
    let journal: Value = serde_json::from_str(&std::fs::read_to_string(chain.journal()).unwrap()).unwrap();
    let names = |field: &str| journal[field].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let all: BTreeSet<String> = &names("creations") | &names("calls");
    assert_eq!(before.to_do.iter().cloned().collect::<BTreeSet<_>>(), all);
    let mut gas = 0;
    for block in 1..=chain.height().await {
        let block = chain.provider.get_block_by_number(block.into()).await.unwrap().unwrap();
        gas += block.header.gas_used;
    }
    assert!(before.gas > gas * 9 / 10 && before.gas < gas * 3 / 2, "{} planned, {gas} used", before.gas);

    let after = plan(&deployer, &config, &chain.journal()).await.unwrap();
    assert_eq!((after.to_do.len(), after.gas), (0, 0), "{after:?}");
    assert_eq!(after.done.into_iter().collect::<BTreeSet<_>>(), all);
}

#[tokio::test]
async fn a_plan_of_a_deployment_that_was_interrupted_goes_on_where_that_stopped() {
    let chain = Chain::start();
    let (config, deployer) = (DeployConfig::anvil().unwrap(), chain.deployer().await);
    let all = plan(&deployer, &config, &chain.journal()).await.unwrap().to_do.len();
    for last in [20, 45, 60] {
        tokio::select! {
            biased;
            () = reached(&chain, last) => {}
            ended = chain.deploy() => { ended.unwrap(); }
        }
        let plan = plan(&chain.deployer().await, &config, &chain.journal()).await.unwrap();
        assert_eq!(plan.done.len() + plan.to_do.len(), all, "{plan:?}");
        assert!(!plan.done.is_empty() && !plan.to_do.is_empty(), "{plan:?}");
    }
}

#[tokio::test]
async fn a_deployment_that_was_killed_continues_and_repeats_nothing() {
    let whole = Chain::start();
    let expected = whole.deploy().await.unwrap();

    let chain = Chain::start();
    for last in (3..whole.height().await).step_by(9) {
        // Dropped wherever it is once the block is there: before, within or after sending the next transaction.
        tokio::select! {
            biased;
            () = reached(&chain, last) => {}
            ended = chain.deploy() => { ended.unwrap(); }
        }
    }
    let continued = chain.deploy().await.unwrap();
    assert_eq!(chain.height().await, whole.height().await, "a transaction was lost or sent twice");
    assert_eq!(continued.protocols, expected.protocols);
    let report = verify(&chain.provider, &continued).await.unwrap();
    assert!(report.is_ok(), "{report}");
}

async fn reached(chain: &Chain, height: u64) {
    while chain.height().await < height {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn deploys_while_blocks_come_at_intervals() {
    let chain = Chain::start();
    let () = chain.provider.raw_request("evm_setAutomine".into(), [false]).await.unwrap();
    let addresses = tokio::select! {
        addresses = chain.deploy() => addresses.unwrap(),
        () = mine(&chain, Duration::from_millis(50)) => unreachable!("mining goes on"),
    };
    let report = verify(&chain.provider, &addresses).await.unwrap();
    assert!(report.is_ok(), "{report}");
}

async fn mine(chain: &Chain, interval: Duration) {
    loop {
        tokio::time::sleep(interval).await;
        let _: String = chain.provider.raw_request("evm_mine".into(), ()).await.unwrap();
    }
}

#[tokio::test]
async fn transactions_that_do_not_depend_on_each_other_share_a_block() {
    let chain = Chain::start();
    let deployer = chain.deployer().await;
    let () = chain.provider.raw_request("evm_setAutomine".into(), [false]).await.unwrap();
    let requests = [1u8, 2, 3].map(|n| Request::transfer("a gift", Address::repeat_byte(n), U256::from(n)));
    let receipts = tokio::select! {
        receipts = deployer.execute_all(&requests) => receipts.unwrap(),
        () = mine(&chain, Duration::from_millis(500)) => unreachable!("mining goes on"),
    };
    let blocks: BTreeSet<_> = receipts.iter().map(|receipt| receipt.block_number).collect();
    assert!(blocks.len() < 3, "{blocks:?}");
}

#[tokio::test]
async fn deploys_over_a_core_that_is_there() {
    let chain = Chain::start();
    let deployer = chain.deployer().await;
    let mut config = DeployConfig::anvil().unwrap();
    let CoreConfig::Deploy(mut params) = config.eigenlayer.clone() else { panic!("anvil deploys its core") };
    params.min_withdrawal_delay = 600;
    let mut journal = open_journal(&deployer, &config, &chain.journal()).await.unwrap();
    let core = deploy_eigenlayer(&deployer, &params, &mut journal).await.unwrap();

    let mut wrong = core.clone();
    std::mem::swap(&mut wrong.strategy_manager, &mut wrong.allocation_manager);
    config.eigenlayer = CoreConfig::Existing(wrong);
    let error = deploy(&deployer, &config, &chain.url(), &mut journal).await.unwrap_err();
    assert!(matches!(error, DeployError::OtherCore { .. }), "{error}");

    config.eigenlayer = CoreConfig::Existing(core.clone());
    config.quorum.look_ahead = params.deallocation_delay + 1;
    let error = deploy(&deployer, &config, &chain.url(), &mut journal).await.unwrap_err().to_string();
    assert!(error.contains("deallocation delay on this chain is 1000 blocks"), "{error}");

    config.quorum.look_ahead = params.deallocation_delay;
    let height = chain.height().await;
    let error = deploy(&deployer, &config, &chain.url(), &mut journal).await.unwrap_err().to_string();
    assert!(
        error.contains("need 630 blocks and EigenLayer's withdrawal delay on this chain is 600"),
        "{error}"
    );
    assert_eq!(chain.height().await, height, "a transaction was sent");

    config.windows.max_stake_age -= 30;
    let addresses = deploy(&deployer, &config, &chain.url(), &mut journal).await.unwrap();
    assert_eq!(addresses.eigenlayer(), core);
    let report = verify(&chain.provider, &addresses).await.unwrap();
    assert!(report.is_ok(), "{report}");
}

#[tokio::test]
async fn a_configuration_that_changed_since_is_refused() {
    type Spoil = fn(&mut DeployConfig);
    let chain = Chain::start();
    chain.deploy().await.unwrap();
    let height = chain.height().await;
    let changes: [(Spoil, &str); 6] = [
        (|c| c.quorum.minimum_stake += U256::from(1), "anzen/quorum"),
        (|c| c.roles.pausers.push(Address::repeat_byte(1)), "anzen/configure/schedule"),
        (|c| c.windows.execution += 1, "anzen/AnzenTaskManager/proxy"),
        (|c| c.disputes.bond += U256::from(1), "anzen/AnzenDisputes/proxy"),
        (|c| c.slashing.absence_bps += 1, "anzen/configure/schedule"),
        (|c| c.slashing.ejection_cooldown_seconds += 1, "anzen/ejection-cooldown"),
    ];
    for (spoil, step) in changes {
        let (mut config, deployer) = (DeployConfig::anvil().unwrap(), chain.deployer().await);
        spoil(&mut config);
        let mut journal = open_journal(&deployer, &config, &chain.journal()).await.unwrap();
        let error = deploy(&deployer, &config, &chain.url(), &mut journal).await.unwrap_err();
        assert!(matches!(error, DeployError::Journal(_)), "{error}");
        assert!(error.to_string().contains(step), "{error}");
    }
    assert_eq!(chain.height().await, height, "a transaction was sent");
}

#[tokio::test]
async fn the_configuration_of_another_chain_is_refused() {
    let chain = Chain::start();
    let deployer = chain.deployer().await;
    let config = DeployConfig { chain_id: 560_048, ..DeployConfig::anvil().unwrap() };
    let mut journal = open_journal(&deployer, &config, &chain.journal()).await.unwrap();
    let error = deploy(&deployer, &config, &chain.url(), &mut journal).await.unwrap_err();
    assert!(matches!(error, DeployError::Config(ConfigError::OtherChain { .. })), "{error}");
    assert_eq!(chain.height().await, 0);
}
