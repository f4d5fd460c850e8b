//! The actor with a store, a chain that tells what the test pushes, and a sender of transactions that is the test's.

use std::sync::{Arc, Mutex};

use alloy::primitives::{Address, B256, Bytes, U256};
use anzen_messages::chain::{ChainDelta, ChainEvent, DeltaBase};
use anzen_messages::transaction::{Mined, SendTransaction, TxId};
use anzen_messages::{OperatorId, SafetyFactor, Task, TaskHash, TaskResponse};
use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;

use super::super::effect::Step;
use super::super::records::{self, TASKS};
use super::super::{ChallengerMetrics, Config, Dependencies, start};
use super::court::{Court, VETO, due, fault_id, recomputed};
use crate::health::{Examine, Health};
use crate::ports::{
    AnswerStanding, CallError, ChainError, ContractCall, Disputes, FaultStanding, Fees, PostedAnswer,
    Receipt, Recomputed, SendError, Store, StoreError, TxBroadcast, Write,
};
use crate::testing::world::{FakeChain, FakeWatcher, MemoryStore, NoChance, handle, watcher};
use crate::testing::{block, delta, task, value};

/// The contracts, and states that can be lost.
#[derive(Default)]
struct Contracts {
    court: Mutex<Court>,
    states_are_gone: Mutex<bool>,
    recomputed: Notify,
    looked: Notify,
}

fn to(address: u8, data: Vec<u8>) -> ContractCall {
    ContractCall { to: Address::repeat_byte(address), data: data.into(), value: U256::ZERO }
}

#[async_trait]
impl Disputes for Contracts {
    async fn recompute(&self, _task: &Task) -> Result<Recomputed, ChainError> {
        self.recomputed.notify_one();
        let gone = *self.states_are_gone.lock().unwrap();
        if gone { Err(ChainError::NoSuchBlock("100".into())) } else { Ok(recomputed()) }
    }

    async fn posted(&self, task: &Task, _transaction: B256) -> Result<Option<PostedAnswer>, ChainError> {
        Ok(self.court.lock().unwrap().posted(task))
    }

    async fn standing(&self, _task: &Task, _answer: &PostedAnswer) -> Result<AnswerStanding, ChainError> {
        self.looked.notify_one();
        Ok(self.court.lock().unwrap().standing())
    }

    fn challenge_call(
        &self,
        _: &Task,
        _: &PostedAnswer,
        witness: &Bytes,
    ) -> Result<ContractCall, ChainError> {
        Ok(to(1, witness.to_vec()))
    }

    fn committee_call(&self, _: &Task, _: &PostedAnswer, bond: U256) -> ContractCall {
        ContractCall { value: bond, ..to(2, Vec::new()) }
    }

    fn lapse_call(&self, _: &Task) -> ContractCall {
        to(3, Vec::new())
    }

    async fn freeze_call(
        &self,
        _: &Task,
        _: &PostedAnswer,
        signers: &[OperatorId],
    ) -> Result<ContractCall, ChainError> {
        Ok(to(4, signers.iter().flat_map(|id| id.0).collect()))
    }

    fn eject_call(&self, _: B256, operator: Address) -> ContractCall {
        to(5, operator.to_vec())
    }

    fn execute_call(&self, _: &FaultStanding, operators: &[Address]) -> ContractCall {
        to(6, operators.iter().flat_map(|address| **address).collect())
    }
}

/// A node that says what calls take.
struct Node;

#[async_trait]
impl TxBroadcast for Node {
    fn chain_id(&self) -> u64 {
        31_337
    }

    async fn nonce(&self, _: Address) -> Result<u64, ChainError> {
        Ok(0)
    }

    async fn balance(&self, _: Address) -> Result<U256, ChainError> {
        Ok(U256::ZERO)
    }

    async fn fees(&self) -> Result<Fees, ChainError> {
        Ok(Fees { max_fee: 2, priority_fee: 1 })
    }

