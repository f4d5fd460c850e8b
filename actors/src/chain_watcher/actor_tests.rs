//! The watcher as others meet it: on a chain that moves, behind a handle.

use std::sync::{Arc, Mutex};

use anzen_messages::chain::{BlockRef, ChainBlock, DeltaBase, Header, NextBlocks, NotFollowing};
use async_trait::async_trait;
use tokio::sync::Notify;

use super::records::CURSOR;
use super::world::World;
use super::{Config, Dependencies, WatcherMetrics, start};
use crate::adapters::SystemClock;
use crate::bus::{BusMetrics, Handle};
use crate::ports::{ChainError, ChainReader, Rng, Store, Write};
use crate::testing::world::MemoryStore;

struct Node {
    world: Mutex<Option<World>>,
    news: Notify,
}

impl Node {
    fn become_(&self, world: &World) {
        *self.world.lock().unwrap() = Some(world.clone());
        self.news.notify_one();
    }

    fn read<T>(&self, answer: impl FnOnce(&World) -> T) -> Result<T, ChainError> {
        let world = self.world.lock().unwrap();
        world.as_ref().map(answer).ok_or_else(|| ChainError::Endpoint("refused".into()))
    }
}

#[async_trait]
impl ChainReader for Node {
    async fn head(&self) -> Result<Header, ChainError> {
        self.read(|world| world.blocks.last().unwrap().header.clone())
    }

    async fn header(&self, number: u64) -> Result<Option<Header>, ChainError> {
        self.read(|world| world.read(number..=number).pop().map(|block| block.header))
    }

    async fn blocks(&self, from: u64, to: u64) -> Result<Vec<ChainBlock>, ChainError> {
        self.read(|world| world.read(from..=to))
    }

    async fn response_windows(&self, created: &[u64]) -> Result<Vec<u64>, ChainError> {
        self.read(|world| created.iter().map(|created| world.windows.of(*created)).collect())
    }

    async fn changed(&self, _known: BlockRef) {
        self.news.notified().await;
    }
}

struct NoChance;

