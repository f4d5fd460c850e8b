//! `anzen model show`.

use std::{error::Error, fmt, process::ExitCode};

use alloy::primitives::B256;
use anzen_messages::model::Model;
use serde::Serialize;

use super::named::{InWords, get, of_protocol, scale};
use crate::{
    chain::{Site, block_on},
    logging,
    outcome::Outcome,
    output::{Output, Report},
    settings::Settings,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The model's hash.
    #[arg(value_name = "HASH", required_unless_present = "oracle", conflicts_with = "oracle")]
    hash: Option<B256>,
    /// The model that this protocol's tasks are computed by.
    #[arg(long, value_name = "INDEX")]
    oracle: Option<u32>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    model_hash: B256,
    /// Whether a dispute about an answer is settled by recomputation.
    provable: bool,
    model: Model,
}

pub(super) fn run(arguments: &Arguments, output: Output) -> Outcome {
    logging::start("warn");
    output.print(&block_on(show(arguments))??)?;
    Ok(ExitCode::SUCCESS)
}

async fn show(arguments: &Arguments) -> Result<Shown, Box<dyn Error>> {
    let site = Site::reach(&arguments.settings).await?;
    let model_hash = match (arguments.hash, arguments.oracle) {
        (Some(hash), _) => hash,
        (None, oracle) => of_protocol(&site, oracle.unwrap_or_default()).await?,
    };
    let model = get(&site, model_hash).await?;
    Ok(Shown { model_hash, provable: model.is_provable(), model })
}

impl Report for Shown {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(f, "model {}, {}provable", self.model_hash, if self.provable { "" } else { "not " })?;
        for (number, term) in self.model.terms().iter().enumerate() {
            writeln!(f, "\nterm {number}: {}", scale(term))?;
            writeln!(f, "  amount  {}", InWords(&term.amount))?;
            writeln!(f, "  price   {}", InWords(&term.price))?;
        }
        Ok(())
    }
}
