//! Operators: set up together, found done the second time, leaving.

use crate::chain::Chain;
use alloy::{
    primitives::{U256, utils::parse_ether},
    providers::Provider,
    signers::local::PrivateKeySigner,
};
use anzen_contracts::{
    LocalToken,
    eigenlayer::{
        AllocateParams, AllocationManager, OperatorSet, SlashingParams, StakeRegistry, StrategyBase,
    },
};
use anzen_deploy::{
    Addresses,
    chain::{Account, Request, read},
    operator::{
        Blocks, OperatorError, OperatorParams, OperatorSetup, Outcome, State, Status, Step, WHOLE_MAGNITUDE,
    },
};
use anzen_messages::bls::SecretKey;
use std::sync::Arc;

fn stake(tokens: u64) -> U256 {
    parse_ether(&tokens.to_string()).unwrap()
}

async fn operator(chain: &Chain, addresses: &Addresses, tokens: u64) -> OperatorSetup {
    let account = Account::new(chain.provider.clone(), PrivateKeySigner::random()).await.unwrap();
    let params = OperatorParams::new(format!("operator-{tokens}:9000"), stake(tokens));
    setup(account, &SecretKey::generate().unwrap(), addresses, params)
}

fn setup(account: Account, key: &SecretKey, addresses: &Addresses, params: OperatorParams) -> OperatorSetup {
    OperatorSetup::new(account, Some(Arc::new(key.clone())), addresses.clone(), params)
}

async fn status(operator: &OperatorSetup) -> Status {
    operator.operator().status().await.unwrap()
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
        let status = status(operator).await;
        assert!(status.is_operator && status.is_member && status.is_slashable);
        assert_eq!((status.recorded_stake, status.weight), (stake(tokens), stake(tokens)));
        assert_eq!(status.socket, format!("operator-{tokens}:9000"));
    }
}

#[tokio::test]
async fn an_operator_changes_its_socket_leaves_gets_its_stake_back_and_returns() {
    let chain = Chain::start();
    let (addresses, funder) = (chain.deploy().await.unwrap(), chain.deployer().await);
    let account = Account::new(chain.provider.clone(), PrivateKeySigner::random()).await.unwrap();
    let key = SecretKey::generate().unwrap();
    let at = |socket: &str| setup(account.clone(), &key, &addresses, OperatorParams::new(socket, stake(5)));
    let operator = at("here:9000");
    assert!(matches!(operator.take(Step::UpdateSocket).await, Err(OperatorError::NotMember(_))));
    operator.run(Blocks::Mine, Some(&funder)).await.unwrap();

    assert!(at("elsewhere:9000").take(Step::UpdateSocket).await.unwrap().is_done_now());
    assert!(!at("elsewhere:9000").take(Step::UpdateSocket).await.unwrap().is_done_now());
    assert_eq!(status(&operator).await.socket, "elsewhere:9000");
    for still in [Step::Deallocate, Step::QueueWithdrawal] {
        assert!(matches!(operator.take(still).await, Err(OperatorError::StillMember(_))));
    }

    for step in [Step::LEAVE.as_slice(), &[Step::QueueWithdrawal]].concat() {
        assert!(operator.take(step).await.unwrap().is_done_now(), "{step}");
        assert!(!operator.take(step).await.unwrap().is_done_now(), "{step}");
    }
    let left = status(&operator).await;
    assert!(!left.is_member && left.is_slashable, "stake that leaves can be slashed for a while");
    assert_eq!(left.pending.as_ref().map(|pending| pending.magnitude), Some(0));
    assert_eq!(total_stake(&chain, &addresses).await, U256::ZERO);

    // Joining again is possible from exactly the block that is told.
    let Outcome::Waiting(wait) = operator.take(Step::Join).await.unwrap() else { panic!("it has just left") };
    assert!(wait.exact && wait.blocks() > 900, "{wait}");
    for step in Step::WITHDRAW {
        operator.complete(step, Blocks::Mine).await.unwrap();
    }
    let back = status(&operator).await;
    assert_eq!((back.deposited, back.token_balance), (U256::ZERO, stake(5)));

    operator.run(Blocks::Mine, Some(&funder)).await.unwrap();
    let returned = status(&operator).await;
    assert!(returned.is_member && returned.weight == stake(5), "{returned}");
    assert_eq!(returned.operator_id, left.operator_id);
}

