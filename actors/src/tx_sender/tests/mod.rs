//! The queue's decisions: against a small chain, with nodes that forget, fees that rise, restarts at any point.

mod cases;
mod funds;
mod interleavings;
mod node;
mod nonces;
mod properties;
mod records;
mod reverts;

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use anzen_messages::TaskHash;
use anzen_messages::transaction::{Mined, SendTransaction, TxId, TxRefusal};

use super::Config;
use super::effect::{Account, Effect, Tried};
use super::queue::Queue;
use super::records::{delete, put, read};
use crate::follow::ChainState;
use crate::ports::{ChainError, Fees, Receipt, SendError, SignedTx, UnsignedTx, Write};
use crate::testing::{block, block_ref};

const SENDER: Address = Address::repeat_byte(1);

/// Records, as a store has them.
#[derive(Debug, Default)]
struct Disk(BTreeMap<Vec<u8>, Vec<u8>>);

impl Disk {
    fn take(&mut self, write: &Write) {
        match write {
            Write::Put { key, value, .. } => _ = self.0.insert(key.clone(), value.clone()),
            Write::Delete { key, .. } => _ = self.0.remove(key),
        }
    }

    fn recover(&self, queue: &mut Queue) -> Vec<Effect> {
        let records = self.0.iter().map(|(key, value)| read(key, value).unwrap());
        records.flat_map(|intent| queue.recover(intent)).collect()
    }
}

/// A chain that mines what pays enough, an account that others may use too, a disk, and the queue under test. Whatever the
/// queue wants done is done at once.
struct World {
    queue: Queue,
    disk: Disk,
    head: u64,
    mined: BTreeMap<B256, (TxId, Receipt)>,
    nonce: u64,
    pool: BTreeMap<u64, (TxId, SignedTx, Fees, bool)>,
    price: u128,
    /// What a call takes.
    gas: u64,
    balance: U256,
    /// What of it the node keeps for others.
    owed: U256,
    /// The nonce and the block as of which the node answers, where it is behind.
    behind: Option<(u64, u64)>,
    /// The nonce that the node tells, where it lies.
    lie: Option<u64>,
    /// The same of those that wait.
    lie_pending: Option<u64>,
    /// The node says of all transactions that they are mined.
    false_receipts: bool,
    /// True while fees are not told.
    fees_away: bool,
    /// Questions for fees that are not answered.
    unanswered: Vec<TxId>,
    forgetful: bool,
    /// What is mined reverts.
    reverting: bool,
    node_down: bool,
    disk_full: bool,
    /// What the node answers to the next transaction.
    verdict: Option<SendError>,
    outcomes: Vec<(TxId, Result<Mined, TxRefusal>)>,
    effective: BTreeMap<TxId, u32>,
    signed: BTreeMap<B256, (TxId, UnsignedTx, bool)>,
    told: Vec<Effect>,
}

fn config() -> Config {
    Config { replace_after_blocks: 2, most_fee_per_gas: 1_000_000, remember_blocks: 50, ..Config::default() }
}

fn id(i: u8) -> TxId {
    TxId::respond(TaskHash(B256::repeat_byte(i)))
}

fn request(i: u8) -> SendTransaction {
    SendTransaction {
        id: id(i),
        to: Address::repeat_byte(9),
        data: Bytes::from(vec![i]),
        value: U256::ZERO,
        not_after: None,
    }
}

