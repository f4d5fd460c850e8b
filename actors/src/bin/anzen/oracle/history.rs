//! `anzen oracle history`.

use std::{error::Error, fmt, process::ExitCode};

use anzen_deploy::oracle::Oracle;
use serde::Serialize;

use super::{Entry, or_dash};
use crate::{
    chain::{Site, block_on},
    logging,
    outcome::Outcome,
    output::{Output, Report, table},
    settings::Settings,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The protocol's number; `anzen oracle list` tells which there are.
    #[arg(value_name = "INDEX")]
    oracle: u32,
    #[command(flatten)]
    settings: Settings,
    /// How many, at most: the latest.
    #[arg(long, value_name = "K", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    last: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct History {
    oracle_index: u32,
    /// The oldest first.
    rounds: Vec<Entry>,
}

pub(super) fn run(arguments: &Arguments, output: Output) -> Outcome {
    logging::start("warn");
    output.print(&block_on(history(arguments))??)?;
    Ok(ExitCode::SUCCESS)
}

async fn history(arguments: &Arguments) -> Result<History, Box<dyn Error>> {
    let site = Site::reach(&arguments.settings).await?;
    let oracle = Oracle::new(&site.provider, &site.addresses);
    let rounds = oracle.history(arguments.oracle, arguments.last).await?;
    Ok(History { oracle_index: arguments.oracle, rounds: rounds.into_iter().map(Entry::from).collect() })
}

impl Report for History {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        if self.rounds.is_empty() {
            return writeln!(
                f,
                "There is no value yet: no task of oracle {} was answered.",
                self.oracle_index
            );
        }
        let rows = self.rounds.iter().map(|round| {
            let value = round.value.as_ref();
            vec![
                round.round.to_string(),
                or_dash(value.map(|value| &value.value)),
                round.status.to_string(),
                or_dash(value.map(|value| value.reference_block)),
                or_dash(value.and_then(|value| value.task_index)),
                or_dash(value.map(|value| value.updated_at)),
            ]
        });
        let headers =
            ["round", "safety factor", "status", "about block", "task", "written (seconds since 1970)"];
        writeln!(f, "{}", table(&headers, rows))
    }
}