#[tokio::test]
async fn waits_are_told_to_the_block() {
    let chain = Chain::start();
    let (addresses, funder) = (chain.deploy().await.unwrap(), chain.deployer().await);
    let operator = operator(&chain, &addresses, 5).await;
    assert!(matches!(operator.take(Step::AwaitAllocationDelay).await, Err(OperatorError::NotOperator(_))));
    operator.fund(&funder).await.unwrap();
    operator.take(Step::Register).await.unwrap();
    let waits = async |step| match operator.take(step).await.unwrap() {
        Outcome::Waiting(wait) => Some(wait),
        _ => None,
    };
    let wait = waits(Step::Allocate).await.unwrap();
    assert!(wait.exact && waits(Step::AwaitAllocationDelay).await.as_ref() == Some(&wait), "{wait}");
    chain.mine(wait.blocks() - 1).await;
    assert!(waits(Step::AwaitAllocationDelay).await.is_some(), "a block early");
    chain.mine(1).await;
    assert_eq!(waits(Step::AwaitAllocationDelay).await, None, "{wait}");
}

#[tokio::test]
async fn a_preview_shows_everything_and_sends_nothing() {
    let chain = Chain::start();
    let (addresses, funder) = (chain.deploy().await.unwrap(), chain.deployer().await);
    let operator = operator(&chain, &addresses, 5).await;
    operator.fund(&funder).await.unwrap();
    let previews = operator.preview(&Step::SET_UP).await.unwrap();
    let sent = |step: Step| match &previews.iter().find(|one| one.step == step).unwrap().state {
        State::Sends { transactions } => transactions.clone(),
        other => panic!("{step}: {other:?}"),
    };
    let [register] = sent(Step::Register).try_into().unwrap();
    assert!(
        register.call.starts_with("registerAsOperator(0x0000") && register.revert.is_none(),
        "{register}"
    );
    assert!(register.gas.is_some_and(|gas| gas > 21_000) && register.most_cost.is_some());
    let [approve, deposit] = sent(Step::Deposit).try_into().unwrap();
    assert!(approve.call.starts_with("approve(") && !approve.depends_on_previous, "{approve}");
    assert!(deposit.call.ends_with(", 5000000000000000000)") && deposit.depends_on_previous, "{deposit}");
    let join = previews.iter().find(|one| one.step == Step::Join).unwrap().to_string();
    assert_eq!(join, "join: after deposit, allocate, await-allocation");
    let nonce = chain.provider.get_transaction_count(operator.address()).await.unwrap();
    assert_eq!((nonce, status(&operator).await.is_operator), (0, false));
}

#[tokio::test]
async fn who_cannot_pay_for_gas_is_told_how_much() {
    let chain = Chain::start();
    let addresses = chain.deploy().await.unwrap();
    let operator = operator(&chain, &addresses, 5).await;
    let error = operator.take(Step::Register).await.unwrap_err().to_string();
    assert!(error.contains("has 0.000000000000000000 ETH, and this may cost 0.00"), "{error}");
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let chain = Chain::start();
    let (addresses, funder) = (chain.deploy().await.unwrap(), chain.deployer().await);

    let poor = operator(&chain, &addresses, 5).await;
    let error = poor.take(Step::Deposit).await.unwrap_err();
    assert!(
        matches!(&error, OperatorError::NotEnoughTokens(lack) if lack.needed.units == stake(5)),
        "{error}"
    );
    assert!(
        error.to_string().contains("and 5 ") && error.to_string().contains(" more are needed"),
        "{error}"
    );
    let error = poor.take(Step::Join).await.unwrap_err();
    assert!(matches!(error, OperatorError::StakeTooLow { minimum, .. } if minimum == stake(1)), "{error}");

    // Two operators with one key, and one operator with two.
    let account = |key: PrivateKeySigner| Account::new(chain.provider.clone(), key);
    let (key, other) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
    let signer = PrivateKeySigner::random();
    let params = OperatorParams::new("a:1", stake(2));
    let setup = |account, key: &SecretKey| setup(account, key, &addresses, params.clone());
    let first = setup(account(signer.clone()).await.unwrap(), &key);
    first.run(Blocks::Mine, Some(&funder)).await.unwrap();
    let twin = setup(account(PrivateKeySigner::random()).await.unwrap(), &key);
    assert!(matches!(twin.take(Step::Join).await, Err(OperatorError::KeyTaken { .. })));
    let rekeyed = setup(account(signer).await.unwrap(), &other);
    assert!(matches!(rekeyed.take(Step::Join).await, Err(OperatorError::OtherKey { .. })));
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
    let setup =
        |socket: &str| setup(account.clone(), &key, &addresses, OperatorParams::new(socket, stake(5)));
    setup("here:1").run(Blocks::Mine, Some(&funder)).await.unwrap();
    let outcomes = setup("there:2").run(Blocks::Mine, Some(&funder)).await.unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_done_now()).count(), 1, "{outcomes:#?}");
    assert_eq!(status(&setup("")).await.socket, "there:2");

    let params = AllocateParams {
        operatorSet: OperatorSet { avs: addresses.service_manager, id: 0 },
        strategies: vec![addresses.strategy],
        newMagnitudes: vec![WHOLE_MAGNITUDE / 2],
    };
    let call = AllocationManager::modifyAllocationsCall { operator: account.address(), params: vec![params] };
    let request = Request::call("deallocating half", addresses.allocation_manager, &call);
    let block = account.execute(&request).await.unwrap().block_number.unwrap();
    let Outcome::Waiting(wait) = setup("there:2").take(Step::Allocate).await.unwrap() else {
        panic!("EigenLayer makes one change at a time")
    };
    assert!(wait.exact && wait.until > block + 1000, "{wait} is the deallocation delay after {block}");
}

