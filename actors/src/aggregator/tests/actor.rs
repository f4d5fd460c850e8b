//! The actor with a store, a chain that tells what the test pushes, and a sender of transactions that is the test's.

use std::sync::Arc;

use alloy::primitives::{Address, B256, Bytes};
use anzen_messages::aggregation::{QuorumReached, QuorumTaken};
use anzen_messages::chain::{ChainDelta, ChainEvent, DeltaBase};
use anzen_messages::transaction::{Mined, SendTransaction, TxId};
use anzen_messages::{Certificate, SafetyFactor, Task, TaskHash, TaskResponse};
use async_trait::async_trait;
use tokio::sync::mpsc::UnboundedReceiver;

use super::super::records::{self, CERTIFICATES};
use super::super::{AggregatorMetrics, Config, Dependencies, start};
use crate::bus::{BusMetrics, Handle};
use crate::ports::{
    CallError, ChainError, ResponseCall, Store, StoreError, TaskContract, TaskRules, Windows, Write,
};
use crate::testing::world::{FakeWatcher, MemoryStore, NoChance, handle, watcher};
use crate::testing::{block, delta, reached, responded, task};

/// A task manager that takes every call.
struct Willing;

#[async_trait]
impl TaskContract for Willing {
    async fn windows(&self) -> Result<Windows, ChainError> {
        Ok(Windows { response: 30 })
    }

    async fn rules(&self, _oracle_index: u32) -> Result<TaskRules, ChainError> {
        Err(ChainError::Nonsense("nobody here creates tasks".into()))
    }

    fn create_call(&self, _: u32, _: SafetyFactor, _: &TaskRules, _: u32) -> (Address, Bytes) {
        (Address::ZERO, Bytes::new())
    }

    async fn response_call(
        &self,
        task: &Task,
        _response: &TaskResponse,
        _certificate: &Certificate,
    ) -> Result<ResponseCall, ChainError> {
        Ok(ResponseCall { to: Address::repeat_byte(7), data: task.hash().0.to_vec().into() })
    }

    async fn preflight(&self, _from: Address, _to: Address, _data: &Bytes) -> Result<(), CallError> {
        Ok(())
    }

    async fn is_answered(&self, _task: &Task) -> Result<bool, ChainError> {
        Ok(false)
    }
}

struct World {
    watcher: Arc<FakeWatcher>,
    store: Arc<MemoryStore>,
    sent: UnboundedReceiver<SendTransaction>,
    certificates: Handle<QuorumReached>,
}

impl World {
    /// A process with the disk of an earlier one.
    async fn on(store: Arc<MemoryStore>) -> Result<Self, StoreError> {
        let chain = Arc::<FakeWatcher>::default();
        let (tx_sender, sent) = handle(|_: &SendTransaction| {
            Ok(Ok(Mined { hash: B256::ZERO, block: 102, gas_used: 1, succeeded: true }))
        });
        let deps = Dependencies {
            watcher: watcher(&chain),
            tx_sender,
            contract: Arc::new(Willing),
            store: Arc::clone(&store) as _,
            rng: Arc::new(NoChance),
            response_window: 30,
            metrics: AggregatorMetrics::default(),
        };
        let config = Config { finality_blocks: 10, ..Config::default() };
        let inbox = start(config, deps, &BusMetrics::default()).await?;
        Ok(Self { watcher: chain, store, sent, certificates: inbox.handle() })
    }

    async fn on_disk(&self) -> usize {
        self.store.load(CERTIFICATES).await.unwrap().len()
    }

    /// Tells of a block, and returns when the actor has taken it in.
    async fn tell(&self, delta: ChainDelta) {
        self.watcher.push(delta);
        self.watcher.taken().await;
    }
}

fn created(index: u32) -> ChainDelta {
    delta(
        DeltaBase::Restart { response_window: 30 },
        vec![block(101, vec![ChainEvent::TaskCreated { task: task(index, 101) }])],
    )
}

fn next(number: u64, events: Vec<ChainEvent>) -> ChainDelta {
    delta(DeltaBase::Continues, vec![block(number, events)])
}

fn hash() -> TaskHash {
    task(0, 101).hash()
}

#[actix::test]
async fn a_certificate_on_disk_is_posted_after_a_restart() {
    // The first process takes it over, and dies before it knows of any block.
    let first = World::on(Arc::default()).await.unwrap();
    assert_eq!(first.certificates.ask(reached(0, 101)).await, Ok(Ok(QuorumTaken {})));
    let store = Arc::clone(&first.store);
    drop(first);
    let mut second = World::on(store).await.unwrap();
    second.watcher.push(created(0));
    let sent = second.sent.recv().await.unwrap();
    assert_eq!((sent.id, sent.not_after), (TxId::respond(hash()), Some(131)));
}

#[actix::test]
async fn a_restart_posts_nothing_that_was_answered_meanwhile_and_removes_it_when_final() {
    let first = World::on(Arc::default()).await.unwrap();
    first.certificates.ask(reached(0, 101)).await.unwrap().unwrap();
    first.certificates.ask(reached(1, 101)).await.unwrap().unwrap();
    let mut second = World::on(Arc::clone(&first.store)).await.unwrap();
    let events = [0, 1].map(|index| ChainEvent::TaskCreated { task: task(index, 101) }).to_vec();
    let blocks = vec![block(101, events), block(102, vec![responded(0, hash())])];
    second.watcher.push(delta(DeltaBase::Restart { response_window: 30 }, blocks));
    let sent = second.sent.recv().await.unwrap();
    assert_eq!(sent.id, TxId::respond(task(1, 101).hash()), "the one that is not answered");
    second.watcher.push(next(112, vec![]));
    second.tell(next(113, vec![])).await;
    while second.on_disk().await > 1 {
        tokio::task::yield_now().await;
    }
    while let Ok(again) = second.sent.try_recv() {
        assert_eq!(again.id, TxId::respond(task(1, 101).hash()), "and nothing of the other");
    }
}

#[actix::test]
async fn a_record_that_is_unreadable_stops_the_start_and_is_named() {
    let store = Arc::<MemoryStore>::default();
    let Some(Write::Put { space, key, mut value }) = records::put(&reached(0, 101)) else { panic!() };
    value.truncate(value.len() / 2);
    store.commit(vec![Write::Put { space, key, value }]).await.unwrap();
    let error = World::on(Arc::clone(&store)).await.err().unwrap().to_string();
    assert!(error.contains(&format!("{}", hash())) && error.contains("aggregator.certificates"), "{error}");
    assert_eq!(store.load(CERTIFICATES).await.unwrap().len(), 1, "it is left as it is");
}

#[actix::test]
async fn certificates_do_not_wait_for_each_others_disk() {
    let world = World::on(Arc::default()).await.unwrap();
    let asked = (0..50).map(|index| world.certificates.ask(reached(index, 101)));
    let taken = futures::future::join_all(asked).await;
    assert!(taken.into_iter().all(|taken| taken == Ok(Ok(QuorumTaken {}))));
    assert_eq!(world.on_disk().await, 50);
}
