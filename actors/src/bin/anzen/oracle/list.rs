//! `anzen oracle list`.

use std::{error::Error, fmt, process::ExitCode};

use alloy::primitives::{Address, B256};
use anzen_deploy::{
    oracle::{Oracle, OracleProtocol},
    tasks::Tasks,
};
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
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    /// As of this block.
    block: u64,
    protocols: Vec<Protocol>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Protocol {
    oracle_index: u32,
    protocol: String,
    /// The safety factor as an AggregatorV3 feed.
    feed: Address,
    /// The same, final rounds only.
    final_feed: Address,
    /// What governance demands of its tasks; nothing where it allows none.
    policy: Option<Policy>,
    latest: Option<Entry>,
    /// Since the block that it is about.
    age_blocks: Option<u64>,
    latest_final: Option<Entry>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    quorums: Vec<u8>,
    least_threshold_percentage: u32,
    greatest_threshold_percentage: u32,
    min_task_interval: u32,
    model_hash: B256,
}

pub(super) fn run(arguments: &Arguments, output: Output) -> Outcome {
    logging::start("warn");
    output.print(&block_on(list(arguments))??)?;
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: &Arguments) -> Result<Listed, Box<dyn Error>> {
    let site = Site::reach(&arguments.settings).await?;
    let protocols = Oracle::new(&site.provider, &site.addresses).protocols().await?;
    let tasks = Tasks::new(site.provider, site.addresses, site.config.chain.log_range);
    let block = tasks.head().await?.block;
    Ok(Listed { block, protocols: protocols.into_iter().map(|one| Protocol::new(one, block)).collect() })
}

impl Protocol {
    fn new(protocol: OracleProtocol, head: u64) -> Self {
        let policy = protocol.policy.map(|policy| Policy {
            quorums: policy.quorumNumbers.to_vec(),
            least_threshold_percentage: policy.leastThresholdPercentage,
            greatest_threshold_percentage: policy.greatestThresholdPercentage,
            min_task_interval: policy.minTaskInterval,
            model_hash: policy.modelHash,
        });
        let written = protocol.latest.as_ref().and_then(|round| round.written.as_ref());
        Self {
            age_blocks: written.map(|written| head.saturating_sub(written.reference_block)),
            oracle_index: protocol.oracle_index,
            protocol: protocol.name,
            feed: protocol.feed,
            final_feed: protocol.final_feed,
            policy,
            latest: protocol.latest.map(Entry::from),
            latest_final: protocol.latest_final.map(Entry::from),
        }
    }

    fn row(&self) -> Vec<String> {
        let latest = self.latest.as_ref();
        let policy = self.policy.as_ref().map_or_else(
            || "no tasks".into(),
            |policy| {
                format!(
                    "{} to {} % of quorums {:?}, at most every {} blocks",
                    policy.least_threshold_percentage,
                    policy.greatest_threshold_percentage,
                    policy.quorums,
                    policy.min_task_interval
                )
            },
        );
        vec![
            self.oracle_index.to_string(),
            self.protocol.clone(),
            or_dash(value_of(latest)),
            or_dash(latest.map(|round| round.status)),
            or_dash(self.age_blocks.map(|blocks| format!("{blocks} blocks"))),
            or_dash(value_of(self.latest_final.as_ref())),
            self.feed.to_string(),
            self.final_feed.to_string(),
            policy,
        ]
    }
}

fn value_of(round: Option<&Entry>) -> Option<&String> {
    round?.value.as_ref().map(|value| &value.value)
}

impl Report for Listed {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        if self.protocols.is_empty() {
            return writeln!(f, "The oracle has no protocols.");
        }
        let headers = [
            "oracle",
            "protocol",
            "safety factor",
            "status",
            "age",
            "final factor",
            "feed",
            "final feed",
            "tasks",
        ];
        writeln!(f, "{}", table(&headers, self.protocols.iter().map(Protocol::row)))
    }
}
