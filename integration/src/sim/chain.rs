//! A chain in memory: blocks at intervals, a pool of transactions, reorgs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use anzen_actors::ports::{Receipt, SendError, UnsignedTx};
use anzen_messages::chain::{BlockRef, ChainBlock, ChainEvent, Header};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::contract::Contract;
use super::log::EventLog;
use super::world::SimRng;

/// A transaction. Its bytes say who sent it: there is nothing to forge in a simulation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SimTx {
    from: Address,
    nonce: u64,
    data: Bytes,
    max_fee: u128,
}

impl SimTx {
    pub(super) fn from_unsigned(from: Address, tx: &UnsignedTx) -> Self {
        Self { from, nonce: tx.nonce, data: tx.data.clone(), max_fee: tx.fees.max_fee }
    }

    pub(super) fn encode(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

/// A block, and the state after it.
#[derive(Debug, Clone)]
struct SimBlock {
    block: ChainBlock,
    receipts: BTreeMap<B256, Receipt>,
    contract: Contract,
    nonces: BTreeMap<Address, u64>,
}

#[derive(Debug)]
struct Inner {
    blocks: Vec<SimBlock>,
    pool: BTreeMap<(Address, u64), (B256, SimTx)>,
    /// Differs between the blocks of two forks.
    salt: u64,
}

/// The chain; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct SimChain {
    inner: Arc<Mutex<Inner>>,
    changes: watch::Sender<u64>,
    rng: Arc<SimRng>,
    log: EventLog,
}

impl SimChain {
    /// The block that a simulation starts at: there is some past to look back to.
    const FIRST_BLOCKS: u64 = 50;
    /// How many of a hundred transactions a node forgets.
    const DROPPED_PERCENT: u64 = 5;

    pub(super) fn new(contract: Contract, rng: Arc<SimRng>, log: EventLog) -> Self {
        let inner = Inner { blocks: Vec::new(), pool: BTreeMap::new(), salt: 0 };
        let chain = Self { inner: Arc::new(Mutex::new(inner)), changes: watch::Sender::new(0), rng, log };
        chain.lock().push_genesis(contract);
        for _ in 0..Self::FIRST_BLOCKS {
            chain.mine();
        }
        chain
    }

