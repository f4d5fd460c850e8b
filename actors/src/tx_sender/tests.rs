//! The queue's decisions: against a small chain, with nodes that forget, fees that rise, restarts at any point.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, keccak256};
use anzen_messages::TaskHash;
use anzen_messages::transaction::{Mined, SendTransaction, TxId, TxRefusal};
use proptest::prelude::*;

use super::Config;
use super::intent::Intent;
use super::queue::{Effect, Queue};
use crate::follow::ChainState;
use crate::ports::{Fees, Receipt, SendError, SignedTx, UnsignedTx};
use crate::testing::{block, block_ref};

/// A chain that mines what pays enough, an account that others may use too, a disk, and the queue under test.
struct World {
    queue: Queue,
    disk: BTreeMap<TxId, Intent>,
    head: u64,
    mined: BTreeMap<B256, (TxId, Receipt)>,
    nonce: u64,
    pool: BTreeMap<u64, (TxId, SignedTx, Fees, bool)>,
    price: u128,
    forgetful: bool,
    node_down: bool,
    outcomes: Vec<(TxId, Result<Mined, TxRefusal>)>,
    effective: BTreeMap<TxId, u32>,
    signed: BTreeMap<B256, (TxId, UnsignedTx, bool)>,
}

fn config() -> Config {
    Config { replace_after_blocks: 2, most_fee_per_gas: 1_000_000, remember_blocks: 50, ..Config::default() }
}

fn id(i: u8) -> TxId {
    TxId::respond(TaskHash(B256::repeat_byte(i)))
}

fn request(i: u8) -> SendTransaction {
    SendTransaction { id: id(i), to: Address::repeat_byte(9), data: Bytes::from(vec![i]), not_after: None }
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            queue: Queue::new(config(), Address::repeat_byte(1), 1),
            disk: BTreeMap::new(),
            head: 100,
            mined: BTreeMap::new(),
            nonce: 7,
            pool: BTreeMap::new(),
            price: 10,
            forgetful: false,
            node_down: false,
            outcomes: Vec::new(),
            effective: BTreeMap::new(),
            signed: BTreeMap::new(),
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
            let more = match effect {
                Effect::Try { id, .. } => self.queue.tried(&id, Ok((100, self.fees()))),
                Effect::Sync { hashes } => {
                    let receipts =
                        hashes.iter().filter_map(|hash| Some((*hash, self.mined.get(hash)?.1.clone())));
                    let receipts: BTreeMap<_, _> = receipts.collect();
                    self.queue.synced(self.nonce, &receipts)
                }
                Effect::Reprice { id } => self.queue.repriced(&id, self.fees()),
                Effect::Sign { id, tx, cancels } => self.sign(&id, tx, cancels),
                Effect::Send { id, raw } => self.send(&id, &raw),
                Effect::Save(id) => {
                    self.save(&id);
                    vec![]
                }
                Effect::Forget(id) => {
                    self.disk.remove(&id);
                    vec![]
                }
                Effect::Conclude { id, outcome } => {
                    self.outcomes.push((id, outcome));
                    vec![]
                }
                Effect::AtCeiling { .. } => vec![],
            };
            self.carry_out(more);
        }
    }

    fn fees(&self) -> Fees {
        Fees { max_fee: self.price, priority_fee: 1 }
    }

    fn sign(&mut self, id: &TxId, tx: UnsignedTx, cancels: bool) -> Vec<Effect> {
        let raw = Bytes::from(format!("{} {} {} {cancels}", id, tx.nonce, tx.fees.max_fee).into_bytes());
        let signed = SignedTx { hash: keccak256(&raw), raw };
        let fees = tx.fees;
        self.signed.insert(signed.hash, (id.clone(), tx, cancels));
        self.queue.signed(id, Ok(signed), fees, cancels)
    }

    fn save(&mut self, id: &TxId) {
        if let Some(intent) = self.queue.intent(id) {
            self.disk.insert(id.clone(), intent.clone());
        }
    }

    fn send(&mut self, id: &TxId, raw: &Bytes) -> Vec<Effect> {
        self.save(id);
        let hash = keccak256(raw);
        let (of, tx, cancels) = self.signed[&hash].clone();
        let result = if self.node_down {
            Err(SendError::Chain(crate::ports::ChainError::Endpoint("down".into())))
        } else if tx.nonce < self.nonce {
            Err(SendError::NonceUsed)
        } else if !self.forgetful {
            let signed = SignedTx { hash, raw: raw.clone() };
            self.pool.insert(tx.nonce, (of, signed, tx.fees, cancels));
            Ok(())
        } else {
            Ok(())
        };
        self.queue.broadcast(id, result)
    }

    /// Mines a block, and tells the queue.
    fn mine(&mut self) {
        self.head += 1;
        while let Some((_, _, fees, _)) = self.pool.get(&self.nonce)
            && fees.max_fee >= self.price
            && let Some((id, tx, _, cancels)) = self.pool.remove(&self.nonce)
        {
            let receipt = Receipt { at: block_ref(self.head), gas_used: 100, succeeded: true };
            if !cancels {
                *self.effective.entry(id.clone()).or_default() += 1;
            }
            self.mined.insert(tx.hash, (id, receipt));
            self.nonce += 1;
        }
        self.tell();
    }

    fn tell(&mut self) {
        let effects = self.queue.apply(&block(self.head, vec![]), block_ref(self.head));
        self.carry_out(effects);
    }

    fn crash(&mut self) {
        self.queue = Queue::new(config(), Address::repeat_byte(1), 1);
        let disk: Vec<Intent> = self.disk.values().cloned().collect();
        let effects = disk.into_iter().filter_map(|intent| self.queue.recover(intent)).collect();
        self.carry_out(effects);
    }

    fn outcome(&self, i: u8) -> Option<&Result<Mined, TxRefusal>> {
        self.outcomes.iter().find(|(of, _)| *of == id(i)).map(|(_, outcome)| outcome)
    }
}

