//! What a person is told when the network is ready.

use std::fmt::Write;

use super::{Network, Options, ProcessInfo, Topology, folder::Folder, run, setup::Ready};

/// The first line.
pub(super) fn heading(options: &Options) -> String {
    let topology = match options.topology {
        Topology::Compact => "the aggregator in one process",
        Topology::Spread => "each of the aggregator's actors in a process of its own",
    };
    format!(
        "Anzen, local network: {} operators, {topology}, a block every {} s. Ctrl-C stops it.\n",
        options.operators, options.block_time
    )
}

/// Addresses, URLs, logs.
pub(super) fn of(options: &Options, folder: &Folder, network: &Network, ready: &Ready) -> String {
    let addresses = &ready.addresses;
    let mut text = String::new();
    let mut row = |what: &str, value: &str| {
        // A String takes everything.
        let _ = writeln!(text, "  {what:<22} {value}");
    };
    row("chain", &format!("{}   {}", network.rpc_url, network.ws_url));
    row("operators connect to", &network.aggregator_url);
    row("task manager", &addresses.task_manager.to_string());
    row("safety factor oracle", &addresses.safety_factor_oracle.to_string());
    row("service manager (AVS)", &addresses.service_manager.to_string());
    for process in network.processes.iter().filter(|process| !run::is_chain(&process.name)) {
        row(&process.name, &about(process, ready));
    }
    row("AVS node API", "/eigen/node beside each /metrics; anzen health --url URL tells how a process is");
    let shown = options.folder.display();
    row("all addresses", &format!("{shown}/addresses.json"));
    row("logs", &format!("{shown}/*.log"));
    row(
        "read a value",
        &format!(
            "contracts/node_modules/.bin/cast call {} 'getSafetyFactor(uint32)(int256,uint32,uint64)' 0 --rpc-url {}",
            addresses.safety_factor_oracle, network.rpc_url
        ),
    );
    debug_assert!(folder.path().is_absolute());
    text
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
