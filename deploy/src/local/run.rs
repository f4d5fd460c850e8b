//! The network from its start to its end.

use std::{future::Future, time::Duration};

use tokio::time::Instant;

use super::{
    AggregatorInfo, Bus, LocalError, Network, Options, ProcessInfo, Topology,
    anvil::{self, Chain, DevKey},
    endpoints::Endpoints,
    folder::{Claimed, Folder},
    follow::Follower,
    nats,
    node_file::{self, World},
    nodes::{self, Aggregator, Node},
    operators, say, setup, summary,
    supervise::{Process, Processes},
};
use crate::tasks::{Tasks, Watch};

/// How long a process may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
/// anvil answers whatever range.
const LOG_RANGE: u64 = 1_000;

/// How a network ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As many tasks were answered as were asked for.
    TasksAnswered,
    /// It was told to stop.
    Stopped,
}

/// Runs a local network until `shutdown`, or until as many tasks have been answered as `options` asks for. No process of
/// it is left when this returns; nor if this process is killed.
///
/// # Errors
/// Where it cannot start, or a process dies for good that it cannot do without; where `options` asks for tasks, also when one is
/// not answered.
pub async fn run(options: &Options, shutdown: impl Future<Output = ()>) -> Result<End, LocalError> {
    if options.bus == Bus::Nats && options.topology == Topology::Compact {
        return Err(LocalError::NothingToCarry);
    }
    let claimed = Claimed::take(&options.folder)?;
    let mut processes = Processes::new(options.restart);
    let outcome = tokio::select! {
        outcome = live(options, &claimed.folder, &mut processes) => outcome,
        () = shutdown => Ok(End::Stopped),
    };
    processes.stop().await;
    // They are large, and say nothing without the chain.
    let _ = std::fs::remove_dir_all(claimed.folder.join(anvil::STATES));
    outcome
}

async fn live(options: &Options, folder: &Folder, processes: &mut Processes) -> Result<End, LocalError> {
    let started = Instant::now();
    say(summary::heading(options));
    let chain = Chain::start(processes, folder.path(), &["--port", "0"]).await?;
    let ready = setup::prepare(options, folder, &chain).await?;
    chain.mine_every(options.block_time).await?;
    chain.log_less().await?;
    let nats_url = match options.bus {
        Bus::Links => None,
        Bus::Nats => Some(nats::start(processes, folder).await?),
    };

    let world = World {
        rpc_url: chain.rpc_url.clone(),
        ws_url: chain.ws_url.clone(),
        task_interval: options.interval,
        nats_url,
    };
    let tasks = Tasks::new(chain.provider, ready.addresses.clone(), LOG_RANGE);
    let watch = Watch::from_here(tasks).await?;
    let aggregators = nodes::aggregators(options.topology, options.aggregators);
    start_aggregators(&aggregators, folder, &world, processes).await?;
    let edges = edges(folder, &aggregators)?;
    let operators = start_operators(options, folder, &world, &edges, processes).await?;
    let challenger = start_challenger(folder, &world, processes).await?;

    let nodes = aggregators.iter().flat_map(|one| &one.nodes).chain(&operators).chain([&challenger]);
    let nodes: Vec<&Node> = nodes.collect();
    let network = describe(options, folder, &world, edges, &nodes, processes)?;
    network.save(folder)?;
    say(summary::of(options, &network, &ready));
    say(format!("Ready after {:.1} s.\n", started.elapsed().as_secs_f64()));
    Follower::new(options, folder, network, watch, ready.prices, &aggregators).follow(processes).await
}

async fn start_aggregators(
    all: &[Aggregator],
    folder: &Folder,
    world: &World,
    processes: &mut Processes,
) -> Result<(), LocalError> {
    for (aggregator, key) in std::iter::zip(all, DevKey::AGGREGATORS) {
        for node in &aggregator.nodes {
            node_file::write_aggregator(folder, node, aggregator, world, key.hex())?;
            processes.start(node.program(folder)?)?;
            // Each is there before those that talk to it. They would wait, but not without a word in their logs.
            wait_until_ready(folder, std::slice::from_ref(node), processes).await?;
        }
    }
    Ok(())
}

async fn start_operators(
    options: &Options,
    folder: &Folder,
    world: &World,
    aggregators: &[AggregatorInfo],
    processes: &mut Processes,
) -> Result<Vec<Node>, LocalError> {
    let all: Vec<Node> = (1..=options.operators).map(nodes::operator).collect();
    for (number, node) in (1..).zip(&all) {
        node_file::write_operator(folder, node, world, aggregators)?;
        let pid = processes.start(node.program(folder)?)?;
        operators::write_pid(folder, number, pid)?;
    }
    wait_until_ready(folder, &all, processes).await?;
    Ok(all)
}

async fn start_challenger(
    folder: &Folder,
    world: &World,
    processes: &mut Processes,
) -> Result<Node, LocalError> {
    let node = nodes::challenger();
    node_file::write_challenger(folder, &node, world, DevKey::Challenger.hex())?;
    processes.start(node.program(folder)?)?;
    wait_until_ready(folder, std::slice::from_ref(&node), processes).await?;
    Ok(node)
}

/// Waits until they are ready, and has them keep the ports that they have.
async fn wait_until_ready(
    folder: &Folder,
    nodes: &[Node],
    processes: &mut Processes,
) -> Result<(), LocalError> {
    let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    processes.ready(&names, PATIENCE).await?;
    for node in nodes {
        Endpoints::load(folder, node).unwrap_or_default().pin(folder, node)?;
    }
    Ok(())
}

/// Where operators connect to each.
fn edges(folder: &Folder, aggregators: &[Aggregator]) -> Result<Vec<AggregatorInfo>, LocalError> {
    let edge = |aggregator: &Aggregator| {
        let edge = aggregator.nodes.iter().find_map(|node| Endpoints::load(folder, node)?.edge);
        let edge = edge.ok_or_else(|| {
            LocalError::malformed(
                folder.join(&aggregator.name),
                &"no process of it says where operators connect",
            )
        })?;
        Ok(AggregatorInfo { name: aggregator.server_name(), url: format!("ws://{edge}") })
    };
    aggregators.iter().map(edge).collect()
}

fn describe(
    options: &Options,
    folder: &Folder,
    world: &World,
    aggregators: Vec<AggregatorInfo>,
    nodes: &[&Node],
    processes: &Processes,
) -> Result<Network, LocalError> {
    let info = |process: &Process| {
        let node = nodes.iter().find(|node| node.name == process.name);
        let endpoints = node.and_then(|node| Endpoints::load(folder, node)).unwrap_or_default();
        ProcessInfo {
            name: process.name.clone(),
            pid: process.pid,
            metrics_url: endpoints.metrics_url(),
            api_url: endpoints.api_url(),
        }
    };
    let first = aggregators.first().ok_or_else(|| LocalError::malformed(folder.path(), &"no aggregator"))?;
    Ok(Network {
        pid: std::process::id(),
        topology: options.topology,
        bus: options.bus,
        rpc_url: world.rpc_url.clone(),
        ws_url: world.ws_url.clone(),
        aggregator_url: first.url.clone(),
        aggregator_name: first.name.clone(),
        aggregators,
        nats_url: world.nats_url.clone(),
        task_interval: options.interval,
        processes: processes.all().iter().map(info).collect(),
    })
}

/// True for a process that the network tolerates to lose.
pub(super) fn is_operator(name: &str) -> Option<u32> {
    name.strip_prefix("operator-")?.parse().ok()
}

/// True for the chain.
pub(super) fn is_chain(name: &str) -> bool {
    name == anvil::NAME
}
