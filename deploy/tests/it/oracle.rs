//! What the oracle's rounds are worth, as it is told to people.

use alloy::{
    primitives::{Address, B256, Bytes, I256, address},
    providers::Provider,
};
use anzen_contracts::{SafetyFactorOracle, safety_factor_oracle::ISafetyFactorOracle::Answer};
use anzen_deploy::{
    Addresses,
    oracle::{Oracle, Round, RoundStatus},
};

use crate::chain::Chain;

/// anvil's account 2, which posts fallbacks on the local network.
const POSTER: Address = address!("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
/// Returns 1 whatever it is asked: a dispute is pending, about any round.
const PENDING: Bytes = Bytes::from_static(&[0x60, 0x01, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]);

/// The answer to a task that was created in this block, which can be challenged for 20 blocks.
async fn answer(chain: &Chain, at: &Addresses, task_index: u32) {
    let answer = Answer {
        oracleIndex: 0,
        safetyFactor: I256::unchecked_from(500_000_000 + task_index),
        referenceBlock: chain.height().await.try_into().unwrap(),
        taskIndex: task_index,
        modelHash: B256::repeat_byte(1),
        challengeBlocks: 20,
    };
    let call = SafetyFactorOracle::updateCall { answer };
    chain.call_as(at.task_manager, at.safety_factor_oracle, call).await;
}

async fn withdraw(chain: &Chain, at: &Addresses, round: u64, task_index: u32) {
    let round_id = round.try_into().unwrap();
    let call = SafetyFactorOracle::withdrawCall { oracleIndex: 0, roundId: round_id, taskIndex: task_index };
    chain.call_as(at.disputes, at.safety_factor_oracle, call).await;
}

async fn statuses(oracle: &Oracle<'_>) -> Vec<RoundStatus> {
    oracle.history(0, 10).await.unwrap().iter().map(|round| round.status).collect()
}

/// The task that a round answers.
fn task(round: Option<Round>) -> Option<u32> {
    round?.written?.task_index
}

#[tokio::test]
async fn a_history_does_not_end_where_a_round_was_withdrawn() {
    let chain = Chain::start();
    let at = chain.deploy().await.unwrap();
    let oracle = Oracle::new(&chain.provider, &at);
    let protocol = oracle.protocol(0).await.unwrap();
    assert_eq!((protocol.latest, protocol.latest_final), (None, None));
    assert_eq!((protocol.feed, protocol.final_feed), (at.protocols[0].feed, at.protocols[0].final_feed));

    for task_index in [4, 5, 6] {
        answer(&chain, &at, task_index).await;
    }
    let protocol = oracle.protocol(0).await.unwrap();
    assert_eq!((task(protocol.latest), protocol.latest_final), (Some(6), None));
    chain.mine(30).await;
    answer(&chain, &at, 7).await;
    withdraw(&chain, &at, 2, 5).await;
    use RoundStatus::{Final, Provisional, Withdrawn};
    assert_eq!(statuses(&oracle).await, [Final, Withdrawn, Final, Provisional]);
    let protocol = oracle.protocol(0).await.unwrap();
    assert_eq!((task(protocol.latest), task(protocol.latest_final)), (Some(7), Some(6)));

    withdraw(&chain, &at, 4, 7).await;
    let protocol = oracle.protocol(0).await.unwrap();
    assert_eq!(protocol.latest, Some(Round { round: 4, status: Withdrawn, written: None }));
    assert_eq!(task(protocol.latest_final), Some(6));
}

#[tokio::test]
async fn what_the_fallback_poster_says_is_no_answer_to_a_task() {
    let chain = Chain::start();
    let at = chain.deploy().await.unwrap();
    answer(&chain, &at, 4).await;
    let disputes = Address::repeat_byte(0x66);
    let () = chain.provider.raw_request("anvil_setCode".into(), (disputes, PENDING)).await.unwrap();
    let call = SafetyFactorOracle::setDisputesCall { newDisputes: disputes };
    chain.call_as(at.timelock, at.safety_factor_oracle, call).await;
    let call = SafetyFactorOracle::postFallbackCall { oracleIndex: 0, safetyFactor: I256::ONE };
    chain.call_as(POSTER, at.safety_factor_oracle, call).await;

    let oracle = Oracle::new(&chain.provider, &at);
    assert_eq!(statuses(&oracle).await, [RoundStatus::Disputed, RoundStatus::Fallback]);
    let written = oracle.protocol(0).await.unwrap().latest.unwrap().written.unwrap();
    assert_eq!((written.value.0, written.task_index), (I256::ONE, None));
}
