//! Operators that are down.

use anzen_integration::e2e::network::LocalNetwork;

#[tokio::test]
async fn one_down_is_tolerated_two_are_not_until_one_returns() {
    let mut network = LocalNetwork::ready(&["--interval", "5", "--no-restart"]).await;
    let line = network.answered().await;
    assert!(line.contains("signed by 1, 2, 3 (100.00 %"), "{line}");

    network.kill("operator-3");
    network.line("operator 3 is down (killed by signal 9)").await;
    let line = network.line("not by 3").await;
    assert!(line.contains("signed by 1, 2, not by 3 (66.66 %"), "{line}");

    network.kill("operator-2");
    network.line("operator 2 is down").await;
    let line = network.line("NOT ANSWERED").await;
    let metrics = network.metrics("aggregator").await;
    let missed = |line: &str| line.starts_with("anzen_collector_tasks_missed_total") && !line.ends_with(" 0");
    assert!(metrics.lines().any(missed), "{metrics}");
    assert!(line.contains("33 % of the stake signed, 66 % must; operators 2, 3 are down"), "{line}");

    let mut returned = network.spawn_operator(2);
    let line = network.answered().await;
    assert!(line.contains("signed by 1, 2, not by 3"), "{line}");

    // Whoever joined from another terminal goes with the network.
    assert!(network.interrupt().await.status.success());
    assert!(returned.wait().await.unwrap().success());
}

#[tokio::test]
async fn a_new_operator_joins_and_signs() {
    let mut network = LocalNetwork::ready(&["--interval", "5"]).await;
    network.answered().await;
    let mut fourth = network.spawn_operator(4);
    network.line("operator 4 has joined").await;
    let line = network.line("signed by 1, 2, 3, 4 ").await;
    assert!(line.contains("(100.00 % of stake)"), "{line}");

    fourth.kill().await.unwrap();
    network.line("operator 4 is down").await;
    let line = network.line("not by 4").await;
    assert!(line.contains("signed by 1, 2, 3, not by 4 (75.00 % of stake)"), "{line}");
}
