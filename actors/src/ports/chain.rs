//! The chain, as actors need it: one small trait per kind of question.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, U256};
use anzen_messages::bls::PublicKey;
use anzen_messages::chain::{BlockRef, ChainBlock, Header};
use anzen_messages::model::{Reading, Term};
use anzen_messages::{Certificate, OperatorId, OperatorSet, SafetyFactor, Task, TaskResponse};
use async_trait::async_trait;

use super::disputes::ContractCall;

/// Why a question to the chain has no answer. Asking again may help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The endpoint did not answer, or answered with an error.
    #[error("the RPC endpoint failed: {0}; check that it is up and serves this chain")]
    Endpoint(String),
    /// The block is not there: it was reorganised away, or the node does not keep its state.
    #[error("the chain has no state for block {0}; the endpoint needs recent states")]
    NoSuchBlock(String),
    /// The answer makes no sense: the wrong contract stands at an address, or the endpoint lies.
    #[error("the chain's answer is not what it must be: {0}; check the addresses file")]
    Nonsense(String),
    /// An endpoint's answer is refuted by the header or the proof that it gave itself.
    #[error("{endpoint} lies or is faulty: {what}; take it out of chain.rpc_url and chain.rpc_urls")]
    Unproven {
        /// Which endpoint.
        endpoint: String,
        /// What does not hold.
        what: String,
    },
    /// The endpoints do not say the same of what a model reads, or too few of them say anything.
    #[error(
        "{most} of the endpoints say the same of what the model reads, and {needed} must (chain.agree), so nothing is \
         signed{failure}; find out which of chain.rpc_urls lies or is down"
    )]
    TooFewAgree {
        /// How many say the same.
        most: usize,
        /// How many must.
        needed: usize,
        /// Why one of them says nothing.
        failure: String,
    },
}

/// Why a call fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The contract reverts, for the reason that is named.
    #[error("reverts: {reason}")]
    Reverts {
        /// The error's name and arguments.
        reason: String,
        /// True where it says that the task has been answered already.
        already_answered: bool,
    },
    /// The question did not get that far.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// Follows blocks. Used by ChainWatcher.
#[async_trait]
pub trait ChainReader: Send + Sync {
    /// The newest block.
    async fn head(&self) -> Result<Header, ChainError>;

    /// The header of a block of the canonical chain; nothing where it is not there yet.
    async fn header(&self, number: u64) -> Result<Option<Header>, ChainError>;

    /// The blocks `from..=to`, each with its events. Each block's events are of exactly that block (asked for by hash, or
    /// checked); the blocks need not be of one fork where a reorg happens meanwhile: the caller checks parents.
    async fn blocks(&self, from: u64, to: u64) -> Result<Vec<ChainBlock>, ChainError>;

    /// For how many blocks the tasks that are created in each of these blocks can be answered, as the contract has it now.
    async fn response_windows(&self, created: &[u64]) -> Result<Vec<u64>, ChainError>;

    /// Returns when there may be a block after `known`: on a subscription's word, or after the polling interval.
    async fn changed(&self, known: BlockRef);
}

/// An operator as the key registry has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredOperator {
    /// Its account.
    pub address: Address,
    /// Its BLS key.
    pub key: PublicKey,
}

/// What the registry recorded of an operator in a quorum, and what a refresh now would record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedStake {
    /// The operator's account.
    pub operator: Address,
    /// As of its last refresh.
    pub recorded: U256,
    /// As of now.
    pub current: U256,
}

/// How fresh a quorum's stakes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StakeStatus {
    /// The block of the last full refresh; where the task manager notes none, or an old one, the block of that, since it is
    /// another one that is needed then.
    pub refreshed_at: u64,
    /// After how many blocks the task manager refuses the stakes.
    pub max_age: u64,
    /// Every operator of the quorum, ascending by account.
    pub operators: Vec<RecordedStake>,
}

