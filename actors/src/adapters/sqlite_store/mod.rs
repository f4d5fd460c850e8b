//! Records in one SQLite file.
//!
//! One thread owns the file. It writes all batches that wait for it in one transaction (group commit), so that a burst of
//! a thousand signatures costs a few flushes of the disk and not a thousand.

mod database;
mod metrics;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

pub use self::metrics::StoreMetrics;

use self::database::Database;
use self::writer::Job;
use crate::ports::{Space, Store, StoreError, Write};

/// How many requests wait for the thread at most; more callers wait at the door.
const MOST_WAITING: usize = 1024;

/// Records in a file of this process alone. What [`Store::commit`] has acknowledged survives a crash of the machine.
#[derive(Debug)]
pub struct SqliteStore {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    metrics: StoreMetrics,
}

impl SqliteStore {
    /// Opens the file at `path`, or makes it. Checks it whole; a file that is damaged, or of a later version, is left as
    /// it is.
    ///
    /// # Errors
    /// [`StoreError::Locked`] where another process has it; [`StoreError::Failed`] where it cannot be used.
    pub fn open(path: &Path, metrics: StoreMetrics) -> Result<Self, StoreError> {
        Self::start(Database::open(path)?, metrics)
    }

    fn start(database: Database, metrics: StoreMetrics) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel(MOST_WAITING);
        metrics.starts(MOST_WAITING);
        let of_thread = metrics.clone();
        let thread = std::thread::Builder::new()
            .name("anzen-store".into())
            .spawn(move || writer::run(database, queue, &of_thread))
            .map_err(|error| StoreError::Failed(format!("its thread did not start: {error}")))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), metrics })
    }

    async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Job,
    ) -> Result<T, StoreError> {
        let ended = || StoreError::Failed("its thread has ended; restart the process".into());
        let (reply, answer) = oneshot::channel();
        let _waiting = self.metrics.waits();
        let jobs = self.jobs.as_ref().ok_or_else(ended)?;
        jobs.send(job(reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self, space: Space) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        self.ask(|reply| Job::Load { space, reply }).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        self.ask(|reply| Job::Commit { writes, reply }).await
    }
}

impl Drop for SqliteStore {
    /// Waits for what is queued, so that the file is free once the store is gone.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the store's thread panicked");
        }
    }
}
