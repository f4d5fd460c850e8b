//! `anzen local`: a network on this machine.

mod stand_in;

use std::{error::Error, ffi::OsString, path::PathBuf, process::ExitCode};

use anzen_actors::node::config::Sources;
use anzen_actors::telemetry::TelemetryConfig;
use anzen_deploy::{
    Addresses,
    local::{self, Bus, DEFAULT_FOLDER, End, Options, Slot, Topology},
};
use anzen_messages::wire::ActorName;
use clap::ValueEnum;
use tokio::runtime::Builder;

use crate::{
    logging, node,
    outcome::{INTERRUPTED, Outcome},
    output::Output,
    settings::Settings,
    shutdown,
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Start a chain with EigenLayer and Anzen on it, operators and aggregators, and tell of each task.
    ///
    /// Everything stops with this command, however it ends. Exits with 0 after --tasks answered tasks, and with 1 as soon
    /// as one is missed.
    Run(RunArguments),
    /// Set up operator NUMBER of the running local network and run it here; or bring it back.
    SpawnOperator(SpawnArguments),
    /// Deploy everything to an anvil that runs elsewhere, with its well-known key. What is there already stays.
    Deploy(DeployArguments),
    /// Run an operator on a local chain in the lowest free place of a folder that operators share.
    ///
    /// Keys, funds and registration are made where they are not there. For containers, of which there may be any number.
    Operator(SlotArguments),
    /// Run a chain that stands in for a public network: its id, and what is there at the same addresses. For tests.
    StandIn(stand_in::Arguments),
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
    /// How many aggregators. They do not know of each other; operators submit to all.
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(local::MOST_AGGREGATORS)))]
    aggregators: u32,
    /// How each aggregator is divided into processes [default: compact; spread with --bus nats].
    #[arg(long)]
    topology: Option<TopologyArgument>,
    /// How the processes of an aggregator reach each other.
    #[arg(long, default_value = "links")]
    bus: BusArgument,
    /// Start no process again that ends: an operator stays down, and the end of any other process ends the network.
    #[arg(long)]
    no_restart: bool,
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

#[derive(Debug, Clone, Copy, ValueEnum)]
enum BusArgument {
    /// By sockets of their own.
    Links,
    /// Over a NATS server with JetStream, which is started with them.
    Nats,
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
pub(crate) struct DeployArguments {
    /// The anvil (http://).
    #[arg(long, value_name = "URL")]
    rpc_url: String,
    /// Where addresses.json goes, and deployment.json, from which an interrupted run continues.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Seconds between two blocks from then on.
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=60))]
    block_time: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SlotArguments {
    #[command(flatten)]
    settings: Settings,
    /// The folder with a place for each operator.
    #[arg(long, value_name = "DIR")]
    slots: PathBuf,
}

pub(crate) fn run(command: Command, output: Output) -> Outcome {
    match command {
        Command::Run(arguments) => run_network(arguments),
        Command::SpawnOperator(arguments) => spawn_operator(&arguments),
        Command::Deploy(arguments) => deploy(&arguments),
        Command::Operator(arguments) => run_in_slot(&arguments),
        Command::StandIn(arguments) => stand_in::run(arguments, output),
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
        let (bus, usual) = match self.bus {
            BusArgument::Links => (Bus::Links, Topology::Compact),
            // One process has nothing to send over a bus.
            BusArgument::Nats => (Bus::Nats, Topology::Spread),
        };
        let topology = match self.topology {
            Some(TopologyArgument::Compact) => Topology::Compact,
            Some(TopologyArgument::Spread) => Topology::Spread,
            None => usual,
        };
        Options {
            operators: self.operators,
            tasks: self.tasks,
            block_time: self.block_time,
            interval: self.interval,
            aggregators: self.aggregators,
            topology,
            bus,
            restart: !self.no_restart,
            folder: self.dir,
        }
    }
}

fn spawn_operator(arguments: &SpawnArguments) -> Outcome {
    let name = format!("operator-{}", arguments.number);
    let _traces =
        logging::start_service(&TelemetryConfig::default(), &name, "chain-watcher,operator-signer")?;
    let setting_up = local::spawn_operator(&arguments.dir, arguments.number);
    let spawned = Builder::new_current_thread().enable_all().build()?.block_on(setting_up)?;
    // Without the variables: they are meant for a node that a person starts.
    let config = Sources { file: Some(spawned.config()), ..Default::default() }.load()?.config;
    node::run_until(config, async move {
        shutdown::when(move || spawned.wait_for_networks_end()).await;
        tracing::info!("the local network has ended, and so does this operator");
    })
}

fn deploy(arguments: &DeployArguments) -> Outcome {
    logging::start("info");
    let deploying = local::deploy_to_anvil(&arguments.rpc_url, &arguments.dir, arguments.block_time);
    let addresses = Builder::new_current_thread().enable_all().build()?.block_on(deploying)?;
    tracing::info!(chain = addresses.chain_id, folder = %arguments.dir.display(), "deployed");
    Ok(ExitCode::SUCCESS)
}

fn run_in_slot(arguments: &SlotArguments) -> Outcome {
    let mut config = arguments.settings.load()?;
    let slot = Slot::claim(&arguments.slots)?;
    config.name = slot.name();
    config.data_dir = slot.data_dir();
    config.keys.bls.private_key_file = Some(slot.bls_key_file());
    config.run_as("local operator", &ActorName::OPERATOR)?;
    let _traces = logging::start_node(&config)?;
    let addresses = Addresses::load(&config.addresses)?;
    let ready = Builder::new_current_thread().enable_all().build()?.block_on(async {
        let signalled = shutdown::signalled()?;
        let setting_up = slot.set_up(config.chain.rpc_url.url().as_str(), &addresses);
        tokio::select! {
            outcome = setting_up => outcome.map(|()| true).map_err(Box::<dyn Error>::from),
            () = signalled => Ok(false),
        }
    })?;
    if ready { node::run_until(config, std::future::pending()) } else { Ok(ExitCode::SUCCESS) }
}

fn tether(program: &[OsString]) -> Outcome {
    use std::os::unix::process::ExitStatusExt;
    let Some((program, arguments)) = program.split_first() else { return Ok(ExitCode::FAILURE) };
    let status = local::tether(program, arguments)?;
    // A program that a signal ended is told of as a shell does.
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Ok(code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
