//! `anzen model trace`.

use std::{error::Error, fmt, process::ExitCode};

use alloy::primitives::{Address, Bytes};
use anzen_deploy::models;
use anzen_messages::model::Source;
use serde::Serialize;

use crate::{
    chain::{block_on, connect},
    logging,
    outcome::{NOT_SO, Outcome},
    output::{Output, Report},
    settings::Settings,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Who is called.
    #[arg(value_name = "TARGET")]
    target: Address,
    /// With what, in hexadecimal, as `cast calldata "totalAssets()"` prints it. The view returns one number.
    #[arg(value_name = "CALLDATA")]
    call_data: Bytes,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Traced {
    block: u64,
    /// What the call returns.
    value: String,
    /// How many slots it reads.
    slots: usize,
    /// The slots whose bytes it returns, each as a source for a model's file.
    sources: Vec<Source>,
}

pub(super) fn run(arguments: &Arguments, output: Output) -> Outcome {
    logging::start("warn");
    let traced = block_on(trace(arguments))??;
    output.print(&traced)?;
    Ok(if traced.sources.len() == 1 { ExitCode::SUCCESS } else { ExitCode::from(NOT_SO) })
}

async fn trace(arguments: &Arguments) -> Result<Traced, Box<dyn Error>> {
    let config = arguments.settings.load()?;
    let provider = connect(&config.chain)?;
    let found = models::trace(&provider, arguments.target, &arguments.call_data).await?;
    let models::Trace { block, value, slots, sources } = found;
    Ok(Traced { block, value: value.to_string(), slots, sources })
}

impl Report for Traced {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(
            f,
            "At block {} the call returns {}; it reads {} slots.",
            self.block, self.value, self.slots
        )?;
        match self.sources.len() {
            0 => writeln!(
                f,
                "What it returns is the content of none of them: it is computed, or constant. A viewCall can read it, which \
                 nobody can prove."
            ),
            1 => writeln!(f, "It returns the content of this one:"),
            _ => writeln!(f, "It returns the content of any of these; choose by the contract's code:"),
        }?;
        for source in &self.sources {
            writeln!(f, "\n{}", serde_json::to_string_pretty(source).map_err(|_| fmt::Error)?)?;
        }
        Ok(())
    }
}
