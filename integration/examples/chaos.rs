//! Real processes, killed, forked and flooded: `just chaos kill --kills 20 --tasks 200`.

use std::process::ExitCode;

use anzen_integration::chaos::{self, Failure, Options, Report};
use clap::{Parser, ValueEnum};

/// Runs local networks, does them harm, and checks that what must hold does.
#[derive(Debug, Clone, Parser)]
#[command(name = "just chaos")]
struct Arguments {
    /// What is done.
    #[arg(value_enum, default_value = "all")]
    what: What,
    /// How many tasks there are at least while processes are killed.
    #[arg(long, default_value_t = 200)]
    tasks: usize,
    /// How often each kind of process is killed.
    #[arg(long, default_value_t = 20)]
    kills: usize,
    /// How many times the chain forks.
    #[arg(long, default_value_t = 40)]
    reorgs: usize,
    /// How many tasks are measured without a flood, and with each.
    #[arg(long, default_value_t = 20)]
    flood_tasks: usize,
    /// Who is killed when, and how deep the chain forks.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// More arguments for `anzen local run` where processes are killed, after `--`; each actor has a process of its own if
    /// nothing is said.
    #[arg(last = true)]
    network: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Each kind of process is killed.
    Kill,
    /// The chain forks.
    Reorg,
    /// The aggregator is flooded, by an operator and by strangers.
    Flood,
    /// One after the other.
    All,
}

/// The networks: a block a second, and as many tasks as there can be.
const FAST: [&str; 2] = ["--interval", "5"];
/// Each actor has a process of its own.
const SPREAD: [&str; 2] = ["--topology", "spread"];
/// Blocks of two seconds: what a block is late by is then no matter of how busy this machine is.
const SLOW: [&str; 4] = ["--interval", "5", "--block-time", "2"];

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}\nto try again: {}", again(&arguments));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let options = Options {
        seed: arguments.seed,
        tasks: arguments.tasks,
        kills: arguments.kills,
        reorgs: arguments.reorgs,
        cut_off: &[],
        flood_tasks: arguments.flood_tasks,
    };
    let wanted = |what| [what, What::All].contains(&arguments.what);
    if wanted(What::Kill) {
        let network: Vec<&str> = arguments.network.iter().map(String::as_str).collect();
        let network = if network.is_empty() { SPREAD.to_vec() } else { network };
        tell(&chaos::kill(&options, &[&FAST, network.as_slice()].concat()).await?);
    }
    if wanted(What::Reorg) {
        tell(&chaos::reorg(&options, &[FAST, SPREAD].concat()).await?);
    }
    if wanted(What::Flood) {
        tell(&chaos::flood(&options, &SLOW).await?);
    }
    Ok(())
}

fn tell(report: &Report) {
    println!("{report}");
}

/// The command that does the same things.
fn again(arguments: &Arguments) -> String {
    let Arguments { what, tasks, kills, reorgs, flood_tasks, seed, network } = arguments;
    let what = what.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let network = if network.is_empty() { String::new() } else { format!(" -- {}", network.join(" ")) };
    format!(
        "just chaos {what} --seed {seed} --tasks {tasks} --kills {kills} --reorgs {reorgs} --flood-tasks {flood_tasks}{network}"
    )
}
