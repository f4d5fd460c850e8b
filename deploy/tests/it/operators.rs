//! Operators: set up together, found done the second time, leaving.

use crate::chain::Chain;
use alloy::{
    primitives::{U256, utils::parse_ether},
    signers::local::PrivateKeySigner,
};
use anzen_contracts::{
    LocalToken,
    eigenlayer::{AllocateParams, AllocationManager, OperatorSet, StakeRegistry, StrategyBase},
};
use anzen_deploy::{
    Addresses,
    chain::{Account, Request, read},
    operator::{Blocks, OperatorError, OperatorParams, OperatorSetup, Outcome, WHOLE_MAGNITUDE},
};
use anzen_messages::bls::SecretKey;

fn stake(tokens: u64) -> U256 {
    parse_ether(&tokens.to_string()).unwrap()
}

async fn operator(chain: &Chain, addresses: &Addresses, tokens: u64) -> OperatorSetup {
    let account = Account::new(chain.provider.clone(), PrivateKeySigner::random()).await.unwrap();
    let params = OperatorParams::new(format!("operator-{tokens}:9000"), stake(tokens));
    OperatorSetup::new(account, SecretKey::generate().unwrap(), addresses.clone(), params)
}

async fn total_stake(chain: &Chain, addresses: &Addresses) -> U256 {
    let view = StakeRegistry::getCurrentTotalStakeCall { quorumNumber: 0 };
    U256::from(read(&chain.provider, addresses.stake_registry, view).await.unwrap())
}

#[tokio::test]
async fn three_operators_join_together_and_are_found_done() {
    let chain = Chain::start();
    let (addresses, funder) = (chain.deploy().await.unwrap(), chain.deployer().await);
    let operators = [
        operator(&chain, &addresses, 100).await,
        operator(&chain, &addresses, 200).await,
        operator(&chain, &addresses, 300).await,
    ];
    let set_up = || async {
        let [a, b, c] = &operators;
        let funder = Some(&funder);
        let (a, b, c) = tokio::join!(
            a.run(Blocks::Mine, funder),
            b.run(Blocks::Mine, funder),
            c.run(Blocks::Mine, funder)
        );
        [a.unwrap(), b.unwrap(), c.unwrap()].concat()
    };
    let started = std::time::Instant::now();
    let first = set_up().await;
    eprintln!("{:?}", started.elapsed());
    assert_eq!(first.iter().filter(|o| o.to_string().contains("has joined quorum 0")).count(), 3);
    assert_eq!(total_stake(&chain, &addresses).await, stake(600));

    let second = set_up().await;
    assert!(second.iter().all(|outcome| matches!(outcome, Outcome::AlreadyDone(_))), "{second:#?}");

    for (operator, tokens) in operators.iter().zip([100, 200, 300]) {
        let status = operator.status().await.unwrap();
        assert!(status.is_operator && status.is_member && status.is_slashable);
        assert_eq!((status.recorded_stake, status.weight), (stake(tokens), stake(tokens)));
        assert_eq!(status.socket, format!("operator-{tokens}:9000"));
    }
}

