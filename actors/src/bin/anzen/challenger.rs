//! `anzen challenger`: checks every answer, and disputes a wrong one.

use crate::{node, outcome::Outcome};

#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Arguments {
    #[command(flatten)]
    run: node::Arguments,
    /// Do all but send: log what would be sent, and what it would cost (challenger.dry_run). Needs no key.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    node::run_with(&arguments.run, |config| {
        config.challenger.dry_run |= arguments.dry_run;
        let roles = config.challenger_roles();
        config.run_as("challenger", &roles)
    })
}
