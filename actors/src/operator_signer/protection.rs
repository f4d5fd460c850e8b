//! What this operator may sign: one answer a task, whatever happens to the process or the chain.
//!
//! Two signed answers to one task are a fault that can be proved. So an answer is recorded, and the record is on disk,
//! before it is signed; and [`Protection::may_sign`] is the only place that gives leave to sign.
//!
//! Records of old tasks are removed. What remains of them is the floor: the block of the youngest task that was removed.
//! Nothing that was created up to there is ever signed again, even if the chain, or an endpoint, brings it back.
//!
//! Records that may not tell all that was signed (of a store that is new, a copy of an earlier state, or has taken over another
//! one's records) have a barrier: the head of the chain at the first block that was followed with them. Only tasks that
//! were created after it are signed.

use std::collections::BTreeMap;

use alloy::primitives::B256;
use anzen_messages::bls::{HashedMessage, hash_to_g1};
use anzen_messages::task::SigningDomain;
use anzen_messages::{SafetyFactor, Task, TaskHash, TaskResponse};

use super::barrier::Barrier;
use super::records::{BarrierRecord, Record, Stored, deletion, floor_write};
use super::refusal::{Corrupt, Refusal};
use crate::ports::Write;

pub use super::records::SPACE;

/// An answer that this operator computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    response: TaskResponse,
    created_block: u32,
    digest: B256,
}

impl Answer {
    /// The answer `safety_factor` to `task`.
    pub fn new(task: &Task, safety_factor: SafetyFactor, domain: &SigningDomain) -> Self {
        let response = TaskResponse { task_hash: task.hash(), safety_factor };
        Self { response, created_block: task.created_block, digest: response.digest(domain) }
    }

    /// What would be signed.
    pub fn response(&self) -> TaskResponse {
        self.response
    }
}

/// Leave to sign one answer; only [`Protection::may_sign`] gives it.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit(Answer);

impl Permit {
    /// What is signed.
    pub fn response(&self) -> TaskResponse {
        self.0.response
    }

    /// The point that the key is applied to.
    pub fn message(&self) -> HashedMessage {
        hash_to_g1(self.0.digest)
    }
}

/// Whether an answer may be signed.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may: it is on record that this is the answer.
    Sign(Permit),
    /// Not yet: commit these together, say so ([`Protection::recorded`]), and ask again.
    RecordFirst(Vec<Write>),
}

/// A record, and whether it is known to be on disk.
#[derive(Debug, Clone, Copy)]
struct Kept {
    record: Record,
    on_disk: bool,
}

/// Everything that decides what may be signed. The default is that of a key that has never signed anything.
#[derive(Debug)]
pub struct Protection {
    records: BTreeMap<TaskHash, Kept>,
    floor: Option<u32>,
    barrier: Barrier,
    restorations: u64,
    /// Nothing at all was on disk.
    is_new: bool,
    pruning: bool,
}

impl Default for Protection {
    fn default() -> Self {
        let barrier = Barrier::NONE;
        Self { records: BTreeMap::new(), floor: None, barrier, restorations: 0, is_new: true, pruning: false }
    }
}

impl Protection {
    /// Reads what was on disk when the process started, in a store that was found to be a copy so often.
    ///
    /// # Errors
    /// Where a record cannot be read: nothing may be signed then.
    pub fn load(records: Vec<(Vec<u8>, Vec<u8>)>, restorations: u64) -> Result<Self, Corrupt> {
        let is_new = records.is_empty();
        let mut protection = Self { restorations, is_new, ..Self::default() };
        let mut decided = None;
        for (key, value) in records {
            let stored = Stored::read(&key, &value);
            match stored.map_err(|error| Corrupt {
                key: alloy::hex::encode_prefixed(&key),
                error: error.to_string(),
            })? {
                Stored::Floor(floor) => protection.floor = protection.floor.max(Some(floor)),
                Stored::Answer(task, record) => {
                    protection.records.insert(task, Kept { record, on_disk: true });
                }
                Stored::Barrier(barrier) => decided = Some(barrier),
            }
        }
        protection.barrier = Barrier::of(decided, is_new, restorations);
        // The next barrier takes the place of the last one on disk, and is not before it.
        let last = decided.and_then(|decided| decided.block);
        protection.floor = protection.floor.max(last.filter(|_| protection.starts_anew()));
        Ok(protection)
    }

    /// Takes it that the key has never signed anything: once, in a store that has nothing on disk, not even that something
    /// was imported. Only who has just made the key knows that. Returns whether it was taken so.
    pub fn trust_that_the_key_is_new(&mut self) -> bool {
        let trusted = self.is_new && self.starts_anew() && self.restorations == 0;
        if trusted {
            self.barrier = Barrier::TRUSTED;
        }
        trusted
    }

    /// What makes the next start decide anew from which block on tasks are signed: the records may lack what was.
    pub fn start_anew(&self) -> Vec<Write> {
        let barrier = BarrierRecord { block: None, restorations: self.restorations };
        self.floor().map(floor_write).into_iter().chain([barrier.write()]).collect()
    }

