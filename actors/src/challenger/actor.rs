//! What comes to the actor, and what it has done about it.

use std::sync::Arc;

use actix::prelude::*;
use alloy::primitives::B256;
use anzen_messages::chain::NextBlocks;
use anzen_messages::transaction::SendTransaction;
use anzen_messages::wire::ActorName;
use anzen_messages::{Task, TaskHash};
use tracing::{Instrument, warn};

use super::Config;
use super::cases::Cases;
use super::effect::{Effect, Job, Report};
use super::health;
use super::metrics::ChallengerMetrics;
use super::records::{self, Record};
use super::report::report;
use crate::bus::Handle;
use crate::errand::{Sent, Ticket};
use crate::follow::{ApplyBlocks, ChainState, follow};
use crate::health::{Examine, Health, of_follower};
use crate::ports::{Disputes, Rng, Store, StoreError, TaskContract, TxBroadcast, Write};
use crate::telemetry::{scope, task_step};

/// What the challenger needs of the world.
#[derive(Clone)]
pub struct Dependencies {
    /// The chain's blocks.
    pub watcher: Handle<NextBlocks>,
    /// Who sends its transactions; nothing in a dry run.
    pub tx_sender: Option<Handle<SendTransaction>>,
    /// Answers, proofs, and how disputes stand.
    pub disputes: Arc<dyn Disputes>,
    /// Tries calls.
    pub contract: Arc<dyn TaskContract>,
    /// What calls cost.
    pub broadcast: Arc<dyn TxBroadcast>,
    /// Tasks and proofs.
    pub store: Arc<dyn Store>,
    /// Pauses.
    pub rng: Arc<dyn Rng>,
    /// For how many blocks a task can be answered.
    pub response_window: u64,
    /// How many blocks before the response window the watcher tells of after a restart; nothing where it runs elsewhere.
    pub margin_blocks: Option<u64>,
    /// Counts.
    pub metrics: ChallengerMetrics,
}

/// The actor.
pub struct Challenger {
    cases: Cases,
    deps: Dependencies,
    /// True once it has taken in a block.
    has_blocks: bool,
}

/// Starts the actor with the tasks that `store` has. It takes no requests: it follows the chain.
///
/// # Errors
/// Where the records cannot be read, or one of them: its answer may be wrong, and its proof not to be had again.
pub async fn start(config: Config, deps: Dependencies) -> Result<Addr<Challenger>, StoreError> {
    let mut cases = Cases::new(config, deps.response_window);
    for record in records::load(deps.store.as_ref()).await? {
        cases.recover(record);
    }
    Ok(Challenger { cases, deps, has_blocks: false }.start())
}

impl Actor for Challenger {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let news = follow(self.deps.watcher.clone(), ctx.address().recipient(), Arc::clone(&self.deps.rng));
        actix::spawn(news.instrument(scope!(Challenger)));
    }
}

impl Handler<ApplyBlocks> for Challenger {
    type Result = ();

    fn handle(&mut self, ApplyBlocks(delta): ApplyBlocks, ctx: &mut Context<Self>) {
        self.has_blocks |= !delta.blocks.is_empty();
        let effects = self.cases.advance(&delta);
        self.carry_out(effects, ctx);
    }
}

impl Handler<Examine> for Challenger {
    type Result = Health;

    fn handle(&mut self, _: Examine, _ctx: &mut Context<Self>) -> Health {
        let sender = self.deps.tx_sender.as_ref();
        let needs = [
            (ActorName::ChainWatcher, self.deps.watcher.is_reachable()),
            (ActorName::TxSender, sender.is_none_or(Handle::is_reachable)),
        ];
        of_follower(self.has_blocks, &needs).and(|| health::of(&self.cases.tally()))
    }
}

impl Challenger {
    fn carry_out(&mut self, effects: Vec<Effect>, ctx: &mut Context<Self>) {
        for effect in effects {
            match effect {
                Effect::Recompute(task) => self.recompute(task, ctx),
                Effect::Look { task, transaction, ticket } => self.look(task, transaction, ticket, ctx),
                Effect::Prepare { ticket, job } => self.prepare(ticket, job, ctx),
                Effect::Send { task, ticket, request } => self.send(task, ticket, request, ctx),
                Effect::Save(record) => self.save(&record, ctx),
                Effect::Forget(task) => self.write(task, Some(records::delete(task)), ctx),
                Effect::Inquire(task) => self.inquire(task, ctx),
                Effect::Report(about) => self.tell(&about),
            }
        }
        self.deps.metrics.show(&self.cases.tally());
    }

