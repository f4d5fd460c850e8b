//! `anzen task`: tasks and their answers, as the chain has them.

mod create;
mod list;
mod name;
mod report;
mod show;
mod watch;

pub(crate) use name::TaskName;

use crate::{outcome::Outcome, output::Output};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the latest tasks, and what became of them.
    List(list::Arguments),
    /// Show one task: who signed its answer, what the answer cost.
    Show(show::Arguments),
    /// Tell of tasks and answers as they come, until Ctrl-C.
    Watch(watch::Arguments),
    /// Create a task, with a generator's key.
    Create(create::Arguments),
}

pub(crate) fn run(command: &Command, output: Output) -> Outcome {
    match command {
        Command::List(arguments) => list::run(arguments, output),
        Command::Show(arguments) => show::run(arguments, output),
        Command::Watch(arguments) => watch::run(arguments, output),
        Command::Create(arguments) => create::run(arguments, output),
    }
}
