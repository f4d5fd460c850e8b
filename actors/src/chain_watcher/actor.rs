//! Takes questions, and answers them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use anzen_messages::chain::{BlockRef, ChainDelta, NextBlocks, NotFollowing};
use anzen_messages::wire::ActorName;
use futures::channel::oneshot;
use tokio::time::Instant;
use tracing::{Instrument, error, info};

use super::Config;
use super::drive::{Behind, Driver, Fetched, HeadSeen, NotFollowed};
use super::health::{Vitals, judge};
use super::metrics::WatcherMetrics;
use super::tracker::{Effect, Limits, Missing, Tracker, Waiter};
use crate::bus::{BusMetrics, Inbox, Incoming};
use crate::health::{Examine, Health};
use crate::ports::{ChainReader, Clock, Rng};
use crate::telemetry::scope;

/// What the watcher needs of the world.
#[derive(Clone)]
pub struct Dependencies {
    /// The chain.
    pub reader: Arc<dyn ChainReader>,
    /// How late blocks are.
    pub clock: Arc<dyn Clock>,
    /// Pauses.
    pub rng: Arc<dyn Rng>,
    /// For how many blocks a task that is created now can be answered.
    pub response_window: u64,
    /// Counts.
    pub metrics: WatcherMetrics,
}

/// The actor.
pub struct ChainWatcher {
    tracker: Tracker,
    deps: Dependencies,
    waiting: BTreeMap<Waiter, Waiting>,
    next_waiter: Waiter,
    /// The time stamp of the newest block, and when it was first seen.
    news: (u64, Instant),
    /// Why the endpoint was not followed the last time.
    trouble: Option<String>,
    stalled_after: Duration,
}

struct Waiting {
    reply: oneshot::Sender<Result<ChainDelta, NotFollowing>>,
    timer: SpawnHandle,
}

/// Starts the actor.
pub fn start(config: &Config, deps: Dependencies, bus: &BusMetrics) -> Inbox<ChainWatcher> {
    let limits =
        Limits { margin: config.margin_blocks, keep: config.keep_blocks, fetch: config.fetch_blocks };
    let addr = ChainWatcher::create(|ctx| {
        ctx.set_mailbox_capacity(config.capacity + 1);
        ChainWatcher {
            tracker: Tracker::new(limits, deps.response_window),
            deps,
            waiting: BTreeMap::new(),
            next_waiter: 0,
            news: (0, Instant::now()),
            trouble: None,
            stalled_after: Duration::from_secs(config.stalled_after_secs),
        }
    });
    Inbox::new(ActorName::ChainWatcher, addr, config.capacity, bus)
}

impl Actor for ChainWatcher {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let driver = Driver {
            reader: Arc::clone(&self.deps.reader),
            watcher: ctx.address(),
            rng: Arc::clone(&self.deps.rng),
            metrics: self.deps.metrics.clone(),
        };
        ctx.spawn(driver.run().instrument(scope!(ChainWatcher)).into_actor(self));
    }
}

impl Handler<Incoming<NextBlocks>> for ChainWatcher {
    type Result = ResponseFuture<Result<ChainDelta, NotFollowing>>;

    fn handle(
        &mut self,
        Incoming { message: question, .. }: Incoming<NextBlocks>,
        ctx: &mut Context<Self>,
    ) -> Self::Result {
        let waiter = self.next_waiter;
        self.next_waiter += 1;
        let wait = Duration::from_millis(question.wait_ms.min(NextBlocks::LONGEST_WAIT_MS));
        let timer = ctx.run_later(wait, move |actor, ctx| {
            let effect = actor.tracker.expire(waiter);
            actor.carry_out(effect, ctx);
        });
        let (reply, answer) = oneshot::channel();
        self.waiting.insert(waiter, Waiting { reply, timer });
        let effect = self.tracker.ask(waiter, question.after);
        self.carry_out(effect, ctx);
        Box::pin(async move { answer.await.unwrap_or(Err(NotFollowing)) })
    }
}

impl Handler<HeadSeen> for ChainWatcher {
    type Result = Result<Option<Missing>, Behind>;

    fn handle(&mut self, HeadSeen(head): HeadSeen, _ctx: &mut Context<Self>) -> Self::Result {
        let is_news = self.tracker.head() != Some(head.at);
        if !self.tracker.head_seen(head.at) {
            let known = self.tracker.tip().map_or(0, |tip| tip.number);
            return Err(Behind { head: head.at.number, known });
        }
        if is_news {
            self.news = (head.timestamp, Instant::now());
            self.deps.metrics.head_seen(&head, self.deps.clock.now());
        }
        Ok(self.progress())
    }
}

impl Handler<NotFollowed> for ChainWatcher {
    type Result = ();

    fn handle(&mut self, NotFollowed(error): NotFollowed, _ctx: &mut Context<Self>) {
        self.trouble = Some(error);
    }
}

impl Handler<Examine> for ChainWatcher {
    type Result = Health;

    fn handle(&mut self, Examine { now }: Examine, _ctx: &mut Context<Self>) -> Health {
        let number = |at: Option<BlockRef>| at.map(|at| at.number);
        let (head_time, seen) = self.news;
        let vitals = Vitals {
            tip: number(self.tracker.tip()),
            head: number(self.tracker.head()),
            age: Duration::from_secs(now.seconds().saturating_sub(head_time)),
            quiet: seen.elapsed(),
            trouble: self.trouble.clone(),
        };
        judge(&vitals, self.stalled_after)
    }
}

impl Handler<Fetched> for ChainWatcher {
    type Result = Option<Missing>;

    fn handle(&mut self, Fetched { blocks, windows }: Fetched, ctx: &mut Context<Self>) -> Self::Result {
        let first = self.tracker.tip().is_none();
        let effects = self.tracker.fetched(blocks, &windows);
        self.carry_out(effects, ctx);
        if let Some(tip) = self.tracker.tip().filter(|_| first) {
            info!(block = tip.number, "following the chain");
        }
        self.progress()
    }
}

impl ChainWatcher {
    fn progress(&mut self) -> Option<Missing> {
        self.deps.metrics.read_up_to(self.tracker.tip(), self.tracker.head());
        let missing = self.tracker.missing();
        if missing.is_none() {
            self.trouble = None;
        }
        missing
    }

    fn carry_out(&mut self, effects: impl IntoIterator<Item = Effect>, ctx: &mut Context<Self>) {
        for effect in effects {
            match effect {
                Effect::Answer { waiter, reply } => self.answer(waiter, reply, ctx),
                Effect::Forked { depth, back_to } => {
                    self.deps.metrics.forked(depth);
                    info!(depth, block = back_to.number, "the chain has forked; went back");
                }
                Effect::Replaced => error!(
                    "the endpoint follows another chain than before, or a fork is deeper than what is kept; everyone \
                     starts again from its recent blocks"
                ),
            }
        }
        self.deps.metrics.waiting(self.waiting.len());
    }

    fn answer(&mut self, waiter: Waiter, reply: Result<ChainDelta, NotFollowing>, ctx: &mut Context<Self>) {
        if let Some(waiting) = self.waiting.remove(&waiter) {
            ctx.cancel_future(waiting.timer);
            // One that has gone away asks again when it is back.
            let _ = waiting.reply.send(reply);
        }
    }
}
