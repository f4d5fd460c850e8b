//! The actor with a store, a chain that tells what the test pushes, and an aggregator that is the test's.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use alloy::primitives::{Address, Bytes};
use anzen_messages::OperatorSet;
use anzen_messages::aggregation::QuorumTaken;
use anzen_messages::chain::{BlockRef, ChainDelta, DeltaBase};
use async_trait::async_trait;
use tokio::sync::mpsc::UnboundedReceiver;

use super::super::records::{self, SIGNATURES};
use super::super::{CollectorMetrics, Dependencies, evidence_in, start};
use super::*;
use crate::bus::{BusMetrics, Handle};
use crate::ports::{
    ChainError, CpuPool, OperatorRegistry, RegisteredOperator, StakeStatus, Store, StoreError, Write,
};
use crate::testing::delta;
use crate::testing::world::{FakeWatcher, MemoryStore, NoChance, handle, watcher};

struct InPlace;

impl CpuPool for InPlace {
    fn spawn(&self, job: Box<dyn FnOnce() + Send>) {
        job();
    }
}

/// Operators 0, 1 and 2 have the same stake at any block; the first readings lack the last of them.
#[derive(Default)]
struct Three {
    wrong_readings: AtomicUsize,
}

#[async_trait]
impl OperatorRegistry for Three {
    async fn operators_at(&self, _at: BlockRef, _quorums: &[u8]) -> Result<OperatorSet, ChainError> {
        let one_less = |left: usize| left.checked_sub(1);
        let wrong = self.wrong_readings.fetch_update(SeqCst, SeqCst, one_less).is_ok();
        Ok(operator_set(if wrong { &[100, 100] } else { &[100, 100, 100] }))
    }

    async fn operator(&self, _id: OperatorId) -> Result<Option<RegisteredOperator>, ChainError> {
        Ok(None)
    }

    async fn stakes(&self, _quorum: u8) -> Result<StakeStatus, ChainError> {
        Err(ChainError::Nonsense("not asked here".into()))
    }

    fn refresh_quorum_call(&self, _quorum: u8, _operators: &[Address]) -> (Address, Bytes) {
        (Address::ZERO, Bytes::new())
    }

    fn refresh_operators_call(&self, _operators: &[Address]) -> (Address, Bytes) {
        (Address::ZERO, Bytes::new())
    }
}

struct World {
    watcher: Arc<FakeWatcher>,
    store: Arc<MemoryStore>,
    metrics: CollectorMetrics,
    certificates: UnboundedReceiver<QuorumReached>,
    collector: Handle<SubmitSignature>,
}

impl World {
    /// A process with the disk of an earlier one.
    async fn on(store: Arc<MemoryStore>) -> Result<Self, StoreError> {
        Self::with(store, Three::default()).await
    }

    async fn with(store: Arc<MemoryStore>, registry: Three) -> Result<Self, StoreError> {
        let chain = Arc::<FakeWatcher>::default();
        let (aggregator, certificates) = handle(|_: &QuorumReached| Ok(Ok(QuorumTaken {})));
        let metrics = CollectorMetrics::default();
        let deps = Dependencies {
            watcher: watcher(&chain),
            aggregator,
            registry: Arc::new(registry),
            store: Arc::clone(&store) as _,
            cpu: Arc::new(InPlace),
            rng: Arc::new(NoChance),
            domain: domain(),
            response_window: WINDOW,
            metrics: metrics.clone(),
        };
        let config = Config { linger_ms: 1, finality_blocks: 10, ..Config::default() };
        let inbox = start(config, deps, &BusMetrics::default()).await?;
        Ok(Self { watcher: chain, store, metrics, certificates, collector: inbox.handle() })
    }

    async fn restart(self) -> Self {
        Self::on(self.store).await.unwrap()
    }

    async fn submit(&self, message: SubmitSignature) -> SubmitReply {
        self.collector.ask(message).await.unwrap()
    }

    fn metrics(&self) -> String {
        let (mut registry, mut text) = (prometheus_client::registry::Registry::default(), String::new());
        self.metrics.register(&mut registry);
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text
    }

    /// Returns when the metrics say so.
    async fn until(&self, line: &str) {
        while !self.metrics().contains(line) {
            tokio::task::yield_now().await;
        }
    }
}

fn created(task: &Task) -> ChainDelta {
    let event = ChainEvent::TaskCreated { task: task.clone() };
    delta(
        DeltaBase::Restart { response_window: WINDOW },
        vec![block(u64::from(task.created_block), vec![event])],
    )
}