/// What is said before the operator leaves of a withdrawal of so much.
async fn foretold(operator: &OperatorSetup, tokens: u64) -> State {
    let mut operator = operator.clone();
    operator.params.withdrawal = Some(stake(tokens));
    let steps = [Step::LEAVE.as_slice(), &Step::WITHDRAW].concat();
    let previews = operator.preview(&steps).await.unwrap();
    let of_it = previews.into_iter().find(|one| one.step == Step::QueueWithdrawal);
    of_it.unwrap().state
}

#[tokio::test]
async fn a_part_is_withdrawn_once_for_each_time_that_the_operator_leaves() {
    let chain = Chain::start();
    let (addresses, funder) = (chain.deploy().await.unwrap(), chain.deployer().await);
    let mut operator = operator(&chain, &addresses, 5).await;
    operator.run(Blocks::Mine, Some(&funder)).await.unwrap();
    let State::After { text: Some(text), .. } = foretold(&operator, 2).await else {
        panic!("it has to leave")
    };
    assert!(text.starts_with("withdraws 2 ") && text.contains(" of 5 "), "{text}");
    assert!(
        matches!(foretold(&operator, 6).await, State::Fails { error } if error.contains("withdraw less"))
    );
    assert!(matches!(foretold(&operator, 0).await, State::Fails { .. }));
    operator.params.withdrawal = Some(stake(6));
    assert!(matches!(operator.check_withdrawal().await, Err(OperatorError::NotEnoughStake(_))));

    for round in 1..=2 {
        for (step, tokens) in [(Step::Leave, 2), (Step::Deallocate, 2), (Step::QueueWithdrawal, 2)] {
            operator.params.withdrawal = Some(stake(tokens));
            operator.check_withdrawal().await.unwrap();
            assert!(operator.take(step).await.unwrap().is_done_now(), "{step}");
        }
        // While it is queued, and when it is not any more; of that amount, and of others.
        for tokens in [2, 1, 9] {
            operator.params.withdrawal = Some(stake(tokens));
            operator.check_withdrawal().await.unwrap();
            assert!(!operator.take(Step::QueueWithdrawal).await.unwrap().is_done_now());
        }
        for step in Step::WITHDRAW {
            operator.complete(step, Blocks::Mine).await.unwrap();
        }
        assert!(!operator.take(Step::QueueWithdrawal).await.unwrap().is_done_now(), "round {round}");
        let back = status(&operator).await;
        assert_eq!((back.deposited, back.token_balance), (stake(5 - 2 * round), stake(2 * round)));
        if round == 1 {
            operator.params.stake = stake(3);
            operator.run(Blocks::Mine, None).await.unwrap();
        }
    }
    operator.params.withdrawal = None;
    for step in Step::WITHDRAW {
        operator.complete(step, Blocks::Mine).await.unwrap();
    }
    assert_eq!(status(&operator).await.token_balance, stake(5), "all takes what is left");
}

#[tokio::test]
async fn a_part_of_slashed_stake_is_worth_what_was_asked_for() {
    let chain = Chain::start();
    let (addresses, funder) = (chain.deploy().await.unwrap(), chain.deployer().await);
    let mut operator = operator(&chain, &addresses, 8).await;
    operator.run(Blocks::Mine, Some(&funder)).await.unwrap();
    // EigenLayer looks back that far for withdrawals to slash, and there is nothing before the first block.
    chain.mine(1_001).await;
    let params = SlashingParams {
        operator: operator.address(),
        operatorSetId: 0,
        strategies: vec![addresses.strategy],
        wadsToSlash: vec![U256::from(WHOLE_MAGNITUDE / 4)],
        description: "a quarter".into(),
    };
    let avs = addresses.service_manager;
    chain
        .call_as(avs, addresses.allocation_manager, AllocationManager::slashOperatorCall { avs, params })
        .await;

    operator.params.withdrawal = Some(stake(7));
    let error = operator.check_withdrawal().await.unwrap_err();
    assert!(matches!(&error, OperatorError::NotEnoughStake(lack) if lack.stake.units == stake(6)), "{error}");
    operator.params.withdrawal = Some(stake(3));
    for step in [Step::LEAVE.as_slice(), &Step::WITHDRAW].concat() {
        operator.complete(step, Blocks::Mine).await.unwrap();
    }
    let back = status(&operator).await.token_balance;
    assert!(stake(3) - back <= U256::from(2), "rounded down to {back}");
}
