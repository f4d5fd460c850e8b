//! The watcher as others meet it: on a chain that moves, behind a handle.

use std::sync::{Arc, Mutex};

use anzen_messages::chain::{BlockRef, ChainBlock, DeltaBase, Header, NextBlocks, NotFollowing};
use async_trait::async_trait;
use tokio::sync::Notify;

use super::world::World;
use super::{Config, Dependencies, WatcherMetrics, start};
use crate::adapters::SystemClock;
use crate::bus::{BusMetrics, Handle};
use crate::ports::{ChainError, ChainReader, Rng};

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
    let node = Arc::new(Node { world: Mutex::new(world.cloned()), news: Notify::new() });
    let deps = Dependencies {
        reader: node.clone(),
        clock: Arc::new(SystemClock),
        rng: Arc::new(NoChance),
        response_window: 10,
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
