//! Why an operator could not be set up.

use super::{Amount, hint};
use crate::chain::ChainError;
use alloy::primitives::{Address, B256, U256};
use anzen_messages::bls::PointError;

/// Why an operator could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// A view failed, or the node did not take a transaction.
    #[error(transparent)]
    Chain(ChainError),
    /// A contract refused a transaction for a reason that has a remedy.
    #[error("{error}: {remedy}")]
    Refused {
        /// What the chain said.
        error: Box<ChainError>,
        /// What to do.
        remedy: &'static str,
    },
    /// The operator has not got what it wants to stake.
    #[error("{0}")]
    NotEnoughTokens(Box<Shortage>),
    /// The operator has not got what it wants to withdraw.
    #[error("{0}")]
    NotEnoughStake(Box<Shortfall>),
    /// EigenLayer counts in whole shares.
    #[error(
        "{0} is less than a share of the strategy, so nothing would be withdrawn; withdraw more, or nothing"
    )]
    NothingToWithdraw(Box<Amount>),
    /// Old logs would tell whether a part was withdrawn, and the node has none.
    #[error(
        "the endpoint gives no logs back to block {left}, in which {operator} left the quorum, and they tell whether it has \
         withdrawn since; name one that does in chain.rpc_url, or withdraw the whole stake with `--withdraw all`"
    )]
    WithdrawalUnknown {
        /// The operator.
        operator: Address,
        /// The block in which it left.
        left: u64,
    },
    /// A part is withdrawn once for each time that the operator leaves, and it has never left.
    #[error(
        "{0} has never been in the quorum, so that a part cannot be withdrawn for leaving it; `--withdraw all` takes the stake"
    )]
    NeverMember(Address),
    /// The stake that would count is below the quorum's minimum.
    #[error(
        "{operator}'s stake in the quorum would be {weight}, below the minimum {minimum} (in the strategy's shares); \
         deposit more with `anzen operator deposit`, or allocate more with `anzen operator allocate`"
    )]
    StakeTooLow {
        /// The operator.
        operator: Address,
        /// What would count.
        weight: U256,
        /// What is needed.
        minimum: U256,
    },
    /// The operator's address has another BLS key, which cannot be changed.
    #[error(
        "{operator} has registered the BLS key of id {registered}, and this key is of id {given}; use the key it registered"
    )]
    OtherKey {
        /// The operator.
        operator: Address,
        /// The registered key's id.
        registered: B256,
        /// This key's id.
        given: B256,
    },
    /// The BLS key is another operator's.
    #[error("the BLS key of id {id} is registered by {owner}; generate another one for {operator}")]
    KeyTaken {
        /// Who wants to register it.
        operator: Address,
        /// Who has.
        owner: Address,
        /// The key's id.
        id: B256,
    },
    /// Joining needs the BLS key.
    #[error("joining the quorum needs the operator's BLS key; name it in the configuration ([keys.bls])")]
    NoBlsKey,
    /// The key did not sign the proof that it is the operator's.
    #[error("the BLS key did not sign the registration: {0}")]
    Sign(String),
    /// The coordinator's message to sign is no point of the curve.
    #[error("the registry coordinator gave no point to sign ({0}); are the addresses those of this chain?")]
    Point(#[from] PointError),
    /// The step needs an operator that belongs to the quorum.
    #[error("{0} does not belong to the quorum; join it first with `anzen operator register`")]
    NotMember(Address),
    /// The operator would count for nothing in the quorum while it belongs to it.
    #[error("{0} belongs to the quorum; leave it first with `anzen operator deregister`")]
    StillMember(Address),
    /// Nothing can be allocated without a delay.
    #[error(
        "{0} has set no allocation delay, without which it cannot allocate; `anzen operator register` sets one"
    )]
    NoAllocationDelay(Address),
    /// Old logs would tell whether an allocation delay was set, and the node has none.
    #[error(
        "{operator} has no allocation delay that holds, though one that had been set would by now, and the endpoint gives \
         no logs back to block {since}, which tell. Name one that does in chain.rpc_url, or have the account call \
         setAllocationDelay({operator}, {delay}) of EigenLayer's AllocationManager {allocation_manager}"
    )]
    DelayUnknown {
        /// The operator.
        operator: Address,
        /// Where a delay is set.
        allocation_manager: Address,
        /// The one that it wants, in blocks.
        delay: u32,
        /// The earliest block in which one can have been set that does not hold yet.
        since: u64,
    },
    /// The step needs an operator of EigenLayer's.
    #[error("{0} is no operator of EigenLayer's; register it first with `anzen operator register`")]
    NotOperator(Address),
}

/// What an operator lacks to stake what it wants to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{operator} has {balance}, and {needed} more are needed for the stake; send them there (token {token}) and run this again"
)]
pub struct Shortage {
    /// The operator.
    pub operator: Address,
    /// The token.
    pub token: Address,
    /// What it has.
    pub balance: Amount,
    /// What is missing.
    pub needed: Amount,
}

/// What an operator lacks to withdraw what it wants to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{operator} has {stake} of its own in the strategy, which is less than the {asked} to be withdrawn; withdraw less, or \
     `all`"
)]
pub struct Shortfall {
    /// The operator.
    pub operator: Address,
    /// What it has, slashing deducted.
    pub stake: Amount,
    /// What is to be withdrawn.
    pub asked: Amount,
}

impl From<ChainError> for OperatorError {
    fn from(error: ChainError) -> Self {
        match error.revert_reason().and_then(hint::remedy) {
            Some(remedy) => Self::Refused { error: Box::new(error), remedy },
            None => Self::Chain(error),
        }
    }
}

impl OperatorError {
    /// Whether nothing was wrong but the connection to the chain: trying again may help, and nobody need do anything.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Chain(ChainError::Rpc { .. } | ChainError::NoReceipt { .. } | ChainError::Unsettled { .. })
        )
    }
}
