//! What a view call returned cannot be proved, so that the committee rules on answers that follow from one.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256, Bytes, U256, address, keccak256};
use alloy::sol_types::SolValue;
use anzen_integration::e2e::abi::{
    AnswerWithdrawn, Disputes, Model, Models, OperatorFrozen, OperatorSlashed, Source, TaskPolicy, Tasks,
    Term, Token, ViewCall,
};
use anzen_integration::e2e::chain::Chain;
use anzen_integration::e2e::colluders::{COMMITTEE, Colluders};
use anzen_integration::e2e::disputes::{Posted, WITHDRAWN};

/// anvil's seventh account: anybody.
const ANYBODY: Address = address!("0x976EA74026E726554dB657fA54763abd0C3a0aa9");
/// `bond` of the local network: 0.1 ether.
const BOND: u64 = 100_000_000_000_000_000;
/// The protocol whose model is changed.
const PROTOCOL: u32 = 1;

/// A cost of 10^30 against what the token says that an account has.
fn model(token: Address, account: Address) -> Model {
    let constant = |value: U256| Source { kind: 0, data: value.abi_encode().into() };
    let call = Token::balanceOfCall { account };
    let call = ViewCall { target: token, callData: alloy::sol_types::SolCall::abi_encode(&call).into() };
    let one = || constant(U256::from(1));
    let term = |side, amount| Term { side, amount, price: one(), shareBps: 10_000, decimals: 0 };
    let cost = constant(U256::from(10).pow(U256::from(30)));
    Model { terms: vec![term(0, cost), term(1, Source { kind: 4, data: call.abi_encode().into() })] }
}

/// Has the timelock, which the chain plays, give the protocol a model with a view call.
async fn with_view_call(chain: &Chain) -> B256 {
    let timelock = chain.address("timelock");
    let model = model(chain.address("token"), timelock);
    let hash = keccak256(model.abi_encode());
    let add = Models::addModelCall { model };
    chain.send_as(timelock, chain.address("safetyFactorModels"), &add, U256::ZERO).await.unwrap();
    let policy = TaskPolicy {
        quorumNumbers: Bytes::from_static(&[0]),
        leastThresholdPercentage: 66,
        greatestThresholdPercentage: 80,
        minTaskInterval: 5,
        modelHash: hash,
    };
    let set = Tasks::setTaskPolicyCall { oracleIndex: PROTOCOL, policy };
    chain.send_as(timelock, chain.address("taskManager"), &set, U256::ZERO).await.unwrap();
    hash
}

fn asked(posted: &Posted) -> Disputes::challengeByCommitteeCall {
    Disputes::challengeByCommitteeCall {
        task: posted.task.clone(),
        response: posted.response.clone(),
        metadata: posted.metadata.clone(),
        roundId: posted.round,
    }
}

fn ruled(posted: &Posted, upheld: bool) -> Disputes::ruleCall {
    Disputes::ruleCall {
        task: posted.task.clone(),
        response: posted.response.clone(),
        metadata: posted.metadata.clone(),
        upheld,
    }
}

#[tokio::test]
async fn a_false_value_that_cannot_be_proved_false_is_ruled_on() {
    let colluders = Colluders::of_new_network(&[]).await;
    let chain = colluders.chain.clone();
    let hash = with_view_call(&chain).await;
    let posted = colluders.lie(PROTOCOL).await;
    assert_eq!(posted.task.modelHash, hash);
    let disputes = chain.address("disputes");
    assert!(chain.send_as(ANYBODY, disputes, &asked(&posted), U256::from(1)).await.is_err(), "too little");
    chain.send_as(ANYBODY, disputes, &asked(&posted), U256::from(BOND)).await.unwrap();

    // The oracle does not wait for the committee.
    let next = colluders.answer(PROTOCOL, |right| right).await;
    assert!(next.round > posted.round);

    let ruling = ruled(&posted, true);
    assert!(chain.send_as(ANYBODY, disputes, &ruling, U256::ZERO).await.is_err(), "by the committee only");
    chain.send_as(COMMITTEE, disputes, &ruling, U256::ZERO).await.unwrap();
    let of = |event: &AnswerWithdrawn| event.taskHash == posted.hash;
    let id = chain.event("the withdrawal", "disputes", of).await.faultId;
    assert_eq!(chain.round_status(PROTOCOL, posted.round).await, WITHDRAWN);
    assert_ne!(chain.round_status(PROTOCOL, next.round).await, WITHDRAWN);

    // The challenger freezes and slashes them, at once: nobody has to veto what the committee has ruled.
    let culprits = BTreeSet::from([colluders.account(2), colluders.account(3)]);
    let of = |event: &OperatorFrozen| (event.faultId == id).then_some(event.operator);
    assert_eq!(chain.operators_of("who is frozen", 2, of).await, culprits);
    let of = |event: &OperatorSlashed| (event.faultId == id).then_some(event.operator);
    assert_eq!(chain.operators_of("who is slashed", 2, of).await, culprits);
    assert_eq!(chain.stake_of(colluders.account(2)).await.0, 500_000_000_000_000_000);
}
