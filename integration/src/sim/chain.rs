//! A chain in memory: blocks, a pool of transactions, reorgs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use anzen_actors::ports::{Clock, Receipt, SendError};
use anzen_messages::chain::{BlockRef, ChainBlock, ChainEvent, Header};
use tokio::sync::watch;

use super::contract::Contract;
use super::fork::{Fork, SimBlock};
use super::log::EventLog;
use super::transaction::SimTx;
use super::witness::Witness;
use super::world::{SimClock, SimRng};
use crate::invariants::{Fact, MinedTx};

/// What waits to be mined.
#[derive(Debug, Clone)]
struct Pooled {
    hash: B256,
    tx: SimTx,
    /// No miner takes it before this block.
    ready: u64,
}

#[derive(Debug)]
struct Inner {
    blocks: Arc<Vec<Arc<SimBlock>>>,
    pool: BTreeMap<(Address, u64), Pooled>,
    /// Differs between the blocks of two forks.
    salt: u64,
    /// How many of a hundred transactions a node forgets.
    drop_percent: u64,
    /// The storms that rage: while there is one, no block is quiet.
    stormy: bool,
}

/// The chain; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct SimChain {
    inner: Arc<Mutex<Inner>>,
    changes: watch::Sender<u64>,
    rng: Arc<SimRng>,
    clock: Arc<SimClock>,
    log: EventLog,
    witness: Witness,
}

impl SimChain {
    /// The block that a simulation starts at: there is some past to look back to.
    const FIRST_BLOCKS: u64 = 12;
    /// A mined transaction may come back to the pool for so many blocks.
    const POOL_KEEPS: u64 = 24;
    /// The longest that miners leave a transaction lying, in blocks.
    const LONGEST_WAIT: u64 = 3;

