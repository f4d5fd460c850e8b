//! Answers that come in any order, nodes that are not equally far, forks, crashes between any two steps: at no time can two
//! transactions of one request be mined, and in the end each request has taken effect once.

mod promises;
mod steps;

use std::collections::{BTreeMap, VecDeque};

use alloy::primitives::{B256, U256};
use anzen_messages::chain::BlockRef;
use anzen_messages::transaction::TxId;
use proptest::prelude::*;

use self::steps::{Step, step};
use super::node::{Node, PLENTY, Tx};
use super::{Disk, SENDER, config, id, request, sign};
use crate::follow::ChainState;
use crate::ports::{ChainError, Fees, SendError, UnsignedTx, Write};
use crate::tx_sender::Config;
use crate::tx_sender::effect::{Account, Effect, Tried};
use crate::tx_sender::queue::Queue;
use crate::tx_sender::records;

const REQUESTS: u8 = 4;
/// Not one of the requests: another's, who uses the key.
const ANOTHER: u8 = 99;

/// A question to the chain that is under way.
#[derive(Debug)]
enum Question {
    Try(TxId),
    Nonce(Vec<B256>),
    Receipts(Vec<B256>, Account),
    Reprice(TxId),
    Broadcast(TxId, B256),
}

/// A write on its way to disk; the store does them in order.
struct DiskWrite {
    write: Option<Write>,
    /// What is broadcast once it is written.
    then_send: Option<(TxId, B256)>,
}

struct Sim {
    queue: Queue,
    disk: Disk,
    writes: VecDeque<DiskWrite>,
    questions: Vec<Question>,
    node: Node,
    told: Option<BlockRef>,
    signed: BTreeMap<B256, Tx>,
    /// How deep the chain forks, and how far nodes are behind, at most.
    deepest: usize,
    /// The most that the chain has asked.
    dearest: u128,
}

fn new_queue() -> Queue {
    Queue::new(Config { remember_blocks: 10_000, ..config() }, SENDER, 1)
}

impl Sim {
    fn new(deepest: usize) -> Self {
        Self {
            queue: new_queue(),
            disk: Disk::default(),
            writes: VecDeque::new(),
            questions: Vec::new(),
            node: Node::new(),
            told: None,
            signed: BTreeMap::new(),
            deepest,
            dearest: 10,
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Ask(i) => self.ask(i),
            Step::Answer(which, ago) => self.answer(which, ago),
            Step::Mislead(which, more) => self.mislead(which, more),
            Step::Lose(which, arrives) => self.lose(which, arrives),
            Step::Write => self.write(),
            Step::Tell => self.tell(),
            Step::Mine => self.node.mine(),
            Step::Fork(depth) => self.node.fork(depth),
            Step::OtherSender => self.node.mine_foreign(),
            Step::Drop => self.node.forget(),
            Step::Price(price) => {
                self.node.price = price;
                self.dearest = self.dearest.max(price);
            }
            Step::Reverting(reverting) => self.node.reverting = reverting,
            Step::Drain(left) => self.node.balance = U256::from(left),
            Step::Fund => self.node.balance = PLENTY,
            Step::OtherWaits => self.node.accept_foreign(id(ANOTHER)),
            Step::Crash => self.crash(),
        }
    }

