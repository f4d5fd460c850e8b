//! The `anzen` program: every process of Anzen, deploying, and the local network.

mod chain;
mod completions;
mod deploy;
mod local;
mod logging;
mod node;
mod operator;
mod oracle;
mod outcome;
mod output;
#[cfg(test)]
mod reference;
mod settings;
mod shutdown;
mod task;

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
    /// List, show, watch and create tasks.
    #[command(subcommand)]
    Task(task::Command),
    /// Read safety factors.
    #[command(subcommand)]
    Oracle(oracle::Command),
    /// Run a local network, or add an operator to it.
    #[command(subcommand)]
    Local(local::Command),
    /// Deploy Anzen (and EigenLayer, where there is none) to a chain, or verify a deployment.
    Deploy(deploy::Arguments),
    /// Print what a shell needs to complete commands and flags.
    Completions(completions::Arguments),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Aggregator(arguments) => node::run(&arguments, Some(("aggregator", &ActorName::AGGREGATOR))),
        Command::Operator(arguments) => operator::run(&arguments, cli.output),
        Command::Node(arguments) => node::run(&arguments, None),
        Command::Task(command) => task::run(&command, cli.output),
        Command::Oracle(command) => oracle::run(&command, cli.output),
        Command::Local(command) => local::run(command, cli.output),
        Command::Deploy(arguments) => deploy::run(arguments, cli.output),
        Command::Completions(arguments) => completions::run(&arguments),
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
