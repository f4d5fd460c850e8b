//! Several aggregators, in several processes each, on a bus: whoever is killed, tasks are answered.

use std::collections::BTreeMap;

use anzen_integration::e2e::chain::Chain;
use anzen_integration::e2e::network::LocalNetwork;
use anzen_integration::e2e::process::{gone, signal};
use rustix::process::Signal;

/// Longer than any task is open, in blocks.
const WINDOW: u32 = 40;
/// Each kind of process, of one aggregator or the other.
const VICTIMS: [&str; 9] = [
    "aggregator-1/tx-sender",
    "nats-server",
    "aggregator-1/signature-collector",
    "aggregator-2/chain-watcher",
    "operator-1",
    "aggregator-1/rpc-gateway",
    "aggregator-1/task-generator",
    "aggregator-2/stake-updater",
    "aggregator-1/aggregator",
];

#[tokio::test]
async fn killing_any_one_process_leaves_every_task_answered() {
    let mut network = LocalNetwork::ready(&["--bus", "nats", "--aggregators", "2", "--interval", "5"]).await;
    let first = network.pids();
    assert_eq!(
        first.len(),
        1 + 1 + 2 * 7 + 3 + 1,
        "the chain, the bus, the aggregators' actors, the operators, the challenger"
    );
    network.answered().await;
    for victim in VICTIMS {
        network.kill(victim);
        let printed = victim.replace("operator-", "operator ");
        network.line(&format!("{printed} has ended (killed by signal 9) and is started again")).await;
        network.line(&format!("{printed} is back")).await;
        network.answered().await;
    }
    let chain = Chain::new(network.json("addresses.json"));
    every_task_so_far_has_one_right_answer(&mut network, &chain).await;

    let last = network.pids();
    let same = std::iter::zip(&first, &last).filter(|(first, last)| first == last).count();
    assert_eq!(same, first.len() - VICTIMS.len(), "nobody else was started again");
    assert!(network.interrupt().await.status.success());
    gone(&last).await;
}

#[tokio::test]
async fn one_aggregator_stands_in_for_another() {
    let mut network = LocalNetwork::ready(&["--aggregators", "2", "--interval", "5"]).await;
    let chain = Chain::new(network.json("addresses.json"));
    for _ in 0..4 {
        network.answered().await;
    }
    two_generators_created_one_task_at_a_time(&chain).await;

    // The chain is the first process, the first aggregator the second.
    let stopped = network.pids()[1];
    signal(stopped, Signal::STOP);
    let known = chain.tasks().await.len();
    let (_, created_by_the_other) = chain.next_task(known + 2).await;
    network.line(&format!("task {:<3}", created_by_the_other.index)).await;
    signal(stopped, Signal::CONT);
    every_task_so_far_has_one_right_answer(&mut network, &chain).await;
    assert!(network.interrupt().await.status.success());
}

#[tokio::test]
async fn a_bus_that_has_nothing_to_carry_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--bus", "nats", "--topology", "compact"];
    let refused = LocalNetwork::start(&folder.path().join("network"), &flags).ended().await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.errors.contains("leave out --topology compact"), "{}", refused.errors);
}

/// Waits for the answers of all tasks that there are now.
async fn every_task_so_far_has_one_right_answer(network: &mut LocalNetwork, chain: &Chain) {
    let tasks = chain.tasks().await;
    loop {
        let answers = chain.answers().await;
        let mut of: BTreeMap<u32, Vec<_>> = BTreeMap::new();
        for answer in &answers {
            of.entry(answer.task.index).or_default().push(answer);
        }
        assert!(of.values().all(|answers| answers.len() == 1), "a task has two answers");
        if let Some((_, task)) = tasks.iter().find(|(_, task)| !of.contains_key(&task.index)) {
            let newest = chain.tasks().await.last().map_or(0, |(_, task)| task.createdBlock);
            assert!(newest < task.createdBlock + WINDOW, "task {} was not answered", task.index);
            network.answered().await;
            continue;
        }
        for answer in answers {
            let (index, reference) = (answer.task.oracleIndex, answer.task.referenceBlock.into());
            assert_eq!(answer.value, chain.by_hand(index, reference).await, "task {}", answer.task.index);
        }
        return;
    }
}

/// A task of a protocol is no sooner than its interval after the one before.
async fn two_generators_created_one_task_at_a_time(chain: &Chain) {
    let mut last = BTreeMap::new();
    for (_, task) in chain.tasks().await {
        if let Some(before) = last.insert(task.oracleIndex, task.createdBlock) {
            assert!(task.createdBlock >= before + 5, "protocol {}: {before}, {task:?}", task.oracleIndex);
        }
    }
    assert_eq!(last.len(), 2, "of each protocol");
}
