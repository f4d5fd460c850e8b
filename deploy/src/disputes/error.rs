//! Why something about a dispute cannot be read or sent.

use alloy::primitives::{Address, B256};
use anzen_messages::evidence::NotEvidence;

use crate::chain::ChainError;

/// Why something about a dispute cannot be read or sent. What a contract refuses is a [`ChainError`].
#[derive(Debug, thiserror::Error)]
pub enum DisputeError {
    /// No task has this index.
    #[error("there is no task {0}; `anzen task list` tells which there are")]
    NoTask(u32),
    /// No task has this hash.
    #[error("there is no task {0}; `anzen task list` tells which there are, and the chain may have left it")]
    UnknownTask(B256),
    /// No fault and no task has this name.
    #[error("there is neither a fault nor a task {0}; `anzen dispute list` tells which faults there are")]
    UnknownName(B256),
    /// Nobody found the answer to be wrong.
    #[error("the answer to task {0} was not withdrawn, so nobody is at fault for it")]
    NoFault(B256),
    /// The fault's task is not told by any event that the node has.
    #[error(
        "no event tells which task fault {0} is about; name an endpoint that has all logs in chain.rpc_url"
    )]
    NoTaskOfFault(B256),
    /// The event of a fault is not there.
    #[error(
        "the node has no log of block {block}, in which fault {fault} was recorded; name an endpoint that has it in \
         chain.rpc_url"
    )]
    NoLog {
        /// The fault.
        fault: B256,
        /// When it was recorded.
        block: u64,
    },
    /// Nobody has answered the task.
    #[error("task {0} has no answer")]
    NoAnswer(B256),
    /// No account registered so.
    #[error("{0} is no operator of Anzen; check the address")]
    UnknownOperator(Address),
    /// No key registered so.
    #[error("no operator has registered the id {0}; check the id")]
    UnknownOperatorId(B256),
    /// The response window has passed.
    #[error("answers to task {task} could be attested until block {last}, and the next block is {next}")]
    AttestWindowOver {
        /// The task.
        task: B256,
        /// The last block of the window.
        last: u64,
        /// The block in which a transaction would be now.
        next: u64,
    },
    /// It is done.
    #[error("operator {operator} has attested its answer to task {task} already; nothing is left to do")]
    AlreadyAttested {
        /// The operator.
        operator: B256,
        /// The task.
        task: B256,
    },
    /// The document proves nothing.
    #[error("this is no proof of two answers: {0}")]
    NotEvidence(#[from] NotEvidence),
    /// The document is about another deployment.
    #[error(
        "the evidence is of chain {chain_id}, task manager {task_manager}, which is not this deployment; give its addresses.json \
         with --addresses"
    )]
    AnotherDeployment {
        /// The evidence's chain.
        chain_id: u64,
        /// Its task manager.
        task_manager: Address,
    },
    /// The task was not created on this chain, or a reorganisation removed it.
    #[error(
        "the chain has no task {0}, which the evidence is about: it left the block with it, or never had one"
    )]
    TaskNotOnChain(B256),
    /// Too late.
    #[error("two answers to task {task} could be proved until block {last}, and the next block is {next}")]
    ProofWindowOver {
        /// The task.
        task: B256,
        /// The last block of the window.
        last: u64,
        /// The block in which a transaction would be now.
        next: u64,
    },
    /// It is done.
    #[error("this is proved already, as fault {0}; `anzen dispute show {0}` tells what becomes of it")]
    AlreadyProved(B256),
    /// Too early.
    #[error(
        "fault {fault} can be vetoed until block {veto_end}, and be executed from the block after it; the next block is {next}"
    )]
    VetoWindowNotOver {
        /// The fault.
        fault: B256,
        /// The last block of the window.
        veto_end: u64,
        /// The block in which a transaction would be now.
        next: u64,
    },
    /// Too late.
    #[error("fault {fault} could {what} until block {last}, and the next block is {next}")]
    FaultWindowOver {
        /// The fault.
        fault: B256,
        /// What it could do or have done to it.
        what: &'static str,
        /// The last block of the window.
        last: u64,
        /// The block in which a transaction would be now.
        next: u64,
    },
    /// The committee has said that nobody is slashed for it.
    #[error("the committee has vetoed fault {0}: nobody is slashed for it")]
    Vetoed(B256),
    /// The oracle's log of the answer's round is not there.
    #[error(
        "the node has no log of the round that task {0}'s answer was written in; name another endpoint in chain.rpc_url"
    )]
    NoRound(B256),
    /// A view failed, or the node did not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
}