#[test]
fn several_are_under_way_at_once_and_each_is_mined() {
    let mut world = World::new();
    (0..3).for_each(|i| world.ask(request(i)));
    assert_eq!(world.pool.keys().copied().collect::<Vec<_>>(), [7, 8, 9]);
    world.mine();
    assert!((0..3).all(|i| matches!(world.outcome(i), Some(Ok(mined)) if mined.succeeded)));
}

#[test]
fn a_stuck_transaction_is_replaced_at_a_higher_price() {
    let mut world = World::new();
    world.ask(request(0));
    world.price = 1_000;
    (0..3).for_each(|_| world.mine());
    assert!(matches!(world.outcome(0), Some(Ok(_))));
    assert_eq!(world.signed.len(), 2);
}

#[test]
fn a_transaction_that_the_node_forgot_is_sent_again() {
    let mut world = World::new();
    world.forgetful = true;
    world.ask(request(0));
    world.forgetful = false;
    (0..4).for_each(|_| world.mine());
    assert!(matches!(world.outcome(0), Some(Ok(_))));
}

#[test]
fn a_restart_sends_the_same_bytes() {
    let mut world = World::new();
    world.node_down = true;
    world.ask(request(0));
    world.node_down = false;
    world.crash();
    world.ask(request(0));
    assert_eq!(world.signed.len(), 1);
    world.mine();
    world.tell();
    assert!(matches!(world.outcome(0), Some(Ok(_))));
}

#[test]
fn a_success_is_remembered_and_a_revert_is_not() {
    let mut world = World::new();
    world.ask(request(0));
    world.mine();
    world.ask(request(0));
    assert_eq!(world.outcomes.len(), 2, "answered at once");
    assert_eq!(world.effective[&id(0)], 1);

    world.ask(request(1));
    let (_, tx, ..) = world.pool.remove(&8).unwrap();
    world.head += 1;
    world.nonce += 1;
    let receipt = Receipt { at: block_ref(world.head), gas_used: 1, succeeded: false };
    world.mined.insert(tx.hash, (id(1), receipt));
    world.tell();
    assert!(matches!(world.outcome(1), Some(Ok(mined)) if !mined.succeeded));
    world.ask(request(1));
    assert!(world.pool.contains_key(&9), "what reverted may be asked for again");
}

