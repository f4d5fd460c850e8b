//! A node with a pool, whose chain forks.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{B256, U256, keccak256};
use anzen_messages::chain::{BlockRef, ChainBlock, ChainDelta, DeltaBase, Header};
use anzen_messages::transaction::TxId;

use crate::ports::{Fees, Receipt, SendError, UnsignedTx};
use crate::tx_sender::effect::Account;

/// More than can be spent.
pub(super) const PLENTY: U256 = U256::from_limbs([0, 0, 1, 0]);

#[derive(Debug, Clone)]
pub(super) struct Tx {
    pub(super) hash: B256,
    pub(super) id: TxId,
    pub(super) unsigned: UnsignedTx,
    pub(super) cancels: bool,
}

#[derive(Debug, Clone)]
struct Block {
    at: BlockRef,
    /// Nothing where another sender used the nonce.
    txs: Vec<Option<Tx>>,
    /// All of them reverted.
    reverted: bool,
}

#[derive(Debug)]
pub(super) struct Node {
    blocks: Vec<Block>,
    pool: BTreeMap<u64, Tx>,
    /// Every transaction that it took, and those whose nonce another transaction had that paid as much.
    pub(super) seen: BTreeSet<B256>,
    pub(super) outbid: BTreeSet<B256>,
    /// What a transaction must offer to be mined.
    pub(super) price: u128,
    /// What is mined reverts.
    pub(super) reverting: bool,
    /// What the sender has.
    pub(super) balance: U256,
    count: u64,
}

impl Node {
    /// A chain of thirty empty blocks.
    pub(super) fn new() -> Self {
        let (pool, seen, outbid) = Default::default();
        let (price, balance) = (10, PLENTY);
        let blocks = Vec::new();
        let mut node = Self { blocks, pool, seen, outbid, price, reverting: false, balance, count: 0 };
        (0..30).for_each(|_| node.mine());
        node
    }

    pub(super) fn accept(&mut self, tx: Tx) -> Result<(), SendError> {
        let nonce = tx.unsigned.nonce;
        if nonce < self.nonce(0) {
            return Err(SendError::NonceUsed);
        }
        let offer = tx.unsigned.fees.max_fee;
        let cheap = |other: &Tx| other.hash != tx.hash && other.unsigned.fees.max_fee * 11 > offer * 10;
        if self.pool.get(&nonce).is_some_and(cheap) {
            self.outbid.insert(tx.hash);
            return Err(SendError::Underpriced);
        }
        let known = self.pool.get(&nonce).is_some_and(|other| other.hash == tx.hash);
        if !known && self.balance < U256::from(offer) * U256::from(tx.unsigned.gas_limit) {
            return Err(SendError::InsufficientFunds);
        }
        self.seen.insert(tx.hash);
        self.pool.insert(nonce, tx);
        Ok(())
    }

    /// The state so many blocks ago.
    fn past(&self, ago: usize) -> &[Block] {
        &self.blocks[..self.blocks.len().saturating_sub(ago)]
    }

    /// The sender's next nonce, so many blocks ago.
    pub(super) fn nonce(&self, ago: usize) -> u64 {
        self.past(ago).iter().map(|block| block.txs.len() as u64).sum()
    }

    /// How the account stood so many blocks ago; the pool is of now.
    pub(super) fn account(&self, ago: usize) -> Account {
        let nonce = self.nonce(ago);
        let pending = (nonce..).find(|nonce| !self.pool.contains_key(nonce)).unwrap_or(nonce);
        Account { nonce, vouched: false, pending, balance: self.balance }
    }

    /// Another sender on the key has a transaction wait behind all others.
    pub(super) fn accept_foreign(&mut self, id: TxId) {
        let Account { pending: nonce, .. } = self.account(0);
        self.count += 1;
        let fees = Fees { max_fee: self.price, priority_fee: 0 };
        let (to, data, value) = Default::default();
        let unsigned = UnsignedTx { chain_id: 1, nonce, to, data, value, gas_limit: 1, fees };
        let hash = keccak256(self.count.to_be_bytes());
        self.pool.insert(nonce, Tx { hash, id, unsigned, cancels: false });
    }

