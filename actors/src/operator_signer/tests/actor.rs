use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use alloy::primitives::Address;
use anzen_messages::Task;
use anzen_messages::bls::{Signature, hash_to_g1, verify};
use anzen_messages::chain::{ChainDelta, ChainEvent, DeltaBase};
use anzen_messages::model::NoAnswer;
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::sync::mpsc::UnboundedReceiver;

use super::super::protection::{Protection, SPACE};
use super::super::{Aggregator, Config, Dependencies, OperatorSignerMetrics, start};
use crate::adapters::{LocalBlsSigner, SystemClock};
use crate::bus::Handle;
use crate::ports::{Store, TransportError, Write};
use crate::retry::Backoff;
use crate::testing::world::{FakeChain, FakeWatcher, MemoryStore, NoChance, handle, watcher};
use crate::testing::{a_task, block_of, delta, domain, secret, value};

struct World {
    watcher: Arc<FakeWatcher>,
    chain: Arc<FakeChain>,
    store: Arc<MemoryStore>,
    metrics: OperatorSignerMetrics,
}

impl World {
    fn new() -> Self {
        Self {
            watcher: Arc::default(),
            chain: Arc::new(FakeChain::new()),
            store: Arc::default(),
            metrics: OperatorSignerMetrics::default(),
        }
    }

    /// Starts operator 0.
    fn start(&self, aggregators: Vec<(String, Handle<SubmitSignature>)>) {
        let config = Config {
            key_is_new: true,
            protocols: vec![1],
            retry: Backoff { first_ms: 1, longest_ms: 1 },
            fee_tokens: vec![Address::repeat_byte(9)],
            ..Config::default()
        };
        let dependencies = Dependencies {
            watcher: watcher(&self.watcher),
            aggregators: aggregators
                .into_iter()
                .map(|(name, handle)| Aggregator { name, handle, oracle_indices: Default::default() })
                .collect(),
            contract: Arc::clone(&self.chain) as _,
            inputs: Arc::clone(&self.chain) as _,
            standings: Arc::clone(&self.chain) as _,
            signer: Arc::new(LocalBlsSigner::new(secret(0))),
            store: Arc::clone(&self.store) as _,
            rng: Arc::new(NoChance),
            clock: Arc::new(SystemClock),
            domain: domain(),
            metrics: self.metrics.clone(),
        };
        start(config, dependencies);
    }

    fn metrics(&self) -> String {
        let (mut registry, mut text) = (Registry::default(), String::new());
        self.metrics.register(&mut registry);
        self.metrics.eigen.register(&mut registry);
        encode(&mut text, &registry).unwrap();
        text
    }
}

/// An aggregator that is out of reach at first, then busy, then accepts.
fn reluctant() -> (Handle<SubmitSignature>, UnboundedReceiver<SubmitSignature>) {
    let calls = AtomicU32::new(0);
    handle(move |_| match calls.fetch_add(1, Relaxed) {
        0 => Err(TransportError::Unreachable { peer: "aggregator".into(), error: "no route".into() }),
        1 => Err(TransportError::Full { peer: "aggregator".into() }),
        2 => Ok(SubmitReply::Unavailable),
        _ => Ok(SubmitReply::Accepted),
    })
}

fn accepting() -> (Handle<SubmitSignature>, UnboundedReceiver<SubmitSignature>) {
    handle(|_| Ok(SubmitReply::Accepted))
}

fn created(base: DeltaBase, task: &Task) -> ChainDelta {
    let event = ChainEvent::TaskCreated { task: task.clone() };
    delta(base, vec![block_of(1, u64::from(task.created_block), vec![event])])
}

#[actix::test]
async fn an_answer_reaches_every_aggregator_whatever_fails_at_first() {
    let world = World::new();
    world.chain.failures.store(3, Relaxed);
    let (task, (near, mut at_near), (far, mut at_far)) = (a_task(1, 0, 1, 100), accepting(), reluctant());
    world.start(vec![("near".into(), near), ("far".into(), far)]);
    world.watcher.push(created(DeltaBase::Restart { response_window: 10 }, &task));

    let message = at_near.recv().await.unwrap();
    assert_eq!(
        (message.response.task_hash, message.response.safety_factor),
        (task.hash(), value(500_000_000))
    );
    let key = secret(0).public_key();
    assert_eq!(message.operator_id, key.operator_id());
    let signature = Signature::try_from(message.signature).unwrap();
    assert!(verify(&hash_to_g1(message.response.digest(&domain())), &signature, &key.g2()));
    for _ in 0..4 {
        assert_eq!(at_far.recv().await.unwrap(), message, "signing again yields the same");
    }
}

