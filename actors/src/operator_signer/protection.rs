//! What this operator may sign: one answer a task, whatever happens to the process or the chain.
//!
//! Two signed answers to one task are a fault that can be proved. So an answer is recorded, and the record is on disk,
//! before it is signed; and [`Protection::may_sign`] is the only place that gives leave to sign.
//!
//! Records of old tasks are removed. What remains of them is the floor: the block of the youngest task that was removed.
//! Nothing that was created up to there is ever signed again, even if the chain, or an endpoint, brings it back.

use std::collections::BTreeMap;

use alloy::primitives::B256;
use anzen_messages::bls::{HashedMessage, hash_to_g1};
use anzen_messages::task::SigningDomain;
use anzen_messages::{SafetyFactor, Task, TaskHash, TaskResponse};
use serde::{Deserialize, Serialize};

use crate::ports::{Space, Write};

/// Where the records are: one per task, by its hash, and the floor.
pub const SPACE: Space = Space("operator-signer.protection");

/// The floor's key; a task's is 32 bytes long.
const FLOOR: &[u8] = b"floor";

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
    /// Not yet: commit this record, say so ([`Protection::recorded`]), and ask again.
    RecordFirst(Write),
}

/// Why an answer must not be signed. It stays so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another answer is on record.
    #[error(
        "{recorded} is on record for this task and {computed} was computed now; check the RPC endpoint, and that no \
         one else uses this operator's data directory"
    )]
    AnotherAnswer {
        /// What was recorded.
        recorded: SafetyFactor,
        /// What was computed.
        computed: SafetyFactor,
    },
    /// The task is older than the records reach.
    #[error(
        "the task was created in block {created}, and records up to block {floor} have been removed; is the RPC endpoint on \
         the right chain?"
    )]
    TooOld {
        /// The block of its creation.
        created: u32,
        /// Nothing created up to this block is signed.
        floor: u32,
    },
}

/// The records on disk cannot be read, so that nothing can be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the signing protection record {key} cannot be read ({error}); restore the data directory, and leave the operator stopped \
     until every task created before that is over"
)]
pub struct Corrupt {
    key: String,
    error: String,
}

/// What is on disk for a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Record {
    digest: B256,
    safety_factor: SafetyFactor,
    created_block: u32,
}

impl Record {
    fn write(&self, task: TaskHash) -> Write {
        // Serialising these fields to memory cannot fail; were the value empty, loading would refuse it.
        let value = serde_json::to_vec(self).unwrap_or_default();
        Write::Put { space: SPACE, key: task.0.to_vec(), value }
    }
}

/// A record, and whether it is known to be on disk.
#[derive(Debug, Clone, Copy)]
struct Kept {
    record: Record,
    on_disk: bool,
}

/// Everything that decides what may be signed.
#[derive(Debug, Default)]
pub struct Protection {
    records: BTreeMap<TaskHash, Kept>,
    floor: Option<u32>,
    pruning: bool,
}

impl Protection {
    /// Reads what was on disk when the process started.
    ///
    /// # Errors
    /// Where a record cannot be read: nothing may be signed then.
    pub fn load(records: Vec<(Vec<u8>, Vec<u8>)>) -> Result<Self, Corrupt> {
        let mut protection = Self::default();
        for (key, value) in records {
            protection
                .take_in(&key, &value)
                .map_err(|error| Corrupt { key: alloy::hex::encode(&key), error: error.to_string() })?;
        }
        Ok(protection)
    }

    fn take_in(&mut self, key: &[u8], value: &[u8]) -> Result<(), serde_json::Error> {
        if key == FLOOR {
            self.floor = Some(serde_json::from_slice(value)?);
            return Ok(());
        }
        let hash = B256::try_from(key).map_err(serde::de::Error::custom)?;
        let record = serde_json::from_slice(value)?;
        self.records.insert(TaskHash(hash), Kept { record, on_disk: true });
        Ok(())
    }

    /// Decides whether `answer` may be signed. An answer that is asked for is the task's answer from then on: no other is
    /// ever given leave, even if its record does not reach the disk.
    ///
    /// # Errors
    /// Where another answer was recorded, or the task is older than the records.
    pub fn may_sign(&mut self, answer: &Answer) -> Result<Verdict, Refusal> {
        if let Some(floor) = self.floor.filter(|floor| answer.created_block <= *floor) {
            return Err(Refusal::TooOld { created: answer.created_block, floor });
        }
        let fresh = Record {
            digest: answer.digest,
            safety_factor: answer.response.safety_factor,
            created_block: answer.created_block,
        };
        let task = answer.response.task_hash;
        let kept = self.records.entry(task).or_insert(Kept { record: fresh, on_disk: false });
        if kept.record.digest != answer.digest {
            let (recorded, computed) = (kept.record.safety_factor, answer.response.safety_factor);
            return Err(Refusal::AnotherAnswer { recorded, computed });
        }
        if kept.on_disk {
            Ok(Verdict::Sign(Permit(*answer)))
        } else {
            Ok(Verdict::RecordFirst(fresh.write(task)))
        }
    }

    /// The record of a task, as [`Verdict::RecordFirst`] gave it, is on disk.
    pub fn recorded(&mut self, task: TaskHash) {
        if let Some(kept) = self.records.get_mut(&task) {
            kept.on_disk = true;
        }
    }

    /// Removes the records of tasks that were created before `block`. The floor must reach the disk with them, and in order:
    /// nothing more is removed until [`pruned`](Self::pruned) says that these writes are done.
    pub fn prune(&mut self, block: u64) -> Vec<Write> {
        let old = |kept: &Kept| u64::from(kept.record.created_block) < block;
        let youngest =
            self.records.values().filter(|kept| old(kept)).map(|kept| kept.record.created_block).max();
        let Some(youngest) = youngest.filter(|_| !self.pruning) else {
            return Vec::new();
        };
        self.pruning = true;
        self.floor = self.floor.max(Some(youngest));
        let removed: Vec<TaskHash> =
            self.records.iter().filter(|(_, kept)| old(kept)).map(|(task, _)| *task).collect();
        self.records.retain(|_, kept| !old(kept));
        let deletions = removed.into_iter().map(|task| Write::Delete { space: SPACE, key: task.0.to_vec() });
        std::iter::once(self.floor_write()).chain(deletions).collect()
    }

    /// The writes of the last [`prune`](Self::prune) are done, or failed; what failed is removed again after a restart.
    pub fn pruned(&mut self) {
        self.pruning = false;
    }

    fn floor_write(&self) -> Write {
        let value = self.floor.map(|floor| floor.to_string()).unwrap_or_default();
        Write::Put { space: SPACE, key: FLOOR.to_vec(), value: value.into_bytes() }
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
