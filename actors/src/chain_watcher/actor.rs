//! Takes questions, and answers them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use anzen_messages::chain::{BlockRef, ChainDelta, NextBlocks, NotFollowing};
use anzen_messages::wire::ActorName;
use futures::channel::oneshot;
use tokio::time::Instant;
use tracing::{Instrument, error, info, warn};

use super::Config;
use super::drive::{Behind, Driver, Fetched, HeadSeen, NotFollowed, Replaced, Resume};
use super::health::{Vitals, judge};
use super::metrics::WatcherMetrics;
use super::records;
use super::tracker::{Effect, Limits, Missing, Tracker, Waiter};
use crate::bus::{BusMetrics, Inbox, Incoming};
use crate::health::{Examine, Health};
use crate::ports::{ChainReader, Clock, Rng, Store};
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
    /// How far the chain was followed.
    pub store: Arc<dyn Store>,
    /// For how many blocks a task that is created now can be answered.
    pub response_window: u64,
    /// The block from which on there can be events: that of the deployment.
    pub first_block: u64,
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
    kept: Kept,
}

/// How far the chain was followed, as it is on disk.
#[derive(Debug, Default)]
struct Kept {
    tip: Option<BlockRef>,
    since: Option<Instant>,
    under_way: bool,
    failing: bool,
}

/// How often the cursor is written, at most: more often where so many blocks have come.
const KEEP_EVERY: Duration = Duration::from_secs(5);
const KEEP_BLOCKS: u64 = 16;

impl Kept {
    /// True where the cursor should be written, whose newest block is `tip`.
    fn is_due(&self, tip: BlockRef) -> bool {
        let lately = self.since.is_some_and(|since| since.elapsed() < KEEP_EVERY);
        let many = self.tip.is_none_or(|kept| tip.number >= kept.number.saturating_add(KEEP_BLOCKS));
        !self.under_way && self.tip != Some(tip) && !(lately && (self.failing || !many))
    }
}

struct Waiting {
    reply: oneshot::Sender<Result<ChainDelta, NotFollowing>>,
    timer: SpawnHandle,
}

/// Starts the actor.
pub fn start(config: &Config, deps: Dependencies, bus: &BusMetrics) -> Inbox<ChainWatcher> {
    let limits = Limits {
        first: deps.first_block,
        margin: config.margin_blocks,
        keep: config.keep_blocks,
        missed: config.most_missed_blocks,
        fetch: config.fetch_blocks,
    };
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
            kept: Kept::default(),
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
            store: Arc::clone(&self.deps.store),
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

    fn handle(&mut self, HeadSeen(head): HeadSeen, ctx: &mut Context<Self>) -> Self::Result {
        let is_news = self.tracker.head() != Some(head.at);
        if !self.tracker.head_seen(head.at) {
            let known = self.tracker.tip().map_or(0, |tip| tip.number);
            let mark = self.tracker.mark_up_to(head.at.number);
            let is_newer = head.timestamp > self.news.0;
            return Err(Behind { head: head.at.number, known, mark, is_newer });
        }
        if is_news {
            self.news = (head.timestamp, Instant::now());
            self.deps.metrics.head_seen(&head, self.deps.clock.now());
        }
        Ok(self.progress(ctx))
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
        self.progress(ctx)
    }
}

impl Handler<Resume> for ChainWatcher {
    type Result = u64;

    fn handle(&mut self, resume: Resume, _ctx: &mut Context<Self>) -> u64 {
        self.tracker.resume(resume.after, resume.longest_window, resume.head)
    }
}

impl Handler<Replaced> for ChainWatcher {
    type Result = ();

    fn handle(&mut self, _: Replaced, ctx: &mut Context<Self>) {
        let effect = self.tracker.replace();
        self.carry_out([effect], ctx);
    }
}

impl ChainWatcher {
    fn progress(&mut self, ctx: &mut Context<Self>) -> Option<Missing> {
        self.deps.metrics.read_up_to(self.tracker.tip(), self.tracker.head());
        let missing = self.tracker.missing();
        if missing.is_none() {
            self.trouble = None;
            self.keep_cursor(ctx);
        }
        missing
    }

    /// Nothing waits for it, and nothing depends on it.
    fn keep_cursor(&mut self, ctx: &mut Context<Self>) {
        let Some(tip) = self.tracker.tip().filter(|tip| self.kept.is_due(*tip)) else { return };
        let Some(write) = self.tracker.cursor().as_ref().and_then(records::put) else { return };
        self.kept.under_way = true;
        let store = Arc::clone(&self.deps.store);
        let written = async move { store.commit(vec![write]).await };
        ctx.spawn(written.instrument(scope!(ChainWatcher)).into_actor(self).map(move |written, actor, _ctx| {
            actor.kept.under_way = false;
            actor.kept.since = Some(Instant::now());
            match written {
                Ok(()) => (actor.kept.tip, actor.kept.failing) = (Some(tip), false),
                Err(error) => {
                    if !std::mem::replace(&mut actor.kept.failing, true) {
                        warn!(%error, "how far the chain was followed could not be kept on disk; trying again");
                    }
                }
            }
        }));
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
