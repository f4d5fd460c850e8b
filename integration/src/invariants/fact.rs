//! What a harness tells.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use anzen_messages::bls::G1Bytes;
use anzen_messages::chain::ChainBlock;
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use anzen_messages::transaction::TxId;
use anzen_messages::{OperatorId, SafetyFactor, TaskHash, TaskResponse};

/// When something was: the number of facts before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Moment(pub(super) u64);

/// A transaction in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinedTx {
    /// Its hash.
    pub hash: B256,
    /// Who sent it.
    pub sender: Address,
    /// Its nonce.
    pub nonce: u64,
    /// False where it reverted.
    pub succeeded: bool,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Fact {
    /// The canonical chain has a new block, on top of the newest before.
    Block {
        /// The block with its events.
        block: ChainBlock,
        /// The transactions in it.
        transactions: Vec<MinedTx>,
        /// Nothing has disturbed the world since the block before, and a threshold of honest operators is at work.
        quiet: bool,
    },
    /// A reorg has undone every block above this number.
    Reorg {
        /// The last block that stands.
        to: u64,
    },
    /// What the model yields for a task, for one who reads the chain as it is.
    Truth {
        /// The task.
        task: TaskHash,
        /// The answer.
        value: SafetyFactor,
    },
    /// An operator's key was applied to an answer.
    Signed {
        /// Whose key.
        operator: OperatorId,
        /// The answer.
        response: TaskResponse,
        /// The record of this very answer is on disk. True where that cannot be known.
        on_disk: bool,
    },
    /// An operator's key was applied to what is no answer to any task that there ever was.
    SignedSomething {
        /// Whose key.
        operator: OperatorId,
        /// The point.
        point: G1Bytes,
    },
    /// A collector replied to a submission, whether the reply reached the operator or not.
    Replied {
        /// The aggregator's name.
        aggregator: String,
        /// What was submitted.
        message: SubmitSignature,
        /// When the collector was handed the submission.
        asked: Moment,
        /// The reply.
        reply: SubmitReply,
        /// The signature is on disk. True where that cannot be known.
        on_disk: bool,
    },
    /// The signatures that a collector has on disk now.
    Signatures {
        /// The aggregator's name.
        aggregator: String,
        /// Their tasks and operators.
        kept: BTreeSet<(TaskHash, OperatorId)>,
    },
    /// A process hands a transaction to a node: told before, and again where the node has taken it.
    Broadcast {
        /// Who sends.
        sender: Address,
        /// Its nonce.
        nonce: u64,
        /// Its hash.
        hash: B256,
        /// The idempotency id of the intent on disk that holds it; nothing where none does.
        id: Option<TxId>,
        /// The node has it, and may tell others.
        taken: bool,
    },
    /// A process has this many records of one kind on disk.
    Stored {
        /// The process.
        process: String,
        /// What kind of records.
        space: &'static str,
        /// How many.
        records: usize,
    },
    /// A collector keeps two answers of one operator as evidence.
    Evidence {
        /// Who is accused.
        operator: OperatorId,
        /// Of which task.
        task: TaskHash,
        /// The two answers, each with its signature.
        answers: [(SafetyFactor, G1Bytes); 2],
    },
    /// A process has a record that cannot be read.
    Unreadable {
        /// The process.
        process: String,
        /// What kind of record.
        space: &'static str,
    },
    /// A process said that an operator is at fault.
    Blamed {
        /// The process.
        process: String,
        /// Who.
        operator: OperatorId,
        /// For what.
        fault: Fault,
    },
    /// All is quiet, and a process has told these blocks of the chain, ascending.
    Follows {
        /// The process.
        process: String,
        /// The blocks.
        blocks: Vec<ChainBlock>,
    },
    /// All is quiet, and this is what an actor believes of the chain.
    Believes {
        /// The process.
        process: String,
        /// What.
        view: View,
        /// Of how many tasks.
        tasks: usize,
    },
}

/// What actors believe of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// A signer: their window is not over, and it has set out to answer them.
    Open,
    /// A collector: they are known, and not over and final.
    Known,
    /// An aggregator: there is a certificate, and no answer on chain.
    Unanswered,
}

/// What an operator is blamed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A signature that is not valid.
    BadSignature,
    /// Two answers to one task.
    SecondAnswer,
    /// Another answer than the quorum's.
    OtherAnswer,
}
