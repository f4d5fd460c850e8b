//! Answers that come in any order, nodes that are not equally far, forks, crashes between any two steps: at no time can two
//! transactions of one request be mined, and in the end each request has taken effect once.

use std::collections::{BTreeMap, VecDeque};

use alloy::primitives::{Address, B256, U256};
use anzen_messages::chain::BlockRef;
use anzen_messages::transaction::TxId;
use proptest::prelude::*;

use super::node::{DEEPEST, Node, Tx};
use super::{config, id, request, sign};
use crate::follow::ChainState;
use crate::ports::{ChainError, Fees, SendError, UnsignedTx};
use crate::tx_sender::Config;
use crate::tx_sender::intent::Intent;
use crate::tx_sender::queue::{Effect, Queue, Tried};

const SENDER: Address = Address::repeat_byte(1);
const REQUESTS: u8 = 4;

/// A question to the chain that is under way.
#[derive(Debug)]
enum Question {
    Try(TxId),
    Nonce(Vec<B256>),
    Receipts(Vec<B256>, u64),
    Reprice(TxId),
    Broadcast(TxId, B256),
}

/// A write on its way to disk; the store does them in order.
enum DiskWrite {
    Put(TxId, Option<Box<Intent>>, Option<B256>),
    Delete(TxId),
}

struct Sim {
    queue: Queue,
    disk: BTreeMap<TxId, Intent>,
    writes: VecDeque<DiskWrite>,
    questions: Vec<Question>,
    node: Node,
    told: Option<BlockRef>,
    signed: BTreeMap<B256, Tx>,
}

#[derive(Debug, Clone)]
enum Step {
    Ask(u8),
    /// The chain answers a question, from a state this many blocks ago.
    Answer(usize, usize),
    /// A question goes unanswered; what was to be broadcast may have arrived.
    Lose(usize, bool),
    Write,
    Tell,
    Mine,
    Fork(usize),
    OtherSender,
    /// The nodes forget a transaction.
    Drop,
    Price(u128),
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..REQUESTS).prop_map(Step::Ask),
        16 => (0..8usize, 0..=DEEPEST).prop_map(|(which, ago)| Step::Answer(which, ago)),
        1 => (0..8usize, any::<bool>()).prop_map(|(which, arrives)| Step::Lose(which, arrives)),
        8 => Just(Step::Write),
        6 => Just(Step::Tell),
        6 => Just(Step::Mine),
        1 => (1..=DEEPEST).prop_map(Step::Fork),
        1 => Just(Step::OtherSender),
        1 => Just(Step::Drop),
        1 => (1..300u128).prop_map(Step::Price),
        1 => Just(Step::Crash),
    ]
}

fn new_queue() -> Queue {
    Queue::new(Config { remember_blocks: 10_000, ..config() }, SENDER, 1)
}

impl Sim {
    fn new() -> Self {
        Self {
            queue: new_queue(),
            disk: BTreeMap::new(),
            writes: VecDeque::new(),
            questions: Vec::new(),
            node: Node::new(),
            told: None,
            signed: BTreeMap::new(),
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Ask(i) => self.ask(i),
            Step::Answer(which, ago) => self.answer(which, ago),
            Step::Lose(which, arrives) => self.lose(which, arrives),
            Step::Write => self.write(),
            Step::Tell => self.tell(),
            Step::Mine => self.node.mine(),
            Step::Fork(depth) => self.node.fork(depth),
            Step::OtherSender => self.node.mine_foreign(),
            Step::Drop => self.node.forget(),
            Step::Price(price) => self.node.price = price,
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
                Effect::Sync { hashes } => self.questions.push(Question::Nonce(hashes)),
                Effect::Reprice { id } => self.questions.push(Question::Reprice(id)),
                Effect::Sign { id, tx, cancels } => self.sign(&id, tx, cancels),
                Effect::Send { id, hash, .. } => self.put(id, Some(hash)),
                Effect::Resend { id, hash, .. } => self.questions.push(Question::Broadcast(id, hash)),
                Effect::Save(id) => self.put(id, None),
                Effect::Forget(id) => self.writes.push_back(DiskWrite::Delete(id)),
                Effect::Conclude { .. } | Effect::Remind { .. } => {}
                Effect::AtCeiling { .. } | Effect::Unfunded { .. } => {}
            }
        }
    }

    fn put(&mut self, id: TxId, then_send: Option<B256>) {
        let intent = self.queue.intent(&id).filter(|intent| intent.flight().is_some()).cloned();
        self.writes.push_back(DiskWrite::Put(id, intent.map(Box::new), then_send));
    }

    fn sign(&mut self, id: &TxId, unsigned: UnsignedTx, cancels: bool) {
        let settled = self.node.nonce(DEEPEST);
        let elsewhere = |other: &&Tx| other.id == *id && other.unsigned.nonce != unsigned.nonce;
        for other in
            self.signed.values().filter(elsewhere).filter(|other| self.node.seen.contains(&other.hash))
        {
            // Its nonce was used so long ago that no fork brings it back.
            let (old, new) = (other.unsigned.nonce, unsigned.nonce);
            assert!(old < settled, "{id} has nonce {old}, which may still be mined, and gets {new}");
        }
        let (signed, fees) = (sign(id, &unsigned, cancels), unsigned.fees);
        self.signed.insert(signed.hash, Tx { hash: signed.hash, id: id.clone(), unsigned, cancels });
        let effects = self.queue.signed(id, Ok(signed), fees, cancels);
        self.carry_out(effects);
    }

    fn write(&mut self) {
        match self.writes.pop_front() {
            Some(DiskWrite::Delete(id)) => drop(self.disk.remove(&id)),
            Some(DiskWrite::Put(id, intent, then_send)) => {
                self.disk.extend(intent.map(|intent| (id.clone(), *intent)));
                self.questions.extend(then_send.map(|hash| Question::Broadcast(id, hash)));
            }
            None => {}
        }
    }

    fn answer(&mut self, which: usize, ago: usize) {
        if self.questions.is_empty() {
            return;
        }
        let fees = Fees { max_fee: self.node.price, priority_fee: 1 };
        let effects = match self.questions.remove(which % self.questions.len()) {
            Question::Try(id) => self.queue.tried(&id, Ok(Tried { gas: 100, fees, balance: U256::MAX >> 8 })),
            Question::Reprice(id) => self.queue.repriced(&id, fees),
            Question::Nonce(hashes) => {
                self.questions.push(Question::Receipts(hashes, self.node.nonce(ago)));
                return;
            }
            Question::Receipts(hashes, nonce) => {
                let receipts = self.node.receipts(&hashes, ago);
                self.queue.synced(nonce, &receipts)
            }
            Question::Broadcast(id, hash) => {
                let result = self.node.accept(self.signed[&hash].clone());
                self.queue.broadcast(&id, hash, result)
            }
        };
        self.carry_out(effects);
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
            // The actor leaves it to the next block.
            Question::Reprice(_) => Vec::new(),
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
        let intents: Vec<Intent> = self.disk.values().cloned().collect();
        let effects = intents.into_iter().filter_map(|intent| self.queue.recover(intent)).collect();
        self.carry_out(effects);
    }

    /// The trouble is over: everything is answered, written, mined.
    fn settle(&mut self) {
        self.node.price = 10;
        for round in 0..80 {
            if round < 60 {
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_request_takes_effect_once_in_any_order(steps in prop::collection::vec(step(), 1..150)) {
        let mut sim = Sim::new();
        sim.tell();
        for step in &steps {
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
    }
}
