//! What became of tasks, read from the chain.

use std::collections::BTreeSet;
use std::time::Duration;

use alloy::providers::{Provider, ProviderBuilder};
use anzen_deploy::Addresses;
use anzen_deploy::tasks::{TaskRecord, TaskStatus, Tasks, Wanted};
use anzen_messages::OperatorId;

use crate::Outcome;
use crate::command::eventually;
use crate::compose::Compose;

/// How long until a task is signed by all: a new operator's registration takes some blocks, and so does the next task.
const PATIENCE: Duration = Duration::from_secs(120);
/// As many tasks as are looked at.
const LATEST: usize = 12;
/// Blocks of logs that are asked for at once.
const LOG_RANGE: u64 = 1_000;

/// The chain of compose.yaml, from outside.
pub(crate) struct Chain {
    tasks: Tasks,
}

impl Chain {
    /// Reads it where it is now; its port changes when it is restarted.
    pub(crate) async fn of(compose: &Compose<'_>) -> Outcome<Self> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), compose.addresses().await?)?;
        let addresses = Addresses::load(file.path())?;
        let url = format!("http://{}", compose.port("chain", 8545).await?).parse()?;
        let provider = ProviderBuilder::new().connect_http(url).erased();
        Ok(Self { tasks: Tasks::new(provider, addresses, LOG_RANGE) })
    }

    /// How many tasks have been created.
    pub(crate) async fn created(&self) -> Outcome<u32> {
        Ok(self.latest(None, 1).await?.last().map_or(0, |record| record.task.index + 1))
    }

    /// The index of the last task that was answered, plus one.
    pub(crate) async fn answered(&self) -> Outcome<u32> {
        let answered = self.latest(Some(TaskStatus::Answered), 1).await?;
        Ok(answered.last().map_or(0, |record| record.task.index + 1))
    }

    /// Returns when a task that is not among the `known` first has been answered and `count` distinct operators have signed.
    pub(crate) async fn signed_by(&self, count: usize, known: u32) -> Outcome<()> {
        eventually("a task is signed by all", PATIENCE, async || {
            let answered = self.latest(Some(TaskStatus::Answered), LATEST).await?;
            let mut most = 0;
            for record in answered.iter().filter(|record| record.task.index >= known) {
                most = most.max(self.signers(record).await?.len());
            }
            if most == count {
                return Ok(());
            }
            Err(format!("{} tasks answered, by {most} and not {count} operators", answered.len()).into())
        })
        .await
    }

    async fn signers(&self, record: &TaskRecord) -> Outcome<BTreeSet<OperatorId>> {
        let Some(response) = &record.response else { return Ok(BTreeSet::new()) };
        let parts = self.tasks.signers(&record.task, response).await?;
        Ok(parts.into_iter().filter(|part| part.signed).map(|part| part.id).collect())
    }

    async fn latest(&self, status: Option<TaskStatus>, last: usize) -> Outcome<Vec<TaskRecord>> {
        let wanted = Wanted { status, last, ..Wanted::default() };
        Ok(self.tasks.latest(&wanted, self.tasks.head().await?.block).await?)
    }
}