    pub(super) fn new(
        contract: Contract,
        rng: Arc<SimRng>,
        clock: Arc<SimClock>,
        log: EventLog,
        witness: Witness,
    ) -> Self {
        let genesis = SimBlock::genesis(contract);
        witness.block(&genesis.block, Vec::new(), false);
        let genesis = Arc::new(vec![Arc::new(genesis)]);
        let inner = Inner { blocks: genesis, pool: BTreeMap::new(), salt: 0, drop_percent: 0, stormy: true };
        let (inner, changes) = (Arc::new(Mutex::new(inner)), watch::Sender::new(0));
        let chain = Self { inner, changes, rng, clock, log, witness };
        for _ in 0..Self::FIRST_BLOCKS {
            chain.mine();
        }
        chain
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets how the chain's network is: in a storm nodes forget transactions, and miners leave some lying.
    pub(super) fn weather(&self, stormy: bool, drop_percent: u64) {
        let mut inner = self.lock();
        (inner.stormy, inner.drop_percent) = (stormy, drop_percent);
        if !stormy {
            inner.pool.values_mut().for_each(|pooled| pooled.ready = 0);
        }
    }

    /// Mines a block.
    pub(super) fn mine(&self) {
        let mut inner = self.lock();
        let (block, transactions) = inner.mine(&self.rng, self.clock.now().seconds());
        let stormy = inner.stormy;
        drop(inner);
        for event in &block.events {
            self.log.add(format_args!("block {} {}", block.header.at.number, describe(event)));
        }
        self.witness.block(&block, transactions, stormy);
        self.changes.send_modify(|count| *count += 1);
    }

    /// Replaces the newest `depth` blocks. Their transactions go back to the pool, to be mined in another order, except for
    /// so many of a hundred, which nobody has any more. `longer`: the new fork is there at once, and longer than the old.
    pub(super) fn reorg(&self, depth: u64, dropped_percent: u64, longer: bool) {
        let mut inner = self.lock();
        let head = inner.tip().block.header.at.number;
        let to = head.saturating_sub(depth);
        self.log.add(format_args!("reorg of blocks {} to {head}", to + 1));
        let undone = inner.truncate(to);
        for place in undone {
            if self.rng.chance(dropped_percent) {
                self.log.add(format_args!(
                    "the reorg loses the transaction with nonce {} of {}",
                    place.1, place.0
                ));
                inner.pool.remove(&place);
            } else if let Some(pooled) = inner.pool.get_mut(&place) {
                pooled.ready = to + self.rng.below(Self::LONGEST_WAIT + 1);
            }
        }
        drop(inner);
        self.witness.disturb();
        self.witness.tell(Fact::Reorg { to });
        for _ in 0..if longer { depth + 1 } else { 1 } {
            self.mine();
        }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The next nonce of an account, counting what waits to be mined.
    pub(super) fn pending_nonce(&self, account: Address, fork: &Fork) -> u64 {
        let (inner, nonce) = (self.lock(), fork.nonce(account));
        (nonce..).find(|nonce| !inner.pool.contains_key(&(account, *nonce))).unwrap_or(nonce)
    }

    /// The chain as it is now.
    pub(super) fn fork(&self) -> Fork {
        Fork::new(Arc::clone(&self.lock().blocks))
    }

    /// Hands a transaction to a node that sees `fork`.
    pub(super) fn send(&self, raw: &Bytes, fork: &Fork) -> Result<(), SendError> {
        let tx = SimTx::decode(raw)?;
        if tx.nonce < fork.nonce(tx.from) {
            return Err(SendError::NonceUsed);
        }
        let hash = keccak256(raw);
        let mut inner = self.lock();
        if self.rng.chance(inner.drop_percent) {
            self.log
                .add(format_args!("the node forgets the transaction with nonce {} of {}", tx.nonce, tx.from));
            return Ok(());
        }
        let place = (tx.from, tx.nonce);
        let known = inner.pool.get(&place);
        if known.is_some_and(|rival| rival.hash == hash) {
            return Ok(());
        }
        if known.is_some_and(|rival| tx.max_fee * 10 < rival.tx.max_fee * 11) {
            return Err(SendError::Underpriced);
        }
        let wait = if inner.stormy { self.rng.below(Self::LONGEST_WAIT + 1) } else { 0 };
        let ready = inner.tip().block.header.at.number + wait;
        inner.pool.insert(place, Pooled { hash, tx, ready });
        Ok(())
    }
}

impl Inner {
    fn tip(&self) -> &Arc<SimBlock> {
        &self.blocks[self.blocks.len() - 1]
    }

    /// Removes the blocks above `to`; returns what was mined in them.
    fn truncate(&mut self, to: u64) -> Vec<(Address, u64)> {
        let kept = usize::try_from(to).unwrap_or(usize::MAX).saturating_add(1).min(self.blocks.len());
        let undone = self.blocks[kept..].iter().flat_map(|block| block.mined.clone()).collect();
        Arc::make_mut(&mut self.blocks).truncate(kept);
        self.salt += 1;
        undone
    }

    fn mine(&mut self, rng: &SimRng, timestamp: u64) -> (ChainBlock, Vec<MinedTx>) {
        let mut next = SimBlock::clone(self.tip());
        let parent = next.block.header.at;
        let number = parent.number + 1;
        let at = BlockRef { number, hash: self.hash_on(parent) };
        next.receipts.clear();
        next.mined.clear();
        let (mut events, mut transactions) = (Vec::new(), Vec::new());
        for sender in self.senders(rng) {
            while let Some(pooled) = self.next_of(sender, &next, number) {
                let result = next.contract.execute(&pooled.tx.data, number, parent, pooled.hash);
                let succeeded = result.is_ok();
                let receipt = Receipt { at, gas_used: 100_000, fee: U256::from(100_000), succeeded };
                let nonce = pooled.tx.nonce;
                next.receipts.insert(pooled.hash, receipt);
                next.nonces.insert(sender, nonce + 1);
                next.mined.push((sender, nonce));
                transactions.push(MinedTx { hash: pooled.hash, sender, nonce, succeeded });
                events.extend(result.unwrap_or_default());
            }
        }
        let header = Header { at, parent_hash: parent.hash, timestamp, base_fee: 1 };
        next.block = ChainBlock { header, events };
        let block = next.block.clone();
        Arc::make_mut(&mut self.blocks).push(Arc::new(next));
        self.prune();
        (block, transactions)
    }

    fn hash_on(&self, parent: BlockRef) -> B256 {
        let (number, salt) = ((parent.number + 1).to_be_bytes(), self.salt.to_be_bytes());
        keccak256([parent.hash.as_slice(), &number, &salt].concat())
    }

    /// Everyone who has sent something, in the order that the miner likes.
    fn senders(&self, rng: &SimRng) -> Vec<Address> {
        let mut senders: Vec<Address> = self.pool.keys().map(|(sender, _)| *sender).collect();
        senders.dedup();
        if senders.len() > 1 && rng.below(2) == 0 {
            senders.reverse();
        }
        senders
    }

    fn next_of(&self, sender: Address, state: &SimBlock, number: u64) -> Option<Pooled> {
        let nonce = state.nonces.get(&sender).copied().unwrap_or_default();
        self.pool.get(&(sender, nonce)).filter(|pooled| pooled.ready <= number).cloned()
    }

    /// Removes what no reorg brings back.
    fn prune(&mut self) {
        let number = self.tip().block.header.at.number.saturating_sub(SimChain::POOL_KEEPS);
        let old = Arc::clone(&self.blocks[usize::try_from(number).unwrap_or_default()]);
        self.pool.retain(|(sender, nonce), _| old.nonces.get(sender).is_none_or(|next| nonce >= next));
    }
}

fn describe(event: &ChainEvent) -> String {
    match event {
        ChainEvent::TaskCreated { task } => {
            format!("task {} created for {} ({})", task.index, task.oracle_index, task.hash())
        }
        ChainEvent::TaskResponded { task_index, response, .. } => {
            format!("task {task_index} answered {}", response.safety_factor)
        }
        ChainEvent::OperatorsChanged => "operators changed".into(),
        ChainEvent::ResponseWindowChanged { blocks } => format!("the response window is {blocks} blocks"),
        ChainEvent::QuorumRefreshed { quorum } => format!("quorum {quorum} refreshed"),
    }
}