impl Rng for NoChance {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

fn watch(world: Option<&World>) -> (Arc<Node>, Handle<NextBlocks>) {
    watch_with(world, Arc::new(MemoryStore::default()))
}

fn watch_with(world: Option<&World>, store: Arc<MemoryStore>) -> (Arc<Node>, Handle<NextBlocks>) {
    let node = Arc::new(Node { world: Mutex::new(world.cloned()), news: Notify::new() });
    let deps = Dependencies {
        reader: node.clone(),
        clock: Arc::new(SystemClock),
        rng: Arc::new(NoChance),
        store,
        response_window: 10,
        first_block: 0,
        metrics: WatcherMetrics::default(),
    };
    let config = Config { margin_blocks: 5, capacity: 2, ..Config::default() };
    (node, start(&config, deps, &BusMetrics::default()).handle())
}

fn next(after: Option<BlockRef>) -> NextBlocks {
    NextBlocks { after, wait_ms: 20_000 }
}

#[actix::test]
async fn blocks_are_told_as_they_come() {
    let mut world = World::new(50);
    let (node, watcher) = watch(Some(&world));
    let delta = watcher.ask(next(None)).await.unwrap().unwrap();
    assert_eq!((delta.base, delta.blocks.len()), (DeltaBase::Restart { response_window: 10 }, 16));
    let question = watcher.ask(next(Some(world.head())));
    world.reorganise(2, 3);
    node.become_(&world);
    let delta = question.await.unwrap().unwrap();
    assert_eq!(delta.base, DeltaBase::RetractTo { block: world.at(47) });
    assert_eq!(delta.head, world.head());
}

#[actix::test]
async fn an_endpoint_that_is_away_is_asked_until_it_answers() {
    let world = World::new(50);
    let (node, watcher) = watch(None);
    let question = NextBlocks { after: None, wait_ms: 10 };
    assert_eq!(watcher.ask(question).await.unwrap(), Err(NotFollowing));
    node.become_(&world);
    assert_eq!(watcher.ask(next(None)).await.unwrap().unwrap().head, world.head());
}

#[actix::test]
async fn a_question_does_not_wait_longer_than_it_wants_to() {
    let world = World::new(50);
    let (_node, watcher) = watch(Some(&world));
    let _ = watcher.ask(next(None)).await;
    let start = std::time::Instant::now();
    let question = NextBlocks { after: Some(world.head()), wait_ms: 20 };
    assert_eq!(watcher.ask(question).await.unwrap().unwrap().blocks, []);
    assert!((20..2_000).contains(&start.elapsed().as_millis()));
}

#[actix::test]
async fn slow_actors_do_not_hold_up_the_others() {
    let mut world = World::new(50);
    let (node, watcher) = watch(Some(&world));
    let _ = watcher.ask(next(None)).await;
    // One that asked and never reads its answer.
    let mut absent = Box::pin(watcher.ask(next(Some(world.head()))));
    assert!(futures::poll!(&mut absent).is_pending());
    for _ in 0..100 {
        let question = watcher.ask(next(Some(world.head())));
        world.extend(1);
        node.become_(&world);
        assert_eq!(question.await.unwrap().unwrap().head, world.head());
    }
}

/// What the watcher tells to one who starts.
async fn first(watcher: &Handle<NextBlocks>) -> u64 {
    watcher.ask(next(None)).await.unwrap().unwrap().blocks[0].header.at.number
}

async fn until_written(store: &MemoryStore) {
    while store.load(CURSOR).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[actix::test]
async fn what_was_missed_while_away_is_told() {
    let mut world = World::new(200);
    let store = Arc::new(MemoryStore::default());
    let (_node, watcher) = watch_with(Some(&world), Arc::clone(&store));
    assert_eq!(first(&watcher).await, 199 - 15);
    until_written(&store).await;
    world.reorganise(3, 103);
    let (_node, again) = watch_with(Some(&world), store);
    assert_eq!(first(&again).await, 196, "the last block that both chains have, and not only the last 15");
}

#[actix::test]
async fn a_cursor_of_another_chain_is_an_error() {
    let world = World::new(50);
    let store = Arc::new(MemoryStore::default());
    let (_node, watcher) = watch_with(Some(&world), Arc::clone(&store));
    let _ = first(&watcher).await;
    until_written(&store).await;
    let mut other = World::new(1);
    other.reorganise(0, 60);
    let (node, again) = watch_with(Some(&other), store);
    let question = NextBlocks { after: None, wait_ms: 50 };
    assert_eq!(again.ask(question).await.unwrap(), Err(NotFollowing));
    // With the right endpoint it goes on.
    node.become_(&world);
    assert_eq!(again.ask(next(None)).await.unwrap().unwrap().head, world.head());
}

#[actix::test]
async fn an_unreadable_cursor_costs_only_what_was_missed() {
    let world = World::new(50);
    let store = Arc::new(MemoryStore::default());
    let garbage = Write::Put { space: CURSOR, key: b"cursor".to_vec(), value: b"{".to_vec() };
    store.commit(vec![garbage]).await.unwrap();
    let (_node, watcher) = watch_with(Some(&world), store);
    assert_eq!(first(&watcher).await, 49 - 15);
}

/// A node that syncs has the blocks that are known; one whose chain was put back has others.
#[actix::test]
async fn a_chain_that_was_put_back_far_is_followed_again() {
    let mut world = World::new(1_000);
    let (node, watcher) = watch(Some(&world));
    let _ = watcher.ask(next(None)).await;
    world.extend(1_500);
    node.become_(&world);
    while watcher.ask(next(None)).await.unwrap().unwrap().head != world.head() {}
    let mut at = None;
    while at != Some(world.head()) {
        let blocks = watcher.ask(next(at)).await.unwrap().unwrap().blocks;
        at = blocks.last().map(|block| block.header.at).or(at);
    }
    world.reorganise(1_600, 300);
    node.become_(&world);
    while watcher
        .ask(NextBlocks { after: None, wait_ms: 100 })
        .await
        .unwrap()
        .is_ok_and(|delta| delta.head != world.head())
    {}
}

/// Where it was put back to a block before all that is remembered, only the time of its new blocks tells.
#[actix::test]
async fn a_chain_that_was_put_back_before_all_that_is_remembered_is_followed_again() {
    let mut world = World::new(1_000);
    let (node, watcher) = watch(Some(&world));
    let _ = watcher.ask(next(None)).await;
    world.blocks.truncate(10);
    world.later = 1_000;
    world.extend(2);
    node.become_(&world);
    while watcher
        .ask(NextBlocks { after: None, wait_ms: 100 })
        .await
        .unwrap()
        .is_ok_and(|delta| delta.head != world.head())
    {}
}
