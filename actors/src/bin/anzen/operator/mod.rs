//! `anzen operator`: running an operator, and what it does on chain.

use anzen_messages::wire::ActorName;

use crate::{node, outcome::Outcome, output::Output};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[group(skip)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: node::Arguments,
}

/// Each is a file of its own.
#[derive(Debug, clap::Subcommand)]
enum Command {
    // The commands that come next: register, deregister, deposit, allocate, status, update-socket.
    #[command(hide = true)]
    Register,
}

pub(crate) fn run(arguments: &Arguments, _output: Output) -> Outcome {
    match &arguments.command {
        None => node::run(&arguments.run, Some(("operator", &ActorName::OPERATOR))),
        Some(Command::Register) => Err("the commands of an operator come next".into()),
    }
}