    fn ask(&mut self, i: u8) {
        let effects = self.queue.request(request(i));
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Try { id, .. } => self.questions.push(Question::Try(id)),
                Effect::Sync { hashes, .. } => self.questions.push(Question::Nonce(hashes)),
                Effect::Reprice { id } => self.questions.push(Question::Reprice(id)),
                Effect::Sign { id, tx, cancels } => self.sign(&id, tx, cancels),
                Effect::Send { id, hash, .. } => self.put(id, Some(hash)),
                Effect::Resend { id, hash, .. } => self.questions.push(Question::Broadcast(id, hash)),
                Effect::Save(id) => self.put(id, None),
                Effect::Forget(id) => {
                    let write = Some(records::delete(SENDER, &id));
                    self.writes.push_back(DiskWrite { write, then_send: None });
                }
                Effect::Conclude { .. } | Effect::Remind { .. } => {}
                Effect::AtCeiling { .. } | Effect::Unfunded { .. } | Effect::Doubtful { .. } => {}
            }
        }
    }

    fn put(&mut self, id: TxId, then_send: Option<B256>) {
        let write = self.queue.intent(&id).and_then(|intent| records::put(SENDER, intent));
        self.writes.push_back(DiskWrite { write, then_send: then_send.map(|hash| (id, hash)) });
    }

    fn sign(&mut self, id: &TxId, unsigned: UnsignedTx, cancels: bool) {
        self.check_price(id, &unsigned);
        self.check_nonce(id, unsigned.nonce);
        let (signed, fees) = (sign(id, &unsigned, cancels), unsigned.fees);
        self.signed.insert(signed.hash, Tx { hash: signed.hash, id: id.clone(), unsigned, cancels });
        let effects = self.queue.signed(id, Ok(signed), fees, cancels);
        self.carry_out(effects);
    }

    fn write(&mut self) {
        let Some(DiskWrite { write, then_send }) = self.writes.pop_front() else { return };
        write.iter().for_each(|write| self.disk.take(write));
        self.questions.extend(then_send.map(|(id, hash)| Question::Broadcast(id, hash)));
    }

    fn answer(&mut self, which: usize, ago: usize) {
        if self.questions.is_empty() {
            return;
        }
        let fees = Fees { max_fee: self.node.price, priority_fee: 1 };
        let effects = match self.questions.remove(which % self.questions.len()) {
            Question::Try(id) => {
                self.queue.tried(&id, Ok(Tried { gas: 100, fees, balance: self.node.balance }))
            }
            Question::Reprice(id) => self.queue.repriced(&id, fees),
            Question::Nonce(hashes) => {
                self.questions.push(Question::Receipts(hashes, self.node.account(ago)));
                return;
            }
            Question::Receipts(hashes, account) => {
                let receipts = self.node.receipts(&hashes, ago);
                self.queue.synced(account, &receipts)
            }
            Question::Broadcast(id, hash) => {
                let result = self.node.accept(self.signed[&hash].clone());
                self.queue.broadcast(&id, hash, result)
            }
        };
        self.carry_out(effects);
    }

    fn mislead(&mut self, which: usize, more: u64) {
        if self.questions.is_empty() {
            return;
        }
        let place = which % self.questions.len();
        match self.questions.remove(place) {
            Question::Nonce(hashes) => {
                let Account { nonce, pending, .. } = self.node.account(0);
                let account =
                    Account { nonce: nonce + more, pending: pending + more, ..self.node.account(0) };
                self.questions.push(Question::Receipts(hashes, account));
            }
            Question::Receipts(hashes, account) => {
                let effects = self.queue.synced(account, &self.node.false_receipts(&hashes));
                self.carry_out(effects);
            }
            other => self.questions.push(other),
        }
    }

    fn lose(&mut self, which: usize, arrives: bool) {
        let down = || ChainError::Endpoint("down".into());
        if self.questions.is_empty() {
            return;
        }
        let effects = match self.questions.remove(which % self.questions.len()) {
            Question::Nonce(_) | Question::Receipts(..) => self.queue.not_synced(),
            Question::Broadcast(id, hash) => {
                if arrives {
                    let _ = self.node.accept(self.signed[&hash].clone());
                }
                self.queue.broadcast(&id, hash, Err(SendError::Chain(down())))
            }
            Question::Reprice(id) => {
                self.queue.not_repriced(&id);
                Vec::new()
            }
            other @ Question::Try(_) => {
                self.questions.push(other);
                Vec::new()
            }
        };
        self.carry_out(effects);
    }

    /// The watcher's word of all new blocks.
    fn tell(&mut self) {
        let delta = self.node.delta(self.told);
        self.told = Some(delta.head);
        let effects = self.queue.advance(&delta);
        self.carry_out(effects);
    }

    fn crash(&mut self) {
        self.queue = new_queue();
        (self.told, self.questions) = (None, Vec::new());
        self.writes.clear();
        let effects = self.disk.recover(&mut self.queue);
        self.carry_out(effects);
    }

    /// The trouble is over: everything is answered, written, mined.
    fn settle(&mut self) {
        (self.node.price, self.node.balance, self.node.reverting) = (10, PLENTY, false);
        for round in 0..160 {
            if round < 130 && round % 4 == 0 {
                (0..REQUESTS).for_each(|i| self.ask(i));
            }
            while !(self.questions.is_empty() && self.writes.is_empty()) {
                self.write();
                self.answer(0, 0);
            }
            self.node.mine();
            self.tell();
        }
    }
}

/// Whatever happened, and once the trouble is over.
fn holds(deepest: usize, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut sim = Sim::new(deepest);
    sim.tell();
    for step in steps {
        sim.take(step);
        for i in 0..REQUESTS {
            prop_assert!(sim.node.effects(&id(i)) <= 1, "request {} took effect twice", i);
        }
    }
    sim.settle();
    for i in 0..REQUESTS {
        prop_assert_eq!(sim.node.effects(&id(i)), 1, "request {}", i);
    }
    prop_assert_eq!(sim.queue.flights().count(), 0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_request_takes_effect_once_in_any_order(steps in prop::collection::vec(step(2), 1..150)) {
        holds(2, &steps)?;
    }

    #[test]
    fn and_with_forks_ten_blocks_deep(steps in prop::collection::vec(step(10), 1..300)) {
        holds(10, &steps)?;
    }
}
