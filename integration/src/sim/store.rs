//! Disks: a write is queued, and is there for good once it is synced. A crash loses what was not, whole batches at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::{Address, B256};
use anzen_actors::ports::{Space, Store, StoreError, Write};
use anzen_messages::transaction::TxId;
use anzen_messages::{OperatorId, TaskHash};
use async_trait::async_trait;

use super::lineage::{File, Place};
use super::sabotage::Sabotage;
use super::world::SimRng;

/// Where operators record what they sign.
pub(crate) const PROTECTION: &str = "operator-signer.protection";
/// Where collectors keep what they acknowledged.
pub(super) const SIGNATURES: &str = "collector.signatures";
/// Where they keep an operator's second answer, until it is judged: it may take the place of the first.
const SECONDS: &str = "collector.seconds";
/// Where an acknowledged signature may be.
pub(crate) const ACKNOWLEDGED: [&str; 2] = [SIGNATURES, SECONDS];
/// Where collectors keep proofs of faults.
pub(crate) const EVIDENCE: &str = "collector.equivocations";
/// Where senders keep their transactions.
pub(super) const INTENTS: &str = "tx_sender.intents";

/// What is wrong with a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DiskFault {
    /// Nothing.
    #[default]
    None,
    /// It takes no more writes.
    Full,
    /// A sync takes up to seconds.
    Slow,
}

type Records = BTreeMap<(Space, Vec<u8>), Vec<u8>>;

#[derive(Debug, Default)]
struct Platter {
    synced: Records,
    /// Batches that have been written and not synced, the oldest first, and the number of that one.
    queue: VecDeque<Vec<Write>>,
    first: u64,
    fault: DiskFault,
    /// What the store's file knows of itself, and what is beside it.
    file: File,
    place: Place,
    /// What somebody has copied.
    copy: Option<(Records, File)>,
}

/// What outlives a process.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk(Arc<Mutex<Platter>>);

impl Disk {
    fn lock(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn breaks(&self, fault: DiskFault) {
        self.lock().fault = fault;
    }

    /// The machine went down: of the batches that wait, the first ones may have reached the disk. Returns how many are lost.
    pub(super) fn crash(&self, rng: &SimRng) -> usize {
        let mut platter = self.lock();
        let waiting = platter.queue.len() as u64;
        let upto = platter.first + rng.below(waiting + 1);
        platter.sync(upto);
        let lost = platter.queue.len();
        platter.first += lost as u64;
        platter.queue.clear();
        lost
    }

    /// A process opens it. Returns how often it was found to be a copy.
    pub(super) fn open(&self) -> u64 {
        let mut platter = self.lock();
        let Platter { file, place, .. } = &mut *platter;
        place.examine(file)
    }

    /// Somebody makes a copy of what is synced.
    pub(super) fn copy(&self) {
        let mut platter = self.lock();
        platter.copy = Some((platter.synced.clone(), platter.file.clone()));
    }

    /// Somebody puts the copy back, where there is one. True where there is.
    pub(super) fn restore(&self) -> bool {
        let mut platter = self.lock();
        let Some((synced, file)) = platter.copy.clone() else { return false };
        (platter.synced, platter.file) = (synced, file);
        platter.place.replaced();
        true
    }

    /// The synced records of a space.
    pub(super) fn records(&self, space: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        let platter = self.lock();
        let of_space = platter.synced.iter().filter(|((of, _), _)| of.0 == space);
        of_space.map(|((_, key), value)| (key.clone(), value.clone())).collect()
    }

    /// How many synced records each space has.
    pub(super) fn sizes(&self) -> BTreeMap<&'static str, usize> {
        let mut sizes = BTreeMap::new();
        for (space, _) in self.lock().synced.keys() {
            *sizes.entry(space.0).or_default() += 1;
        }
        sizes
    }

    /// True where the answer with this digest is on record as the task's.
    pub(super) fn has_answer(&self, task: TaskHash, digest: &str) -> bool {
        let records = self.records(PROTECTION);
        records.iter().any(|(key, value)| key == task.0.as_slice() && contains(value, digest.as_bytes()))
    }

    /// True where this signature of the operator for the task is kept.
    pub(super) fn has_signature(&self, task: TaskHash, operator: OperatorId, signature: &[u8]) -> bool {
        let key = [task.0.as_slice(), operator.0.as_slice()].concat();
        let mut records = ACKNOWLEDGED.into_iter().flat_map(|space| self.records(space));
        records.any(|(of, value)| of == key && contains(&value, signature))
    }

    /// Whose signatures for which tasks are kept.
    pub(super) fn signatures(&self) -> BTreeSet<(TaskHash, OperatorId)> {
        places(ACKNOWLEDGED.into_iter().flat_map(|space| self.records(space)))
    }