    async fn estimate(&self, _: Address, _: &ContractCall) -> Result<u64, CallError> {
        Ok(300_000)
    }

    async fn send(&self, _: Bytes) -> Result<(), SendError> {
        Err(SendError::Rejected("nothing is sent here".into()))
    }

    async fn receipts(&self, _: &[B256]) -> Result<std::collections::BTreeMap<B256, Receipt>, ChainError> {
        Ok(Default::default())
    }
}

struct World {
    watcher: Arc<FakeWatcher>,
    contracts: Arc<Contracts>,
    store: Arc<MemoryStore>,
    sent: UnboundedReceiver<SendTransaction>,
    actor: actix::Addr<super::super::Challenger>,
    metrics: ChallengerMetrics,
}

impl World {
    async fn on(store: Arc<MemoryStore>, dry_run: bool) -> Result<Self, StoreError> {
        let (chain, contracts) = (Arc::<FakeWatcher>::default(), Arc::new(Contracts::default()));
        *contracts.court.lock().unwrap() = Court::new();
        let (tx_sender, sent) = handle(|_: &SendTransaction| {
            Ok(Ok(Mined { hash: B256::ZERO, block: 0, gas_used: 1, succeeded: true }))
        });
        let metrics = ChallengerMetrics::default();
        let deps = Dependencies {
            watcher: watcher(&chain),
            tx_sender: (!dry_run).then_some(tx_sender),
            disputes: contracts.clone(),
            contract: Arc::new(FakeChain::new()),
            broadcast: Arc::new(Node),
            store: Arc::clone(&store) as _,
            rng: Arc::new(NoChance),
            response_window: 30,
            margin_blocks: Some(64),
            metrics: metrics.clone(),
        };
        let actor = start(Config { dry_run, ..Config::default() }, deps).await?;
        Ok(Self { watcher: chain, contracts, store, sent, actor, metrics })
    }

    fn answer(&self, safety_factor: SafetyFactor) {
        self.contracts.court.lock().unwrap().answer = Some((safety_factor, 102));
        let response = TaskResponse { task_hash: hash(), safety_factor };
        let told = ChainEvent::TaskResponded { task_index: 0, response, transaction: B256::ZERO };
        self.watcher.push(next(102, vec![told]));
    }

    /// What was sent takes effect.
    fn effect(&self, step: &Step, block: u64) {
        assert!(self.contracts.court.lock().unwrap().take(step, block));
    }

    async fn healthy(&self) -> Health {
        self.actor.send(Examine { now: crate::ports::UnixMillis(0) }).await.unwrap()
    }

    /// Waits until the record has been written as it is `wanted`.
    async fn on_disk(&self, wanted: impl Fn(&[records::Record]) -> bool) {
        while !wanted(&records::load(self.store.as_ref()).await.unwrap()) {
            tokio::task::yield_now().await;
        }
    }
}

fn hash() -> TaskHash {
    task(0, 101).hash()
}

fn created() -> ChainDelta {
    let events = vec![ChainEvent::TaskCreated { task: task(0, 101) }];
    delta(DeltaBase::Restart { response_window: 30 }, vec![block(101, events)])
}

fn next(number: u64, events: Vec<ChainEvent>) -> ChainDelta {
    delta(DeltaBase::Continues, vec![block(number, events)])
}

/// Text of all metrics.
fn exposed(metrics: &ChallengerMetrics) -> String {
    let (mut registry, mut text) = Default::default();
    metrics.register(&mut registry);
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    text
}

