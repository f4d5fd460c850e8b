//! The thread that owns the file.

use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use super::database::{Database, Records};
use super::metrics::StoreMetrics;
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

/// Does the jobs until all senders are gone.
pub(super) fn run(mut database: Database, mut jobs: mpsc::Receiver<Job>, metrics: &StoreMetrics) {
    let mut next = jobs.blocking_recv();
    while let Some(job) = next.take() {
        match job {
            // A caller that has gone away needs no answer, here and below.
            Job::Load { space, reply } => drop(reply.send(database.load(space))),
            Job::Commit { writes, reply } => {
                let mut group = vec![Batch { writes, reply }];
                next = gather(&mut jobs, &mut group);
                write(&mut database, group, metrics);
            }
        }
        next = next.or_else(|| jobs.blocking_recv());
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

/// Writes a group in one transaction; where that fails, each batch alone, so that one cannot fail the others.
fn write(database: &mut Database, group: Vec<Batch>, metrics: &StoreMetrics) {
    let result = timed(database, group.iter().map(|batch| &batch.writes), metrics);
    if result.is_ok() || group.len() == 1 {
        for batch in group {
            let _ = batch.reply.send(result.clone());
        }
        return;
    }
    for batch in group {
        let result = timed(database, std::iter::once(&batch.writes), metrics);
        let _ = batch.reply.send(result);
    }
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
        Ok(()) => metrics.written(count, start.elapsed()),
        Err(error) => {
            metrics.failed();
            tracing::error!(%error, batches = count, "records were not written");
        }
    }
    result
}