    fn tell(&self, about: &Report) {
        report(about, &self.deps.metrics);
        let (Report::Window { blocks }, Some(margin)) = (about, self.deps.margin_blocks) else { return };
        if margin < *blocks {
            warn!(
                margin,
                challenge_window = blocks,
                "after a restart, answers that can still be challenged may be missed; set chain_watcher.margin_blocks to the \
                 challenge window at least"
            );
        }
    }

    fn inquire(&self, task: Task, ctx: &mut Context<Self>) {
        let (hash, contract) = (task.hash(), Arc::clone(&self.deps.contract));
        let span = scope!(Challenger, task = %hash, index = task.index);
        let work = async move { contract.is_answered(&task).await }.instrument(span);
        ctx.spawn(work.into_actor(self).map(move |answered, actor, ctx| {
            let effects = actor.cases.inquired(hash, answered);
            actor.carry_out(effects, ctx);
        }));
    }

    fn recompute(&self, task: Task, ctx: &mut Context<Self>) {
        let (hash, disputes) = (task.hash(), Arc::clone(&self.deps.disputes));
        let span = task_step!("challenger.recompute", Challenger, hash, index = task.index);
        let work = async move { disputes.recompute(&task).await }.instrument(span);
        ctx.spawn(work.into_actor(self).map(move |result, actor, ctx| {
            let effects = actor.cases.captured(hash, result);
            actor.carry_out(effects, ctx);
        }));
    }

    fn look(&self, task: Task, transaction: B256, ticket: Ticket, ctx: &mut Context<Self>) {
        let (hash, deps) = (task.hash(), self.deps.clone());
        let span = scope!(Challenger, task = %hash, index = task.index);
        let work = async move { deps.look(&task, transaction).await }.instrument(span);
        ctx.spawn(work.into_actor(self).map(move |seen, actor, ctx| {
            let effects = actor.cases.looked(hash, ticket, seen);
            actor.carry_out(effects, ctx);
        }));
    }

    fn prepare(&self, ticket: Ticket, job: Box<Job>, ctx: &mut Context<Self>) {
        let (hash, deps, dry_run) = (job.task.hash(), self.deps.clone(), self.deps.tx_sender.is_none());
        let span = task_step!("challenger.prepare", Challenger, hash, id = %job.plan.id);
        let work = async move { (deps.prepare(&job, dry_run).await, job.plan) }.instrument(span);
        ctx.spawn(work.into_actor(self).map(move |(prepared, plan), actor, ctx| {
            let effects = actor.cases.prepared(hash, ticket, &plan, prepared);
            actor.carry_out(effects, ctx);
        }));
    }

    fn send(&self, task: TaskHash, ticket: Ticket, request: SendTransaction, ctx: &mut Context<Self>) {
        // A dry run prepares only.
        let Some(tx_sender) = self.deps.tx_sender.clone() else { return };
        let span = task_step!("challenger.send", Challenger, task, id = %request.id);
        let work = async move { Sent::from(tx_sender.ask(request).await) }.instrument(span);
        ctx.spawn(work.into_actor(self).map(move |outcome, actor, ctx| {
            let effects = actor.cases.sent(task, ticket, outcome);
            actor.carry_out(effects, ctx);
        }));
    }

    fn save(&self, record: &Record, ctx: &mut Context<Self>) {
        self.write(record.task.hash(), record.put(), ctx);
    }

    /// Nothing waits for it: what is not on disk when the process dies is asked of the chain again.
    fn write(&self, task: TaskHash, write: Option<Write>, ctx: &mut Context<Self>) {
        let store = Arc::clone(&self.deps.store);
        let span = scope!(Challenger, %task);
        let written = async move { store.commit(write.into_iter().collect()).await }.instrument(span);
        ctx.spawn(written.into_actor(self).map(move |written, actor, _| {
            if let Err(error) = written {
                warn!(%task, %error, "the record of a task could not be brought up to date; tried again");
                actor.cases.not_saved(task);
            }
        }));
    }
}
