//! `anzen model`: how safety factors are computed (docs/models.md).

mod check;
mod evaluate;
mod named;
mod show;
mod trace;

use crate::{outcome::Outcome, output::Output};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show a model that governance has added.
    Show(show::Arguments),
    /// Check a model in a file: its bounds, and that what it reads is there. Exits with 3 where something is wrong.
    Check(check::Arguments),
    /// Compute a safety factor and show every step. Exits with 3 where there is no answer.
    Evaluate(evaluate::Arguments),
    /// Find the storage slot behind a view call, as a source for a model. Exits with 3 unless there is exactly one.
    Trace(trace::Arguments),
}

pub(crate) fn run(command: &Command, output: Output) -> Outcome {
    match command {
        Command::Show(arguments) => show::run(arguments, output),
        Command::Check(arguments) => check::run(arguments, output),
        Command::Evaluate(arguments) => evaluate::run(arguments, output),
        Command::Trace(arguments) => trace::run(arguments, output),
    }
}
