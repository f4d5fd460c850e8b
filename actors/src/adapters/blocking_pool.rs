//! Threads beside the actors' own.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::ports::CpuPool;

/// Runs jobs on tokio's blocking threads, as many at a time as the machine has cores; the others wait their turn. Who
/// spawns them bounds how many wait: an actor's inbox does.
#[derive(Debug, Clone)]
pub struct BlockingPool {
    runtime: Handle,
    cores: Arc<Semaphore>,
}

impl BlockingPool {
    /// A pool on the threads of `runtime`.
    pub fn new(runtime: Handle) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { runtime, cores: Arc::new(Semaphore::new(cores)) }
    }
}

impl CpuPool for BlockingPool {
    fn spawn(&self, job: Box<dyn FnOnce() + Send>) {
        let cores = Arc::clone(&self.cores);
        self.runtime.spawn(async move {
            // The semaphore is never closed.
            let Ok(_core) = cores.acquire().await else { return };
            if let Err(error) = tokio::task::spawn_blocking(job).await {
                tracing::error!(%error, "a computation did not finish");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;
    use crate::ports::run_on;

    #[tokio::test]
    async fn never_more_jobs_at_a_time_than_cores() {
        static RUNNING: AtomicUsize = AtomicUsize::new(0);
        let pool = BlockingPool::new(Handle::current());
        let cores = pool.cores.available_permits();
        let job = || {
            let running = RUNNING.fetch_add(1, Ordering::SeqCst) + 1;
            std::thread::yield_now();
            RUNNING.fetch_sub(1, Ordering::SeqCst);
            running
        };
        let seen = join_all((0..64).map(|_| run_on(&pool, job))).await;
        assert!(seen.iter().all(|running| running.is_some_and(|running| running <= cores)), "{seen:?}");
    }

    #[tokio::test]
    async fn a_job_that_panics_yields_nothing_and_harms_no_other() {
        let pool = BlockingPool::new(Handle::current());
        let failed: Option<()> = run_on(&pool, || panic!("on purpose")).await;
        assert_eq!(failed, None);
        assert_eq!(run_on(&pool, || 7).await, Some(7));
    }
}