    pub(super) fn receipts(&self, hashes: &[B256], ago: usize) -> BTreeMap<B256, Receipt> {
        let of = |block: &Block| {
            let (at, succeeded) = (block.at, !block.reverted);
            let receipt = move || Receipt { at, gas_used: 1, fee: U256::ONE, succeeded };
            let hashes: Vec<B256> = block.txs.iter().flatten().map(|tx| tx.hash).collect();
            hashes.into_iter().map(move |hash| (hash, receipt()))
        };
        self.past(ago).iter().flat_map(of).filter(|(hash, _)| hashes.contains(hash)).collect()
    }

    /// That all are in the newest block.
    pub(super) fn false_receipts(&self, hashes: &[B256]) -> BTreeMap<B256, Receipt> {
        let at = self.blocks[self.blocks.len() - 1].at;
        let receipt = Receipt { at, gas_used: 1, fee: U256::ONE, succeeded: true };
        hashes.iter().map(|hash| (*hash, receipt.clone())).collect()
    }

    pub(super) fn mine(&mut self) {
        let (mut txs, mut nonce) = (Vec::new(), self.nonce(0));
        self.pool = self.pool.split_off(&nonce);
        while self.pool.get(&nonce).is_some_and(|tx| tx.unsigned.fees.max_fee >= self.price) {
            txs.push(self.pool.remove(&nonce));
            nonce += 1;
        }
        self.push_block(txs);
    }

    /// Another sender on the key has a transaction mined.
    pub(super) fn mine_foreign(&mut self) {
        self.push_block(vec![None]);
    }

    fn push_block(&mut self, txs: Vec<Option<Tx>>) {
        self.count += 1;
        let at = BlockRef { number: self.blocks.len() as u64, hash: keccak256(self.count.to_be_bytes()) };
        self.blocks.push(Block { at, txs, reverted: self.reverting });
    }

    /// The newest blocks are undone, and more empty ones take their place; their transactions wait again.
    pub(super) fn fork(&mut self, depth: usize) {
        let undone = self.blocks.split_off(self.blocks.len() - depth);
        for tx in undone.into_iter().flat_map(|block| block.txs).flatten() {
            self.pool.insert(tx.unsigned.nonce, tx);
        }
        (0..=depth).for_each(|_| self.push_block(Vec::new()));
    }

    /// Forgets the transaction that is next.
    pub(super) fn forget(&mut self) {
        drop(self.pool.pop_first());
    }

    /// What the watcher tells to one who has applied `after`.
    pub(super) fn delta(&self, after: Option<BlockRef>) -> ChainDelta {
        let place = |at: BlockRef| usize::try_from(at.number).unwrap();
        let (base, from) = match after {
            None => (DeltaBase::Restart { response_window: 30 }, 0),
            Some(at) if self.blocks.get(place(at)).is_some_and(|block| block.at == at) => {
                (DeltaBase::Continues, place(at) + 1)
            }
            // It may have forked several times meanwhile.
            Some(at) => {
                let block = self.blocks[place(at).saturating_sub(12)].at;
                (DeltaBase::RetractTo { block }, place(block) + 1)
            }
        };
        let header = |at| Header { at, parent_hash: B256::ZERO, timestamp: 0, base_fee: 0 };
        let blocks = self.blocks[from..].iter();
        let blocks = blocks.map(|block| ChainBlock { header: header(block.at), events: Vec::new() });
        ChainDelta { base, blocks: blocks.collect(), head: self.blocks[self.blocks.len() - 1].at }
    }

    /// How often a request has taken effect on the canonical chain.
    pub(super) fn effects(&self, id: &TxId) -> usize {
        let succeeded = self.blocks.iter().filter(|block| !block.reverted);
        let mined = succeeded.flat_map(|block| block.txs.iter().flatten());
        mined.filter(|tx| tx.id == *id && !tx.cancels).count()
    }
}