/// The registries of operators and stakes. Used by SignatureCollector, RpcGateway and StakeUpdater.
#[async_trait]
pub trait OperatorRegistry: Send + Sync {
    /// The operators of `quorums` as of the block with this hash.
    async fn operators_at(&self, at: BlockRef, quorums: &[u8]) -> Result<OperatorSet, ChainError>;

    /// The operator with this id; nothing where no such key was ever registered.
    async fn operator(&self, id: OperatorId) -> Result<Option<RegisteredOperator>, ChainError>;

    /// The stakes of a quorum at the newest block.
    async fn stakes(&self, quorum: u8) -> Result<StakeStatus, ChainError>;

    /// The call that refreshes the whole quorum (the task manager's `refreshStakes`, which notes it), and to whom.
    fn refresh_quorum_call(&self, quorum: u8, operators: &[Address]) -> (Address, Bytes);

    /// The call that refreshes some operators (`updateOperators`), and to whom.
    fn refresh_operators_call(&self, operators: &[Address]) -> (Address, Bytes);
}

/// How an operator stands with this AVS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperatorStanding {
    /// Its recorded stake in each quorum that it is in; none where it is not registered.
    pub stakes: BTreeMap<u8, U256>,
    /// What it has claimed of rewards so far, by token, in the token's smallest unit.
    pub fees: Vec<(Address, U256)>,
    /// True where it was slashed, by whichever AVS, in a strategy that counts here.
    pub slashed: bool,
}

impl OperatorStanding {
    /// True where it is in a quorum.
    pub fn is_in_quorum(&self) -> bool {
        !self.stakes.is_empty()
    }
}

/// How operators stand. Used by OperatorSigner, about itself.
#[async_trait]
pub trait OperatorStandings: Send + Sync {
    /// How an operator stands as of the newest block, and what it has earned of `tokens`.
    async fn standing(
        &self,
        operator: OperatorId,
        tokens: &[Address],
    ) -> Result<OperatorStanding, ChainError>;
}

/// The windows of a task, in blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// A task created in block B can be answered up to and including block B + `response`.
    pub response: u64,
}

/// What the oracle has of a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OracleValue {
    /// The latest answer.
    pub safety_factor: SafetyFactor,
    /// The block that it is about.
    pub reference_block: u64,
}

/// What governance allows for one protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRules {
    /// The quorums that must sign, ascending; none where governance has set no policy, and so allows no tasks.
    pub quorums: Vec<u8>,
    /// The least threshold, in per cent.
    pub least_threshold: u32,
    /// The greatest threshold, in per cent.
    pub greatest_threshold: u32,
    /// The least number of blocks between two tasks.
    pub min_interval: u64,
    /// The model that is in force.
    pub model_hash: B256,
    /// The block in which this protocol's latest task was created; nothing where there was none.
    pub latest_created: Option<u64>,
    /// True while that task can still be answered and has not been.
    pub open: bool,
    /// What the oracle has; nothing where no task was answered, or the latest answer was withdrawn.
    pub value: Option<OracleValue>,
}

impl TaskRules {
    /// The threshold that is nearest to the one wanted, of those that governance allows.
    pub fn nearest_threshold(&self, wanted: u32) -> u32 {
        // Not `clamp`, which panics should the bounds be the wrong way round.
        wanted.min(self.greatest_threshold).max(self.least_threshold)
    }
}

/// A certified response, ready to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseCall {
    /// The contract.
    pub to: Address,
    /// The call.
    pub data: Bytes,
}

/// The task manager. Used by TaskGenerator, Aggregator, SignatureCollector and OperatorSigner.
#[async_trait]
pub trait TaskContract: Send + Sync {
    /// The windows in force.
    async fn windows(&self) -> Result<Windows, ChainError>;

    /// What governance allows for a protocol, and how its latest task stands.
    async fn rules(&self, oracle_index: u32) -> Result<TaskRules, ChainError>;

    /// The call that creates a task, and to whom.
    fn create_call(
        &self,
        oracle_index: u32,
        proposed: SafetyFactor,
        rules: &TaskRules,
        threshold: u32,
    ) -> (Address, Bytes);

