//! What comes to the actor.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use anzen_messages::TaskHash;
use anzen_messages::aggregation::QuorumReached;
use anzen_messages::bls::Signature;
use anzen_messages::chain::NextBlocks;
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use anzen_messages::task::SigningDomain;
use anzen_messages::wire::ActorName;
use tracing::Instrument;

use super::collector::Collector;
use super::effect::Verdict;
use super::metrics::CollectorMetrics;
use super::shares::Shares;
use crate::bus::{Handle, Incoming};
use crate::follow::{ApplyBlocks, ChainState, follow};
use crate::health::{Examine, Health, of_follower};
use crate::measure::Laps;
use crate::ports::{CpuPool, OperatorRegistry, Rng, Store};
use crate::telemetry::scope;

/// What the collector needs of the world.
pub struct Dependencies {
    /// The chain's blocks.
    pub watcher: Handle<NextBlocks>,
    /// Who posts the certificates.
    pub aggregator: Handle<QuorumReached>,
    /// Operators and stakes.
    pub registry: Arc<dyn OperatorRegistry>,
    /// Accepted signatures, penalties and evidence.
    pub store: Arc<dyn Store>,
    /// Pairings.
    pub cpu: Arc<dyn CpuPool>,
    /// Pauses.
    pub rng: Arc<dyn Rng>,
    /// What operators sign in.
    pub domain: SigningDomain,
    /// For how many blocks a task can be answered.
    pub response_window: u64,
    /// Counts.
    pub metrics: CollectorMetrics,
}

/// The actor.
pub struct SignatureCollector {
    pub(super) state: Collector,
    pub(super) deps: Dependencies,
    pub(super) linger: Duration,
    pub(super) shares: Shares,
    /// True once it has taken in a block.
    has_blocks: bool,
    /// The operators cannot be read at present.
    pub(super) registry_fails: bool,
    /// Tasks without a signature.
    pub(super) heard: Laps<TaskHash>,
    /// Tasks from their first signature on.
    pub(super) signing: Laps<TaskHash>,
}

impl SignatureCollector {
    pub(super) fn new(state: Collector, deps: Dependencies, linger: Duration, capacity: usize) -> Self {
        let (heard, signing, shares) = (Laps::default(), Laps::default(), Shares::new(capacity));
        Self { state, deps, linger, shares, has_blocks: false, registry_fails: false, heard, signing }
    }

    pub(super) fn reply(&self, reply: SubmitReply) -> ResponseActFuture<Self, SubmitReply> {
        self.deps.metrics.submission(reply);
        Box::pin(std::future::ready(reply).into_actor(self))
    }
}

impl Actor for SignatureCollector {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let feed = follow(self.deps.watcher.clone(), ctx.address().recipient(), Arc::clone(&self.deps.rng));
        actix::spawn(feed.instrument(scope!(SignatureCollector)));
    }
}

impl Handler<Incoming<SubmitSignature>> for SignatureCollector {
    type Result = ResponseActFuture<Self, SubmitReply>;

    fn handle(&mut self, incoming: Incoming<SubmitSignature>, _ctx: &mut Context<Self>) -> Self::Result {
        let Incoming { message, span } = incoming;
        let _sender = span.enter();
        if !self.shares.enter(message.operator_id) {
            return self.reply(SubmitReply::Unavailable);
        }
        let Ok(signature) = Signature::try_from(message.signature) else {
            self.shares.leave(message.operator_id);
            return self.reply(SubmitReply::Malformed);
        };
        match self.state.receive(&message, &signature) {
            Verdict::Reply(reply) => {
                self.shares.leave(message.operator_id);
                self.reply(reply)
            }
            Verdict::Keep => self.keep(&message, signature),
            Verdict::KeepSecond => self.keep_second(&message, signature),
        }
    }
}

impl Handler<ApplyBlocks> for SignatureCollector {
    type Result = ();

    fn handle(&mut self, ApplyBlocks(delta): ApplyBlocks, ctx: &mut Context<Self>) {
        self.has_blocks |= !delta.blocks.is_empty();
        let effects = self.state.advance(&delta);
        self.carry_out(effects, ctx);
        let (tasks, early) = self.state.sizes();
        self.deps.metrics.sizes(tasks, early);
        self.deps.metrics.penalised(self.state.standing.penalised(self.state.tip));
    }
}

impl Handler<Examine> for SignatureCollector {
    type Result = Health;

    fn handle(&mut self, _: Examine, _ctx: &mut Context<Self>) -> Health {
        let needs = [
            (ActorName::ChainWatcher, self.deps.watcher.is_reachable()),
            (ActorName::Aggregator, self.deps.aggregator.is_reachable()),
        ];
        of_follower(self.has_blocks, &needs)
    }
}
