//! Processes end when they should, and never stay behind.

use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use anzen_integration::e2e::network::LocalNetwork;
use anzen_integration::e2e::process::{anzen, gone};

#[tokio::test]
async fn ends_after_as_many_tasks_as_asked_for() {
    let network = LocalNetwork::ready(&["--tasks", "2", "--topology", "spread"]).await;
    let pids = network.pids();
    assert_eq!(
        pids.len(),
        1 + 7 + 3 + 1,
        "the chain, the aggregator's actors, the operators, the challenger"
    );
    let ended = network.ended().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.errors);
    gone(&pids).await;
}

#[tokio::test]
async fn a_missed_task_fails_a_run_of_so_many_tasks() {
    let network = LocalNetwork::ready(&["--tasks", "1000", "--operators", "2", "--no-restart"]).await;
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
async fn the_death_of_the_chain_ends_everything_and_that_of_the_aggregator_where_nothing_is_started_again() {
    for (vital, flags) in
        [("chain", &["--operators", "1"][..]), ("aggregator", &["--operators", "1", "--no-restart"])]
    {
        let network = LocalNetwork::ready(flags).await;
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

#[tokio::test]
async fn who_is_killed_is_started_again_where_it_was() {
    let mut network = LocalNetwork::ready(&["--interval", "5", "--topology", "spread"]).await;
    network.answered().await;
    let before = network.json("network.json");
    let victims = [
        ("signature-collector", "signature-collector"),
        ("rpc-gateway", "rpc-gateway"),
        ("operator-1", "operator 1"),
    ];
    for (name, printed) in victims {
        network.kill(name);
        network.line(&format!("{printed} has ended (killed by signal 9) and is started again")).await;
        network.line(&format!("{printed} is back")).await;
        network.answered().await;
    }
    let after = network.json("network.json");
    let (old, new) = (before["processes"].as_array().unwrap(), after["processes"].as_array().unwrap());
    let killed: Vec<&str> = std::iter::zip(old, new)
        .filter(|(old, new)| old["pid"] != new["pid"])
        .map(|(_, new)| new["name"].as_str().unwrap())
        .collect();
    assert_eq!(killed, victims.map(|(name, _)| name));
    for (old, new) in std::iter::zip(old, new) {
        assert_eq!((&old["metricsUrl"], &old["apiUrl"]), (&new["metricsUrl"], &new["apiUrl"]));
    }
    let log = std::fs::read_to_string(network.folder().join("operator-1.log")).unwrap();
    assert_eq!(log.matches(r#""message":"running""#).count(), 2, "both lives are in the log: {log}");
    let pids = network.pids();
    assert!(network.interrupt().await.status.success());
    gone(&pids).await;
}

#[tokio::test]
async fn who_fails_at_every_start_is_given_up() {
    let mut network = LocalNetwork::ready(&["--operators", "1"]).await;
    let pids = network.pids();
    let config = network.folder().join("aggregator/node.toml");
    std::fs::write(config, "roles = [\"no such thing\"]\n").unwrap();
    network.kill("aggregator");
    network.line("aggregator has ended (killed by signal 9) and is started again").await;
    let ended = network.ended().await;
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        ended.errors.contains("aggregator has failed 5 times in a row")
            && ended.errors.contains("no such thing"),
        "{}",
        ended.errors
    );
    gone(&pids).await;
}

/// The first start is a good one.
#[tokio::test]
async fn a_bus_that_fails_at_every_start_is_given_up_with_the_end_of_its_log() {
    let mut network = LocalNetwork::ready(&["--operators", "1", "--bus", "nats"]).await;
    let pids = network.pids();
    let config = network.folder().join("nats/server.conf");
    std::fs::write(config, "include \"./no-such-thing.conf\"\n").unwrap();
    network.kill("nats-server");
    network.line("nats-server has ended (killed by signal 9) and is started again").await;
    let ended = network.ended().await;
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        ended.errors.contains("nats-server has failed 5 times in a row")
            && ended.errors.contains("no-such-thing.conf"),
        "{}",
        ended.errors
    );
    gone(&pids).await;
}

/// A shell behind the tether, which leads a group of its own.
fn tethered(script: &str) -> Child {
    Command::new(anzen())
        .args(["local", "tether", "--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap()
}

#[test]
fn the_tether_ends_as_its_program_does() {
    for (script, code) in [("exit 0", 0), ("exit 3", 3), ("kill -KILL $$", 137)] {
        let mut tether = tethered(script);
        // Waiting would close it, and that is the parent's end.
        let input = tether.stdin.take();
        let status = tether.wait().unwrap();
        drop(input);
        assert_eq!(status.code(), Some(code), "{script}: {status}");
    }
}

#[tokio::test]
async fn what_a_tethered_program_started_ends_with_the_parent() {
    let mut tether = tethered("sleep 600 & echo $!; wait");
    let mut line = String::new();
    BufReader::new(tether.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let sleeping: i32 = line.trim().parse().unwrap();
    drop(tether.stdin.take());
    let status = tether.wait().unwrap();
    assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "{status}");
    gone(&[sleeping]).await;
}
