use std::sync::Arc;

use alloy::primitives::{Address, B256, Bytes};
use anzen_messages::chain::{BlockRef, DeltaBase};
use anzen_messages::transaction::{Mined, SendTransaction};
use anzen_messages::{OperatorId, OperatorSet};
use async_trait::async_trait;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use super::super::{Config, Dependencies, StakeUpdaterMetrics, start};
use super::{stake, status};
use crate::ports::{ChainError, OperatorRegistry, RegisteredOperator, StakeStatus};
use crate::testing::world::{FakeWatcher, NoChance, handle, watcher};
use crate::testing::{block_of, delta};

/// A registry of two quorums: the stakes of quorum 0 are too old, an operator of quorum 1 has drifted.
struct FakeRegistry;

#[async_trait]
impl OperatorRegistry for FakeRegistry {
    async fn operators_at(&self, _at: BlockRef, _quorums: &[u8]) -> Result<OperatorSet, ChainError> {
        Err(ChainError::Nonsense("not asked here".into()))
    }

    async fn operator(&self, _id: OperatorId) -> Result<Option<RegisteredOperator>, ChainError> {
        Ok(None)
    }

    async fn stakes(&self, quorum: u8) -> Result<StakeStatus, ChainError> {
        Ok(match quorum {
            0 => status(100, vec![stake(1, 5, 5), stake(2, 5, 5)]),
            _ => status(1000, vec![stake(1, 5, 5), stake(2, 5, 1)]),
        })
    }

    fn refresh_quorum_call(&self, quorum: u8, operators: &[Address]) -> (Address, Bytes) {
        (Address::repeat_byte(1), format!("all of {quorum}: {}", operators.len()).into_bytes().into())
    }

    fn refresh_operators_call(&self, operators: &[Address]) -> (Address, Bytes) {
        (Address::repeat_byte(1), format!("some: {}", operators.len()).into_bytes().into())
    }
}

#[actix::test]
async fn what_is_stale_and_what_has_drifted_is_refreshed() {
    let (news, metrics) = (Arc::new(FakeWatcher::default()), StakeUpdaterMetrics::default());
    let (tx_sender, mut requests) = handle::<SendTransaction>(|_| {
        Ok(Ok(Mined { hash: B256::ZERO, block: 1001, gas_used: 1, succeeded: true }))
    });
    let config = Config { quorums: vec![0, 1], ..Config::default() };
    let dependencies = Dependencies {
        watcher: watcher(&news),
        tx_sender,
        registry: Arc::new(FakeRegistry),
        rng: Arc::new(NoChance),
        metrics: metrics.clone(),
    };
    start(config, dependencies);

    news.push(delta(DeltaBase::Restart { response_window: 10 }, vec![block_of(1, 1000, vec![])]));
    let mut calls: Vec<Bytes> = Vec::new();
    for _ in 0..2 {
        calls.push(requests.recv().await.unwrap().data);
    }
    calls.sort_unstable();
    assert_eq!(calls, [Bytes::from_static(b"all of 0: 2"), Bytes::from_static(b"some: 1")]);
    let (mut registry, mut text) = (Registry::default(), String::new());
    metrics.register(&mut registry);
    encode(&mut text, &registry).unwrap();
    assert!(text.contains("anzen_stake_age_blocks{quorum=\"0\"} 900"), "{text}");
    assert!(text.contains("anzen_stake_drift_ratio{quorum=\"1\"} 0.8"), "{text}");
}
