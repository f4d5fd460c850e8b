//! `anzen oracle list`.

use std::{error::Error, fmt, process::ExitCode};

use alloy::primitives::{Address, B256};
use anzen_deploy::{
    oracle::{Oracle, OracleProtocol},
    tasks::Tasks,
};
use serde::Serialize;

use super::Value;
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
    /// What governance demands of its tasks; nothing where it allows none.
    policy: Option<Policy>,
    latest: Option<Value>,
    age_blocks: Option<u64>,
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
        let OracleProtocol { oracle_index, name, feed, policy, latest } = protocol;
        let policy = policy.map(|policy| Policy {
            quorums: policy.quorumNumbers.to_vec(),
            least_threshold_percentage: policy.leastThresholdPercentage,
            greatest_threshold_percentage: policy.greatestThresholdPercentage,
            min_task_interval: policy.minTaskInterval,
            model_hash: policy.modelHash,
        });
        let age_blocks = latest.as_ref().map(|round| head.saturating_sub(round.reference_block));
        Self { oracle_index, protocol: name, feed, policy, latest: latest.map(Value::from), age_blocks }
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
            latest.map_or_else(|| "-".into(), |value| value.value.clone()),
            self.age_blocks.map_or_else(|| "-".into(), |blocks| format!("{blocks} blocks")),
            self.feed.to_string(),
            policy,
        ]
    }
}

impl Report for Listed {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        if self.protocols.is_empty() {
            return writeln!(f, "The oracle has no protocols.");
        }
        let headers = ["oracle", "protocol", "safety factor", "age", "feed", "tasks"];
        writeln!(f, "{}", table(&headers, self.protocols.iter().map(Protocol::row)))
    }
}
