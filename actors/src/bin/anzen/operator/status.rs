//! `anzen operator status`.

use std::{error::Error, fmt, process::ExitCode};

use alloy::primitives::Address;
use anzen_actors::{
    keys::{KeysConfig, Keystore, Owner, load_ecdsa},
    node::operator::look_at,
};
use anzen_deploy::operator::Status;

use crate::{
    outcome::{NOT_SO, Outcome},
    output::{Output, Report},
    settings::Settings,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// The operator [default: the account of the configured ECDSA key].
    #[arg(long, value_name = "ADDRESS")]
    operator: Option<Address>,
}

impl Report for Status {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(f, "{self}")
    }
}

pub(crate) async fn run(arguments: &Arguments, output: Output) -> Outcome {
    let config = arguments.settings.load()?;
    let address = match arguments.operator {
        Some(address) => address,
        None => own_address(&config.keys)?,
    };
    let status = look_at(&config, address).await?.status().await?;
    output.print(&status)?;
    Ok(if status.is_member { ExitCode::SUCCESS } else { ExitCode::from(NOT_SO) })
}

/// Most keystores say whose key they hold, so that no password is needed.
fn own_address(keys: &KeysConfig) -> Result<Address, Box<dyn Error>> {
    let text = keys.ecdsa.keystore.as_deref().and_then(|path| std::fs::read_to_string(path).ok());
    match text.and_then(|text| Keystore::read(&text).ok()).map(|keystore| keystore.owner().clone()) {
        Some(Owner::Ecdsa(address)) => Ok(address),
        _ => Ok(load_ecdsa(&keys.ecdsa)?.address()),
    }
}