#[test]
fn another_sender_on_the_key_takes_the_nonce() {
    let mut world = World::new();
    world.ask(request(0));
    world.pool.clear();
    world.nonce += 1;
    (0..4).for_each(|_| world.mine());
    assert!(matches!(world.outcome(0), Some(Ok(_))), "it was sent anew with the next nonce");
    assert_eq!(world.effective[&id(0)], 1);
}

#[test]
fn a_reorg_puts_it_under_way_again() {
    let mut world = World::new();
    world.ask(request(0));
    world.mine();
    let (hash, _) = world.mined.pop_first().unwrap();
    world.queue.retract(block_ref(100));
    world.nonce = 7;
    world.head = 100;
    (world.effective, world.outcomes) = Default::default();
    let (of, tx, cancels) = world.signed[&hash].clone();
    world.ask(request(0));
    assert_eq!(world.outcomes, [], "it is not mined any more");
    let raw = Bytes::new();
    world.pool.insert(7, (of, SignedTx { hash, raw }, tx.fees, cancels));
    world.mine();
    assert!(matches!(world.outcome(0), Some(Ok(mined)) if mined.hash == hash));
}

#[test]
fn what_is_useless_is_cancelled_so_that_others_go_on() {
    let mut world = World::new();
    world.ask(SendTransaction { not_after: Some(101), ..request(0) });
    world.ask(request(1));
    world.price = 500;
    (0..6).for_each(|_| world.mine());
    assert_eq!(world.outcome(0), Some(&Err(TxRefusal::Expired)));
    assert!(matches!(world.outcome(1), Some(Ok(_))));
}

#[test]
fn a_refused_transaction_leaves_no_gap() {
    let mut world = World::new();
    (0..2).for_each(|i| world.ask(request(i)));
    world.pool.remove(&7);
    let effects = world.queue.broadcast(&id(0), Err(SendError::InsufficientFunds));
    world.carry_out(effects);
    assert!(matches!(world.outcome(0), Some(Err(TxRefusal::InsufficientFunds { .. }))));
    (0..2).for_each(|_| world.mine());
    assert!(matches!(world.outcome(1), Some(Ok(_))));
}

/// What happens to the sender.
#[derive(Debug, Clone, Copy)]
enum Event {
    Ask(u8),
    Mine,
    Crash,
    Price(u16),
    Forgetful(bool),
    NodeDown(bool),
    OtherSender,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0u8..6).prop_map(Event::Ask),
        6 => Just(Event::Mine),
        1 => Just(Event::Crash),
        1 => (1u16..200).prop_map(Event::Price),
        1 => any::<bool>().prop_map(Event::Forgetful),
        1 => any::<bool>().prop_map(Event::NodeDown),
        1 => Just(Event::OtherSender),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever happens: nothing takes effect twice, and when the trouble is over, everything that is asked for does once.
    #[test]
    fn every_request_takes_effect_once(events in prop::collection::vec(event(), 0..60)) {
        let mut world = World::new();
        for event in events {
            match event {
                Event::Ask(i) => world.ask(request(i)),
                Event::Mine => world.mine(),
                Event::Crash => world.crash(),
                Event::Price(price) => world.price = price.into(),
                Event::Forgetful(forgetful) => world.forgetful = forgetful,
                Event::NodeDown(down) => world.node_down = down,
                Event::OtherSender => {
                    world.pool.remove(&world.nonce);
                    world.nonce += 1;
                }
            }
            prop_assert!(world.effective.values().all(|times| *times == 1), "{:?}", world.effective);
        }
        (world.price, world.forgetful, world.node_down) = (100, false, false);
        for i in 0..6 {
            world.ask(request(i));
        }
        for _ in 0..40 {
            world.mine();
        }
        for i in 0..6 {
            prop_assert_eq!(world.effective.get(&id(i)), Some(&1), "request {}", i);
        }
    }
}
