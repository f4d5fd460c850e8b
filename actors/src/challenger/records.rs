//! What the challenger has on disk: tasks, what must be answered to them and how that is proved, and what was answered.

use alloy::primitives::{B256, Bytes};
use anzen_messages::{SafetyFactor, Task, TaskHash, TaskResponse};
use serde::{Deserialize, Serialize};

use super::effect::State;
use crate::ports::{Recomputed, Space, Store, StoreError, Write};

/// Key: task hash. Value: the record as JSON.
pub(super) const TASKS: Space = Space("challenger.tasks");

/// Counts up whenever an older reader could misread a newer record.
const VERSION: u8 = 1;

/// What must be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Due {
    /// This.
    Answer(SafetyFactor),
    /// Nothing; for that reason any answer is wrong.
    Nothing(String),
}

/// What follows from the state at a task's reference block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Found {
    pub(super) due: Due,
    /// What proves it; nothing where it cannot be proved on chain.
    pub(super) witness: Option<Bytes>,
}

impl From<Recomputed> for Found {
    fn from(Recomputed { outcome, witness }: Recomputed) -> Self {
        let due = outcome.map_or_else(|none| Due::Nothing(none.to_string()), Due::Answer);
        Self { due, witness }
    }
}

/// An answer that the chain told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) response: TaskResponse,
    /// What posted it.
    pub(super) transaction: B256,
    /// The block that it is in.
    pub(super) block: u64,
}

/// How much of what came of comparing an answer was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Told {
    #[default]
    Nothing,
    /// That it differs from what was recomputed, which is not certain.
    Doubt,
    /// All of it, or that nobody checked it in time.
    Verdict,
}

/// What was told of an answer: a restarted process tells and counts it no second time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Said {
    pub(super) verdict: Told,
    /// How far its dispute is.
    pub(super) state: Option<State>,
    /// Of how many signers the stake was taken.
    pub(super) slashed: usize,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Record {
    version: u8,
    pub(super) task: Task,
    /// Nothing until it is recomputed.
    pub(super) found: Option<Found>,
    /// Nothing until it is answered.
    pub(super) answer: Option<Answer>,
    #[serde(default)]
    pub(super) said: Said,
}

impl Record {
    pub(super) fn new(task: Task, found: Option<Found>, answer: Option<Answer>, said: Said) -> Self {
        Self { version: VERSION, task, found, answer, said }
    }

    /// The write that keeps it; nothing where it cannot be encoded, which no record that was made here can be.
    pub(super) fn put(&self) -> Option<Write> {
        let value = serde_json::to_vec(self).ok()?;
        Some(Write::Put { space: TASKS, key: self.task.hash().0.to_vec(), value })
    }
}

pub(super) fn delete(task: TaskHash) -> Write {
    Write::Delete { space: TASKS, key: task.0.to_vec() }
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("{0}")]
    Malformed(#[from] serde_json::Error),
    #[error("it is of version {0}, which this program does not know; start the newer one")]
    Version(u8),
    #[error("its parts do not fit each other")]
    Inconsistent,
}

fn decode(key: &[u8], value: &[u8]) -> Result<Record, Unreadable> {
    let record: Record = serde_json::from_slice(value)?;
    if record.version != VERSION {
        return Err(Unreadable::Version(record.version));
    }
    let task = record.task.hash();
    let of_it = record.answer.is_none_or(|answer| answer.response.task_hash == task);
    if key != task.0.as_slice() || !of_it {
        return Err(Unreadable::Inconsistent);
    }
    Ok(record)
}

/// The records that are on disk.
///
/// # Errors
/// Where the store cannot be read, or a record of it: its answer may be wrong, and its proof not to be had again.
pub(super) async fn load(store: &dyn Store) -> Result<Vec<Record>, StoreError> {
    let read = |(key, value): (Vec<u8>, Vec<u8>)| {
        decode(&key, &value).map_err(|error| StoreError::damaged(TASKS.0, &key, &error))
    };
    store.load(TASKS).await?.into_iter().map(read).collect()
}
