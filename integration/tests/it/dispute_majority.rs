//! Operators with two thirds of the stake sign a false value. A challenger with an ordinary RPC endpoint has it withdrawn, and
//! their stake taken, with nobody's vote.

use std::collections::BTreeSet;

use alloy::primitives::U256;
use anzen_integration::e2e::abi::{
    AnswerWithdrawn, FaultRecorded, FaultVetoed, Faults, OperatorFrozen, OperatorSlashed,
};
use anzen_integration::e2e::colluders::{COMMITTEE, Colluders};
use anzen_integration::e2e::disputes::WITHDRAWN;

/// Half of what an operator has allocated: `wrong_answer_bps` of the local network.
const HALF: u64 = 500_000_000_000_000_000;

#[tokio::test]
async fn a_false_value_of_two_thirds_is_withdrawn_and_slashed_whatever_kills_the_challenger() {
    let mut colluders = Colluders::of_new_network(&[]).await;
    let (one, others) = (colluders.account(1), BTreeSet::from([colluders.account(2), colluders.account(3)]));
    let chain = colluders.chain.clone();
    let before = chain.stake_of(colluders.account(2)).await;

    let posted = colluders.lie(0).await;
    colluders.network.kill("challenger");
    let hash = posted.hash;
    let withdrawn: AnswerWithdrawn =
        chain.event("the withdrawal", "disputes", |event: &AnswerWithdrawn| event.taskHash == hash).await;
    colluders.network.kill("challenger");
    let id = withdrawn.faultId;
    assert_eq!(chain.round_status(posted.task.oracleIndex, withdrawn.roundId).await, WITHDRAWN);

    let of = |event: &OperatorFrozen| (event.faultId == id).then_some(event.operator);
    assert_eq!(chain.operators_of("who is frozen", 2, of).await, others);
    for (number, registered) in [(1, true), (2, false), (3, false)] {
        assert_eq!(chain.is_registered(colluders.account(number)).await, registered, "operator {number}");
    }
    assert_eq!(chain.stake_of(colluders.account(2)).await, before, "nothing is taken before the veto's end");

    // The committee sleeps.
    let fault: FaultRecorded =
        chain.event("the fault", "serviceManager", |event: &FaultRecorded| event.faultId == id).await;
    assert_eq!(fault.wadToSlash, HALF);
    chain.mine_to(fault.vetoEnd.into()).await;
    let of = |event: &OperatorSlashed| (event.faultId == id).then_some(event.operator);
    assert_eq!(chain.operators_of("who is slashed", 2, of).await, others);
    for account in others {
        let (magnitude, shares) = chain.stake_of(account).await;
        assert_eq!((magnitude, shares), (HALF, before.1 / U256::from(2)));
    }
    assert_eq!(chain.stake_of(one).await, before, "the honest operator's stake is untouched");

    // The oracle goes on with whoever is left.
    let line = colluders.network.line("signed by 1 (100.00 %").await;
    assert!(line.starts_with("task "), "{line}");
}

#[tokio::test]
async fn what_the_committee_vetoes_is_not_slashed() {
    let colluders = Colluders::of_new_network(&[]).await;
    let chain = colluders.chain.clone();
    let culprit = colluders.account(2);
    let before = chain.stake_of(culprit).await;
    let posted = colluders.lie(0).await;
    let hash = posted.hash;
    let withdrawn: AnswerWithdrawn =
        chain.event("the withdrawal", "disputes", |event: &AnswerWithdrawn| event.taskHash == hash).await;
    let id = withdrawn.faultId;
    let of = |event: &OperatorFrozen| (event.faultId == id).then_some(event.operator);
    chain.operators_of("who is frozen", 2, of).await;

    let manager = chain.address("serviceManager");
    let veto = Faults::vetoFaultCall { faultId: id };
    assert!(chain.send_as(culprit, manager, &veto, U256::ZERO).await.is_err(), "not by a culprit");
    chain.send_as(COMMITTEE, manager, &veto, U256::ZERO).await.unwrap();
    chain.event("the veto", "serviceManager", |event: &FaultVetoed| event.faultId == id).await;

    let fault: FaultRecorded =
        chain.event("the fault", "serviceManager", |event: &FaultRecorded| event.faultId == id).await;
    chain.mine_to(fault.vetoEnd.into()).await;
    let execute = Faults::executeSlashingCall { faultId: id, plan: fault.plan, operators: vec![culprit] };
    assert!(chain.send_as(culprit, manager, &execute, U256::ZERO).await.is_err(), "nothing can be executed");
    assert_eq!(chain.stake_of(culprit).await, before);
    // The answer is withdrawn all the same: a veto is about stake.
    assert_eq!(chain.round_status(posted.task.oracleIndex, withdrawn.roundId).await, WITHDRAWN);
}

#[tokio::test]
async fn right_answers_are_left_alone() {
    let colluders = Colluders::of_new_network(&[]).await;
    let posted = colluders.answer(1, |right| right).await;
    colluders.lie(0).await;
    let withdrawn: AnswerWithdrawn =
        colluders.chain.event("a withdrawal", "disputes", |_: &AnswerWithdrawn| true).await;
    assert_ne!(withdrawn.taskHash, posted.hash, "the first that is withdrawn is the one that is wrong");
}
