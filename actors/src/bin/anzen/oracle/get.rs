//! `anzen oracle get`.

use std::{error::Error, fmt, process::ExitCode};

use anzen_deploy::{oracle::Oracle, tasks::Tasks};
use serde::Serialize;

use super::{Age, Value};
use crate::{
    chain::{Site, block_on},
    logging,
    outcome::{NOT_SO, Outcome},
    output::{Output, Report},
    settings::Settings,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The protocol's number; `anzen oracle list` tells which there are.
    #[arg(value_name = "INDEX")]
    oracle: u32,
    #[command(flatten)]
    settings: Settings,
    /// Exit with 3 where the value is about a block that is more than so many blocks ago.
    #[arg(long, value_name = "BLOCKS")]
    max_age: Option<u64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Got {
    oracle_index: u32,
    protocol: String,
    /// As of this block.
    block: u64,
    #[serde(flatten)]
    latest: Option<Latest>,
    /// False where there is no value, or it is older than `--max-age`.
    fresh: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Latest {
    #[serde(flatten)]
    value: Value,
    age: Age,
}

pub(super) fn run(arguments: &Arguments, output: Output) -> Outcome {
    logging::start("warn");
    let got = block_on(get(arguments))??;
    output.print(&got)?;
    Ok(if got.fresh { ExitCode::SUCCESS } else { ExitCode::from(NOT_SO) })
}

async fn get(arguments: &Arguments) -> Result<Got, Box<dyn Error>> {
    let site = Site::reach(&arguments.settings).await?;
    let oracle = Oracle::new(&site.provider, &site.addresses);
    let protocol = oracle.protocol(arguments.oracle).await?;
    let tasks = Tasks::new(site.provider.clone(), site.addresses.clone(), site.config.chain.log_range);
    let head = tasks.head().await?;
    let latest = match protocol.latest {
        Some(round) => {
            let seconds = head.time.saturating_sub(oracle.time_of(round.reference_block).await?);
            let blocks = head.block.saturating_sub(round.reference_block);
            Some(Latest { value: round.into(), age: Age { blocks, seconds } })
        }
        None => None,
    };
    Ok(Got {
        oracle_index: protocol.oracle_index,
        protocol: protocol.name,
        block: head.block,
        fresh: latest.as_ref().is_some_and(|latest| is_fresh(latest.age, arguments.max_age)),
        latest,
    })
}

fn is_fresh(age: Age, most: Option<u64>) -> bool {
    most.is_none_or(|most| age.blocks <= most)
}

impl Report for Got {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let Some(Latest { value, age }) = &self.latest else {
            return writeln!(
                f,
                "{} has no safety factor yet: none of its tasks was answered.",
                self.protocol
            );
        };
        let mut row = |what: &str, text: String| writeln!(f, "{what:<14} {text}");
        row("protocol", format!("{} (oracle {})", self.protocol, self.oracle_index))?;
        row("safety factor", format!("{}   ({})", value.value, value.safety_factor.0))?;
        row("about block", format!("{}, {age} ago", value.reference_block))?;
        row("round", format!("{}, task {}", value.round, value.task_index))?;
        if self.fresh { Ok(()) } else { writeln!(f, "The value is older than it may be.") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_be_just_as_old_as_is_asked_for() {
        let age = Age { blocks: 10, seconds: 120 };
        assert!(is_fresh(age, None) && is_fresh(age, Some(10)) && !is_fresh(age, Some(9)));
    }
}
