//! Processes end when they should, and never stay behind.

use rustix::process::Signal;

use anzen_integration::e2e::network::LocalNetwork;
use anzen_integration::e2e::process::gone;

#[tokio::test]
async fn ends_after_as_many_tasks_as_asked_for() {
    let network = LocalNetwork::ready(&["--tasks", "2", "--topology", "spread"]).await;
    let pids = network.pids();
    assert_eq!(pids.len(), 1 + 7 + 3, "the chain, the aggregator's actors, the operators");
    let ended = network.ended().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.errors);
    gone(&pids).await;
}

#[tokio::test]
async fn a_missed_task_fails_a_run_of_so_many_tasks() {
    let network = LocalNetwork::ready(&["--tasks", "1000", "--operators", "2"]).await;
    let pids = network.pids();
    network.kill("operator-2");
    let ended = network.ended().await;
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        ended.errors.contains("NOT ANSWERED") && ended.errors.contains("operator 2 is down"),
        "{}",
        ended.errors
    );
    gone(&pids).await;
}

#[tokio::test]
async fn two_networks_run_side_by_side_and_a_third_is_refused_their_folder() {
    let mut one = LocalNetwork::ready(&["--operators", "1"]).await;
    let mut other = LocalNetwork::ready(&["--operators", "1"]).await;
    one.answered().await;
    other.answered().await;

    let refused = LocalNetwork::start(one.folder(), &[]).ended().await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.errors.contains("a local network is running in"), "{}", refused.errors);
    one.answered().await;

    let (pids, others) = (one.pids(), other.pids());
    assert_eq!(one.interrupt().await.status.code(), Some(0));
    gone(&pids).await;
    other.signal(Signal::KILL);
    gone(&others).await;
}

#[tokio::test]
async fn the_death_of_the_aggregator_or_the_chain_ends_everything() {
    for vital in ["aggregator", "chain"] {
        let network = LocalNetwork::ready(&["--operators", "1"]).await;
        let pids = network.pids();
        network.kill(vital);
        let ended = network.ended().await;
        assert_eq!(ended.status.code(), Some(1));
        assert!(
            ended.errors.contains(&format!("{vital} has ended (killed by signal 9)")),
            "{}",
            ended.errors
        );
        gone(&pids).await;
    }
}
