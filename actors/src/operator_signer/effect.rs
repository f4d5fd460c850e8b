//! What the duties ask the actor to do, and what they have to say.

use anzen_messages::model::NoAnswer;
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use anzen_messages::{SafetyFactor, Task, TaskHash};

use super::duty::{Step, Ticket};
use super::protection::Permit;
use super::refusal::Refusal;
use crate::ports::Write;

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read the inputs at the reference block and evaluate; then [`super::duties::Duties::computed`].
    Compute {
        /// The duty.
        ticket: Ticket,
        /// The task.
        task: Task,
    },
    /// Commit these together; then [`super::duties::Duties::recorded`].
    Record {
        /// The duty.
        ticket: Ticket,
        /// The record, and what must be on disk with it.
        writes: Vec<Write>,
    },
    /// Sign; then [`super::duties::Duties::signed`].
    Sign {
        /// The duty.
        ticket: Ticket,
        /// What.
        permit: Permit,
    },
    /// Submit; then [`super::duties::Duties::replied`].
    Submit {
        /// The duty.
        ticket: Ticket,
        /// The aggregator's number.
        to: usize,
        /// The submission.
        message: SubmitSignature,
    },
    /// Pause as after so many failures in a row; then [`super::duties::Duties::resume`].
    Pause {
        /// The duty.
        ticket: Ticket,
        /// What is tried then.
        step: Step,
        /// How often it has failed.
        failures: u32,
    },
    /// Commit these; then [`super::duties::Duties::pruned`].
    Prune(Vec<Write>),
    /// Something for people and metrics.
    Report(Report),
}

/// What people and metrics should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// A task is not answered.
    Ignored {
        /// The task.
        task: Task,
        /// Why.
        reason: Ignored,
    },
    /// What was computed is not what the generator proposed. The computed value is signed.
    Disagrees {
        /// The task.
        task: Task,
        /// What this operator computed.
        computed: SafetyFactor,
    },
    /// The answer must not be signed.
    Refused {
        /// The task.
        task: TaskHash,
        /// Why.
        refusal: Refusal,
    },
    /// An aggregator has answered a submission, for good.
    Settled {
        /// The task.
        task: TaskHash,
        /// The aggregator's number.
        to: usize,
        /// What it said.
        reply: SubmitReply,
    },
    /// A task is over, and no aggregator has acknowledged this operator's answer.
    Missed {
        /// The task.
        task: Task,
    },
}

/// Why a task is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// The protocol is not in the configuration.
    #[error("this operator does not answer for the protocol; add it to operator_signer.protocols")]
    UnknownProtocol,
    /// No aggregator serves the protocol.
    #[error(
        "no aggregator serves the protocol; add one that does, or the protocol to an aggregator's oracle_indices"
    )]
    NotServed,
    /// The event is not what the contract emits.
    #[error("the task does not fit the block that it came with; is the RPC endpoint to be trusted?")]
    Inconsistent,
    /// The model has no answer for the inputs.
    #[error("{0}")]
    NoAnswer(#[from] NoAnswer),
    /// What was signed for it may not be on record.
    #[error(
        "it was created up to block {barrier}, when the signing protection was new, restored or imported; later tasks are \
         answered"
    )]
    BeforeStart {
        /// Nothing created up to this block is signed.
        barrier: u32,
    },
    /// As many tasks are open as this operator takes on.
    #[error("too many tasks are open; raise most_open_tasks")]
    TooMany,
}
