//! Disks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anzen_actors::ports::{Space, Store, StoreError, Write};
use async_trait::async_trait;

use super::world::SimRng;

type Records = BTreeMap<(Space, Vec<u8>), Vec<u8>>;

/// What outlives a process.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk(Arc<Mutex<Records>>);

impl Disk {
    fn records(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A process's view of its disk. A write takes its time, and is there only when `commit` returns.
#[derive(Debug)]
pub(super) struct SimStore {
    disk: Disk,
    rng: Arc<SimRng>,
}

impl SimStore {
    const SLOWEST_SYNC_MS: u64 = 20;

    pub(super) fn new(disk: Disk, rng: Arc<SimRng>) -> Self {
        Self { disk, rng }
    }
}

#[async_trait]
impl Store for SimStore {
    async fn load(&self, space: Space) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let records = self.disk.records();
        let of_space = records.iter().filter(|((of, _), _)| *of == space);
        Ok(of_space.map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        tokio::time::sleep(Duration::from_millis(self.rng.below(Self::SLOWEST_SYNC_MS))).await;
        let mut records = self.disk.records();
        for write in writes {
            match write {
                Write::Put { space, key, value } => records.insert((space, key), value),
                Write::Delete { space, key } => records.remove(&(space, key)),
            };
        }
        Ok(())
    }
}
