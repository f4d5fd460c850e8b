//! `anzen task list`.

use std::{error::Error, fmt, process::ExitCode};

use anzen_deploy::tasks::{TaskRecord, Tasks, Wanted};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::report::{Status, TaskLine, or_dash};
use crate::{
    chain::{Site, block_on},
    logging,
    outcome::Outcome,
    output::{Output, Report, table},
    settings::Settings,
};

/// How many questions are under way at once.
const AT_ONCE: usize = 8;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// Of this protocol only.
    #[arg(long, value_name = "INDEX")]
    oracle: Option<u32>,
    /// That stand so only.
    #[arg(long)]
    status: Option<Status>,
    /// How many, at most: the latest.
    #[arg(long, value_name = "K", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    last: u32,
    /// Created in this block or later [default: since the deployment].
    #[arg(long, value_name = "BLOCK")]
    from_block: Option<u64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    /// As of this block.
    block: u64,
    tasks: Vec<TaskLine>,
}

pub(super) fn run(arguments: &Arguments, output: Output) -> Outcome {
    logging::start("warn");
    output.print(&block_on(list(arguments))??)?;
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: &Arguments) -> Result<Listed, Box<dyn Error>> {
    let site = Site::reach(&arguments.settings).await?;
    let tasks = Tasks::new(site.provider, site.addresses, site.config.chain.log_range);
    let wanted = Wanted {
        oracle_index: arguments.oracle,
        status: arguments.status.map(Into::into),
        last: usize::try_from(arguments.last)?,
        from_block: arguments.from_block.unwrap_or_default(),
    };
    let head = tasks.head().await?.block;
    let records = tasks.latest(&wanted, head).await?;
    let lines = stream::iter(&records).map(|record| line(&tasks, record, head)).buffered(AT_ONCE);
    Ok(Listed { block: head, tasks: lines.try_collect().await? })
}

async fn line(tasks: &Tasks, record: &TaskRecord, head: u64) -> Result<TaskLine, Box<dyn Error>> {
    let parts = match &record.response {
        Some(response) => Some(tasks.signers(&record.task, response).await?),
        None => None,
    };
    Ok(TaskLine::of_record(tasks.addresses(), record, parts.as_deref(), head))
}

impl Report for Listed {
    fn for_people(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        if self.tasks.is_empty() {
            return writeln!(f, "There are no such tasks, as of block {}.", self.block);
        }
        let headers = [
            "task",
            "protocol",
            "created",
            "reference",
            "threshold",
            "status",
            "answer",
            "signed",
            "transaction",
        ];
        writeln!(f, "{}", table(&headers, self.tasks.iter().map(row)))
    }
}

fn row(task: &TaskLine) -> Vec<String> {
    vec![
        task.index.to_string(),
        task.protocol.clone(),
        task.created_block.to_string(),
        task.reference_block.to_string(),
        format!("{} %", task.threshold_percentage),
        task.status.text().into(),
        or_dash(task.value.as_ref()),
        task.signed_text(),
        or_dash(task.transaction),
    ]
}