#[actix::test]
async fn what_is_signed_is_on_disk_and_binds_the_next_process() {
    let world = World::new();
    let (task, (aggregator, mut at_aggregator)) = (a_task(1, 0, 1, 100), accepting());
    world.start(vec![("a".into(), aggregator.clone())]);
    world.watcher.push(created(DeltaBase::Restart { response_window: 10 }, &task));
    let first = at_aggregator.recv().await.unwrap();
    assert_eq!(Protection::load(world.store.load(SPACE).await.unwrap(), 0).unwrap().len(), 1);

    // The next process computes the same, and submits the same.
    let again = World { store: Arc::clone(&world.store), ..World::new() };
    again.start(vec![("a".into(), aggregator.clone())]);
    again.watcher.push(created(DeltaBase::Restart { response_window: 10 }, &task));
    assert_eq!(at_aggregator.recv().await.unwrap(), first);

    // One whose endpoint lies would compute something else; it signs what is on record.
    let lying = FakeChain::new();
    lying.terms.lock().unwrap()[1].amount = Ok(alloy::primitives::U256::from(51));
    let lied_to = World { store: Arc::clone(&world.store), chain: Arc::new(lying), ..World::new() };
    lied_to.start(vec![("a".into(), aggregator)]);
    lied_to.watcher.push(created(DeltaBase::Restart { response_window: 10 }, &task));
    assert_eq!(at_aggregator.recv().await.unwrap(), first);
}

#[actix::test]
async fn metrics_tell_what_happened() {
    let world = World::new();
    let (aggregator, mut submissions) = accepting();
    world.start(vec![("a".into(), aggregator)]);
    world.watcher.push(created(DeltaBase::Restart { response_window: 10 }, &a_task(1, 0, 2, 100)));
    world.watcher.push(created(DeltaBase::Continues, &a_task(1, 1, 1, 101)));
    submissions.recv().await.unwrap();
    let metrics = world.metrics();
    for line in [
        "anzen_signer_ignored_total{reason=\"unknown_protocol\"} 1",
        "anzen_signer_disagreements_total 1",
        "anzen_signer_signatures_total 1",
        "anzen_signer_open_tasks 1",
        "anzen_signer_tasks_total{oracle_index=\"1\"} 1",
        "anzen_signer_step_seconds_count{step=\"compute\"} 1",
        "anzen_signer_step_seconds_count{step=\"record\"} 1",
        "anzen_signer_step_seconds_count{step=\"sign\"} 1",
        "eigen_registered_stakes{quorum_number=\"0\",quorum_name=\"slashable-0\"} 200.0",
        "eigen_fees_earned_total{token=\"0x0909090909090909090909090909090909090909\"} 7.0",
        "eigen_slashing_status 1",
    ] {
        assert!(metrics.contains(line), "{line} is missing in {metrics}");
    }
}

#[actix::test]
async fn a_task_that_nobody_can_answer_is_counted_by_its_outcome_and_not_signed() {
    let world = World::new();
    let (aggregator, mut submissions) = accepting();
    let price = std::mem::replace(&mut world.chain.terms.lock().unwrap()[0].price, Err(NoAnswer::StaleFeed));
    world.start(vec![("a".into(), aggregator)]);
    world.watcher.push(created(DeltaBase::Restart { response_window: 10 }, &a_task(1, 0, 1, 100)));
    while !world.metrics().contains("anzen_signer_no_answers_total{outcome=\"StaleFeed\"} 1") {
        tokio::task::yield_now().await;
    }
    world.chain.terms.lock().unwrap()[0].price = price;
    let answerable = a_task(1, 1, 1, 101);
    world.watcher.push(created(DeltaBase::Continues, &answerable));
    assert_eq!(submissions.recv().await.unwrap().response.task_hash, answerable.hash());
    assert!(world.metrics().contains("anzen_signer_no_answers_total{outcome=\"StaleFeed\"} 1"));
    assert!(world.metrics().contains("anzen_signer_failures_total{step=\"compute\"} 0"), "it is no failure");
}

#[actix::test]
async fn nothing_is_signed_until_a_broken_record_is_restored() {
    let world = World::new();
    let (task, (aggregator, mut at_aggregator)) = (a_task(1, 0, 1, 100), accepting());
    let (space, key) = (SPACE, b"floor".to_vec());
    world.store.commit(vec![Write::Put { space, key: key.clone(), value: b"?".to_vec() }]).await.unwrap();
    world.start(vec![("a".into(), aggregator)]);
    world.watcher.push(created(DeltaBase::Restart { response_window: 10 }, &task));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.watcher.told(), 0, "the chain is not even followed");
    world.store.commit(vec![Write::Delete { space, key }]).await.unwrap();
    assert_eq!(at_aggregator.recv().await.unwrap().response.task_hash, task.hash());
}
