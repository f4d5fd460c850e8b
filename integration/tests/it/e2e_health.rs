//! The AVS node API tells how a process really is.

use std::process::Command;

use anzen_integration::e2e::door::Door;
use anzen_integration::e2e::network::LocalNetwork;
use anzen_integration::e2e::node::{Node, services, until_health};
use anzen_integration::e2e::process::anzen;

#[tokio::test]
async fn an_operator_is_unhealthy_while_its_endpoint_is_down_and_healthy_again_after_it() {
    let mut network = LocalNetwork::ready(&["--operators", "1", "--interval", "5", "--no-restart"]).await;
    network.answered().await;
    network.kill("operator-1");
    network.line("operator 1 is down").await;

    let chain = network.json("network.json")["rpcUrl"].as_str().unwrap().to_owned();
    let mut door = Door::to(chain.strip_prefix("http://").unwrap().parse().unwrap()).await;
    let data = tempfile::tempdir().unwrap();
    let variables = [
        ("ANZEN_CHAIN__RPC_URL", format!("http://{}", door.address())),
        ("ANZEN_CHAIN__WS_URL", format!("ws://{}", door.address())),
        ("ANZEN_API__GRACE_MS", "500".to_owned()),
        ("ANZEN_API__INTERVAL_MS", "100".to_owned()),
    ];
    let mut node = Node::start(network.folder(), "operator-1/node.toml", data.path(), &variables);
    let url = node.url().await;
    until_health(&url, 200).await;
    assert_eq!(anzen_health(&url), Some(0));

    door.shut().await;
    until_health(&url, 503).await;
    let down: Vec<_> = services(&url).await.into_iter().filter(|(_, status)| status == "Down").collect();
    assert!(down.iter().any(|(id, _)| id == "rpc-endpoint" || id == "chain-watcher"), "{down:?}");
    assert_eq!(anzen_health(&url), Some(3));

    door.open().await;
    until_health(&url, 200).await;
    network.answered().await;
}

/// What `anzen health` ends with.
fn anzen_health(url: &str) -> Option<i32> {
    Command::new(anzen()).args(["health", "--url", url]).output().unwrap().status.code()
}

#[test]
fn nobody_there_is_an_error() {
    assert_eq!(anzen_health("http://127.0.0.1:1"), Some(1));
}
