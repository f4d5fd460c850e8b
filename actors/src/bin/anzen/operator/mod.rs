//! `anzen operator`: running an operator, and what it does on chain.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `register.rs`, `deposit.rs`, `allocate.rs`, `update_socket.rs`, `deregister.rs`, `status.rs` | a command each |
//! | `attest.rs` | the operator's own answer, on chain |
//! | `protection.rs` | what the operator has signed, as a file |
//! | `steps.rs` | taking steps, or showing what they would send |
//! | `progress.rs` | what is told while blocks are awaited |

mod allocate;
mod attest;
mod deposit;
mod deregister;
mod progress;
mod protection;
mod register;
mod status;
mod steps;
mod update_socket;

use anzen_messages::wire::ActorName;

use crate::{chain::block_on, logging, node, outcome::Outcome, output::Output};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[group(skip)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: node::Arguments,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Become an operator that signs: register with EigenLayer, deposit, allocate, join the quorum; or what is missing of it.
    ///
    /// EigenLayer lets a new operator allocate only after a while: 17.5 days on mainnet, some minutes on testnets. The command
    /// waits, and can be interrupted at any time: run again, it goes on from what the chain says has been done.
    Register(register::Arguments),
    /// Leave the quorum and take the allocation back; with --withdraw, stake too.
    ///
    /// For EigenLayer's deallocation delay (14 days on mainnet) the stake can still be slashed for what the operator has signed
    /// while it was in the quorum, and the operator cannot join again.
    Deregister(deregister::Arguments),
    /// Deposit tokens into the quorum's strategy, as the operator's own stake.
    Deposit(deposit::Arguments),
    /// Allocate a share of the operator's stake to Anzen, so that it counts and can be slashed.
    Allocate(allocate::Arguments),
    /// Show how far an operator is, and what it counts for. Exits with 3 where it is not in the quorum.
    Status(status::Arguments),
    /// Record the operator's own answer to a task on chain, so that being left out of the certificate is no absence. The operator must
    /// be stopped.
    ///
    /// Only the answer that the operator has signed already, as its records tell, is signed again and shown. It has to be in a block
    /// before the task's response window is over.
    Attest(attest::Arguments),
    /// Take what the operator has signed to another machine, so that it signs no second answer there.
    #[command(subcommand)]
    Protection(protection::Command),
    /// Publish another socket.
    UpdateSocket(update_socket::Arguments),
}

pub(crate) fn run(arguments: &Arguments, output: Output) -> Outcome {
    let Some(command) = &arguments.command else {
        return node::run(&arguments.run, Some(("operator", &ActorName::OPERATOR)));
    };
    logging::start("warn");
    block_on(async {
        match command {
            Command::Register(arguments) => register::run(arguments, output).await,
            Command::Deregister(arguments) => deregister::run(arguments, output).await,
            Command::Deposit(arguments) => deposit::run(arguments, output).await,
            Command::Allocate(arguments) => allocate::run(arguments, output).await,
            Command::Status(arguments) => status::run(arguments, output).await,
            Command::Attest(arguments) => attest::run(arguments, output).await,
            Command::Protection(command) => protection::run(command, output).await,
            Command::UpdateSocket(arguments) => update_socket::run(arguments, output).await,
        }
    })?
}
