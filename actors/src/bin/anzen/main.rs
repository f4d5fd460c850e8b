//! The `anzen` program: every process of Anzen, deploying, and the local network.

mod chain;
mod challenger;
mod completions;
mod config;
mod deploy;
mod dispute;
mod evidence;
mod health;
mod keys;
mod local;
mod logging;
mod model;
mod node;
mod operator;
mod oracle;
mod outcome;
mod output;
mod protocol;
#[cfg(test)]
mod reference;
mod sending;
mod settings;
mod shutdown;
mod store;
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
    Operator(Box<operator::Arguments>),
    /// Run a challenger: check every answer, and dispute a wrong one until its signers are slashed.
    Challenger(challenger::Arguments),
    /// Run a process: the actors that a configuration file names.
    Node(node::Arguments),
    /// Ask a running process how it is.
    Health(health::Arguments),
    /// Show or check a configuration.
    #[command(subcommand)]
    Config(config::Command),
    /// Make, import, export and list the operator's keys.
    Keys(keys::Arguments),
    /// List, show, watch and create tasks.
    #[command(subcommand)]
    Task(task::Command),
    /// Read safety factors.
    #[command(subcommand)]
    Oracle(oracle::Command),
    /// Look at the store of a process that is stopped, and mend it.
    #[command(subcommand)]
    Store(store::Command),
    /// Bring a protocol to a deployment, or change one, through its timelock.
    #[command(subcommand)]
    Protocol(protocol::Command),
    /// Show, check and evaluate models of safety factors; find the slots that they read.
    #[command(subcommand)]
    Model(model::Command),
    /// Run a local network, or add an operator to it.
    #[command(subcommand)]
    Local(local::Command),
    /// Deploy Anzen (and EigenLayer, where there is none) to a chain, or verify a deployment.
    Deploy(deploy::Arguments),
    /// Evidence against operators that signed two answers of one task.
    #[command(subcommand)]
    Evidence(evidence::Command),
    /// Faults and disputes: list and show them, freeze, execute; and what the committee decides.
    #[command(subcommand)]
    Dispute(dispute::Command),
    /// Print what a shell needs to complete commands and flags.
    Completions(completions::Arguments),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Aggregator(arguments) => node::run(&arguments, Some(("aggregator", &ActorName::AGGREGATOR))),
        Command::Operator(arguments) => operator::run(&arguments, cli.output),
        Command::Challenger(arguments) => challenger::run(&arguments),
        Command::Node(arguments) => node::run(&arguments, None),
        Command::Health(arguments) => health::run(&arguments, cli.output),
        Command::Config(command) => config::run(command, cli.output),
        Command::Keys(arguments) => keys::run(arguments, cli.output),
        Command::Task(command) => task::run(&command, cli.output),
        Command::Oracle(command) => oracle::run(&command, cli.output),
        Command::Store(command) => store::run(&command, cli.output),
        Command::Protocol(command) => protocol::run(&command, cli.output),
        Command::Model(command) => model::run(&command, cli.output),
        Command::Local(command) => local::run(command, cli.output),
        Command::Deploy(arguments) => deploy::run(arguments, cli.output),
        Command::Evidence(command) => evidence::run(&command, cli.output),
        Command::Dispute(command) => dispute::run(&command, cli.output),
        Command::Completions(arguments) => completions::run(&arguments),
    };
    outcome::exit_code(outcome, cli.output.json)
}

#[cfg(test)]
mod tests {
    use anzen_actors::node::config::own_variables;
    use clap::CommandFactory;

    #[test]
    fn the_variables_of_flags_are_known_as_the_programs_own() {
        fn check(command: &clap::Command) {
            for name in
                command.get_arguments().filter_map(clap::Arg::get_env).filter_map(|name| name.to_str())
            {
                let known = !name.starts_with("ANZEN_") || own_variables().any(|own| own == name);
                assert!(known, "{name} is to be in OTHERS of actors/src/node/config/variables.rs");
            }
            command.get_subcommands().for_each(check);
        }
        check(&super::Cli::command());
    }

    #[test]
    fn the_commands_do_not_contradict_each_other() {
        super::Cli::command().debug_assert();
    }
}
