//! What the schedule asks the actor to do, and what it has to say.

use alloy::primitives::{Address, B256, Bytes};
use anzen_messages::chain::BlockRef;
use anzen_messages::model::NoAnswer;
use anzen_messages::transaction::{SendTransaction, TxRefusal};
use anzen_messages::{SafetyFactor, TaskHash};

use super::history::Unanswered;
use super::policy::Reason;
use crate::errand::Ticket;
use crate::ports::{ChainError, TaskRules};

/// An attempt of one protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The protocol.
    pub oracle_index: u32,
    /// Which attempt.
    pub ticket: Ticket,
}

/// A task that is ready to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What is proposed.
    pub value: SafetyFactor,
    /// Who is called.
    pub to: Address,
    /// With what.
    pub data: Bytes,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask the contract what is allowed; then [`super::schedule::Schedule::looked`].
    Look(Attempt),
    /// Compute the proposal at this block and make the call; then [`super::schedule::Schedule::proposed`].
    Propose {
        /// Whose.
        attempt: Attempt,
        /// What is allowed.
        rules: TaskRules,
        /// The block.
        at: BlockRef,
    },
    /// Compute the values of these protocols at this block, each by its model; then
    /// [`super::schedule::Schedule::compared`].
    Compare {
        /// The block.
        at: BlockRef,
        /// Protocols and models.
        models: Vec<(u32, B256)>,
    },
    /// Send; then [`super::schedule::Schedule::sent`].
    Send(Attempt, SendTransaction),
    /// Something for people and metrics.
    Report(Report),
}

/// What people and metrics should know.
#[derive(Debug, PartialEq, Eq)]
pub enum Report {
    /// A task of this protocol was created, by whomever.
    Created {
        /// The protocol.
        oracle_index: u32,
        /// The task.
        task: TaskHash,
        /// Its number.
        index: u32,
        /// The block.
        block: u64,
    },
    /// A task is about to be asked for.
    Asked {
        /// The protocol.
        oracle_index: u32,
        /// Why.
        reason: Reason,
    },
    /// The model's value could not be compared with the oracle's.
    NotCompared {
        /// The protocol.
        oracle_index: u32,
        /// Why.
        obstacle: Obstacle,
    },
    /// A task's window has passed without an answer.
    Unanswered {
        /// The protocol.
        oracle_index: u32,
        /// The task.
        task: Unanswered,
    },
    /// There is no task yet although one is due.
    Hindered {
        /// The protocol.
        oracle_index: u32,
        /// Why.
        obstacle: Obstacle,
        /// The block from which on it is tried again.
        again: u64,
    },
}

/// Why a task that is due was not created.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The chain could not be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Governance allows no tasks of the protocol.
    #[error("there is no task policy for the protocol; governance sets one with setTaskPolicy")]
    NoPolicy,
    /// There is no answer that operators could give.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// The call would revert, or cannot be paid for.
    #[error(transparent)]
    Refused(TxRefusal),
    /// The transaction reverted.
    #[error("transaction {0} reverted: another generator was faster, or the stakes changed")]
    Reverted(B256),
    /// It is not known what became of the request.
    #[error("not known to be sent: {0}")]
    Unknown(String),
}

impl Obstacle {
    /// True where it is part of everyday life with several generators, and no trouble.
    pub fn is_everyday(&self) -> bool {
        matches!(self, Self::Reverted(_) | Self::Unknown(_))
    }
}