#[actix::test]
async fn a_wrong_answer_is_challenged_its_signers_frozen_and_slashed() {
    let mut world = World::on(Arc::default(), false).await.unwrap();
    world.watcher.push(created());
    world.contracts.recomputed.notified().await;
    world.answer(value(9));
    let sent = world.sent.recv().await.unwrap();
    assert_eq!((sent.id, sent.data), (TxId::challenge(hash(), 102, None), recomputed().witness.unwrap()));
    world.effect(&Step::Challenge, 103);
    world.watcher.push(next(103, vec![]));
    let sent = world.sent.recv().await.unwrap();
    assert_eq!(sent.id, TxId::freeze(hash(), 102, 0, None));
    let signers = world.contracts.court.lock().unwrap().signers.iter().map(|one| one.id).collect();
    world.effect(&Step::Freeze { first: 0, signers }, 104);
    for number in 104..=103 + VETO {
        world.watcher.push(next(number, vec![]));
    }
    let sent = world.sent.recv().await.unwrap();
    assert_eq!((sent.id, sent.to), (TxId::slash(fault_id(), 0, None), Address::repeat_byte(6)));
    let operators = world.contracts.court.lock().unwrap().signers.iter().map(|one| one.address).collect();
    world.effect(&Step::Execute { first: 0, operators }, 104 + VETO);
    world.watcher.push(next(104 + VETO, vec![]));
    world.watcher.push(next(106 + VETO, vec![]));
    while !exposed(&world.metrics).contains("anzen_challenger_slashed_total 3") {
        tokio::task::yield_now().await;
    }
    assert!(exposed(&world.metrics).contains("anzen_challenger_answers_total{result=\"wrong\"} 1"));
    assert_eq!(world.healthy().await, Health::Up);
}

#[actix::test]
async fn a_proof_that_was_taken_is_used_by_the_next_process_though_the_state_is_gone() {
    let first = World::on(Arc::default(), false).await.unwrap();
    first.watcher.push(created());
    first.on_disk(|all| all.iter().any(|record| record.found.is_some())).await;
    let mut second = World::on(Arc::clone(&first.store), false).await.unwrap();
    *second.contracts.states_are_gone.lock().unwrap() = true;
    second.watcher.push(created());
    second.answer(value(9));
    let sent = second.sent.recv().await.unwrap();
    assert_eq!((sent.id, sent.data), (TxId::challenge(hash(), 102, None), recomputed().witness.unwrap()));
}

#[actix::test]
async fn a_right_answer_is_looked_at_once_and_left_alone() {
    let mut world = World::on(Arc::default(), false).await.unwrap();
    world.watcher.push(created());
    world.contracts.recomputed.notified().await;
    world.answer(due());
    world.contracts.looked.notified().await;
    for number in 103..120 {
        world.watcher.push(next(number, vec![]));
    }
    while !exposed(&world.metrics).contains("anzen_challenger_answers_total{result=\"right\"} 1") {
        tokio::task::yield_now().await;
    }
    assert!(world.sent.try_recv().is_err());
}

#[actix::test]
async fn a_dry_run_tries_the_challenge_and_sends_nothing() {
    let world = World::on(Arc::default(), true).await.unwrap();
    world.watcher.push(created());
    world.contracts.recomputed.notified().await;
    world.answer(value(9));
    while !exposed(&world.metrics).contains("anzen_challenger_disputes{state=\"challenging\"} 1") {
        tokio::task::yield_now().await;
    }
    assert!(exposed(&world.metrics).contains("anzen_challenger_sent_total{purpose=\"challenge\"} 0"));
    assert_eq!(world.healthy().await, Health::Up, "it needs no sender");
}

#[actix::test]
async fn a_record_that_is_unreadable_stops_the_start_and_is_named() {
    let store = Arc::<MemoryStore>::default();
    let key = hash().0.to_vec();
    store.commit(vec![Write::Put { space: TASKS, key, value: b"{}".to_vec() }]).await.unwrap();
    let error = World::on(Arc::clone(&store), false).await.err().unwrap().to_string();
    assert!(error.contains(&hash().to_string()) && error.contains("challenger.tasks"), "{error}");
    assert_eq!(store.load(TASKS).await.unwrap().len(), 1, "it is left as it is");
}