    /// The chain is followed, and this is its head: from here on, where the records may lack what was signed before.
    pub fn begin(&mut self, head: u64) {
        let head = u32::try_from(head).unwrap_or(u32::MAX);
        self.barrier.begin(head.max(self.floor.unwrap_or_default()));
    }

    /// The block up to which nothing is signed because the records may lack it.
    pub fn barrier(&self) -> Option<u32> {
        self.barrier.block().filter(|block| *block > 0)
    }

    /// Why nothing is signed for a task of that block, whatever the answer.
    ///
    /// # Errors
    /// Where nothing is.
    pub fn reaches(&self, created: u32) -> Result<(), Refusal> {
        if let Some(barrier) = self.barrier().filter(|barrier| created <= *barrier) {
            return Err(Refusal::BeforeStart { created, barrier });
        }
        match self.floor.filter(|floor| created <= *floor) {
            Some(floor) => Err(Refusal::TooOld { created, floor }),
            None => Ok(()),
        }
    }

    /// The answer that is on record for a task; it needs no computing again.
    pub fn answer(&self, task: &Task, domain: &SigningDomain) -> Option<Answer> {
        let record = self.records.get(&task.hash()).filter(|kept| !kept.record.blocked)?.record;
        let answer = Answer::new(task, record.safety_factor, domain);
        (answer.digest == record.digest).then_some(answer)
    }

    /// Decides whether `answer` may be signed. An answer that is asked for is the task's answer from then on: no other is
    /// ever given leave, even if its record does not reach the disk.
    ///
    /// # Errors
    /// Where another answer was recorded, or the task is older than the records reach.
    pub fn may_sign(&mut self, answer: &Answer) -> Result<Verdict, Refusal> {
        self.reaches(answer.created_block)?;
        let fresh = Record {
            digest: answer.digest,
            safety_factor: answer.response.safety_factor,
            created_block: answer.created_block,
            blocked: false,
        };
        let task = answer.response.task_hash;
        let kept = self.records.entry(task).or_insert(Kept { record: fresh, on_disk: false });
        if kept.record.blocked {
            return Err(Refusal::Blocked);
        }
        if kept.record.digest != answer.digest {
            let (recorded, computed) = (kept.record.safety_factor, answer.response.safety_factor);
            return Err(Refusal::AnotherAnswer { recorded, computed });
        }
        if kept.on_disk {
            Ok(Verdict::Sign(Permit(*answer)))
        } else {
            Ok(Verdict::RecordFirst(
                self.barrier.write(self.restorations).into_iter().chain([fresh.write(task)]).collect(),
            ))
        }
    }

    /// The record of a task, as [`Verdict::RecordFirst`] gave it, is on disk.
    pub fn recorded(&mut self, task: TaskHash) {
        self.barrier.is_on_disk();
        if let Some(kept) = self.records.get_mut(&task) {
            kept.on_disk = true;
        }
    }

    /// Removes the records of tasks that were created before `block`, and brings the barrier to disk. The floor must reach the
    /// disk with them, and in order: nothing more is removed until [`pruned`](Self::pruned) says that these writes are done.
    pub fn prune(&mut self, block: u64) -> Vec<Write> {
        let old = |kept: &Kept| u64::from(kept.record.created_block) < block;
        let removed: Vec<TaskHash> =
            self.records.iter().filter(|(_, kept)| old(kept)).map(|(task, _)| *task).collect();
        let mut writes: Vec<Write> = self.barrier.write(self.restorations).into_iter().collect();
        if self.pruning || (writes.is_empty() && removed.is_empty()) {
            return Vec::new();
        }
        self.pruning = true;
        if !removed.is_empty() {
            let created = |task: &TaskHash| self.records.get(task).map(|kept| kept.record.created_block);
            self.floor = self.floor.max(removed.iter().filter_map(created).max());
            writes.extend(self.floor.map(floor_write));
            self.records.retain(|_, kept| !old(kept));
        }
        writes.extend(removed.into_iter().map(deletion));
        writes
    }

    /// The writes of the last [`prune`](Self::prune) are on disk, or failed; what failed is removed again after a restart.
    pub fn pruned(&mut self, on_disk: bool) {
        self.pruning = false;
        if on_disk {
            self.barrier.is_on_disk();
        }
    }

    /// Up to which block nothing is signed, for whoever takes these records over.
    pub fn floor(&self) -> Option<u32> {
        if self.starts_anew() { self.floor } else { self.floor.max(self.barrier()) }
    }

    /// The records.
    pub(super) fn records(&self) -> BTreeMap<TaskHash, Record> {
        self.records.iter().map(|(task, kept)| (*task, kept.record)).collect()
    }

    /// The tasks to which two answers were signed.
    pub fn blocked(&self) -> Vec<TaskHash> {
        self.records.iter().filter(|(_, kept)| kept.record.blocked).map(|(task, _)| *task).collect()
    }

    /// True where the next start decides from which block on tasks are signed.
    pub fn starts_anew(&self) -> bool {
        self.barrier.is_pending()
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// True where there is no record.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}
