//! `anzen completions`: what a shell needs to complete commands and flags.

use std::{io, process::ExitCode};

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::{Cli, outcome::Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The shell: `source <(anzen completions bash)`, or write the output to where the shell looks for completions.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    generate(arguments.shell, &mut command, name, &mut io::stdout());
    Ok(ExitCode::SUCCESS)
}
