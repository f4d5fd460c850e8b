//! The signing protection as a file, for an operator that moves to another machine.
//!
//! Whoever has such a file may lack what was signed after it was written. So a store that takes one over signs only tasks that
//! are created after its next start, as one that was restored.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};
use anzen_messages::{OperatorId, SafetyFactor, TaskHash};
use serde::{Deserialize, Serialize};

use super::protection::Protection;
use super::records::{Record, floor_write};
use crate::ports::Write;

const FORMAT: &str = "anzen-signing-protection";
const VERSION: u32 = 1;
/// The most bytes of a file. A record takes 300, and there are as many as tasks in `keep_records` blocks.
pub const MOST_BYTES: u64 = 64 << 20;

/// Whose protection it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whose {
    /// The chain.
    pub chain_id: u64,
    /// The task manager.
    pub task_manager: Address,
    /// The operator.
    pub operator: OperatorId,
}

/// Why a file cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum InterchangeError {
    /// It is no such file.
    #[error(
        "this is no signing protection of this version: {0}; export it again, with the same version of Anzen"
    )]
    Malformed(String),
    /// It is another operator's, or of another deployment.
    #[error(
        "it is the signing protection of operator {}, chain {}, task manager {}, and not of operator {}, chain {}, task manager \
         {}; take the file of this operator",
        .theirs.operator, .theirs.chain_id, .theirs.task_manager, .own.operator, .own.chain_id, .own.task_manager
    )]
    AnotherOperator {
        /// Whose the file is.
        theirs: Box<Whose>,
        /// Whose it should be.
        own: Box<Whose>,
    },
}

/// All that an operator's signing protection says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interchange {
    whose: Whose,
    floor: Option<u32>,
    records: BTreeMap<TaskHash, Record>,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    format: String,
    version: u32,
    chain_id: u64,
    task_manager: Address,
    operator_id: OperatorId,
    /// Nothing that was created up to this block is signed.
    floor: Option<u32>,
    records: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    task_hash: TaskHash,
    digest: B256,
    safety_factor: SafetyFactor,
    created_block: u32,
    /// Two answers were signed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    blocked: bool,
}

impl Interchange {
    /// What a store's protection says.
    pub fn of(whose: Whose, protection: &Protection) -> Self {
        Self { whose, floor: protection.floor(), records: protection.records() }
    }

    /// Reads a file. Nothing in it is trusted.
    ///
    /// # Errors
    /// Where it is not one.
    pub fn parse(text: &[u8]) -> Result<Self, InterchangeError> {
        let malformed = |error: &dyn std::fmt::Display| InterchangeError::Malformed(error.to_string());
        if text.len() as u64 > MOST_BYTES {
            return Err(malformed(&"it is too large"));
        }
        let document: Document = serde_json::from_slice(text).map_err(|error| malformed(&error))?;
        if (document.format.as_str(), document.version) != (FORMAT, VERSION) {
            return Err(malformed(&format!("it is {} {}", document.format, document.version)));
        }
        let whose = Whose {
            chain_id: document.chain_id,
            task_manager: document.task_manager,
            operator: document.operator_id,
        };
        let mut read = Self { whose, floor: document.floor, records: BTreeMap::new() };
        for entry in document.records {
            let Entry { task_hash, digest, safety_factor, created_block, blocked } = entry;
            read.add(task_hash, Record { digest, safety_factor, created_block, blocked });
        }
        Ok(read)
    }

    fn add(&mut self, task: TaskHash, record: Record) {
        let both = self.records.get(&task).map_or(record, |own| own.merged(record));
        self.records.insert(task, both);
    }

    /// All that either says. Where they have two answers to a task, nothing more is signed for it.
    ///
    /// # Errors
    /// Where they are not of the same operator in the same deployment.
    pub fn merge(mut self, other: Self) -> Result<Self, InterchangeError> {
        if self.whose != other.whose {
            let (theirs, own) = (Box::new(other.whose), Box::new(self.whose));
            return Err(InterchangeError::AnotherOperator { theirs, own });
        }
        self.floor = self.floor.max(other.floor);
        for (task, record) in other.records {
            self.add(task, record);
        }
        Ok(self)
    }

    /// The file.
    pub fn to_json(&self) -> String {
        let entry = |(task, record): (&TaskHash, &Record)| Entry {
            task_hash: *task,
            digest: record.digest,
            safety_factor: record.safety_factor,
            created_block: record.created_block,
            blocked: record.blocked,
        };
        let document = Document {
            format: FORMAT.into(),
            version: VERSION,
            chain_id: self.whose.chain_id,
            task_manager: self.whose.task_manager,
            operator_id: self.whose.operator,
            floor: self.floor,
            records: self.records.iter().map(entry).collect(),
        };
        // Serialising these fields to memory cannot fail; an empty file would be refused.
        serde_json::to_string_pretty(&document).unwrap_or_default()
    }

    /// What makes this the protection of a store that was loaded as `of`. From its next start on, only tasks that are created
    /// after that start are signed.
    pub fn writes(&self, of: &Protection) -> Vec<Write> {
        let records = self.records.iter().map(|(task, record)| record.write(*task));
        // The floor of both, which is not below the one of `of`.
        of.start_anew().into_iter().chain(self.floor.map(floor_write)).chain(records).collect()
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// True where there is no record.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The tasks to which two answers were signed.
    pub fn blocked(&self) -> Vec<TaskHash> {
        self.records.iter().filter(|(_, record)| record.blocked).map(|(task, _)| *task).collect()
    }

    /// Nothing that was created up to this block is signed.
    pub fn floor(&self) -> Option<u32> {
        self.floor
    }
}
