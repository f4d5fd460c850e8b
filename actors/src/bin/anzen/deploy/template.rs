//! `anzen deploy template`.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anzen_deploy::config;

use crate::outcome::Outcome;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// anvil, sepolia or hoodi.
    #[arg(value_name = "NAME")]
    network: String,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    io::stdout().write_all(config::template(&arguments.network)?.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
