//! The actor around [`Schedule`]: asks the contract, computes proposals, has calls sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, WrapFuture};
use alloy::primitives::{Address, B256, Bytes};
use anzen_messages::SafetyFactor;
use anzen_messages::chain::{BlockRef, NextBlocks};
use anzen_messages::model;
use anzen_messages::transaction::SendTransaction;
use anzen_messages::wire::ActorName;
use tracing::Instrument;

use super::births::{Births, Born};
use super::effect::{Attempt, Effect, Obstacle, Proposal, Report};
use super::metrics::TaskGeneratorMetrics;
use super::report::report;
use super::schedule::{Schedule, Terms};
use super::{Config, Protocol};
use crate::bus::Handle;
use crate::errand::Sent;
use crate::follow::{ApplyBlocks, ChainState, follow};
use crate::health::{Examine, Health, of_follower};
use crate::ports::{ChainError, ModelInputs, Rng, TaskContract, TaskRules};
use crate::telemetry::{Begun, scope, step, task_created};

/// What TaskGenerator works with.
pub struct Dependencies {
    /// Tells how the chain goes on.
    pub watcher: Handle<NextBlocks>,
    /// Sends transactions with the generator's key.
    pub tx_sender: Handle<SendTransaction>,
    /// The task manager.
    pub contract: Arc<dyn TaskContract>,
    /// What models read.
    pub inputs: Arc<dyn ModelInputs>,
    /// Chance in pauses.
    pub rng: Arc<dyn Rng>,
    /// What is counted.
    pub metrics: TaskGeneratorMetrics,
}

/// Has tasks created.
pub struct TaskGenerator {
    config: Config,
    protocols: BTreeMap<u32, Protocol>,
    world: Dependencies,
    /// Nothing until the response window has been read.
    schedule: Option<Schedule>,
    births: Births<Begun>,
    /// True once it has taken in a block.
    has_blocks: bool,
    /// The protocols whose task is due and was not created, and why.
    hindered: BTreeMap<u32, String>,
}

/// Starts the actor. It takes no requests: it follows the chain.
pub fn start(config: Config, dependencies: Dependencies) -> Addr<TaskGenerator> {
    let protocols =
        config.protocols.iter().map(|protocol| (protocol.oracle_index, protocol.clone())).collect();
    config.protocols.iter().for_each(|protocol| dependencies.metrics.starts(protocol.oracle_index));
    let (has_blocks, hindered, births) = (false, BTreeMap::new(), Births::default());
    TaskGenerator { config, protocols, world: dependencies, schedule: None, births, has_blocks, hindered }
        .start()
}

impl Actor for TaskGenerator {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let (contract, rng) = (Arc::clone(&self.world.contract), Arc::clone(&self.world.rng));
        let retry = self.config.retry;
        let windows = async move {
            let ask = async || contract.windows().await;
            retry.until_answered(rng.as_ref(), "the task manager", ask).await
        };
        ctx.wait(windows.instrument(scope!(TaskGenerator)).into_actor(self).map(|windows, actor, ctx| {
            actor.schedule = Some(Schedule::new(actor.terms(), windows.response));
            let world = &actor.world;
            let news = follow(world.watcher.clone(), ctx.address().recipient(), Arc::clone(&world.rng));
            actix::spawn(news.instrument(scope!(TaskGenerator)));
        }));
    }
}

impl Handler<ApplyBlocks> for TaskGenerator {
    type Result = ();

    fn handle(&mut self, ApplyBlocks(delta): ApplyBlocks, ctx: &mut Context<Self>) {
        self.has_blocks |= !delta.blocks.is_empty();
        self.decide(ctx, |schedule| schedule.advance(&delta));
    }
}

impl Handler<Examine> for TaskGenerator {
    type Result = Health;

    fn handle(&mut self, _: Examine, _ctx: &mut Context<Self>) -> Health {
        let needs = [
            (ActorName::ChainWatcher, self.world.watcher.is_reachable()),
            (ActorName::TxSender, self.world.tx_sender.is_reachable()),
        ];
        of_follower(self.has_blocks, &needs).and(|| match self.hindered.first_key_value() {
            Some((protocol, obstacle)) => {
                Health::Down(format!("no task for protocol {protocol}: {obstacle}"))
            }
            None => Health::Up,
        })
    }
}

impl TaskGenerator {
    fn terms(&self) -> Terms {
        let plan = |protocol: &Protocol| (protocol.oracle_index, protocol.policy());
        Terms {
            protocols: self.config.protocols.iter().map(plan).collect(),
            patience: self.config.patience,
            longest_pause: self.config.longest_pause,
            most_per_block: self.config.most_per_block,
            finality_blocks: self.config.finality_blocks,
        }
    }

