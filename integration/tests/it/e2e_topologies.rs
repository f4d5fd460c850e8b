//! Tasks are answered with the right values, however the aggregator is divided into processes.

use anzen_integration::e2e::chain::Chain;
use anzen_integration::e2e::network::LocalNetwork;

async fn answers_with_values_computed_by_hand(topology: &str) {
    let mut network = LocalNetwork::ready(&["--topology", topology, "--interval", "5"]).await;
    for _ in 0..4 {
        let line = network.answered().await;
        assert!(line.contains("signed by 1, 2, 3 (100.00 % of stake)"), "{line}");
    }
    let chain = Chain::new(network.json("addresses.json"));
    let answers = chain.answers().await;
    assert!(answers.len() >= 4);
    for answer in &answers {
        let (index, reference) = (answer.task.oracleIndex, answer.task.referenceBlock.into());
        assert_eq!(answer.value, chain.by_hand(index, reference).await, "task {}", answer.task.index);
        assert_eq!(chain.oracle(index, answer.block).await, answer.value, "task {}", answer.task.index);
    }
    assert!(network.interrupt().await.status.success());
}

#[tokio::test]
async fn compact_answers_tasks() {
    answers_with_values_computed_by_hand("compact").await;
}

#[tokio::test]
async fn spread_answers_tasks() {
    answers_with_values_computed_by_hand("spread").await;
}
