//! `anzen deploy`: contracts.

mod contracts;
mod dry_run;
mod template;
mod verify;

use crate::{chain::block_on, logging, outcome::Outcome, output::Output};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[group(skip)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    deployment: Option<contracts::Arguments>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check what stands on a chain: code, wiring, roles, windows, policies, feeds. Exits with 1 if anything is wrong.
    Verify(verify::Arguments),
    /// Print what would be deployed to a network, to be changed and given to --network as a file.
    Template(template::Arguments),
}

pub(crate) fn run(arguments: Arguments, output: Output) -> Outcome {
    logging::start("info");
    match (arguments.command, arguments.deployment) {
        (Some(Command::Verify(arguments)), _) => block_on(verify::run(arguments, output))?,
        (Some(Command::Template(arguments)), _) => template::run(&arguments),
        (None, Some(arguments)) => block_on(contracts::run(arguments, output))?,
        (None, None) => Err("say what to deploy with --network and --rpc-url; see --help".into()),
    }
}
