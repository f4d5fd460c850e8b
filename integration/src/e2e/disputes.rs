//! Disputes on a network's chain, read without Anzen's code, and what the committee and others do with their own accounts.

use std::collections::BTreeSet;
use std::time::Duration;

use alloy::network::TransactionBuilder;
use alloy::primitives::aliases::U80;
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::providers::Provider;
use alloy::rpc::types::{Filter, Log, TransactionReceipt, TransactionRequest};
use alloy::sol_types::{SolCall, SolEvent};

use super::abi::{
    Allocations, Coordinator, Delegations, Rounds, SafetyFactorUpdated, Task, TaskResponded, TaskResponse,
    TaskResponseMetadata,
};
use super::chain::Chain;
use super::within;

/// A round of the oracle that was proved wrong (ISafetyFactorOracle.RoundStatus).
pub const WITHDRAWN: u8 = 4;

/// An answer with all that a dispute about it wants.
pub struct Posted {
    /// The task.
    pub task: Task,
    /// Its hash.
    pub hash: B256,
    /// The answer.
    pub response: TaskResponse,
    /// What the contract added.
    pub metadata: TaskResponseMetadata,
    /// Those who did not sign.
    pub non_signers: Vec<B256>,
    /// The oracle's round.
    pub round: U80,
}

impl Chain {
    /// The answer to a task, once it is there.
    pub async fn posted(&self, hash: B256, task: Task) -> Posted {
        let of = |event: &TaskResponded| event.taskHash == hash;
        let answered: TaskResponded = self.event("the answer", "taskManager", of).await;
        let of = |event: &SafetyFactorUpdated| {
            (event.oracleIndex, event.taskIndex) == (task.oracleIndex, task.index)
        };
        let written: SafetyFactorUpdated = self.event("the round", "safetyFactorOracle", of).await;
        Posted {
            hash,
            task,
            response: answered.response,
            metadata: answered.metadata,
            non_signers: answered.nonSignerIds,
            round: written.roundId,
        }
    }

    /// The event of this kind that `is` looked for, once it is there.
    pub async fn event<E: SolEvent>(&self, what: &str, contract: &str, is: impl Fn(&E) -> bool) -> E {
        within(what, async {
            loop {
                if let Some(found) = self.events::<E>(contract).await.into_iter().find(&is) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
        .await
    }

    /// All events of this kind of a contract, by its name in `addresses.json`.
    pub async fn events<E: SolEvent>(&self, contract: &str) -> Vec<E> {
        let filter =
            Filter::new().address(self.address(contract)).event_signature(E::SIGNATURE_HASH).from_block(0);
        let logs: Vec<Log> = self.provider().get_logs(&filter).await.unwrap();
        logs.iter().map(|log| E::decode_log(&log.inner).unwrap().data).collect()
    }

    /// Returns when so many operators have been named by events of this kind about a fault; all of them.
    pub async fn operators_of<E: SolEvent>(
        &self,
        what: &str,
        count: usize,
        of: impl Fn(&E) -> Option<Address>,
    ) -> BTreeSet<Address> {
        within(what, async {
            loop {
                let found: BTreeSet<Address> =
                    self.events::<E>("serviceManager").await.iter().filter_map(&of).collect();
                if found.len() >= count {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
        .await
    }

    /// What is left of an operator's stake in the network's strategy: magnitude of 10^18, and shares.
    pub async fn stake_of(&self, operator: Address) -> (u64, U256) {
        let strategy = self.address("strategy");
        let allocations = Allocations::new(self.address("allocationManager"), self.provider());
        let delegations = Delegations::new(self.address("delegationManager"), self.provider());
        let magnitude = allocations.getMaxMagnitude(operator, strategy).call().await.unwrap();
        (magnitude, delegations.operatorShares(operator, strategy).call().await.unwrap())
    }

    /// Whether an operator is registered with Anzen.
    pub async fn is_registered(&self, operator: Address) -> bool {
        let coordinator = Coordinator::new(self.address("registryCoordinator"), self.provider());
        coordinator.getOperatorStatus(operator).call().await.unwrap() == 1
    }

    /// How far a round can be relied on (ISafetyFactorOracle.RoundStatus).
    pub async fn round_status(&self, oracle_index: u32, round: U80) -> u8 {
        let oracle = Rounds::new(self.address("safetyFactorOracle"), self.provider());
        oracle.roundStatus(oracle_index, round).call().await.unwrap()
    }

    /// Has an account, whose key the chain has or which it plays, call a contract; an error where it reverts.
    pub async fn send_as<C: SolCall>(
        &self,
        from: Address,
        to: Address,
        call: &C,
        value: U256,
    ) -> Result<(), String> {
        self.send_data_as(from, to, call.abi_encode().into(), value).await
    }

    /// The same with the data of a call.
    pub async fn send_data_as(
        &self,
        from: Address,
        to: Address,
        data: Bytes,
        value: U256,
    ) -> Result<(), String> {
        let _: () = self.provider().raw_request("anvil_impersonateAccount".into(), [from]).await.unwrap();
        self.give_ether(from).await;
        let request =
            TransactionRequest::default().with_from(from).with_to(to).with_input(data).with_value(value);
        // The node fills in the rest: alloy's own count of nonces goes wrong with a call that reverts.
        let hash: B256 = self.provider().raw_request("eth_sendTransaction".into(), [&request]).await.unwrap();
        if self.receipt(hash).await.status() {
            return Ok(());
        }
        Err(format!("{hash} reverted: {:?}", self.provider().call(request).await))
    }

    /// The receipt of a transaction, once it is mined. alloy's own waiting follows block after block, which `mine` leaps over.
    async fn receipt(&self, hash: B256) -> TransactionReceipt {
        within("a receipt", async {
            loop {
                if let Some(receipt) = self.provider().get_transaction_receipt(hash).await.unwrap() {
                    return receipt;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await
    }

    /// The number of the latest block.
    pub async fn head(&self) -> u64 {
        self.provider().get_block_number().await.unwrap()
    }

    /// Mines so many blocks that `block` is the latest at least.
    pub async fn mine_to(&self, block: u64) {
        let head = self.head().await;
        if head < block {
            self.mine(block - head).await;
        }
    }
}