    /// The id of the intent that holds this transaction.
    pub(super) fn intent_of(&self, sender: Address, transaction: B256) -> Option<TxId> {
        let hash = transaction.to_string();
        let (key, _) = self
            .records(INTENTS)
            .into_iter()
            .find(|(key, value)| key.starts_with(sender.as_slice()) && contains(value, hash.as_bytes()))?;
        let id = std::str::from_utf8(key.get(sender.len()..)?).ok()?;
        serde_json::from_value(id.into()).ok()
    }
}

/// Whose signatures for which tasks these records hold.
pub(crate) fn places(records: impl Iterator<Item = (Vec<u8>, Vec<u8>)>) -> BTreeSet<(TaskHash, OperatorId)> {
    records.filter_map(|(key, _)| Some((TaskHash(word(&key, 0)?), OperatorId(word(&key, 1)?)))).collect()
}

/// The word of 32 bytes at this place.
fn word(bytes: &[u8], place: usize) -> Option<B256> {
    Some(B256::from_slice(bytes.get(32 * place..32 * (place + 1))?))
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

impl Platter {
    fn enqueue(&mut self, writes: Vec<Write>) -> u64 {
        self.queue.push_back(writes);
        self.first + self.queue.len() as u64
    }

    /// Syncs every batch before number `upto`.
    fn sync(&mut self, upto: u64) {
        while self.first < upto {
            let Some(batch) = self.queue.pop_front() else { return };
            self.first += 1;
            for write in batch {
                match write {
                    Write::Put { space, key, value } => self.synced.insert((space, key), value),
                    Write::Delete { space, key } => self.synced.remove(&(space, key)),
                };
            }
        }
    }
}

/// A process's view of its disk.
#[derive(Debug)]
pub(super) struct SimStore {
    pub(super) disk: Disk,
    pub(super) rng: Arc<SimRng>,
    pub(super) sabotage: Option<Sabotage>,
    /// How often the disk was found to be a copy.
    pub(super) restorations: u64,
}

impl SimStore {
    const SLOWEST_SYNC_MS: u64 = 20;
    const SLOWEST_SLOW_SYNC_MS: u64 = 3_000;
}

#[async_trait]
impl Store for SimStore {
    async fn load(&self, space: Space) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        if self.sabotage.is_some_and(|sabotage| sabotage.forgets() == Some(space.0)) {
            return Ok(Vec::new());
        }
        Ok(self.disk.records(space.0))
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let (upto, fault) = {
            let mut platter = self.disk.lock();
            if platter.fault == DiskFault::Full {
                return Err(StoreError::Full("the simulated disk".into()));
            }
            (platter.enqueue(writes), platter.fault)
        };
        if self.sabotage == Some(Sabotage::AcknowledgesEarly) {
            return Ok(());
        }
        let slowest = match fault {
            DiskFault::Slow => Self::SLOWEST_SLOW_SYNC_MS,
            DiskFault::None | DiskFault::Full => Self::SLOWEST_SYNC_MS,
        };
        tokio::time::sleep(Duration::from_millis(self.rng.below(slowest))).await;
        self.disk.lock().sync(upto);
        Ok(())
    }

    fn restorations(&self) -> u64 {
        if self.sabotage == Some(Sabotage::IgnoresRestoration) { 0 } else { self.restorations }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACE: Space = Space(INTENTS);

    fn put(key: u8) -> Write {
        Write::Put { space: SPACE, key: vec![key], value: vec![key] }
    }

    #[test]
    fn a_copy_that_is_put_back_is_noticed_and_counted() {
        let disk = Disk::default();
        assert!(!disk.restore(), "there is none");
        assert_eq!((disk.open(), disk.open()), (0, 0));
        disk.copy();
        assert_eq!(disk.open(), 0);
        let upto = disk.lock().enqueue(vec![put(1)]);
        disk.lock().sync(upto);
        assert!(disk.restore());
        assert_eq!(disk.records(INTENTS), []);
        assert_eq!((disk.open(), disk.open()), (1, 1));
        assert!(disk.restore(), "the same copy again");
        assert_eq!(disk.open(), 1, "it was never found to be one");
        disk.copy();
        disk.restore();
        assert_eq!(disk.open(), 2);
    }

    #[test]
    fn a_crash_keeps_whole_batches_from_the_first_on() {
        for seed in 0..20 {
            let disk = Disk::default();
            for key in 0..5 {
                disk.lock().enqueue(vec![put(2 * key), put(2 * key + 1)]);
            }
            disk.lock().sync(2);
            let lost = disk.crash(&SimRng::new(seed, "disk"));
            let kept: Vec<u8> = disk.records(INTENTS).into_iter().map(|(key, _)| key[0]).collect();
            let expected: Vec<u8> = (0..u8::try_from(2 * (5 - lost)).unwrap()).collect();
            assert_eq!(kept, expected);
            assert!(lost <= 3, "what was synced is never lost");
            let upto = disk.lock().enqueue(vec![put(99)]);
            disk.lock().sync(upto);
            assert_eq!(disk.records(INTENTS).len(), kept.len() + 1);
        }
    }
}
