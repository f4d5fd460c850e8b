//! The thread that owns the file.

use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::database::Database;
use super::metrics::StoreMetrics;
use super::records::Records;
use crate::ports::{Space, StoreError, Write};

/// The most batches in one transaction: a bound on how long the first one waits for the others.
const MOST_TOGETHER: usize = 512;

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the thread is asked to do.
pub(super) enum Job {
    Load { space: Space, reply: Reply<Records> },
    Commit { writes: Vec<Write>, reply: Reply<()> },
}

struct Batch {
    writes: Vec<Write>,
    reply: Reply<()>,
}

/// Does the jobs until all senders are gone. After a failure that leaves nothing to be trusted, every job is refused, and
/// `broken` is cancelled: what an operating system says of a file whose flush has failed once is no longer true.
pub(super) fn run(
    mut database: Database,
    mut jobs: mpsc::Receiver<Job>,
    metrics: &StoreMetrics,
    broken: &CancellationToken,
) {
    let mut next = jobs.blocking_recv();
    while let Some(job) = next.take() {
        let ended = match job {
            Job::Load { space, reply } => load(&database, space, reply),
            Job::Commit { writes, reply } => {
                let mut group = vec![Batch { writes, reply }];
                next = gather(&mut jobs, &mut group);
                write(&mut database, group, metrics)
            }
        };
        if let Err(error @ StoreError::Broken(_)) = ended {
            broken.cancel();
            return refuse(next, &mut jobs, &error);
        }
        next = next.or_else(|| jobs.blocking_recv());
    }
}

fn load(database: &Database, space: Space, reply: Reply<Records>) -> Result<(), StoreError> {
    let records = database.load(space.0);
    let outcome = records.as_ref().map(drop).map_err(Clone::clone);
    // A caller that has gone away needs no answer, here and below.
    let _ = reply.send(records);
    outcome
}

/// Answers every job with the error until all senders are gone.
fn refuse(mut next: Option<Job>, jobs: &mut mpsc::Receiver<Job>, error: &StoreError) {
    while let Some(job) = next.take().or_else(|| jobs.blocking_recv()) {
        match job {
            Job::Load { reply, .. } => drop(reply.send(Err(error.clone()))),
            Job::Commit { reply, .. } => drop(reply.send(Err(error.clone()))),
        }
    }
}

/// Adds the batches that wait already; returns the job that ends them, if one does.
fn gather(jobs: &mut mpsc::Receiver<Job>, group: &mut Vec<Batch>) -> Option<Job> {
    while group.len() < MOST_TOGETHER {
        match jobs.try_recv().ok()? {
            Job::Commit { writes, reply } => group.push(Batch { writes, reply }),
            other => return Some(other),
        }
    }
    None
}

/// Writes a group in one transaction; where that fails, each batch alone, so that one cannot fail the others. Returns what
/// ends the writing.
fn write(database: &mut Database, group: Vec<Batch>, metrics: &StoreMetrics) -> Result<(), StoreError> {
    let result = timed(database, group.iter().map(|batch| &batch.writes), metrics);
    if result.is_ok() || group.len() == 1 || matches!(result, Err(StoreError::Broken(_))) {
        for batch in group {
            let _ = batch.reply.send(result.clone());
        }
        return result;
    }
    let mut broken = Ok(());
    for batch in group {
        let result = broken.clone().and_then(|()| timed(database, std::iter::once(&batch.writes), metrics));
        if let Err(error @ StoreError::Broken(_)) = &result {
            broken = Err(error.clone());
        }
        let _ = batch.reply.send(result);
    }
    broken
}

fn timed<'a>(
    database: &mut Database,
    batches: impl ExactSizeIterator<Item = &'a Vec<Write>>,
    metrics: &StoreMetrics,
) -> Result<(), StoreError> {
    let count = batches.len() as u64;
    let start = Instant::now();
    let result = database.apply(batches.flatten());
    metrics.pulse.note(&result);
    match &result {
        Ok(()) => {
            metrics.written(count, start.elapsed());
            metrics.measure(database);
        }
        Err(error) => {
            metrics.failed();
            tracing::error!(%error, batches = count, "records were not written");
        }
    }
    result
}
