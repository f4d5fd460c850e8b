//! What the collector asks the actor to do.

use anzen_messages::aggregation::QuorumReached;
use anzen_messages::chain::BlockRef;
use anzen_messages::signature::{SignedStake, SubmitReply};
use anzen_messages::{OperatorId, SafetyFactor, TaskHash};

use super::check::CheckJob;
use super::collection::Suspicion;

/// What is to be done.
#[derive(Debug)]
pub(super) enum Effect {
    /// Read the operators of these quorums at this block; tell them by [`super::collector::Collector::set_loaded`].
    LoadSet { task: TaskHash, at: BlockRef, quorums: Vec<u8> },
    /// Check signatures; tell the result by [`super::collector::Collector::checked`].
    Check { task: TaskHash, value: SafetyFactor, job: CheckJob },
    /// Wait for slower operators, then call [`super::collector::Collector::linger_over`].
    Linger { task: TaskHash },
    /// Hand the certificate to the aggregator.
    Reached(Box<QuorumReached>),
    /// Say who did what.
    Blame { task: TaskHash, index: u32, operator: OperatorId, fault: Fault },
    /// A task that was not known was created.
    Created { task: TaskHash, oracle_index: u32 },
    /// A task is answered on chain. Said once.
    Answered { oracle_index: u32, value: SafetyFactor },
    /// The window has passed without an answer on chain.
    Unanswered { task: TaskHash, index: u32, oracle_index: u32, stakes: Vec<SignedStake> },
    /// Remove these records.
    Forget(Vec<(TaskHash, OperatorId)>),
}

/// What an operator did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Its signature is not one of the message.
    BadSignature,
    /// It signed another answer than the one that has the quorum.
    OtherAnswer { its: SafetyFactor, quorum: SafetyFactor },
    /// It signed two answers of one task.
    SecondAnswer,
}

/// What to do with a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Write it down, then call [`super::collector::Collector::kept`].
    Keep,
    /// Verify it alone; where it is valid write both answers down and call [`super::collector::Collector::convict`].
    Evidence(Box<Suspicion>),
    /// Reply at once.
    Reply(SubmitReply),
}
