//! What the schedule asks the actor to do, and what it has to say.

use alloy::primitives::{Address, B256};
use anzen_messages::transaction::{TxId, TxRefusal};

use crate::errand::Ticket;
use crate::ports::ChainError;

/// An attempt for one quorum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The quorum.
    pub quorum: u8,
    /// Which attempt.
    pub ticket: Ticket,
}

/// Whose stakes are refreshed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// What the transaction is for.
    pub id: TxId,
    /// True for the whole quorum, which is what counts for the age of its stakes.
    pub whole: bool,
    /// The operators, ascending: of the whole quorum, or those that drifted.
    pub operators: Vec<Address>,
    /// The block after which it is not sent any more.
    pub not_after: u64,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read the quorum's stakes; then [`super::schedule::Schedule::read`].
    Read(Attempt),
    /// Have these stakes refreshed; then [`super::schedule::Schedule::sent`].
    Send(Attempt, Refresh),
    /// Something for people and metrics.
    Report(Report),
}

/// What people and metrics should know.
#[derive(Debug, PartialEq, Eq)]
pub enum Report {
    /// The stakes were read.
    Read {
        /// The quorum.
        quorum: u8,
        /// Blocks since the last full refresh.
        age: u64,
        /// The greatest age that the task manager accepts, in blocks.
        max_age: u64,
        /// How many operators it has.
        operators: usize,
        /// The greatest drift, in hundredths of a per cent.
        drift_bps: u64,
    },
    /// A refresh took effect.
    Refreshed {
        /// The quorum.
        quorum: u8,
        /// True where the whole quorum was refreshed.
        whole: bool,
    },
    /// An attempt has failed.
    Hindered {
        /// The quorum.
        quorum: u8,
        /// Why.
        obstacle: Obstacle,
        /// The block from which on it is tried again.
        again: u64,
    },
}

/// Why stakes were not refreshed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The chain could not be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The call would revert, or cannot be paid for.
    #[error(transparent)]
    Refused(TxRefusal),
    /// The transaction reverted.
    #[error("transaction {0} reverted: the quorum's operators changed meanwhile")]
    Reverted(B256),
    /// It is not known what became of the request.
    #[error("not known to be sent: {0}")]
    Unknown(String),
}
