//! What of the signing protection is on disk.

use alloy::primitives::B256;
use anzen_messages::{SafetyFactor, TaskHash};
use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use crate::ports::{Space, Write};

/// Where the records are: one per task, by its hash; the floor and the barrier.
pub const SPACE: Space = Space("operator-signer.protection");

/// The floor's key; a task's is 32 bytes long.
const FLOOR: &[u8] = b"floor";
/// The barrier's.
const BARRIER: &[u8] = b"barrier";

/// The answer to one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Record {
    pub(super) digest: B256,
    pub(super) safety_factor: SafetyFactor,
    pub(super) created_block: u32,
    /// Another answer was signed too: nothing more is signed for the task.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) blocked: bool,
}

impl Record {
    pub(super) fn write(&self, task: TaskHash) -> Write {
        // Serialising these fields to memory cannot fail; were the value empty, loading would refuse it.
        let value = serde_json::to_vec(self).unwrap_or_default();
        Write::Put { space: SPACE, key: task.0.to_vec(), value }
    }

    /// What is known of a task where two stores have a record of it: of two answers none is signed again.
    pub(super) fn merged(self, other: Self) -> Self {
        let answer = |record: &Self| (record.digest, record.safety_factor);
        let first = if answer(&self) <= answer(&other) { self } else { other };
        Self {
            created_block: self.created_block.max(other.created_block),
            blocked: self.blocked || other.blocked || answer(&self) != answer(&other),
            ..first
        }
    }
}

/// What was decided when the records began, or were found to be a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BarrierRecord {
    /// Nothing that was created up to this block is signed; the next start decides where there is none.
    pub(super) block: Option<u32>,
    /// How often the store had been found to be a copy by then.
    pub(super) restorations: u64,
}

impl BarrierRecord {
    pub(super) fn write(&self) -> Write {
        let value = serde_json::to_vec(self).unwrap_or_default();
        Write::Put { space: SPACE, key: BARRIER.to_vec(), value }
    }
}

pub(super) fn floor_write(floor: u32) -> Write {
    Write::Put { space: SPACE, key: FLOOR.to_vec(), value: floor.to_string().into_bytes() }
}

pub(super) fn deletion(task: TaskHash) -> Write {
    Write::Delete { space: SPACE, key: task.0.to_vec() }
}

/// One of the above, as it was read.
pub(super) enum Stored {
    Floor(u32),
    Barrier(BarrierRecord),
    Answer(TaskHash, Record),
}

impl Stored {
    pub(super) fn read(key: &[u8], value: &[u8]) -> Result<Self, serde_json::Error> {
        match key {
            FLOOR => serde_json::from_slice(value).map(Self::Floor),
            BARRIER => serde_json::from_slice(value).map(Self::Barrier),
            _ => {
                let task = B256::try_from(key).map_err(serde_json::Error::custom)?;
                serde_json::from_slice(value).map(|record| Self::Answer(TaskHash(task), record))
            }
        }
    }
}