    /// Mines a block every `interval`, for ever; one in `reorg_every` replaces up to three before it (0: never).
    pub(super) async fn run(self, interval: Duration, reorg_every: u64) {
        loop {
            tokio::time::sleep(interval).await;
            if reorg_every > 0 && self.rng.below(reorg_every) == 0 {
                self.reorg(1 + self.rng.below(3));
            }
            self.mine();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mine(&self) {
        let block = self.lock().mine();
        for event in &block.events {
            self.log.add(format_args!("block {} {}", block.header.at.number, describe(event)));
        }
        self.changes.send_modify(|count| *count += 1);
    }

    /// Takes back the newest `depth` blocks; their transactions go back to the pool.
    fn reorg(&self, depth: u64) {
        let mut inner = self.lock();
        let kept = inner.blocks.len().saturating_sub(usize::try_from(depth).unwrap_or(usize::MAX)).max(1);
        self.log.add(format_args!("reorg of {} blocks", inner.blocks.len() - kept));
        inner.blocks.truncate(kept);
        inner.salt += 1;
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn head(&self) -> Header {
        self.lock().tip().block.header.clone()
    }

    pub(super) fn block(&self, number: u64) -> Option<ChainBlock> {
        Some(self.lock().blocks.get(usize::try_from(number).ok()?)?.block.clone())
    }

    /// The state after the newest block.
    pub(super) fn contract(&self) -> Contract {
        self.lock().tip().contract.clone()
    }

    /// Tries a call on top of the newest block.
    pub(super) fn try_call(&self, data: &Bytes) -> Result<(), String> {
        let inner = self.lock();
        let tip = inner.tip();
        let parent = tip.block.header.at;
        tip.contract.clone().execute(data, parent.number + 1, parent, B256::ZERO).map(|_| ())
    }

    pub(super) fn knows(&self, hash: B256) -> bool {
        self.lock().blocks.iter().any(|block| block.block.header.at.hash == hash)
    }

    pub(super) fn nonce(&self, account: Address) -> u64 {
        self.lock().tip().nonces.get(&account).copied().unwrap_or_default()
    }

    pub(super) fn receipt(&self, hash: B256) -> Option<Receipt> {
        self.lock().blocks.iter().find_map(|block| block.receipts.get(&hash)).cloned()
    }

    pub(super) fn send(&self, raw: &Bytes) -> Result<(), SendError> {
        let tx: SimTx =
            serde_json::from_slice(raw).map_err(|error| SendError::Rejected(error.to_string()))?;
        if tx.nonce < self.nonce(tx.from) {
            return Err(SendError::NonceUsed);
        }
        let hash = keccak256(raw);
        if self.rng.chance(Self::DROPPED_PERCENT) {
            self.log
                .add(format_args!("the node forgets the transaction with nonce {} of {}", tx.nonce, tx.from));
            return Ok(());
        }
        let mut inner = self.lock();
        let known = inner.pool.get(&(tx.from, tx.nonce));
        if known.is_some_and(|(other, rival)| *other != hash && tx.max_fee * 10 < rival.max_fee * 11) {
            return Err(SendError::Underpriced);
        }
        inner.pool.insert((tx.from, tx.nonce), (hash, tx));
        Ok(())
    }
}

impl Inner {
    fn push_genesis(&mut self, contract: Contract) {
        let at = BlockRef { number: 0, hash: keccak256("genesis") };
        let header = Header { at, parent_hash: B256::ZERO, timestamp: 0, base_fee: 1 };
        let block = ChainBlock { header, events: Vec::new() };
        self.blocks.push(SimBlock { block, receipts: BTreeMap::new(), contract, nonces: BTreeMap::new() });
    }

    fn tip(&self) -> &SimBlock {
        &self.blocks[self.blocks.len() - 1]
    }

    fn mine(&mut self) -> ChainBlock {
        let mut next = self.tip().clone();
        let parent = next.block.header.at;
        let number = parent.number + 1;
        let hash =
            keccak256([parent.hash.as_slice(), &number.to_be_bytes(), &self.salt.to_be_bytes()].concat());
        let at = BlockRef { number, hash };
        next.receipts.clear();
        let mut events = Vec::new();
        for (sender_nonce, (tx_hash, tx)) in &self.pool {
            if next.nonces.get(&sender_nonce.0).copied().unwrap_or_default() != sender_nonce.1 {
                continue;
            }
            let result = next.contract.execute(&tx.data, number, parent, *tx_hash);
            next.receipts.insert(
                *tx_hash,
                Receipt { at, gas_used: 100_000, fee: U256::from(100_000), succeeded: result.is_ok() },
            );
            next.nonces.insert(sender_nonce.0, sender_nonce.1 + 1);
            events.extend(result.unwrap_or_default());
        }
        next.block = ChainBlock {
            header: Header { at, parent_hash: parent.hash, timestamp: number * 12, base_fee: 1 },
            events,
        };
        self.blocks.push(next.clone());
        next.block
    }
}

fn describe(event: &ChainEvent) -> String {
    match event {
        ChainEvent::TaskCreated { task } => format!("task {} created for {}", task.index, task.oracle_index),
        ChainEvent::TaskResponded { task_index, response, .. } => {
            format!("task {task_index} answered {}", response.safety_factor)
        }
        ChainEvent::OperatorsChanged => "operators changed".into(),
        ChainEvent::ResponseWindowChanged { blocks } => format!("the response window is {blocks} blocks"),
        ChainEvent::QuorumRefreshed { quorum } => format!("quorum {quorum} refreshed"),
    }
}
