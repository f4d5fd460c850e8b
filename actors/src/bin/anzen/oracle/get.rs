//! `anzen oracle get`.

use std::{error::Error, fmt, process::ExitCode};

use anzen_deploy::{
    chain::ChainError,
    oracle::Oracle,
    tasks::{At, Tasks},
};
use serde::Serialize;

use super::{Age, Entry, or_dash};
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
    /// The latest that is final: that could have been challenged, and was not with success.
    #[arg(long = "final")]
    is_final: bool,
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
    /// Whether only final rounds were looked at.
    #[serde(skip)]
    is_final: bool,
    /// False where there is no value, or it is older than `--max-age`.
    fresh: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Latest {
    #[serde(flatten)]
    round: Entry,
    /// Nothing where it was withdrawn.
    age: Option<Age>,
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
    let wanted = if arguments.is_final { protocol.latest_final } else { protocol.latest };
    let latest = match wanted.map(Entry::from) {
        Some(round) => Some(Latest { age: age(&oracle, &round, &head).await?, round }),
        None => None,
    };
    Ok(Got {
        oracle_index: protocol.oracle_index,
        protocol: protocol.name,
        block: head.block,
        fresh: latest
            .as_ref()
            .and_then(|latest| latest.age)
            .is_some_and(|age| is_fresh(age, arguments.max_age)),
        latest,
        is_final: arguments.is_final,
    })
}

async fn age(oracle: &Oracle<'_>, round: &Entry, head: &At) -> Result<Option<Age>, ChainError> {
    let Some(value) = &round.value else { return Ok(None) };
    let seconds = head.time.saturating_sub(oracle.time_of(value.reference_block).await?);
    Ok(Some(Age { blocks: head.block.saturating_sub(value.reference_block), seconds }))
}

fn is_fresh(age: Age, most: Option<u64>) -> bool {
    most.is_none_or(|most| age.blocks <= most)
}

impl Report for Got {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let Some(Latest { round, age }) = &self.latest else {
            let why =
                if self.is_final { "no round of it is final" } else { "none of its tasks was answered" };
            return writeln!(f, "{} has no such safety factor yet: {why}.", self.protocol);
        };
        let mut row = |what: &str, text: String| writeln!(f, "{what:<14} {text}");
        row("protocol", format!("{} (oracle {})", self.protocol, self.oracle_index))?;
        row("round", format!("{}, {}", round.round, round.status))?;
        let (Some(value), Some(age)) = (&round.value, age) else {
            return writeln!(f, "The answer was proved wrong; --final tells the latest that stands.");
        };
        row("safety factor", format!("{}   ({})", value.value, value.safety_factor.0))?;
        row("about block", format!("{}, {age} ago", value.reference_block))?;
        row("task", or_dash(value.task_index))?;
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
