//! Records in one SQLite file.
//!
//! One thread owns the file. It writes all batches that wait for it in one transaction (group commit), so that a burst of
//! a thousand signatures costs a few flushes of the disk and not a thousand.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `opening.rs`, `database.rs` | opening the file: for a process, to be mended, to be read; the file |
//! | `records.rs`, `writer.rs` | the records in it; the thread that owns it |
//! | `create.rs`, `schema.rs`, `backup.rs` | making the file, its tables, bringing an older one up to date after a copy was made |
//! | `checksum.rs`, `lineage.rs` | finding out that a record is damaged, or that the file is a copy of an earlier state |
//! | `inspector.rs` | looking at the file of a process that is stopped, and mending it |
//! | `explain.rs`, `metrics.rs`, `config.rs` | what people are told; how large the file may be |

mod backup;
mod checksum;
mod config;
mod create;
mod database;
mod explain;
mod inspector;
mod lineage;
mod metrics;
mod opening;
mod records;
mod schema;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub use self::config::StoreConfig;
pub use self::inspector::{Dropped, SpaceSize, StoreInspector};
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
    restorations: u64,
    broken: CancellationToken,
}

impl SqliteStore {
    /// Opens the file at `path`, or makes it where there never was one. Checks it whole, every record too; a file that is
    /// damaged, or of a later version, is left as it is. One of an earlier version is brought up to date, after a copy of it
    /// was made beside it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] where another process has it; [`StoreError::Damaged`] where a record is not what was written;
    /// [`StoreError::Full`] where there is no room to begin with; [`StoreError::Failed`] where it cannot be used.
    pub fn open(path: &Path, metrics: StoreMetrics) -> Result<Self, StoreError> {
        Self::open_with(path, &StoreConfig::default(), metrics)
    }

    /// The same, as configured.
    ///
    /// # Errors
    /// The same.
    pub fn open_with(path: &Path, config: &StoreConfig, metrics: StoreMetrics) -> Result<Self, StoreError> {
        metrics.starts(MOST_WAITING, config.most_bytes);
        Self::start(Database::open(path, config)?, metrics)
    }

    fn start(database: Database, metrics: StoreMetrics) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel(MOST_WAITING);
        metrics.measure(&database);
        let (of_thread, restorations) = (metrics.clone(), database.restorations());
        let broken = CancellationToken::new();
        let breaks = broken.clone();
        let thread = std::thread::Builder::new()
            .name("anzen-store".into())
            .spawn(move || writer::run(database, queue, &of_thread, &breaks))
            .map_err(|error| StoreError::Failed(format!("its thread did not start: {error}")))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), metrics, restorations, broken })
    }

    /// Cancelled once the disk has failed in a way after which nothing is to be trusted: the process has to end.
    pub fn broken(&self) -> CancellationToken {
        self.broken.clone()
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

    fn restorations(&self) -> u64 {
        self.restorations
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
