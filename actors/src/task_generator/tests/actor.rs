use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use alloy::primitives::B256;
use anzen_messages::chain::DeltaBase;
use anzen_messages::transaction::{Mined, SendTransaction, TxRefusal};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use super::super::{Config, Dependencies, Protocol, TaskGeneratorMetrics, start};
use crate::retry::Backoff;
use crate::testing::world::{FakeChain, FakeWatcher, NoChance, handle, watcher};
use crate::testing::{block_of, delta};

#[actix::test]
async fn a_due_task_is_proposed_and_sent_until_it_is_created() {
    let (chain, news, metrics) =
        (Arc::new(FakeChain::new()), Arc::new(FakeWatcher::default()), TaskGeneratorMetrics::default());
    chain.failures.store(1, Relaxed);
    let calls = AtomicU32::new(0);
    let (tx_sender, mut requests) = handle::<SendTransaction>(move |_| {
        Ok(match calls.fetch_add(1, Relaxed) {
            0 => Err(TxRefusal::Reverts { error: "StakesRefreshedAfterReference(0)".into() }),
            _ => Ok(Mined { hash: B256::ZERO, block: 102, gas_used: 1, succeeded: true }),
        })
    });
    let config = Config {
        protocols: vec![Protocol { threshold: 50, ..Protocol::at_intervals(1) }],
        retry: Backoff { first_ms: 1, longest_ms: 1 },
        ..Config::default()
    };
    let dependencies = Dependencies {
        watcher: watcher(&news),
        tx_sender,
        contract: Arc::clone(&chain) as _,
        inputs: chain,
        rng: Arc::new(NoChance),
        metrics: metrics.clone(),
    };
    start(config, dependencies);

    news.push(delta(DeltaBase::Restart { response_window: 10 }, vec![block_of(1, 100, vec![])]));
    let first = requests.recv().await.unwrap();
    assert_eq!(first.id.as_str(), "create:1:0");
    assert_eq!(&first.data[..], b"create 1 0.500000000 [0] 60", "governance's threshold is higher");
    // The refusal is on its way; blocks go on until the generator has had it and tries again.
    let second = loop {
        tokio::select! {
            biased;
            request = requests.recv() => break request.unwrap(),
            () = tokio::task::yield_now() => {}
        }
        let head = news.told() + 100;
        news.push(delta(DeltaBase::Continues, vec![block_of(1, head, vec![])]));
        news.taken().await;
    };
    assert_ne!(second.id, first.id);
    let (mut registry, mut text) = (Registry::default(), String::new());
    metrics.register(&mut registry);
    encode(&mut text, &registry).unwrap();
    assert!(
        text.contains("anzen_generator_hindered_total{oracle_index=\"1\",reason=\"refused\"} 1"),
        "{text}"
    );
    assert!(text.contains("anzen_generator_requests_total{oracle_index=\"1\"} 2"), "{text}");
}

#[actix::test]
async fn no_more_is_demanded_than_governance_allows() {
    let (chain, news) = (Arc::new(FakeChain::new()), Arc::new(FakeWatcher::default()));
    let (tx_sender, mut requests) = handle::<SendTransaction>(|_| {
        Ok(Ok(Mined { hash: B256::ZERO, block: 101, gas_used: 1, succeeded: true }))
    });
    let config = Config {
        protocols: vec![Protocol { threshold: 100, ..Protocol::at_intervals(1) }],
        ..Config::default()
    };
    let dependencies = Dependencies {
        watcher: watcher(&news),
        tx_sender,
        contract: Arc::clone(&chain) as _,
        inputs: chain,
        rng: Arc::new(NoChance),
        metrics: TaskGeneratorMetrics::default(),
    };
    start(config, dependencies);
    news.push(delta(DeltaBase::Restart { response_window: 10 }, vec![block_of(1, 100, vec![])]));
    assert_eq!(&requests.recv().await.unwrap().data[..], b"create 1 0.500000000 [0] 80");
}
