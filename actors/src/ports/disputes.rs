//! Disputes, as a challenger needs them.

use alloy::primitives::{Address, B256, Bytes, U256};
use anzen_messages::model::NoAnswer;
use anzen_messages::{OperatorId, SafetyFactor, Task, TaskResponse};
use async_trait::async_trait;

use super::ChainError;

/// What follows from the state at a task's reference block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recomputed {
    /// The answer, or why there is none; then any answer is wrong.
    pub outcome: Result<SafetyFactor, NoAnswer>,
    /// What proves it on chain: `IModelEvaluator.Witness`, ABI-encoded. Nothing where a source cannot be read on chain
    /// (`IModelEvaluator.isReadable`), so that the committee has to rule.
    pub witness: Option<Bytes>,
}

/// An answer that is on chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedAnswer {
    /// The answer.
    pub response: TaskResponse,
    /// The block in which it was taken.
    pub responded_block: u32,
    /// Who signed: the contract's record.
    pub signatory_record: B256,
    /// Those who did not, ascending.
    pub non_signers: Vec<OperatorId>,
    /// The oracle's round that it was written in.
    pub round: u64,
}

/// How a dispute before the committee stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitteeCase {
    /// Nobody has asked it.
    NotAsked,
    /// It can rule until this block.
    Pending {
        /// The last block of the ruling.
        ruling_end: u64,
    },
    /// The answer was withdrawn.
    Upheld,
    /// The answer stands.
    Rejected,
    /// It did not rule in time; the answer stands.
    Lapsed,
}

/// How an answer stands, as of the newest block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerStanding {
    /// The last block in which it can be challenged, or the committee be asked.
    pub challenge_end: u64,
    /// The last block in which it can be proved wrong: while the committee is asked, for half of the veto window longer.
    pub proof_end: u64,
    /// True where it was withdrawn.
    pub withdrawn: bool,
    /// Whether the committee is asked.
    pub committee: CommitteeCase,
    /// What asking it costs, in wei, if the challenge is rejected.
    pub bond: U256,
    /// The fault of those who signed it; nothing where none is recorded.
    pub fault: Option<FaultStanding>,
}

/// How a fault of an answer's signers stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultStanding {
    /// Its name.
    pub id: B256,
    /// The last block in which it can be vetoed.
    pub veto_end: u64,
    /// The last block in which it can be executed.
    pub execution_end: u64,
    /// True where the committee has vetoed all of it.
    pub vetoed: bool,
    /// Where stake is taken from: quorums with their strategies, as `FaultRecorded` told.
    pub plan: Vec<(u8, Vec<Address>)>,
    /// Every signer, ascending by id.
    pub signers: Vec<SignerStanding>,
}

/// How one signer of a wrong answer stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerStanding {
    /// Who it is.
    pub id: OperatorId,
    /// Its account.
    pub address: Address,
    /// True where it was frozen for the fault.
    pub frozen: bool,
    /// True where the committee has vetoed its slashing.
    pub vetoed: bool,
    /// True where stake of it is still to be taken.
    pub owes: bool,
    /// True where it is registered: though frozen, it was not ejected, or has come back.
    pub registered: bool,
}

/// What is sent to a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractCall {
    /// The contract.
    pub to: Address,
    /// The call.
    pub data: Bytes,
    /// What is paid with it, in wei.
    pub value: U256,
}

/// The disputes contract, and what becomes of faults. Used by Challenger.
#[async_trait]
pub trait Disputes: Send + Sync {
    /// What the answer to a task must be, and what proves it. Nodes keep the states that this needs for a short time only.
    async fn recompute(&self, task: &Task) -> Result<Recomputed, ChainError>;

    /// The answer to a task on the chain as it is now; nothing where there is none. `transaction` is the one that posted it.
    async fn posted(&self, task: &Task, transaction: B256) -> Result<Option<PostedAnswer>, ChainError>;

    /// How an answer stands.
    async fn standing(&self, task: &Task, answer: &PostedAnswer) -> Result<AnswerStanding, ChainError>;

    /// Has an answer withdrawn by proof.
    fn challenge_call(
        &self,
        task: &Task,
        answer: &PostedAnswer,
        witness: &Bytes,
    ) -> Result<ContractCall, ChainError>;

    /// Has the committee rule on an answer, for this bond.
    fn committee_call(&self, task: &Task, answer: &PostedAnswer, bond: U256) -> ContractCall;

    /// Gives the bond back where the committee has not ruled in time.
    fn lapse_call(&self, task: &Task) -> ContractCall;

    /// Freezes signers of a withdrawn answer. Reads where in the coordinator's history they stand.
    async fn freeze_call(
        &self,
        task: &Task,
        answer: &PostedAnswer,
        signers: &[OperatorId],
    ) -> Result<ContractCall, ChainError>;

    /// Ejects a frozen operator again.
    fn eject_call(&self, fault: B256, operator: Address) -> ContractCall;

    /// Takes the stake of operators that were frozen for a fault.
    fn execute_call(&self, fault: &FaultStanding, operators: &[Address]) -> ContractCall;
}
