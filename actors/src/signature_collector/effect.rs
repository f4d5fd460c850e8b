//! What the collector asks the actor to do.

use anzen_messages::chain::BlockRef;
use anzen_messages::evidence::Evidence;
use anzen_messages::signature::{SignedStake, SubmitReply};
use anzen_messages::{OperatorId, SafetyFactor, TaskHash};

use super::check::CheckJob;
use super::early::Waiting;
use super::seconds::Place;
use super::standing::Struck;
use super::trial::{Contest, Trial};

/// What is to be done.
#[derive(Debug)]
pub(super) enum Effect {
    /// Read the operators of these quorums at this block; tell them by [`super::collector::Collector::set_loaded`].
    LoadSet { task: TaskHash, at: BlockRef, quorums: Vec<u8> },
    /// Say that the operators of a task were read again, and are others.
    OtherSet { task: TaskHash },
    /// Check signatures; tell the result by [`super::collector::Collector::checked`].
    Check { task: TaskHash, value: SafetyFactor, job: CheckJob },
    /// Verify a signature alone, when nothing else is to be done; tell the result by
    /// [`super::collector::Collector::tried`].
    Try { place: Place, trial: Box<Trial> },
    /// Verify two signatures alone, likewise; tell the result by [`super::collector::Collector::contested`].
    Contest(Box<Contest>),
    /// Wait for slower operators, then call [`super::collector::Collector::linger_over`].
    Linger { task: TaskHash },
    /// There is a certificate: [`super::collector::Collector::certificate`].
    Reached { task: TaskHash },
    /// Hand the certificate to the aggregator, until it has taken it or
    /// [`super::collector::Collector::due_for_handover`] has nothing any more.
    HandOver { task: TaskHash },
    /// Say who did what.
    Blame { task: TaskHash, index: u32, operator: OperatorId, fault: Fault },
    /// Say, and write down, until when an operator is penalised.
    Penalise { operator: OperatorId, struck: Struck },
    /// Write down a proof in place of the second signature, and remove those of the same operator about the tasks in
    /// `dropped`.
    KeepEvidence { evidence: Box<Evidence>, dropped: Vec<TaskHash> },
    /// Write down that a second signature is the first now.
    Promote { place: Place, record: Waiting },
    /// A task that was not known was created.
    Created { task: TaskHash, oracle_index: u32 },
    /// A task is answered on chain. Said once.
    Answered { oracle_index: u32, value: SafetyFactor },
    /// The window has passed without an answer on chain. Said once.
    Unanswered { task: TaskHash, index: u32, oracle_index: u32, stakes: Vec<SignedStake> },
    /// Remove these records.
    Forget(Vec<Place>),
    /// Remove these records of second signatures.
    ForgetSeconds(Vec<Place>),
    /// Remove the records of these operators' penalties.
    ForgetPenalties(Vec<OperatorId>),
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
    /// Write it down beside the first, then call [`super::collector::Collector::second_kept`].
    KeepSecond,
    /// Reply at once.
    Reply(SubmitReply),
}
