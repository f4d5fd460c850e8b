//! Work that would hold up the actors' thread: pairings and sums of many points.

use futures::channel::oneshot;

/// How much depends on a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// An answer waits for it.
    Quorum,
    /// It is about someone in doubt: it must not hold up what answers wait for, however much of it comes.
    Doubt,
}

/// Runs jobs beside the actors' thread. A simulation runs them in place.
pub trait CpuPool: Send + Sync {
    /// Runs `job` some time soon.
    fn spawn(&self, job: Box<dyn FnOnce() + Send>);

    /// Runs `job` when its turn comes. A pool that knows no order runs it as any other.
    fn spawn_at(&self, _priority: Priority, job: Box<dyn FnOnce() + Send>) {
        self.spawn(job);
    }
}

/// Runs `job` on `pool` and returns what it yields; nothing where the job panicked or the pool has been shut down.
pub async fn run_on<T: Send + 'static>(
    pool: &dyn CpuPool,
    job: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    run_at(pool, Priority::Quorum, job).await
}

/// The same, when the turn of `priority` comes.
pub async fn run_at<T: Send + 'static>(
    pool: &dyn CpuPool,
    priority: Priority,
    job: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = oneshot::channel();
    let job = Box::new(move || {
        // The receiver is gone only where the actor has stopped, which has no use for the result.
        let _ = sender.send(job());
    });
    match priority {
        Priority::Quorum => pool.spawn(job),
        Priority::Doubt => pool.spawn_at(priority, job),
    }
    receiver.await.ok()
}