#[tokio::test]
async fn an_operator_changes_its_socket_leaves_and_cannot_return_at_once() {
    let chain = Chain::start();
    let (addresses, funder) = (chain.deploy().await.unwrap(), chain.deployer().await);
    let operator = operator(&chain, &addresses, 5).await;
    assert!(matches!(operator.update_socket("x").await, Err(OperatorError::NotMember(_))));
    operator.run(Blocks::Mine, Some(&funder)).await.unwrap();

    assert!(operator.update_socket("elsewhere:9000").await.unwrap().is_done_now());
    assert!(!operator.update_socket("elsewhere:9000").await.unwrap().is_done_now());
    assert_eq!(operator.status().await.unwrap().socket, "elsewhere:9000");

    assert!(operator.leave().await.unwrap().is_done_now());
    assert!(!operator.leave().await.unwrap().is_done_now());
    let status = operator.status().await.unwrap();
    assert!(!status.is_member && status.is_slashable, "stake that leaves can be slashed for a while");
    assert_eq!(total_stake(&chain, &addresses).await, U256::ZERO);

    let error = operator.join().await.unwrap_err().to_string();
    assert!(error.contains("AlreadyMemberOfSet()"), "{error}");
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let chain = Chain::start();
    let (addresses, funder) = (chain.deploy().await.unwrap(), chain.deployer().await);

    let poor = operator(&chain, &addresses, 5).await;
    let error = poor.deposit().await.unwrap_err();
    assert!(matches!(error, OperatorError::NotEnoughTokens { needed, .. } if needed == stake(5)), "{error}");
    let error = poor.join().await.unwrap_err();
    assert!(matches!(error, OperatorError::StakeTooLow { minimum, .. } if minimum == stake(1)), "{error}");

    // Two operators with one key, and one operator with two.
    let account = |key: PrivateKeySigner| Account::new(chain.provider.clone(), key);
    let (key, other) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
    let signer = PrivateKeySigner::random();
    let params = OperatorParams::new("a:1", stake(2));
    let setup = |account, key: &SecretKey| {
        OperatorSetup::new(account, key.clone(), addresses.clone(), params.clone())
    };
    let first = setup(account(signer.clone()).await.unwrap(), &key);
    first.run(Blocks::Mine, Some(&funder)).await.unwrap();
    let twin = setup(account(PrivateKeySigner::random()).await.unwrap(), &key);
    assert!(matches!(twin.join().await, Err(OperatorError::KeyTaken { .. })));
    let rekeyed = setup(account(signer).await.unwrap(), &other);
    assert!(matches!(rekeyed.join().await, Err(OperatorError::OtherKey { .. })));
}

#[tokio::test]
async fn a_share_that_is_worth_more_than_a_unit_is_no_shortfall() {
    let chain = Chain::start();
    let (addresses, funder) = (chain.deploy().await.unwrap(), chain.deployer().await);
    operator(&chain, &addresses, 3).await.run(Blocks::Mine, Some(&funder)).await.unwrap();
    // A donation: each share is worth 2.3 units from now on.
    let amount = stake(3) * U256::from(13) / U256::from(10);
    let donation = LocalToken::mintCall { account: addresses.strategy, amount };
    funder.execute(&Request::call("a donation", addresses.token, &donation)).await.unwrap();

    let second = operator(&chain, &addresses, 9).await;
    second.run(Blocks::Mine, Some(&funder)).await.unwrap();
    let again = second.run(Blocks::Mine, Some(&funder)).await.unwrap();
    assert!(again.iter().all(|outcome| !outcome.is_done_now()), "{again:#?}");
    let view = StrategyBase::userUnderlyingViewCall { user: second.address() };
    let worth = read(&chain.provider, addresses.strategy, view).await.unwrap();
    assert!(stake(9) - worth <= U256::from(3), "{worth}");
}

#[tokio::test]
async fn a_deallocation_is_no_allocation_and_a_member_gets_its_new_socket() {
    let chain = Chain::start();
    let (addresses, funder) = (chain.deploy().await.unwrap(), chain.deployer().await);
    let account = Account::new(chain.provider.clone(), PrivateKeySigner::random()).await.unwrap();
    let key = SecretKey::generate().unwrap();
    let setup = |socket: &str| {
        let params = OperatorParams::new(socket, stake(5));
        OperatorSetup::new(account.clone(), key.clone(), addresses.clone(), params)
    };
    setup("here:1").run(Blocks::Mine, Some(&funder)).await.unwrap();
    let outcomes = setup("there:2").run(Blocks::Mine, Some(&funder)).await.unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_done_now()).count(), 1, "{outcomes:#?}");
    assert_eq!(setup("").status().await.unwrap().socket, "there:2");

    let params = AllocateParams {
        operatorSet: OperatorSet { avs: addresses.service_manager, id: 0 },
        strategies: vec![addresses.strategy],
        newMagnitudes: vec![WHOLE_MAGNITUDE / 2],
    };
    let call = AllocationManager::modifyAllocationsCall { operator: account.address(), params: vec![params] };
    let request = Request::call("deallocating half", addresses.allocation_manager, &call);
    let block = account.execute(&request).await.unwrap().block_number.unwrap();
    let error = setup("there:2").run(Blocks::Mine, Some(&funder)).await.unwrap_err();
    let OperatorError::Deallocating { block: until, .. } = error else { panic!("{error}") };
    assert!(u64::from(until) > block + 1000, "{until} is the deallocation delay after {block}");
}
