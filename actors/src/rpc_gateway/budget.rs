//! How many bytes may wait: of one connection, and of all together. A part of what a connection may have waiting is its own,
//! whatever the others do; beyond it, all share, first come, first served.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connection::End;

/// What each connection may have waiting for itself: dozens of single calls.
const OWN_BYTES: usize = 64 * 1024;

/// What all connections may have waiting beyond what is their own.
#[derive(Debug, Clone)]
pub(super) struct Common {
    bytes: Arc<Semaphore>,
    total: usize,
}

impl Common {
    pub(super) fn new(total: usize) -> Self {
        let total = total.min(Semaphore::MAX_PERMITS);
        Self { bytes: Arc::new(Semaphore::new(total)), total }
    }
}

/// What one connection may have waiting.
#[derive(Debug)]
pub(super) struct Budget {
    own: Arc<Semaphore>,
    own_total: usize,
    shared: Arc<Semaphore>,
    shared_total: usize,
    common: Option<Common>,
}

/// Bytes that wait; given back when this is dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    _of_the_connection: OwnedSemaphorePermit,
    _of_all: Option<OwnedSemaphorePermit>,
}

impl Budget {
    /// `most` bytes in all.
    pub(super) fn new(most: usize, common: Option<&Common>) -> Self {
        let own_total = most.min(OWN_BYTES);
        let shared_total = (most - own_total).min(common.map_or(usize::MAX, |common| common.total));
        Self {
            own: Arc::new(Semaphore::new(own_total)),
            own_total,
            shared: Arc::new(Semaphore::new(shared_total)),
            shared_total,
            common: common.cloned(),
        }
    }

    /// Waits until there is room for `bytes` more; what is larger than there ever is takes all of it.
    pub(super) async fn take(&self, bytes: usize) -> Result<Waiting, End> {
        if bytes > self.own_total && self.shared_total > 0 {
            return self.take_shared(bytes).await;
        }
        let own = take(&self.own, bytes.min(self.own_total));
        if self.shared_total == 0 {
            return Ok(Waiting { _of_the_connection: own.await?, _of_all: None });
        }
        tokio::select! {
            biased;
            own = own => Ok(Waiting { _of_the_connection: own?, _of_all: None }),
            shared = self.take_shared(bytes) => shared,
        }
    }

    async fn take_shared(&self, bytes: usize) -> Result<Waiting, End> {
        let bytes = bytes.min(self.shared_total);
        let of_the_connection = take(&self.shared, bytes).await?;
        let of_all = match &self.common {
            Some(common) => Some(take(&common.bytes, bytes).await?),
            None => None,
        };
        Ok(Waiting { _of_the_connection: of_the_connection, _of_all: of_all })
    }
}

/// Waits for permits; there are as many at some time.
pub(super) async fn take(semaphore: &Arc<Semaphore>, permits: usize) -> Result<OwnedSemaphorePermit, End> {
    let permits = u32::try_from(permits).unwrap_or(u32::MAX);
    Arc::clone(semaphore).acquire_many_owned(permits).await.map_err(|_| End::Stopping)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1024 * 1024;

    #[tokio::test]
    async fn those_who_take_all_leave_each_its_own() {
        let common = Common::new(2 * MOST);
        let budgets: Vec<_> = (0..5).map(|_| Budget::new(MOST, Some(&common))).collect();
        let mut taken = Vec::new();
        for budget in &budgets[..4] {
            while let std::task::Poll::Ready(waiting) = futures::poll!(Box::pin(budget.take(100 * 1024))) {
                taken.push(waiting.unwrap());
            }
        }
        assert!(taken.len() * 100 * 1024 <= 2 * MOST, "{}", taken.len());
        let honest = &budgets[4];
        assert!(futures::poll!(Box::pin(honest.take(100 * 1024))).is_pending(), "there is none left for all");
        let single: Vec<_> = (0..20).map(|_| Box::pin(honest.take(3 * 1024))).collect();
        for one in single {
            taken.push(one.await.unwrap());
        }
        drop(taken);
        assert!(honest.take(MOST).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_larger_than_there_ever_is_takes_all() {
        for (most, common) in [(MOST, Some(Common::new(1024))), (1024, None), (MOST, None)] {
            let budget = Budget::new(most, common.as_ref());
            let waiting = budget.take(usize::MAX).await.unwrap();
            drop(waiting);
            budget.take(usize::MAX).await.unwrap();
        }
    }
}
