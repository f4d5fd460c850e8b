//! Work that would hold up the actors' thread: pairings and sums of many points.

use futures::channel::oneshot;

/// Runs jobs beside the actors' thread. A simulation runs them in place.
pub trait CpuPool: Send + Sync {
    /// Runs `job` some time soon.
    fn spawn(&self, job: Box<dyn FnOnce() + Send>);
}

/// Runs `job` on `pool` and returns what it yields; nothing where the job panicked or the pool has been shut down.
pub async fn run_on<T: Send + 'static>(
    pool: &dyn CpuPool,
    job: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = oneshot::channel();
    pool.spawn(Box::new(move || {
        // The receiver is gone only where the actor has stopped, which has no use for the result.
        let _ = sender.send(job());
    }));
    receiver.await.ok()
}
