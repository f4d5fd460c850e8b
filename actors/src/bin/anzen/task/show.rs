//! `anzen task show`.

use std::{error::Error, fmt, process::ExitCode};

use alloy::{
    primitives::{Address, B256},
    providers::Provider,
};
use anzen_deploy::{
    chain::ChainError,
    tasks::{Part, Tasks},
};
use anzen_messages::{OperatorId, SafetyFactor};
use serde::Serialize;

use super::{
    name::TaskName,
    report::{TaskLine, or_dash},
};
use crate::{
    chain::{Site, block_on},
    logging,
    outcome::Outcome,
    output::{Output, Report, table},
    settings::Settings,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The task's index, or its hash.
    #[arg(value_name = "INDEX|HASH")]
    task: TaskName,
    #[command(flatten)]
    settings: Settings,
}

/// All that the chain tells of a task.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(flatten)]
    line: TaskLine,
    model_hash: B256,
    reference_block_hash: B256,
    quorums: Vec<u8>,
    /// What the generator claimed.
    proposed_value: String,
    proposed_safety_factor: SafetyFactor,
    creation_transaction: B256,
    /// Who posted the answer.
    responder: Option<Address>,
    response_gas_used: Option<u64>,
    /// Every operator that could sign; nothing where there is no answer.
    operators: Option<Vec<OperatorLine>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OperatorLine {
    operator: Address,
    id: OperatorId,
    /// In the smallest unit of the staked token.
    stake: String,
    signed: bool,
}

impl From<Part> for OperatorLine {
    fn from(part: Part) -> Self {
        Self { operator: part.operator, id: part.id, stake: part.stake.to_string(), signed: part.signed }
    }
}

pub(super) fn run(arguments: &Arguments, output: Output) -> Outcome {
    logging::start("warn");
    output.print(&block_on(show(arguments))??)?;
    Ok(ExitCode::SUCCESS)
}

async fn show(arguments: &Arguments) -> Result<Shown, Box<dyn Error>> {
    let site = Site::reach(&arguments.settings).await?;
    let tasks = Tasks::new(site.provider.clone(), site.addresses, site.config.chain.log_range);
    let hash = match arguments.task {
        TaskName::Hash(hash) => hash,
        TaskName::Index(index) => {
            let hash = tasks.hash_at(index).await?;
            hash.ok_or_else(|| format!("there is no task {index}; `anzen task list` tells which there are"))?
        }
    };
    let head = tasks.head().await?.block;
    let record = tasks.find(hash, head).await?;
    let record = record.ok_or_else(|| {
        format!(
            "there is no task {hash}; `anzen task list` tells which there are, and the chain may have left it"
        )
    })?;
    let (mut parts, mut receipt) = (None, None);
    if let Some(response) = &record.response {
        parts = Some(tasks.signers(&record.task, response).await?);
        let found = site.provider.get_transaction_receipt(response.transaction).await;
        receipt = found.map_err(|error| ChainError::rpc("the answer's receipt", error))?;
    }
    Ok(Shown {
        line: TaskLine::of_record(tasks.addresses(), &record, parts.as_deref(), head),
        model_hash: record.task.model_hash,
        reference_block_hash: record.task.reference_block_hash,
        quorums: record.task.quorum_numbers.to_vec(),
        proposed_value: record.task.proposed_safety_factor.to_string(),
        proposed_safety_factor: record.task.proposed_safety_factor,
        creation_transaction: record.transaction,
        responder: receipt.as_ref().map(|receipt| receipt.from),
        response_gas_used: receipt.as_ref().map(|receipt| receipt.gas_used),
        operators: parts.map(|parts| parts.into_iter().map(Into::into).collect()),
    })
}

impl Report for Shown {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        let line = &self.line;
        let mut row = |what: &str, value: String| writeln!(f, "{what:<16} {value}");
        row("task", format!("{}   {}", line.index, line.hash))?;
        row("protocol", format!("{} (oracle {})", line.protocol, line.oracle_index))?;
        row("model", self.model_hash.to_string())?;
        row("created", format!("block {}, transaction {}", line.created_block, self.creation_transaction))?;
        row("reference block", format!("{}   {}", line.reference_block, self.reference_block_hash))?;
        row("threshold", format!("{} % of quorums {:?}", line.threshold_percentage, self.quorums))?;
        row("proposed", self.proposed_value.clone())?;
        row("status", format!("{}; can be answered until block {}", line.status.text(), line.last_block))?;
        let Some(value) = &line.value else { return Ok(()) };
        row("answer", value.clone())?;
        row("signed", format!("{} of the stake", line.signed_text()))?;
        row(
            "answered",
            format!("block {}, transaction {}", or_dash(line.responded_block), or_dash(line.transaction)),
        )?;
        row("posted by", format!("{}, {} gas", or_dash(self.responder), or_dash(self.response_gas_used)))?;
        let rows = self.operators.iter().flatten().map(|one| {
            let signed = if one.signed { "signed" } else { "not signed" };
            vec![signed.into(), one.operator.to_string(), one.stake.clone(), one.id.to_string()]
        });
        writeln!(f, "\n{}", table(&["", "operator", "stake", "id"], rows))
    }
}
