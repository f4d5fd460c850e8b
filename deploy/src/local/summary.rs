//! What a person is told when the network is ready.

use std::fmt::Write;

use super::{Bus, Network, Options, ProcessInfo, Topology, nats, run, setup::Ready};

/// The first line.
pub(super) fn heading(options: &Options) -> String {
    let aggregators = match options.aggregators {
        1 => "the aggregator".to_owned(),
        several => format!("{several} aggregators"),
    };
    let processes = match (options.topology, options.aggregators) {
        (Topology::Compact, 1) => "in one process",
        (Topology::Compact, _) => "in one process each",
        (Topology::Spread, _) => "in a process for each actor",
    };
    let bus = match options.bus {
        Bus::Links => "",
        Bus::Nats => " over NATS",
    };
    format!(
        "Anzen, local network: {} operators, {aggregators} {processes}{bus}, a block every {} s. Ctrl-C stops it.\n",
        options.operators, options.block_time
    )
}

/// Addresses, URLs, logs.
pub(super) fn of(options: &Options, network: &Network, ready: &Ready) -> String {
    let rows = rows(options, network, ready);
    let width = rows.iter().map(|(what, _)| what.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (what, value) in rows {
        // A String takes everything.
        let _ = writeln!(text, "  {what:<width$}  {value}");
    }
    text
}

fn rows(options: &Options, network: &Network, ready: &Ready) -> Vec<(String, String)> {
    let addresses = &ready.addresses;
    let shown = options.folder.display();
    let urls: Vec<&str> = network.aggregators.iter().map(|one| one.url.as_str()).collect();
    let mut rows = vec![
        ("chain".into(), format!("{}   {}", network.rpc_url, network.ws_url)),
        ("operators connect to".into(), urls.join("   ")),
        ("task manager".into(), addresses.task_manager.to_string()),
        ("safety factor oracle".into(), addresses.safety_factor_oracle.to_string()),
        ("service manager (AVS)".into(), addresses.service_manager.to_string()),
    ];
    if let Some(url) = &network.nats_url {
        let password = format!("user and password in {shown}/{}", nats::PASSWORD_FILE);
        rows.push((nats::NAME.into(), format!("{url}   {password}")));
    }
    let nodes = network.processes.iter().filter(|process| process.metrics_url.is_some());
    rows.extend(nodes.map(|process| (process.name.clone(), about(process, ready))));
    let api = "/eigen/node beside each /metrics; anzen health --url URL tells how a process is";
    let read = format!(
        "contracts/node_modules/.bin/cast call {} 'getSafetyFactor(uint32)(int256,uint32,uint64)' 0 --rpc-url {}",
        addresses.safety_factor_oracle, network.rpc_url
    );
    rows.extend([
        ("AVS node API".into(), api.into()),
        ("process ids".into(), format!("{shown}/network.json")),
        ("all addresses".into(), format!("{shown}/addresses.json")),
        ("logs".into(), format!("{shown}/*.log")),
        ("read a value".into(), read),
    ]);
    rows
}

fn about(process: &ProcessInfo, ready: &Ready) -> String {
    let operator = run::is_operator(&process.name);
    let operator = operator.and_then(|number| ready.operators.iter().find(|one| one.number() == number));
    let metrics = process.metrics_url.clone().unwrap_or_default();
    match operator {
        Some(operator) => format!("{metrics}   account {}", operator.address()),
        None => metrics,
    }
}
