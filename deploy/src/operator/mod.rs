//! Setting an operator up: in EigenLayer, with stake at risk, and in Anzen's quorum.
//!
//! Every step looks first whether it has been done, so that all of them can be run again after anything. The steps of
//! different operators do not disturb each other and may run at the same time.

mod allocation;
mod membership;
mod stake;
mod status;

pub use status::Status;

use crate::{
    addresses::Addresses,
    chain::{self, Account, ChainError},
};
use alloy::{
    primitives::{Address, B256, U256},
    providers::{DynProvider, Provider},
    sol_types::SolCall,
};
use anzen_contracts::eigenlayer::{AllocationManager, DelegationManager, OperatorSet};
use anzen_messages::bls::{PointError, SecretKey};
use std::{fmt, time::Duration};

/// All of an operator's stake in a strategy, in EigenLayer's magnitudes.
pub const WHOLE_MAGNITUDE: u64 = 1_000_000_000_000_000_000;
/// The quorum that answers; as an operator set it has the same number.
const QUORUM: u8 = 0;
/// Between two looks at the chain's height.
const POLL: Duration = Duration::from_millis(500);

/// Why an operator could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// A transaction or a view failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The operator has not got what it wants to stake.
    #[error(
        "{operator} has {balance} of token {token} and needs {needed} more to stake; send it there and run this again"
    )]
    NotEnoughTokens {
        /// The operator.
        operator: Address,
        /// The token.
        token: Address,
        /// What it has, in the token's smallest unit.
        balance: U256,
        /// What is needed, in the same.
        needed: U256,
    },
    /// The stake that would count is below the quorum's minimum.
    #[error(
        "{operator}'s stake in the quorum would be {weight}, below the minimum {minimum}; deposit and allocate more, and \
         wait until the allocation holds"
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
    /// The coordinator's message to sign is no point of the curve.
    #[error("the registry coordinator gave no point to sign ({0}); are the addresses those of this chain?")]
    Point(#[from] PointError),
    /// The operator takes stake back from the quorum, and EigenLayer allows one change at a time.
    #[error("{operator} is deallocating stake from the quorum until block {block}; run this again after it")]
    Deallocating {
        /// The operator.
        operator: Address,
        /// The block in which the deallocation takes effect.
        block: u32,
    },
    /// The step needs an operator that belongs to the quorum.
    #[error("{0} does not belong to the quorum; let it join first")]
    NotMember(Address),
}

/// What a step did, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done now.
    Done(String),
    /// It had been done, so nothing was sent.
    AlreadyDone(String),
}

impl Outcome {
    /// Whether something was sent.
    pub fn is_done_now(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(text) | Self::AlreadyDone(text) => f.write_str(text),
        }
    }
}

/// How blocks come that a step has to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    /// The chain makes them.
    Await,
    /// They are mined, with `anvil_mine`; on a local chain only.
    Mine,
}

/// What an operator brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorParams {
    /// Where EigenLayer finds the operator's name, logo and so on.
    pub metadata_uri: String,
    /// The address under which the operator can be reached, as it is published on chain.
    pub socket: String,
    /// What it stakes, in the token's smallest unit.
    pub stake: U256,
    /// How much of that it allocates to Anzen, so that it can be slashed: up to [`WHOLE_MAGNITUDE`].
    pub magnitude: u64,
    /// From a new allocation to the block in which it holds, in blocks.
    pub allocation_delay: u32,
}

impl OperatorParams {
    /// All of `stake`, allocated without a delay.
    pub fn new(socket: impl Into<String>, stake: U256) -> Self {
        Self {
            metadata_uri: String::new(),
            socket: socket.into(),
            stake,
            magnitude: WHOLE_MAGNITUDE,
            allocation_delay: 0,
        }
    }
}

/// Sets one operator up.
#[derive(Debug)]
pub struct OperatorSetup {
    account: Account,
    key: SecretKey,
    addresses: Addresses,
    params: OperatorParams,
}

impl OperatorSetup {
    /// The operator that `account` is, with its BLS key.
    pub fn new(account: Account, key: SecretKey, addresses: Addresses, params: OperatorParams) -> Self {
        Self { account, key, addresses, params }
    }

    /// The operator's address.
    pub fn address(&self) -> Address {
        self.account.address()
    }

    /// All steps, in order. `funder` pays for ether and tokens on a local chain; elsewhere the operator has them.
    pub async fn run(&self, blocks: Blocks, funder: Option<&Account>) -> Result<Vec<Outcome>, OperatorError> {
        let mut outcomes = Vec::new();
        if let Some(funder) = funder {
            outcomes.push(self.fund(funder).await?);
        }
        outcomes.push(self.register_as_operator().await?);
        outcomes.push(self.deposit().await?);
        outcomes.push(self.await_allocation_delay(blocks).await?);
        outcomes.push(self.allocate().await?);
        outcomes.push(self.await_allocation(blocks).await?);
        outcomes.push(self.join().await?);
        // A member keeps the socket that it joined with.
        outcomes.push(self.update_socket(&self.params.socket).await?);
        Ok(outcomes)
    }

    /// Registers with EigenLayer.
    pub async fn register_as_operator(&self) -> Result<Outcome, OperatorError> {
        let operator = self.address();
        if self
            .read(self.addresses.delegation_manager, DelegationManager::isOperatorCall { operator })
            .await?
        {
            return Ok(Outcome::AlreadyDone(format!("{operator} is an operator of EigenLayer's")));
        }
        let call = DelegationManager::registerAsOperatorCall {
            initDelegationApprover: Address::ZERO,
            allocationDelay: self.params.allocation_delay,
            metadataURI: self.params.metadata_uri.clone(),
        };
        self.send("registering as an operator", self.addresses.delegation_manager, &call).await?;
        Ok(Outcome::Done(format!("{operator} has become an operator of EigenLayer's")))
    }

    fn provider(&self) -> &DynProvider {
        self.account.provider()
    }

    fn operator_set(&self) -> OperatorSet {
        OperatorSet { avs: self.addresses.service_manager, id: QUORUM.into() }
    }

    async fn read<C: SolCall>(&self, to: Address, call: C) -> Result<C::Return, ChainError> {
        chain::read(self.provider(), to, call).await
    }

    async fn send<C: SolCall>(&self, what: &str, to: Address, call: &C) -> Result<(), ChainError> {
        let what = format!("{what} ({})", self.address());
        self.account.execute(&chain::Request::call(what, to, call)).await?;
        Ok(())
    }

    async fn is_member(&self) -> Result<bool, ChainError> {
        let view = AllocationManager::isMemberOfOperatorSetCall {
            operator: self.address(),
            operatorSet: self.operator_set(),
        };
        self.read(self.addresses.allocation_manager, view).await
    }

    async fn height(&self) -> Result<u64, ChainError> {
        self.provider().get_block_number().await.map_err(|e| ChainError::rpc("the latest block's number", e))
    }

    /// Lets the chain reach block `target`.
    async fn reach(&self, target: u64, blocks: Blocks) -> Result<(), ChainError> {
        loop {
            let height = self.height().await?;
            if height >= target {
                return Ok(());
            }
            match blocks {
                Blocks::Mine => self.mine(target - height).await?,
                Blocks::Await => {
                    tracing::info!(operator = %self.address(), height, target, "waiting for blocks");
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    async fn mine(&self, count: u64) -> Result<(), ChainError> {
        let count = U256::from(count);
        let mined: Result<(), _> = self.provider().raw_request("anvil_mine".into(), [count]).await;
        mined.map_err(|e| ChainError::rpc("mining blocks, which only anvil does,", e))
    }
}
