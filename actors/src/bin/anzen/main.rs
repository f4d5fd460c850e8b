//! The `anzen` program: every process of Anzen, deploying, and the local network.

mod deploy;
mod local;
mod logging;
mod node;
mod outcome;
mod output;
mod settings;
mod shutdown;

use std::process::ExitCode;

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
        Command::Node(arguments) => node::run(&arguments),
        Command::Local(command) => local::run(command),
        Command::Deploy(arguments) => deploy::run(arguments, cli.output),
    };
    outcome::exit_code(outcome, cli.output.json)
}
