//! What is to be done, and what there is to say.

use alloy::primitives::{Address, B256, Bytes, U256};
use anzen_messages::transaction::{SendTransaction, TxId, TxRefusal};
use anzen_messages::{OperatorId, SafetyFactor, Task, TaskHash};
use serde::{Deserialize, Serialize};

use super::records::{Due, Record};
use crate::errand::Ticket;
use crate::ports::{AnswerStanding, CallError, ChainError, ContractCall, PostedAnswer};

#[cfg(doc)]
use super::cases::Cases;

/// How far a dispute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum State {
    /// The answer is to be withdrawn by proof.
    Challenging,
    /// The committee rules, or is to be asked.
    Committee,
    /// It cannot be proved, and the committee is not asked from here.
    Unprovable,
    /// Its signers are to be frozen.
    Freezing,
    /// They are; the committee can veto.
    Veto,
    /// Their stake is to be taken.
    Slashing,
    /// It was taken.
    Slashed,
    /// The committee has vetoed it.
    Vetoed,
    /// It was not taken in time.
    Expired,
    /// The wrong answer stands: nobody disputed it in time, or the committee did not uphold that.
    Stands,
}

impl State {
    pub(super) const ALL: [Self; 10] = [
        Self::Challenging,
        Self::Committee,
        Self::Unprovable,
        Self::Freezing,
        Self::Veto,
        Self::Slashing,
        Self::Slashed,
        Self::Vetoed,
        Self::Expired,
        Self::Stands,
    ];

    /// As metrics and the log name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Challenging => "challenging",
            Self::Committee => "committee",
            Self::Unprovable => "unprovable",
            Self::Freezing => "freezing",
            Self::Veto => "veto",
            Self::Slashing => "slashing",
            Self::Slashed => "slashed",
            Self::Vetoed => "vetoed",
            Self::Expired => "expired",
            Self::Stands => "stands",
        }
    }
}

/// A transaction of a dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Prove the answer wrong.
    Challenge,
    /// Have the committee rule.
    AskCommittee {
        /// For this bond, in wei.
        bond: U256,
    },
    /// End a dispute that it has not ruled on.
    Lapse,
    /// Freeze signers; `first` is the place of the first of them among all.
    Freeze { first: usize, signers: Vec<OperatorId> },
    /// Eject a frozen signer that is still registered.
    Eject { operator: OperatorId, address: Address },
    /// Take stake.
    Execute { first: usize, operators: Vec<Address> },
}

/// A step that is to be prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) answer: PostedAnswer,
    pub(super) standing: AnswerStanding,
    /// Nothing where it cannot be proved.
    pub(super) witness: Option<Bytes>,
    pub(super) plan: Plan,
}

/// What is sent, but for the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) step: Step,
    pub(super) id: TxId,
    /// The last block in which it can succeed.
    pub(super) not_after: u64,
}

/// A call that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prepared {
    pub(super) call: ContractCall,
    /// What its gas would cost, in wei, where it is only to be told.
    pub(super) cost: Option<U256>,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Recompute; tell by [`Cases::captured`].
    Recompute(Task),
    /// See whether the answer is there, and how it stands; tell by [`Cases::looked`].
    Look { task: Task, transaction: B256, ticket: Ticket },
    /// Make and try the call; tell by [`Cases::prepared`].
    Prepare { ticket: Ticket, job: Box<Job> },
    /// Send; tell by [`Cases::sent`].
    Send { task: TaskHash, ticket: Ticket, request: SendTransaction },
    /// Write the record; tell by [`Cases::not_saved`] where that fails.
    Save(Box<Record>),
    /// Remove the record.
    Forget(TaskHash),
    /// See whether the task is answered; tell by [`Cases::inquired`].
    Inquire(Task),
    /// Something for people and metrics.
    Report(Report),
}

/// How an answer compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Wrong,
}

/// What people and metrics should know.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// A task is recomputed.
    Captured { task: TaskHash, index: u32, due: Due, provable: bool },
    /// It is not, yet; tried again from block `again` on.
    NotCaptured { task: TaskHash, index: u32, error: ChainError, again: u64, answered: bool },
    /// It was recomputed again, or could not be.
    Rechecked { task: TaskHash, index: u32, error: Option<ChainError>, certain: bool },
    /// An answer differs from what was recomputed, which is not certain.
    Doubted { task: TaskHash, index: u32, answer: SafetyFactor, due: Due },
    /// An answer was compared.
    Checked { task: TaskHash, index: u32, verdict: Verdict, answer: SafetyFactor, due: Due },
    /// Nobody compared an answer while it could be challenged.
    Unchecked { task: TaskHash, index: u32 },
    /// It was answered in a block that was not told.
    Missed { task: TaskHash, index: u32 },
    /// For how many blocks answers can be challenged now.
    Window { blocks: u64 },
    /// An answer to a task that was created before what is followed.
    Unknown { task: TaskHash, index: u32 },
    /// A dispute is in another state.
    Moved { task: TaskHash, index: u32, state: State },
    /// Stake of so many more signers was taken.
    Slashed { task: TaskHash, operators: usize },
    /// A transaction is sent.
    Sends { task: TaskHash, id: TxId },
    /// It would be, were it no dry run.
    WouldSend { task: TaskHash, id: TxId, value: U256, cost: Option<U256> },
    /// It took effect.
    Done { task: TaskHash, id: TxId },
    /// A step has failed.
    Hindered { task: TaskHash, obstacle: Obstacle, again: u64 },
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Obstacle {
    /// The chain could not be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The call was tried, and would fail.
    #[error("the call would fail: {0}")]
    Call(CallError),
    /// It was not sent.
    #[error(transparent)]
    Refused(TxRefusal),
    /// The transaction reverted.
    #[error("transaction {0} reverted; another may have been faster")]
    Reverted(B256),
    /// It is not known what became of the request.
    #[error("not known to be sent: {0}")]
    Unknown(String),
    /// The transaction succeeded, and nothing is different.
    #[error("{0} took effect, but the endpoint tells of no change")]
    NoChange(TxId),
    /// The answer is not on the chain that the endpoint tells of.
    #[error("the endpoint does not know the answer")]
    NotPosted,
}