#[actix::test]
async fn what_was_acknowledged_counts_in_the_next_process() {
    let (world, task) = (World::on(Arc::default()).await.unwrap(), task(0, 101));
    assert_eq!(world.submit(signed(&task, 0, value(1))).await, SubmitReply::Early);
    let mut world = world.restart().await;
    world.watcher.push(created(&task));
    assert_eq!(world.submit(signed(&task, 0, value(1))).await, SubmitReply::Duplicate);
    assert!(world.submit(signed(&task, 1, value(1))).await.is_acknowledgement());
    let reached = world.certificates.recv().await.unwrap();
    assert_certifies(&reached);
    assert_eq!(reached.signers.len(), 2);
}

/// Nothing but the endpoint's first word was wrong.
#[actix::test]
async fn what_was_acknowledged_counts_although_the_set_lacked_its_operator() {
    let registry = Three { wrong_readings: AtomicUsize::new(1) };
    let mut world = World::with(Arc::default(), registry).await.unwrap();
    let task = task(0, 101);
    assert_eq!(world.submit(signed(&task, 2, value(1))).await, SubmitReply::Early);
    world.watcher.push(created(&task));
    assert!(world.submit(signed(&task, 0, value(1))).await.is_acknowledgement());
    let next = block(102, vec![]);
    world.watcher.push(delta(DeltaBase::Continues, vec![next]));
    let reached = world.certificates.recv().await.unwrap();
    assert_certifies(&reached);
    assert_eq!(reached.signers.len(), 2);
    assert_eq!(world.store.load(SIGNATURES).await.unwrap().len(), 2);
}

#[actix::test]
async fn two_answers_are_on_disk_as_evidence_and_known_in_the_next_process() {
    let (world, task) = (World::on(Arc::default()).await.unwrap(), task(0, 101));
    world.watcher.push(created(&task));
    world.submit(signed(&task, 0, value(1))).await;
    assert_eq!(world.submit(signed(&task, 0, value(2))).await, SubmitReply::SecondAnswer);
    world.until("anzen_collector_evidence 1").await;
    let kept = evidence_in(world.store.as_ref()).await.unwrap();
    assert_eq!(kept.iter().map(Evidence::verify).collect::<Vec<_>>(), [Ok(())]);
    let world = world.restart().await;
    world.until("anzen_collector_evidence 1").await;
    world.watcher.push(created(&task));
    assert_eq!(world.submit(signed(&task, 0, value(2))).await, SubmitReply::SecondAnswer);
    assert!(!world.metrics().contains("anzen_collector_faults_total{"), "it is not blamed again");
}

#[actix::test]
async fn a_penalty_outlives_a_restart() {
    let (world, task) = (World::on(Arc::default()).await.unwrap(), task(0, 101));
    world.watcher.push(created(&task));
    let own = format!("{{operator=\"{}\"}} 1", operator_id(0));
    world.submit(garbage(&task, 0)).await;
    world.submit(signed(&task, 1, value(1))).await;
    world.until(&format!("anzen_collector_penalised{own}")).await;
    assert!(world.metrics().contains(&format!("anzen_collector_penalties_total{own}")));
    // Its record is the last that is written; when it is there the next process begins.
    while records::penalties(world.store.as_ref()).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let world = world.restart().await;
    let again = delta(DeltaBase::Restart { response_window: WINDOW }, vec![block(102, vec![])]);
    world.watcher.push(again);
    world.until(&format!("anzen_collector_penalised{own}")).await;
}

#[actix::test]
async fn a_record_that_is_unreadable_stops_the_start_and_is_named() {
    let spaces =
        ["signatures", "seconds", "equivocations", "penalties"].map(|name| format!("collector.{name}"));
    let all = [SIGNATURES, records::SECONDS, records::EVIDENCE, records::PENALTIES];
    for (space, name) in all.into_iter().zip(spaces) {
        let store = Arc::<MemoryStore>::default();
        let write = Write::Put { space, key: vec![0xab; 64], value: vec![1, 2, 3] };
        store.commit(vec![write]).await.unwrap();
        let error = World::on(Arc::clone(&store)).await.err().unwrap().to_string();
        assert!(error.contains(&name) && error.contains("0xabab"), "{error}");
        assert_eq!(store.load(space).await.unwrap().len(), 1, "it is left as it is");
    }
}