    /// Tells the schedule something and carries out what it makes of it.
    fn decide(&mut self, ctx: &mut Context<Self>, tell: impl FnOnce(&mut Schedule) -> Vec<Effect>) {
        for effect in self.schedule.as_mut().map(tell).unwrap_or_default() {
            match effect {
                Effect::Look(attempt) => self.look(ctx, attempt),
                Effect::Propose { attempt, rules, at } => self.propose(ctx, attempt, rules, at),
                Effect::Compare { at, models } => self.compare(ctx, at, models),
                Effect::Send(attempt, request) => self.send(ctx, attempt, request),
                Effect::Report(fact) => {
                    report(&fact, &self.world.metrics);
                    self.note(&fact);
                }
            }
        }
    }

    fn note(&mut self, fact: &Report) {
        match fact {
            Report::Created { oracle_index, task, index, block } => {
                self.hindered.remove(oracle_index);
                record(*oracle_index, self.births.created(*oracle_index, *block, *task, *index));
            }
            // That another generator was faster is no trouble.
            Report::Hindered { oracle_index, obstacle, .. } if !obstacle.is_everyday() => {
                self.hindered.insert(*oracle_index, obstacle.to_string());
            }
            Report::Hindered { .. }
            | Report::Unanswered { .. }
            | Report::Asked { .. }
            | Report::NotCompared { .. } => {}
        }
    }

    fn look(&self, ctx: &mut Context<Self>, attempt: Attempt) {
        let contract = Arc::clone(&self.world.contract);
        let work =
            async move { futures::try_join!(contract.rules(attempt.oracle_index), contract.windows()) };
        let work = work.instrument(scope!(TaskGenerator, oracle_index = attempt.oracle_index));
        ctx.spawn(work.into_actor(self).map(move |answer, actor, ctx| {
            actor.decide(ctx, |schedule| schedule.looked(attempt, answer));
        }));
    }

    fn propose(&self, ctx: &mut Context<Self>, attempt: Attempt, rules: TaskRules, at: BlockRef) {
        let Some(protocol) = self.protocols.get(&attempt.oracle_index).cloned() else {
            return;
        };
        let (inputs, contract) = (Arc::clone(&self.world.inputs), Arc::clone(&self.world.contract));
        let work = async move {
            let value = model::evaluate(&inputs.terms(rules.model_hash, at.hash).await?)?;
            let (to, data) = call(contract.as_ref(), &protocol, value, &rules);
            Ok::<_, Obstacle>(Proposal { value, to, data })
        };
        let work = work.instrument(scope!(TaskGenerator, oracle_index = attempt.oracle_index));
        ctx.spawn(work.into_actor(self).map(move |proposal, actor, ctx| {
            actor.decide(ctx, |schedule| schedule.proposed(attempt, proposal));
        }));
    }

    fn compare(&self, ctx: &mut Context<Self>, at: BlockRef, models: Vec<(u32, B256)>) {
        let inputs = Arc::clone(&self.world.inputs);
        let work = async move {
            let hashes: Vec<B256> = models.iter().map(|(_, model)| *model).collect();
            let terms = inputs.terms_of(&hashes, at.hash).await;
            let value = |terms| -> Result<SafetyFactor, Obstacle> {
                let terms: Result<Vec<_>, ChainError> = terms;
                Ok(model::evaluate(&terms?)?)
            };
            let protocols = models.iter().map(|(oracle_index, _)| *oracle_index);
            protocols.zip(terms.into_iter().map(value)).collect::<Vec<_>>()
        };
        let work = work.instrument(scope!(TaskGenerator));
        ctx.spawn(work.into_actor(self).map(move |values, actor, ctx| {
            actor.decide(ctx, |schedule| schedule.compared(at, values));
        }));
    }

    fn send(&self, ctx: &mut Context<Self>, attempt: Attempt, request: SendTransaction) {
        self.world.metrics.requested(attempt.oracle_index);
        let tx_sender = self.world.tx_sender.clone();
        let oracle_index = attempt.oracle_index;
        let span = step!("generator.attempt", actor = ActorName::TaskGenerator.as_str(), oracle_index, id = %request.id);
        let begun = Begun::now(&span);
        let work = async move { Sent::from(tx_sender.ask(request).await) }.instrument(span);
        ctx.spawn(work.into_actor(self).map(move |outcome, actor, ctx| {
            if let Sent::Done(mined) = &outcome {
                let born = actor.births.sent(oracle_index, mined.block, begun);
                record(oracle_index, born);
            }
            actor.decide(ctx, |schedule| schedule.sent(attempt, outcome));
        }));
    }
}

/// The root of the task's trace. What was sent before has a trace of its own, because the task's is known only now.
fn record(oracle_index: u32, born: Option<Born<Begun>>) {
    if let Some(Born { task, index, block, begun }) = born {
        let block = i64::try_from(block).unwrap_or(i64::MAX);
        let fields = [("index", index.into()), ("oracle_index", oracle_index.into()), ("block", block)];
        task_created(task, &begun, fields);
    }
}

/// The call, with a threshold within governance's bounds.
fn call(
    contract: &dyn TaskContract,
    protocol: &Protocol,
    value: SafetyFactor,
    rules: &TaskRules,
) -> (Address, Bytes) {
    let threshold = rules.nearest_threshold(protocol.threshold);
    contract.create_call(protocol.oracle_index, value, rules, threshold)
}