/// Something that is signed: no two transactions are alike.
fn sign(id: &TxId, tx: &UnsignedTx, cancels: bool) -> SignedTx {
    let raw = Bytes::from(format!("{id} {} {} {cancels}", tx.nonce, tx.fees.max_fee).into_bytes());
    SignedTx { hash: keccak256(&raw), raw }
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            queue: Queue::new(config(), SENDER, 1),
            disk: Disk::default(),
            head: 100,
            mined: BTreeMap::new(),
            nonce: 7,
            pool: BTreeMap::new(),
            price: 10,
            gas: 100,
            balance: U256::from(1u64 << 60),
            owed: U256::ZERO,
            behind: None,
            lie: None,
            lie_pending: None,
            false_receipts: false,
            fees_away: false,
            unanswered: Vec::new(),
            forgetful: false,
            reverting: false,
            node_down: false,
            disk_full: false,
            verdict: None,
            outcomes: Vec::new(),
            effective: BTreeMap::new(),
            signed: BTreeMap::new(),
            told: Vec::new(),
        };
        world.tell();
        world
    }

    fn ask(&mut self, request: SendTransaction) {
        let effects = self.queue.request(request);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let more = self.carry_out_one(effect);
            self.carry_out(more);
        }
    }

    fn carry_out_one(&mut self, effect: Effect) -> Vec<Effect> {
        match effect {
            Effect::Try { id, .. } => {
                let tried = Tried { gas: self.gas, fees: self.fees(), balance: self.balance };
                return self.queue.tried(&id, Ok(tried));
            }
            Effect::Sync { hashes, .. } => {
                let (nonce, head) = self.behind.unwrap_or((self.nonce, self.head));
                let receipts = hashes.iter().filter_map(|hash| Some((*hash, self.receipt(*hash)?)));
                let receipts: BTreeMap<_, _> =
                    receipts.filter(|(_, receipt)| receipt.at.number <= head).collect();
                let waits = |nonce: &u64| self.pool.contains_key(nonce);
                let pending = (nonce..).find(|nonce| !waits(nonce)).unwrap_or(nonce);
                let (nonce, pending) = (self.lie.unwrap_or(nonce), self.lie_pending.unwrap_or(pending));
                let account = Account { nonce, vouched: false, pending, balance: self.balance };
                return self.queue.synced(account, &receipts);
            }
            Effect::Reprice { id } if self.fees_away => self.unanswered.push(id),
            Effect::Reprice { id } => return self.queue.repriced(&id, self.fees()),
            Effect::Sign { id, tx, cancels } => {
                let (signed, fees) = (sign(&id, &tx, cancels), tx.fees);
                self.signed.insert(signed.hash, (id.clone(), tx, cancels));
                return self.queue.signed(&id, Ok(signed), fees, cancels);
            }
            Effect::Send { id, hash, .. } if self.disk_full => {
                let refusal = TxRefusal::Unavailable { error: "full".into() };
                return self.queue.not_saved(&id, hash, refusal);
            }
            Effect::Send { id, hash, raw } => {
                self.save(&id);
                return self.broadcast(&id, hash, raw);
            }
            Effect::Resend { id, hash, raw } => return self.broadcast(&id, hash, raw),
            Effect::Save(id) => self.save(&id),
            Effect::Forget(id) => self.disk.take(&delete(SENDER, &id)),
            Effect::Conclude { id, outcome, .. } | Effect::Remind { id, outcome } => {
                self.outcomes.push((id, outcome));
            }
            Effect::AtCeiling { .. } | Effect::Unfunded { .. } | Effect::Doubtful { .. } => {
                self.told.push(effect);
            }
        }
        Vec::new()
    }

    fn receipt(&self, hash: B256) -> Option<Receipt> {
        let succeeded = !self.reverting;
        let made_up = Receipt { at: block_ref(self.head), gas_used: 100, fee: U256::ONE, succeeded };
        let mined = self.mined.get(&hash).map(|(_, receipt)| receipt.clone());
        if self.false_receipts { Some(made_up) } else { mined }
    }

    fn fees(&self) -> Fees {
        Fees { max_fee: self.price, priority_fee: 1 }
    }

    fn save(&mut self, id: &TxId) {
        if let Some(write) = self.queue.intent(id).and_then(|intent| put(SENDER, intent)) {
            self.disk.take(&write);
        }
    }

    fn broadcast(&mut self, id: &TxId, hash: B256, raw: Bytes) -> Vec<Effect> {
        let result = match self.verdict.take() {
            Some(verdict) => Err(verdict),
            None if self.node_down => Err(SendError::Chain(ChainError::Endpoint("down".into()))),
            None if self.signed[&hash].1.nonce < self.nonce => Err(SendError::NonceUsed),
            None if self.owes(hash) => Err(SendError::InsufficientFunds),
            None => Ok(()),
        };
        if result.is_ok() && !self.forgetful {
            let (of, tx, cancels) = self.signed[&hash].clone();
            self.pool.insert(tx.nonce, (of, SignedTx { hash, raw }, tx.fees, cancels));
        }
        self.queue.broadcast(id, hash, result)
    }

    /// True where the node thinks that the sender cannot pay for a transaction that it does not have.
    fn owes(&self, hash: B256) -> bool {
        let (_, tx, _) = &self.signed[&hash];
        let cost = U256::from(tx.fees.max_fee) * U256::from(tx.gas_limit);
        let known = self.pool.get(&tx.nonce).is_some_and(|(_, other, ..)| other.hash == hash);
        !known && self.balance < self.owed + cost
    }

    /// Mines a block, and tells the queue.
    fn mine(&mut self) {
        self.head += 1;
        while let Some((_, _, fees, _)) = self.pool.get(&self.nonce)
            && fees.max_fee >= self.price
            && let Some((id, tx, _, cancels)) = self.pool.remove(&self.nonce)
        {
            let succeeded = !self.reverting;
            let receipt = Receipt { at: block_ref(self.head), gas_used: 100, fee: U256::ONE, succeeded };
            if !cancels && succeeded {
                *self.effective.entry(id.clone()).or_default() += 1;
            }
            self.mined.insert(tx.hash, (id, receipt));
            self.nonce += 1;
        }
        self.tell();
    }

    fn mine_many(&mut self, count: usize) {
        (0..count).for_each(|_| self.mine());
    }

    fn tell(&mut self) {
        let effects = self.queue.apply(&block(self.head, vec![]), block_ref(self.head));
        self.carry_out(effects);
    }

    fn crash(&mut self) {
        self.queue = Queue::new(config(), SENDER, 1);
        let effects = self.disk.recover(&mut self.queue);
        self.carry_out(effects);
    }

    fn outcome(&self, i: u8) -> Option<&Result<Mined, TxRefusal>> {
        self.outcomes.iter().find(|(of, _)| *of == id(i)).map(|(_, outcome)| outcome)
    }

    fn succeeded(&self, i: u8) -> bool {
        matches!(self.outcome(i), Some(Ok(mined)) if mined.succeeded)
    }
}
