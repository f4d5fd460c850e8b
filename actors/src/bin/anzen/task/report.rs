//! How a task is told of.

use alloy::primitives::B256;
use anzen_deploy::{
    Addresses,
    tasks::{Answered, Open, Part, Response, TaskRecord, TaskStatus, signed_bps},
};
use anzen_messages::{SafetyFactor, Task};
use serde::Serialize;

/// A task in short.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskLine {
    pub(super) index: u32,
    pub(super) hash: B256,
    pub(super) oracle_index: u32,
    pub(super) protocol: String,
    pub(super) created_block: u32,
    pub(super) reference_block: u32,
    pub(super) threshold_percentage: u32,
    /// The last block in which it can be answered.
    pub(super) last_block: u64,
    pub(super) status: Status,
    /// With 9 decimals.
    pub(super) value: Option<String>,
    /// The same in the contract's unit: 1.0 is 1000000000.
    pub(super) safety_factor: Option<SafetyFactor>,
    /// How much of the stake signed; nothing where there is no answer.
    pub(super) signed_percentage: Option<String>,
    pub(super) responded_block: Option<u64>,
    pub(super) transaction: Option<B256>,
}

/// How a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "camelCase")]
pub(super) enum Status {
    /// It can still be answered.
    Open,
    /// It was answered.
    Answered,
    /// Nobody answered it in its window.
    Unanswered,
}

impl From<TaskStatus> for Status {
    fn from(status: TaskStatus) -> Self {
        match status {
            TaskStatus::Open => Self::Open,
            TaskStatus::Answered => Self::Answered,
            TaskStatus::Unanswered => Self::Unanswered,
        }
    }
}

impl From<Status> for TaskStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Open => Self::Open,
            Status::Answered => Self::Answered,
            Status::Unanswered => Self::Unanswered,
        }
    }
}

impl Status {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered => "answered",
            Self::Unanswered => "unanswered",
        }
    }
}

impl TaskLine {
    fn new(addresses: &Addresses, hash: B256, task: &Task, last_block: u64, status: Status) -> Self {
        Self {
            index: task.index,
            hash,
            oracle_index: task.oracle_index,
            protocol: addresses.name_of(task.oracle_index),
            created_block: task.created_block,
            reference_block: task.reference_block,
            threshold_percentage: task.quorum_threshold_percentage,
            last_block,
            status,
            value: None,
            safety_factor: None,
            signed_percentage: None,
            responded_block: None,
            transaction: None,
        }
    }

    fn with_response(mut self, response: &Response, parts: Option<&[Part]>) -> Self {
        self.value = Some(response.value.to_string());
        self.safety_factor = Some(response.value);
        self.signed_percentage = parts.map(|parts| percentage(signed_bps(parts)));
        self.responded_block = Some(response.block);
        self.transaction = Some(response.transaction);
        self
    }

    /// A task of the chain's history, as of block `head`.
    pub(super) fn of_record(
        addresses: &Addresses,
        record: &TaskRecord,
        parts: Option<&[Part]>,
        head: u64,
    ) -> Self {
        let status = record.status(head).into();
        let line = Self::new(addresses, record.hash, &record.task, record.last_block, status);
        match &record.response {
            Some(response) => line.with_response(response, parts),
            None => line,
        }
    }

    /// A task that has no answer.
    pub(super) fn of_open(addresses: &Addresses, open: &Open, status: Status) -> Self {
        Self::new(addresses, open.hash, &open.task, open.last_block, status)
    }

    /// A task that was answered just now.
    pub(super) fn of_answered(addresses: &Addresses, answered: &Answered) -> Self {
        Self::of_open(addresses, &answered.open, Status::Answered)
            .with_response(&answered.response, Some(&answered.parts))
    }

    /// `67.50 %`, or a dash where it is not known.
    pub(super) fn signed_text(&self) -> String {
        self.signed_percentage.as_ref().map_or_else(|| "-".into(), |percent| format!("{percent} %"))
    }
}

/// Hundredths of a per cent, as a decimal.
fn percentage(bps: u64) -> String {
    format!("{}.{:02}", bps / 100, bps % 100)
}

/// A value for a table; a dash where there is none.
pub(super) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".into(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_have_two_decimals() {
        assert_eq!([0, 5, 6_666, 10_000].map(percentage), ["0.00", "0.05", "66.66", "100.00"]);
    }
}
