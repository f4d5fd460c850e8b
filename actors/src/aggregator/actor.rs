//! What comes to the actor, and what it writes to disk.

use std::sync::Arc;

use actix::prelude::*;
use anzen_messages::TaskHash;
use anzen_messages::aggregation::{NotKept, QuorumReached, QuorumTaken};
use anzen_messages::chain::NextBlocks;
use anzen_messages::transaction::SendTransaction;
use anzen_messages::wire::ActorName;
use tokio::time::Instant;
use tracing::{Instrument, info, warn};

use super::Config;
use super::metrics::AggregatorMetrics;
use super::postings::{Effect, Postings, Terms};
use super::records;
use crate::bus::{BusMetrics, Handle, Inbox, Incoming};
use crate::follow::{ApplyBlocks, ChainState, follow};
use crate::health::{Examine, Health, of_follower};
use crate::measure::Laps;
use crate::ports::{Rng, Store, StoreError, TaskContract};
use crate::telemetry::{scope, step, task_step};

/// What the aggregator needs of the world.
#[derive(Clone)]
pub struct Dependencies {
    /// The chain's blocks.
    pub watcher: Handle<NextBlocks>,
    /// Who sends the response.
    pub tx_sender: Handle<SendTransaction>,
    /// The task manager.
    pub contract: Arc<dyn TaskContract>,
    /// Certificates that were taken over.
    pub store: Arc<dyn Store>,
    /// Pauses.
    pub rng: Arc<dyn Rng>,
    /// For how many blocks a task can be answered.
    pub response_window: u64,
    /// Counts.
    pub metrics: AggregatorMetrics,
}

/// The actor.
pub struct Aggregator {
    state: Postings,
    deps: Dependencies,
    /// True once it has taken in a block.
    has_blocks: bool,
    /// By the number of the task.
    laps: Laps<u32>,
}

/// Starts the actor with the certificates that `store` has.
///
/// # Errors
/// Where the records cannot be read, each of them: what was taken over is never left out.
pub async fn start(
    config: Config,
    deps: Dependencies,
    bus: &BusMetrics,
) -> Result<Inbox<Aggregator>, StoreError> {
    let (window, finality) = (deps.response_window, config.finality_blocks);
    let mut state = Postings::new(Terms { window, finality, delay: config.delay() });
    // Attempts begin with the first block: until then it is not known what has been answered meanwhile.
    for reached in records::certificates(deps.store.as_ref()).await? {
        state.recover(reached);
    }
    let addr = Aggregator::create(|ctx| {
        ctx.set_mailbox_capacity(config.capacity + 1);
        Aggregator { state, deps, has_blocks: false, laps: Laps::default() }
    });
    Ok(Inbox::new(ActorName::Aggregator, addr, config.capacity, bus))
}

impl Actor for Aggregator {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let feed = follow(self.deps.watcher.clone(), ctx.address().recipient(), Arc::clone(&self.deps.rng));
        actix::spawn(feed.instrument(scope!(Aggregator)));
    }
}

impl Handler<Incoming<QuorumReached>> for Aggregator {
    type Result = ResponseActFuture<Self, Result<QuorumTaken, NotKept>>;

    /// The reply promises that the task is taken over, so it waits for the disk; others are taken meanwhile, and reach the
    /// disk together. While the disk refuses, the certificate is posted from memory all the same, and the collector asks
    /// again.
    fn handle(&mut self, incoming: Incoming<QuorumReached>, _ctx: &mut Context<Self>) -> Self::Result {
        let Incoming { message: reached, span } = incoming;
        let task = reached.response.task_hash;
        let span =
            span.in_scope(|| step!("aggregator.certificate", actor = ActorName::Aggregator.as_str(), %task));
        // Written each time: a write before may have failed.
        let write = records::put(&reached);
        let store = Arc::clone(&self.deps.store);
        let written = async move { store.commit(write.into_iter().collect()).await }.instrument(span);
        Box::pin(written.into_actor(self).map(move |written, actor, ctx| {
            if let Err(error) = &written {
                warn!(%task, index = reached.task.index, %error, "the certificate could not be kept on disk; posting it now");
            }
            let effects = actor.state.take(reached);
            actor.carry_out(effects, ctx);
            written.map(|()| QuorumTaken {}).map_err(|error| NotKept { error: error.to_string() })
        }))
    }
}

impl Handler<ApplyBlocks> for Aggregator {
    type Result = ();

    fn handle(&mut self, ApplyBlocks(delta): ApplyBlocks, ctx: &mut Context<Self>) {
        self.has_blocks |= !delta.blocks.is_empty();
        let effects = self.state.advance(&delta);
        self.carry_out(effects, ctx);
    }
}

impl Handler<Examine> for Aggregator {
    type Result = Health;

    fn handle(&mut self, _: Examine, _ctx: &mut Context<Self>) -> Health {
        let needs = [
            (ActorName::ChainWatcher, self.deps.watcher.is_reachable()),
            (ActorName::TxSender, self.deps.tx_sender.is_reachable()),
        ];
        of_follower(self.has_blocks, &needs)
    }
}

impl Aggregator {
    fn carry_out(&mut self, effects: Vec<Effect>, ctx: &mut Context<Self>) {
        for effect in effects {
            match effect {
                Effect::Post { reached, not_after } => self.post(reached, not_after, ctx),
                Effect::Answered { task, index, block } => {
                    self.deps.metrics.answered(self.laps.stop(&index, Instant::now()));
                    info!(%task, index, block, "answered on chain");
                }
                Effect::GivenUp { task, index } => {
                    self.deps.metrics.given_up();
                    warn!(%task, index, "the window passed before the certificate was posted");
                }
                Effect::Forget(task) => self.forget(task, ctx),
            }
        }
        self.deps.metrics.pending(self.state.pending());
    }

    fn post(&mut self, reached: Arc<QuorumReached>, not_after: u64, ctx: &mut Context<Self>) {
        let task = reached.response.task_hash;
        self.laps.start(reached.task.index, Instant::now());
        let work = self.deps.clone();
        let span = task_step!("aggregator.post", Aggregator, task, index = reached.task.index);
        let attempt = async move { work.attempt(&reached, not_after).await }.instrument(span);
        ctx.spawn(attempt.into_actor(self).map(move |attempt, actor, _| {
            actor.state.attempted(task, attempt);
        }));
    }

    fn forget(&mut self, task: TaskHash, ctx: &mut Context<Self>) {
        let store = Arc::clone(&self.deps.store);
        let span = scope!(Aggregator, %task);
        let removed = async move { store.commit(vec![records::delete(task)]).await }.instrument(span);
        ctx.spawn(removed.into_actor(self).map(move |removed, _, _| {
            if let Err(error) = removed {
                warn!(%task, %error, "a certificate that is over could not be removed from disk");
            }
        }));
    }
}
