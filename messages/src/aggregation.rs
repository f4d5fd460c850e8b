//! The messages of Aggregator.

use serde::{Deserialize, Serialize};

use crate::signature::SignedStake;
use crate::wire::{ActorName, Wire};
use crate::{Certificate, OperatorId, Task, TaskHash, TaskResponse};

/// Enough stake signed one answer, and the sum was checked. Sent by SignatureCollector, once a task and again after a
/// restart of either end.
///
/// The reply means that the aggregator has taken the task over; it holds until the task is answered or over.
/// Full: send again after a pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuorumReached {
    /// The task.
    pub task: Task,
    /// The answer.
    pub response: TaskResponse,
    /// The proof, without the chain's indices.
    pub certificate: Certificate,
    /// Who signed, ascending by id.
    pub signers: Vec<OperatorId>,
    /// How much of each quorum signed.
    pub stakes: Vec<SignedStake>,
}

impl actix::Message for QuorumReached {
    type Result = Result<QuorumTaken, NotKept>;
}

impl Wire for QuorumReached {
    type Reply = Result<QuorumTaken, NotKept>;
    const NAME: &'static str = "aggregator_quorumReached";
    const VERSION: u16 = 1;
    const TO: ActorName = ActorName::Aggregator;
    /// 10,000 operators of 200 bytes each, signers or not.
    const MOST_BYTES: usize = 4 * 1024 * 1024;
    const TIMEOUT_MS: u64 = 10_000;

    fn task(&self) -> Option<TaskHash> {
        Some(self.response.task_hash)
    }
}

/// The aggregator has it on disk: posted already, or being posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuorumTaken {}

/// The aggregator posts the certificate, but could not write it down: if its process ends now, it is lost. Send it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the aggregator posts the certificate but could not keep it on disk: {error}")]
#[serde(deny_unknown_fields)]
pub struct NotKept {
    /// What the disk said.
    pub error: String,
}
