//! ChainWatcher on a real node: events, a fork, a subscription.

use std::sync::Arc;

use anzen_actors::adapters::{ChainConfig, OsRng, SqliteStore, StoreMetrics, SystemClock};
use anzen_actors::bus::{BusMetrics, Handle};
use anzen_actors::chain_watcher::{Config, Dependencies, WatcherMetrics, start};
use anzen_actors::ports::{ChainReader, OperatorRegistry};
use anzen_deploy::chain::{Account, Request};
use anzen_messages::chain::{BlockRef, ChainBlock, ChainDelta, ChainEvent, DeltaBase, NextBlocks};

use crate::chain::{Chain, deployer_key};

pub(crate) fn watch(chain: &Chain, config: &ChainConfig) -> Handle<NextBlocks> {
    let folder = tempfile::tempdir().unwrap();
    // It is open: that its folder goes does not matter.
    let store = SqliteStore::open(&folder.path().join("anzen.db"), StoreMetrics::default()).unwrap();
    let deps = Dependencies {
        reader: chain.connect(config),
        rng: Arc::new(OsRng::new().unwrap()),
        store: Arc::new(store),
        clock: Arc::new(SystemClock),
        response_window: 30,
        first_block: 0,
        metrics: WatcherMetrics::default(),
    };
    start(&Config::default(), deps, &BusMetrics::default()).handle()
}

/// What comes after `after`, all of it.
pub(crate) async fn next(watcher: &Handle<NextBlocks>, after: Option<BlockRef>) -> ChainDelta {
    watcher.ask(NextBlocks { after, wait_ms: 30_000 }).await.unwrap().unwrap()
}

/// Follows from the recent blocks to the head.
pub(crate) async fn catch_up(watcher: &Handle<NextBlocks>) -> BlockRef {
    let mut delta = next(watcher, None).await;
    assert!(matches!(delta.base, DeltaBase::Restart { .. }));
    while delta.blocks.last().unwrap().header.at != delta.head {
        delta = next(watcher, delta.blocks.last().map(|block| block.header.at)).await;
    }
    delta.head
}

/// A transaction that makes an event.
pub(crate) async fn refresh(chain: &Chain) {
    let (to, data) = chain.connect(&chain.config()).refresh_quorum_call(0, &[]);
    let account = Account::new(chain.provider.clone(), deployer_key()).await.unwrap();
    let request =
        Request { what: "refresh".into(), to: Some(to), data, value: Default::default(), signature: None };
    account.execute(&request).await.unwrap();
}

fn events(blocks: &[ChainBlock]) -> Vec<ChainEvent> {
    blocks.iter().flat_map(|block| block.events.clone()).collect()
}

#[actix::test]
async fn events_are_told_and_taken_back_when_the_chain_forks() {
    let chain = Chain::start().await;
    let watcher = watch(&chain, &chain.config());
    let before = catch_up(&watcher).await;
    refresh(&chain).await;
    let delta = next(&watcher, Some(before)).await;
    assert_eq!(events(&delta.blocks), [ChainEvent::QuorumRefreshed { quorum: 0 }]);
    chain.tell("evm_mine", ()).await;
    let with_event = next(&watcher, Some(delta.head)).await.head;

    chain.tell("anvil_reorg", (2, Vec::<()>::new())).await;
    let mut delta = next(&watcher, Some(with_event)).await;
    assert_eq!(delta.base, DeltaBase::RetractTo { block: before });
    assert!(events(&delta.blocks).is_empty());
    while delta.blocks.last().unwrap().header.at.number < with_event.number {
        delta = next(&watcher, delta.blocks.last().map(|block| block.header.at)).await;
    }
    assert_ne!(delta.head, with_event);
}

#[actix::test]
async fn a_subscription_tells_long_before_the_next_poll() {
    let chain = Chain::start().await;
    let ws_url = Some(chain.anvil.ws_url().parse().unwrap());
    let hour = 3_600_000;
    let config = ChainConfig { ws_url, slow_poll_interval_ms: hour, ..chain.config() };
    let watcher = watch(&chain, &config);
    let mut head = catch_up(&watcher).await;
    // The first block may still be polled for; from the second on only the subscription tells.
    for _ in 0..5 {
        chain.tell("evm_mine", ()).await;
        head = next(&watcher, Some(head)).await.head;
    }
    assert_eq!(head.number, chain.connect(&chain.config()).head().await.unwrap().at.number);
}

#[actix::test]
async fn a_subscription_that_cannot_be_made_costs_only_polling() {
    let chain = Chain::start().await;
    let ws_url = Some("ws://127.0.0.1:1/nothing".parse().unwrap());
    let watcher = watch(&chain, &ChainConfig { ws_url, ..chain.config() });
    let head = catch_up(&watcher).await;
    chain.tell("evm_mine", ()).await;
    assert_eq!(next(&watcher, Some(head)).await.head.number, head.number + 1);
}

#[actix::test]
async fn blocks_are_the_same_however_they_are_asked_for() {
    let chain = Chain::start().await;
    refresh(&chain).await;
    let at_once = chain.connect(&chain.config());
    let to = at_once.head().await.unwrap().at.number;
    let all = at_once.blocks(0, to).await.unwrap();
    assert_eq!(all.len() as u64, to + 1);
    assert_eq!(events(&all).last(), Some(&ChainEvent::QuorumRefreshed { quorum: 0 }));
    let config = ChainConfig { batch: 3, log_range: 7, ..chain.config() };
    assert_eq!(chain.connect(&config).blocks(0, to).await.unwrap(), all);
}
