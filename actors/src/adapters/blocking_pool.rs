//! Threads beside the actors' own.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::ports::{CpuPool, Priority};

/// Runs jobs on tokio's blocking threads, as many at a time as the machine has cores; the others wait their turn. Who
/// spawns them bounds how many wait: an actor's inbox does.
///
/// Jobs about someone in doubt leave a core to the others, and on a machine of one core take turns with them: of all that
/// wait in doubt, a job that an answer waits for comes behind one at most per core.
#[derive(Debug, Clone)]
pub struct BlockingPool {
    runtime: Handle,
    cores: Arc<Semaphore>,
    doubts: Arc<Semaphore>,
}

impl BlockingPool {
    /// A pool on the threads of `runtime`.
    pub fn new(runtime: Handle) -> Self {
        Self::with_cores(runtime, std::thread::available_parallelism().map_or(1, usize::from))
    }

    fn with_cores(runtime: Handle, cores: usize) -> Self {
        let doubts = cores.saturating_sub(1).max(1);
        Self { runtime, cores: Arc::new(Semaphore::new(cores)), doubts: Arc::new(Semaphore::new(doubts)) }
    }
}

impl CpuPool for BlockingPool {
    fn spawn(&self, job: Box<dyn FnOnce() + Send>) {
        self.spawn_at(Priority::Quorum, job);
    }

    fn spawn_at(&self, priority: Priority, job: Box<dyn FnOnce() + Send>) {
        let (cores, doubts) = (Arc::clone(&self.cores), Arc::clone(&self.doubts));
        self.runtime.spawn(async move {
            // The semaphores are never closed. Only who has the turn among the doubts stands in line for a core.
            let _turn = match priority {
                Priority::Quorum => None,
                Priority::Doubt => doubts.acquire().await.ok(),
            };
            let Ok(_core) = cores.acquire().await else { return };
            if let Err(error) = tokio::task::spawn_blocking(job).await {
                tracing::error!(%error, "a computation did not finish");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;
    use crate::ports::{run_at, run_on};

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

    /// Many jobs in doubt have come first, and one core serves all.
    #[tokio::test]
    async fn what_an_answer_waits_for_comes_before_a_heap_of_doubts() {
        let pool = BlockingPool::with_cores(Handle::current(), 1);
        let order = Arc::new(Mutex::new(Vec::new()));
        let note = |priority| {
            let order = Arc::clone(&order);
            move || order.lock().unwrap().push(priority)
        };
        let core = pool.cores.acquire().await.unwrap();
        let doubts = (0..50).map(|_| run_at(&pool, Priority::Doubt, note(Priority::Doubt)));
        let mut doubts = std::pin::pin!(join_all(doubts));
        assert!(futures::poll!(&mut doubts).is_pending());
        // Each job's task gets as far as it can.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let mut quorum = std::pin::pin!(run_on(&pool, note(Priority::Quorum)));
        assert!(futures::poll!(&mut quorum).is_pending());
        drop(core);
        assert_eq!(quorum.await, Some(()));
        doubts.await;
        let place = order.lock().unwrap().iter().position(|one| *one == Priority::Quorum);
        assert!(place.is_some_and(|place| place <= 1), "{place:?}");
    }
}
