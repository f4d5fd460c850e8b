//! `anzen keys generate`.

use std::process::ExitCode;

use anzen_actors::keys::{Folder, PrivateKey};

use super::{CommandError, Destination, Type};
use crate::{outcome::Outcome, output::Output};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The kind of key.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Type,
    #[command(flatten)]
    destination: Destination,
}

pub(super) fn run(arguments: &Arguments, folder: &Folder, output: Output) -> Outcome {
    let kind = arguments.kind.into();
    arguments.destination.check(kind, folder)?;
    let key = PrivateKey::generate(kind).map_err(CommandError::PrivateKey)?;
    output.print(&arguments.destination.save(&key, folder)?)?;
    Ok(ExitCode::SUCCESS)
}
