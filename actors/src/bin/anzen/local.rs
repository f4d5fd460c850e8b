//! `anzen local`: a network on this machine.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use anzen_actors::node::config::Sources;
use anzen_deploy::local::{self, DEFAULT_FOLDER, End, Options, StandIn, StandInOptions, Topology};
use clap::ValueEnum;
use tokio::runtime::Builder;

use crate::{
    logging, node,
    outcome::{INTERRUPTED, Outcome},
    output::{Output, Report},
    shutdown,
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Start a chain with EigenLayer and Anzen on it, operators and an aggregator, and tell of each task.
    ///
    /// Everything stops with this command, however it ends. Exits with 0 after --tasks answered tasks, and with 1 as soon
    /// as one is missed.
    Run(RunArguments),
    /// Set up operator NUMBER of the running local network and run it here; or bring it back.
    SpawnOperator(SpawnArguments),
    /// Run a chain that stands in for a public network: its id, and what is there at the same addresses. For tests.
    StandIn(StandInArguments),
    /// Run a program that ends with the process that started this one.
    #[command(hide = true)]
    Tether {
        /// The program and its arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        program: Vec<OsString>,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArguments {
    /// How many operators, each with the same stake.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    operators: u32,
    /// Stop after K answered tasks; fail at the first that is not answered [default: run until Ctrl-C].
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..))]
    tasks: Option<u64>,
    /// Seconds between two blocks.
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=60))]
    block_time: u64,
    /// Blocks between two tasks of a protocol; at least 5.
    #[arg(long, value_name = "BLOCKS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(5..))]
    interval: u64,
    /// How the aggregator is divided into processes.
    #[arg(long, default_value = "compact")]
    topology: TopologyArgument,
    /// Where keys, configuration, addresses and logs go; what an earlier network left there is removed.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_FOLDER)]
    dir: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TopologyArgument {
    /// One process.
    Compact,
    /// Each actor in a process of its own.
    Spread,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SpawnArguments {
    /// The operator's number, from 1; it gets new keys if it is new.
    #[arg(value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100))]
    number: u32,
    /// The folder of the running network.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_FOLDER)]
    dir: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StandInArguments {
    /// sepolia or hoodi; or a file that says what to deploy.
    #[arg(long, value_name = "NAME|FILE")]
    network: String,
    /// Where the node listens; 0 lets the system choose.
    #[arg(long, value_name = "PORT", default_value_t = 8545)]
    port: u16,
    /// Seconds between two blocks.
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=60))]
    block_time: u64,
    /// Where the chain's log goes; what an earlier stand-in left there is removed.
    #[arg(long, value_name = "DIR", default_value = ".anzen/stand-in")]
    dir: PathBuf,
}

pub(crate) fn run(command: Command, output: Output) -> Outcome {
    match command {
        Command::Run(arguments) => run_network(arguments),
        Command::SpawnOperator(arguments) => spawn_operator(&arguments),
        Command::StandIn(arguments) => stand_in(arguments, output),
        Command::Tether { program } => tether(&program),
    }
}

fn run_network(arguments: RunArguments) -> Outcome {
    logging::start("warn");
    let options = arguments.into_options();
    let end = Builder::new_current_thread().enable_all().build()?.block_on(async {
        let shutdown = shutdown::signalled()?;
        Ok::<_, Box<dyn std::error::Error>>(local::run(&options, shutdown).await?)
    })?;
    Ok(match (end, options.tasks) {
        (End::Stopped, Some(_)) => ExitCode::from(INTERRUPTED),
        (End::Stopped, None) | (End::TasksAnswered, _) => ExitCode::SUCCESS,
    })
}

impl RunArguments {
    fn into_options(self) -> Options {
        Options {
            operators: self.operators,
            tasks: self.tasks,
            block_time: self.block_time,
            interval: self.interval,
            topology: match self.topology {
                TopologyArgument::Compact => Topology::Compact,
                TopologyArgument::Spread => Topology::Spread,
            },
            folder: self.dir,
        }
    }
}

fn spawn_operator(arguments: &SpawnArguments) -> Outcome {
    logging::start("info");
    let setting_up = local::spawn_operator(&arguments.dir, arguments.number);
    let spawned = Builder::new_current_thread().enable_all().build()?.block_on(setting_up)?;
    // Without the variables: they are meant for a node that a person starts.
    let config = Sources { file: Some(spawned.config()), ..Default::default() }.load()?.config;
    node::run_until(config, async move {
        shutdown::when(move || spawned.wait_for_networks_end()).await;
        tracing::info!("the local network has ended, and so does this operator");
    })
}

fn stand_in(arguments: StandInArguments, output: Output) -> Outcome {
    logging::start("warn");
    let StandInArguments { network, port, block_time, dir } = arguments;
    let options = StandInOptions { network, port, block_time, folder: dir };
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let shutdown = shutdown::signalled()?;
        let ready = |stand_in: &StandIn| output.print_next(&Standing::from(stand_in));
        local::run_stand_in(&options, ready, shutdown).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// A stand-in that is ready.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Standing {
    network: String,
    chain_id: u64,
    rpc_url: String,
    ws_url: String,
}

impl From<&StandIn> for Standing {
    fn from(stand_in: &StandIn) -> Self {
        let StandIn { network, chain_id, rpc_url, ws_url } = stand_in.clone();
        Self { network, chain_id, rpc_url, ws_url }
    }
}

impl Report for Standing {
    fn for_people(&self, f: &mut dyn std::fmt::Write) -> std::fmt::Result {
        let Self { network, chain_id, rpc_url, ws_url } = self;
        writeln!(
            f,
            "A stand-in for {network} (chain {chain_id}) is ready: {rpc_url}   {ws_url}\nCtrl-C stops it."
        )
    }
}

fn tether(program: &[OsString]) -> Outcome {
    let Some((program, arguments)) = program.split_first() else { return Ok(ExitCode::FAILURE) };
    let status = local::tether(program, arguments)?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
