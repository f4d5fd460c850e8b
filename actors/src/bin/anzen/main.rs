//! The `anzen` program: every process of Anzen, deploying, and the local network.

mod deploy;
mod local;
mod logging;
mod node;
mod operator;
mod outcome;
mod output;
mod settings;
mod shutdown;

use std::process::ExitCode;

use anzen_messages::wire::ActorName;
use clap::{Parser, Subcommand};

/// Anzen: a decentralised oracle for the safety factor of protocols, secured by EigenLayer stake. For testnets only.
#[derive(Debug, Parser)]
#[command(name = "anzen", version, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    output: output::Output,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an aggregator: all its actors in one process.
    Aggregator(node::Arguments),
    /// Run an operator; or set one up.
    Operator(operator::Arguments),
    /// Run a process: the actors that a configuration file names.
    Node(node::Arguments),
    /// Run a local network, or add an operator to it.
    #[command(subcommand)]
    Local(local::Command),
    /// Deploy Anzen (and EigenLayer, where there is none) to a chain, or verify a deployment.
    Deploy(deploy::Arguments),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Aggregator(arguments) => node::run(&arguments, Some(("aggregator", &ActorName::AGGREGATOR))),
        Command::Operator(arguments) => operator::run(&arguments, cli.output),
        Command::Node(arguments) => node::run(&arguments, None),
        Command::Local(command) => local::run(command),
        Command::Deploy(arguments) => deploy::run(arguments, cli.output),
    };
    outcome::exit_code(outcome, cli.output.json)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_commands_do_not_contradict_each_other() {
        super::Cli::command().debug_assert();
    }
}
