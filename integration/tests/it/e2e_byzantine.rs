//! Operators that sign what they should not. The tests are two of the three operators: the third is honest, and needs one
//! of them. They speak the wire protocol as its documentation has it.

use alloy::primitives::I256;

use anzen_integration::e2e::chain::Chain;
use anzen_integration::e2e::network::LocalNetwork;
use anzen_integration::e2e::wire::{Client, Keys};

#[tokio::test]
async fn culprits_are_named_and_tasks_answered() {
    let mut network = LocalNetwork::ready(&["--interval", "5", "--no-restart"]).await;
    network.answered().await;
    for operator in [2, 3] {
        network.kill(&format!("operator-{operator}"));
        network.line(&format!("operator {operator} is down")).await;
    }
    let chain = Chain::new(network.json("addresses.json"));
    let info = network.json("network.json");
    let (second, third) = (Keys::of_operator(network.folder(), 2), Keys::of_operator(network.folder(), 3));
    let culprit = third.operator_id.clone();
    let mut second = Client::connect(&info, &chain, second).await;
    let mut third = Client::connect(&info, &chain, third).await;
    let known = chain.tasks().await.len();

    // A signature of something else: the sum fails, the culprit is found, the others' answer stands.
    let (hash, task) = chain.next_task(known).await;
    let value = chain.by_hand(task.oracleIndex, task.referenceBlock.into()).await;
    third.answer_with_garbage(hash, value).await;
    second.answer(hash, value).await;
    let line = network.line(&format!("task {} ", task.index)).await;
    assert!(line.contains("signed by 1, 2, not by 3 (66.66 %"), "{line}");
    named(&network, &culprit, "bad_signature").await;

    // Another value: its signature is valid, and counts for nobody.
    let (hash, task) = chain.next_task(known + 1).await;
    let value = chain.by_hand(task.oracleIndex, task.referenceBlock.into()).await;
    third.answer(hash, value - I256::ONE).await;
    second.answer(hash, value).await;
    let line = network.line(&format!("task {} ", task.index)).await;
    assert!(line.contains("signed by 1, 2, not by 3 (66.66 %"), "{line}");
    named(&network, &culprit, "other_answer").await;

    // Both honest.
    let (hash, task) = chain.next_task(known + 2).await;
    let value = chain.by_hand(task.oracleIndex, task.referenceBlock.into()).await;
    third.answer(hash, value).await;
    second.answer(hash, value).await;
    let line = network.line(&format!("task {} ", task.index)).await;
    assert!(line.contains("signed by 1, 2, 3 (100.00 %"), "{line}");
}

/// The collector's metrics and its log say who did what.
async fn named(network: &LocalNetwork, culprit: &str, fault: &str) {
    let metrics = network.metrics("aggregator").await;
    let counted = metrics.lines().any(|line| {
        line.starts_with("anzen_collector_faults") && line.contains(culprit) && line.contains(fault)
    });
    assert!(counted, "no {fault} of {culprit} in\n{metrics}");
    let log = std::fs::read_to_string(network.folder().join("aggregator.log")).unwrap();
    assert!(
        log.lines().any(|line| line.contains(culprit) && line.contains("WARN")),
        "{culprit} is not in the log"
    );
}
