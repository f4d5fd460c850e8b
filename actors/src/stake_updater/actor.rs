//! The actor around [`Schedule`]: reads stakes, has them refreshed.

use std::sync::Arc;

use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, WrapFuture};
use alloy::primitives::U256;
use anzen_messages::chain::NextBlocks;
use anzen_messages::transaction::SendTransaction;
use anzen_messages::wire::ActorName;
use tracing::Instrument;

use super::Config;
use super::effect::{Attempt, Effect, Refresh};
use super::metrics::StakeUpdaterMetrics;
use super::report::report;
use super::schedule::Schedule;
use crate::bus::Handle;
use crate::errand::Sent;
use crate::follow::{ApplyBlocks, ChainState, follow};
use crate::health::{Examine, Health, of_follower};
use crate::ports::{OperatorRegistry, Rng};
use crate::telemetry::scope;

/// What StakeUpdater works with.
pub struct Dependencies {
    /// Tells how the chain goes on.
    pub watcher: Handle<NextBlocks>,
    /// Sends transactions; anyone may refresh stakes.
    pub tx_sender: Handle<SendTransaction>,
    /// The registries.
    pub registry: Arc<dyn OperatorRegistry>,
    /// Chance in pauses.
    pub rng: Arc<dyn Rng>,
    /// What is counted.
    pub metrics: StakeUpdaterMetrics,
}

/// Keeps recorded stakes fresh.
pub struct StakeUpdater {
    schedule: Schedule,
    world: Dependencies,
    /// True once it has taken in a block.
    has_blocks: bool,
}

/// Starts the actor. It takes no requests: it follows the chain.
pub fn start(config: Config, dependencies: Dependencies) -> Addr<StakeUpdater> {
    config.quorums.iter().for_each(|quorum| dependencies.metrics.starts(*quorum));
    StakeUpdater { schedule: Schedule::new(config), world: dependencies, has_blocks: false }.start()
}

impl Actor for StakeUpdater {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let news = follow(self.world.watcher.clone(), ctx.address().recipient(), Arc::clone(&self.world.rng));
        actix::spawn(news.instrument(scope!(StakeUpdater)));
    }
}

impl Handler<ApplyBlocks> for StakeUpdater {
    type Result = ();

    fn handle(&mut self, ApplyBlocks(delta): ApplyBlocks, ctx: &mut Context<Self>) {
        self.has_blocks |= !delta.blocks.is_empty();
        let effects = self.schedule.advance(&delta);
        self.carry_out(ctx, effects);
    }
}

impl Handler<Examine> for StakeUpdater {
    type Result = Health;

    fn handle(&mut self, _: Examine, _ctx: &mut Context<Self>) -> Health {
        let needs = [
            (ActorName::ChainWatcher, self.world.watcher.is_reachable()),
            (ActorName::TxSender, self.world.tx_sender.is_reachable()),
        ];
        of_follower(self.has_blocks, &needs).and(|| match self.schedule.stale() {
            Some(quorum) => Health::Down(format!(
                "the stakes of quorum {quorum} are too old for tasks to be created; the log says why they are not refreshed"
            )),
            None => Health::Up,
        })
    }
}

impl StakeUpdater {
    fn carry_out(&mut self, ctx: &mut Context<Self>, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Read(attempt) => self.read(ctx, attempt),
                Effect::Send(attempt, refresh) => self.send(ctx, attempt, refresh),
                Effect::Report(fact) => report(&fact, &self.world.metrics),
            }
        }
    }

    fn read(&self, ctx: &mut Context<Self>, attempt: Attempt) {
        let registry = Arc::clone(&self.world.registry);
        let span = scope!(StakeUpdater, quorum = attempt.quorum);
        let work = async move { registry.stakes(attempt.quorum).await }.instrument(span);
        ctx.spawn(work.into_actor(self).map(move |status, actor, ctx| {
            let effects = actor.schedule.read(attempt, status);
            actor.carry_out(ctx, effects);
        }));
    }

    fn send(&self, ctx: &mut Context<Self>, attempt: Attempt, refresh: Refresh) {
        let Refresh { id, whole, operators, not_after } = refresh;
        let (to, data) = if whole {
            self.world.registry.refresh_quorum_call(attempt.quorum, &operators)
        } else {
            self.world.registry.refresh_operators_call(&operators)
        };
        let request = SendTransaction { id, to, data, value: U256::ZERO, not_after: Some(not_after) };
        let tx_sender = self.world.tx_sender.clone();
        let span = scope!(StakeUpdater, quorum = attempt.quorum);
        let work = async move { Sent::from(tx_sender.ask(request).await) }.instrument(span);
        ctx.spawn(work.into_actor(self).map(move |outcome, actor, ctx| {
            let effects = actor.schedule.sent(attempt, whole, outcome);
            actor.carry_out(ctx, effects);
        }));
    }
}
