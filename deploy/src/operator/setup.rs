//! Taking steps with an operator's keys.

use super::{BlsKey, Operator, OperatorError, Outcome, Plan, Step, WHOLE_MAGNITUDE};
use crate::{
    addresses::Addresses,
    chain::{Account, ChainError, Request},
};
use alloy::{
    primitives::{Address, U256},
    providers::Provider,
    sol_types::SolCall,
};
use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Between two looks at the chain's height.
const POLL: Duration = Duration::from_millis(500);

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
    /// The address under which the operator can be reached, as it is published on chain; an empty one is not published
    /// where there is another.
    pub socket: String,
    /// What it stakes itself, in the token's smallest unit.
    pub stake: U256,
    /// How much of its stake it allocates to Anzen, so that it can be slashed: up to [`WHOLE_MAGNITUDE`].
    pub magnitude: u64,
    /// Whether a greater allocation is lowered to that; else it stays.
    pub may_lower: bool,
    /// From a new allocation to the block in which it holds, in blocks.
    pub allocation_delay: u32,
    /// How much of its stake it withdraws when it leaves, in the token's smallest unit; all, where that is not said.
    pub withdrawal: Option<U256>,
}

impl OperatorParams {
    /// All of `stake`, allocated without a delay.
    pub fn new(socket: impl Into<String>, stake: U256) -> Self {
        Self {
            metadata_uri: String::new(),
            socket: socket.into(),
            stake,
            magnitude: WHOLE_MAGNITUDE,
            may_lower: false,
            allocation_delay: 0,
            withdrawal: None,
        }
    }
}

/// Sets one operator up.
#[derive(Clone)]
pub struct OperatorSetup {
    pub(super) operator: Operator,
    pub(super) account: Account,
    pub(super) key: Option<Arc<dyn BlsKey>>,
    /// The block in which an allocation delay holds that had been set when it was first looked for, where logs do not tell.
    pub(super) delay_holds_from: Arc<OnceLock<u64>>,
    /// What the operator brings.
    pub params: OperatorParams,
}

impl fmt::Debug for OperatorSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperatorSetup")
            .field("account", &self.account)
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

impl OperatorSetup {
    /// The operator that `account` is. Only joining the quorum needs its BLS key.
    pub fn new(
        account: Account,
        key: Option<Arc<dyn BlsKey>>,
        addresses: Addresses,
        params: OperatorParams,
    ) -> Self {
        let operator = Operator::new(account.provider().clone(), account.address(), addresses);
        Self { operator, account, key, delay_holds_from: Arc::default(), params }
    }

    /// The operator's address.
    pub fn address(&self) -> Address {
        self.account.address()
    }

    /// The operator as the chain has it.
    pub fn operator(&self) -> &Operator {
        &self.operator
    }

    /// All steps to an operator that signs, in order, with all waiting. `funder` pays for ether and tokens on a local chain;
    /// elsewhere the operator has them.
    pub async fn run(&self, blocks: Blocks, funder: Option<&Account>) -> Result<Vec<Outcome>, OperatorError> {
        let mut outcomes = Vec::new();
        if let Some(funder) = funder {
            outcomes.push(self.fund(funder).await?);
        }
        for step in Step::SET_UP {
            outcomes.push(self.complete(step, blocks).await?);
        }
        Ok(outcomes)
    }

    /// Takes a step, after all blocks that it has to wait for.
    pub async fn complete(&self, step: Step, blocks: Blocks) -> Result<Outcome, OperatorError> {
        loop {
            let wait = match self.take(step).await? {
                Outcome::Waiting(wait) => wait,
                outcome => return Ok(outcome),
            };
            tracing::info!(operator = %self.address(), %step, %wait, "waiting for blocks");
            // A local chain is given all the blocks at once, also where it would have been over earlier.
            let next =
                if blocks == Blocks::Mine { wait.until.max(wait.height + 1) } else { wait.next_look() };
            self.reach(next, blocks).await?;
        }
    }

    /// Takes a step, if it has not been taken and can be taken now.
    pub async fn take(&self, step: Step) -> Result<Outcome, OperatorError> {
        // What an interrupted run has sent is not sent again.
        self.account.settled().await?;
        let (requests, text) = match self.plan(step).await? {
            Plan::Nothing(text) => return Ok(Outcome::AlreadyDone(text)),
            Plan::Wait(wait) => return Ok(Outcome::Waiting(wait)),
            Plan::Send { requests, done } => (requests, done),
        };
        let mut transactions = Vec::with_capacity(requests.len());
        for request in &requests {
            transactions.push(self.account.execute(request).await?.transaction_hash);
        }
        Ok(Outcome::Done { text, transactions })
    }

    /// What a step comes to now; sends nothing.
    pub async fn plan(&self, step: Step) -> Result<Plan, OperatorError> {
        match step {
            Step::Register => self.register().await,
            Step::Deposit => self.deposit().await,
            Step::AwaitAllocationDelay => self.await_allocation_delay().await,
            Step::Allocate => self.allocate().await,
            Step::AwaitAllocation => self.await_allocation().await,
            Step::Join => self.join().await,
            Step::UpdateSocket => self.update_socket().await,
            Step::Leave => self.leave().await,
            Step::Deallocate => self.deallocate().await,
            Step::QueueWithdrawal => self.queue_withdrawal().await,
            Step::AwaitWithdrawal => self.await_withdrawal().await,
            Step::CompleteWithdrawal => self.complete_withdrawal().await,
        }
    }

    pub(super) fn request<C: SolCall>(&self, what: &str, to: Address, call: &C) -> Request {
        Request::call(format!("{what} ({})", self.address()), to, call)
    }

    /// Lets the chain reach block `target`.
    async fn reach(&self, target: u64, blocks: Blocks) -> Result<(), ChainError> {
        loop {
            let height = self.operator.height().await?;
            if height >= target {
                return Ok(());
            }
            match blocks {
                Blocks::Mine => self.mine(target - height).await?,
                Blocks::Await => tokio::time::sleep(POLL).await,
            }
        }
    }

    async fn mine(&self, count: u64) -> Result<(), ChainError> {
        let count = U256::from(count);
        let mined: Result<(), _> = self.account.provider().raw_request("anvil_mine".into(), [count]).await;
        mined.map_err(|e| ChainError::rpc("mining blocks, which only anvil does,", e))
    }
}