    /// The call that posts a response: completes the certificate with the indices into the registries' histories, which
    /// takes one question to the chain.
    async fn response_call(
        &self,
        task: &Task,
        response: &TaskResponse,
        certificate: &Certificate,
    ) -> Result<ResponseCall, ChainError>;

    /// Tries a call at the newest block without sending it, as if `from` sent it.
    async fn preflight(&self, from: Address, to: Address, data: &Bytes) -> Result<(), CallError>;

    /// True where the task was answered, as of the newest block.
    async fn is_answered(&self, task: &Task) -> Result<bool, ChainError>;
}

/// What models read. Used by OperatorSigner and TaskGenerator.
#[async_trait]
pub trait ModelInputs: Send + Sync {
    /// Of each of these models, which are named by their hashes, the terms with what their sources held after the block with
    /// this hash (EIP-1898). All of them are asked for together, what several want but once.
    async fn terms_of(&self, models: &[B256], at: B256) -> Vec<Result<Vec<Term<Reading>>, ChainError>>;

    /// The same of one model.
    async fn terms(&self, model: B256, at: B256) -> Result<Vec<Term<Reading>>, ChainError> {
        let none = || Err(ChainError::Nonsense("no answer to a question".into()));
        self.terms_of(&[model], at).await.pop().unwrap_or_else(none)
    }
}

/// What a transaction may cost, in wei per gas (EIP-1559).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fees {
    /// `maxFeePerGas`
    pub max_fee: u128,
    /// `maxPriorityFeePerGas`
    pub priority_fee: u128,
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The block.
    pub at: BlockRef,
    /// What it took.
    pub gas_used: u64,
    /// What its gas cost, in wei.
    pub fee: U256,
    /// False where it reverted.
    pub succeeded: bool,
}

/// Why a node did not take a transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// A transaction with this nonce is in a block already: this one, or another.
    #[error("the nonce has been used")]
    NonceUsed,
    /// The node has a transaction with this nonce that pays as much; send one that pays at least a tenth more.
    #[error("another transaction with this nonce pays as much")]
    Underpriced,
    /// The sender cannot pay for it.
    #[error("the sender has too little to pay for the gas")]
    InsufficientFunds,
    /// The node looked at it and will never take it.
    #[error("the node refuses the transaction: {0}")]
    Rejected(String),
    /// The node did not get that far; it may have the transaction or not. Sending it again is safe.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// The chain as a sender of transactions sees it. Used by TxSender.
#[async_trait]
pub trait TxBroadcast: Send + Sync {
    /// The chain's id, which transactions are signed for.
    fn chain_id(&self) -> u64;

    /// The next nonce of `account`: counting mined transactions only.
    async fn nonce(&self, account: Address) -> Result<u64, ChainError>;

    /// The next nonce of `account`, counting what waits in the node's pool as well. Where there is no pool, the same as
    /// [`TxBroadcast::nonce`].
    async fn pending_nonce(&self, account: Address) -> Result<u64, ChainError> {
        self.nonce(account).await
    }

    /// The next nonce of `account`, as each endpoint tells it that answers: where one alone is not to be believed.
    async fn nonces(&self, account: Address) -> Vec<u64> {
        self.nonce(account).await.into_iter().collect()
    }

    /// What `account` has, in wei.
    async fn balance(&self, account: Address) -> Result<U256, ChainError>;

    /// What it costs now to be mined soon.
    async fn fees(&self) -> Result<Fees, ChainError>;

    /// The gas that a call takes.
    async fn estimate(&self, from: Address, call: &ContractCall) -> Result<u64, CallError>;

    /// Sends a signed transaction. That the node knows it already is success.
    async fn send(&self, raw: Bytes) -> Result<(), SendError>;

    /// The receipts of those of `hashes` that are in a block of the canonical chain.
    async fn receipts(&self, hashes: &[B256]) -> Result<BTreeMap<B256, Receipt>, ChainError>;
}
