//! An operator that keeps away from tasks is ejected by whoever counts, and loses stake if the committee says so.

use alloy::primitives::{Address, B256, U256, address};
use anzen_integration::e2e::abi::{
    AbsenteeEjected, Disputes, FaultRecorded, Faults, Member, OperatorFrozen, OperatorSlashed,
};
use anzen_integration::e2e::chain::Chain;
use anzen_integration::e2e::colluders::{COMMITTEE, account};
use anzen_integration::e2e::disputes::Posted;
use anzen_integration::e2e::network::LocalNetwork;
use anzen_integration::e2e::wire::Keys;

/// anvil's seventh account: anybody.
const ANYBODY: Address = address!("0x976EA74026E726554dB657fA54763abd0C3a0aa9");
/// `absences_allowed` of the local network.
const ALLOWED: usize = 5;
/// `challenge` of its windows, in blocks.
const CHALLENGE: u64 = 120;
/// What is left when `absence_bps` of it, a hundredth, is taken.
const REST: u64 = 990_000_000_000_000_000;

fn absence(posted: &Posted, operator: B256) -> Disputes::recordAbsenceCall {
    Disputes::recordAbsenceCall {
        task: posted.task.clone(),
        response: posted.response.clone(),
        metadata: posted.metadata.clone(),
        roundId: posted.round,
        nonSignerIds: posted.non_signers.clone(),
        member: Member { operatorId: operator, bitmapIndex: 0 },
    }
}

#[tokio::test]
async fn who_keeps_away_too_often_is_ejected_and_slashed_by_the_committee_only() {
    let mut network = LocalNetwork::ready(&["--interval", "5", "--no-restart"]).await;
    network.kill("operator-3");
    network.line("operator 3 is down").await;
    let chain = Chain::new(network.json("addresses.json"));
    let id: B256 = Keys::of_operator(network.folder(), 3).operator_id.parse().unwrap();
    let absentee = account(&network, 3);
    let missed = missed(&chain, id, ALLOWED + 1).await;
    let disputes = chain.address("disputes");

    let early = chain.send_as(ANYBODY, disputes, &absence(&missed[0], id), U256::ZERO).await;
    assert!(early.is_err(), "the answer is not final yet");
    let last = u64::from(missed[ALLOWED].metadata.respondedBlock);
    chain.mine_to(last + CHALLENGE + 1).await;
    for posted in &missed {
        assert!(chain.is_registered(absentee).await, "so many are allowed");
        chain.send_as(ANYBODY, disputes, &absence(posted, id), U256::ZERO).await.unwrap();
    }
    assert!(!chain.is_registered(absentee).await);
    let of = |event: &AbsenteeEjected| event.operatorId == id;
    chain.event("the ejection", "disputes", of).await;
    assert_eq!(chain.stake_of(absentee).await.0, 1_000_000_000_000_000_000, "counting takes no stake");

    let ruling = Disputes::ruleAbsenceCall { operatorId: id };
    assert!(chain.send_as(ANYBODY, disputes, &ruling, U256::ZERO).await.is_err(), "by the committee only");
    chain.send_as(COMMITTEE, disputes, &ruling, U256::ZERO).await.unwrap();
    let fault: FaultRecorded =
        chain.event("the fault", "serviceManager", |event: &FaultRecorded| event.kind == 2).await;
    let id = fault.faultId;
    let of = |event: &OperatorFrozen| event.faultId == id;
    assert_eq!(chain.event("who is frozen", "serviceManager", of).await.operator, absentee);
    // The committee has ruled, so there is nothing to veto and nothing to wait for.
    let execute = Faults::executeSlashingCall { faultId: id, plan: fault.plan, operators: vec![absentee] };
    chain.send_as(ANYBODY, chain.address("serviceManager"), &execute, U256::ZERO).await.unwrap();
    let of = |event: &OperatorSlashed| event.faultId == id;
    assert_eq!(chain.event("who is slashed", "serviceManager", of).await.operator, absentee);
    assert_eq!(chain.stake_of(absentee).await.0, REST);
}

/// The first answers that an operator is missing from.
async fn missed(chain: &Chain, id: B256, count: usize) -> Vec<Posted> {
    let (mut missed, mut known) = (Vec::new(), chain.tasks().await.len());
    while missed.len() < count {
        let (hash, task) = chain.next_task(known).await;
        known += 1;
        let posted = chain.posted(hash, task).await;
        if posted.non_signers.contains(&id) {
            missed.push(posted);
        }
    }
    missed
}
