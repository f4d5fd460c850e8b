//! The actor around [`Duties`]: follows the chain, reads, records, signs, submits.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, WrapFuture};
use anzen_messages::TaskHash;
use anzen_messages::chain::NextBlocks;
use anzen_messages::signature::SubmitSignature;
use anzen_messages::task::SigningDomain;
use tokio::sync::Semaphore;
use tracing::Instrument;

use super::Config;
use super::duties::Duties;
use super::duty::Terms;
use super::effect::Effect;
use super::metrics::OperatorSignerMetrics;
use super::performance::Performance;
use super::questions::load;
use super::report::report;
use super::standing::Standing;
use crate::bus::Handle;
use crate::follow::{ApplyBlocks, follow};
use crate::health::Pulse;
use crate::measure::Laps;
use crate::ports::{BlsSigner, Clock, ModelInputs, OperatorStandings, Rng, Store, TaskContract};
use crate::telemetry::scope;

/// An aggregator that answers go to.
#[derive(Debug, Clone)]
pub struct Aggregator {
    /// Its name, for logs.
    pub name: String,
    /// The way to it.
    pub handle: Handle<SubmitSignature>,
    /// The protocols that it serves; all of them where there is none.
    pub oracle_indices: BTreeSet<u32>,
}

/// What OperatorSigner works with.
pub struct Dependencies {
    /// Tells how the chain goes on.
    pub watcher: Handle<NextBlocks>,
    /// Those that answers go to.
    pub aggregators: Vec<Aggregator>,
    /// The task manager.
    pub contract: Arc<dyn TaskContract>,
    /// What models read.
    pub inputs: Arc<dyn ModelInputs>,
    /// How this operator stands.
    pub standings: Arc<dyn OperatorStandings>,
    /// The operator's BLS key.
    pub signer: Arc<dyn BlsSigner>,
    /// Where the signing records are.
    pub store: Arc<dyn Store>,
    /// Chance in pauses.
    pub rng: Arc<dyn Rng>,
    /// Tells when the process started.
    pub clock: Arc<dyn Clock>,
    /// What signatures are bound to.
    pub domain: SigningDomain,
    /// What is counted.
    pub metrics: OperatorSignerMetrics,
}

/// Computes, signs and submits answers.
pub struct OperatorSigner {
    pub(super) config: Config,
    pub(super) names: Vec<String>,
    pub(super) reads: Arc<Semaphore>,
    pub(super) world: Dependencies,
    /// Nothing until the signing records have been read.
    pub(super) duties: Option<Duties>,
    /// True once it has taken in a block.
    pub(super) has_blocks: bool,
    /// Whether the signer answered the last time.
    pub(super) signer: Pulse,
    pub(super) standing: Standing,
    performance: Performance,
    pub(super) laps: Laps<TaskHash>,
}

/// Starts the actor. It takes no requests: it follows the chain.
pub fn start(config: Config, dependencies: Dependencies) -> Addr<OperatorSigner> {
    let names: Vec<String> = dependencies.aggregators.iter().map(|one| one.name.clone()).collect();
    dependencies.metrics.starts(config.protocols.iter().copied(), &names);
    let reads = Arc::new(Semaphore::new(config.concurrent_reads.max(1)));
    let signer = OperatorSigner {
        config,
        names,
        reads,
        world: dependencies,
        duties: None,
        has_blocks: false,
        signer: Pulse::default(),
        standing: Standing::default(),
        performance: Performance::default(),
        laps: Laps::default(),
    };
    signer.start()
}

impl Actor for OperatorSigner {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let loading = load(
            Arc::clone(&self.world.store),
            Arc::clone(&self.world.contract),
            Arc::clone(&self.world.rng),
            self.config.clone(),
        );
        let begin = loading.instrument(scope!(OperatorSigner)).into_actor(self).map(
            |(protection, window), actor, ctx| {
                actor.duties = Some(Duties::new(actor.terms(), protection, window));
                let world = &actor.world;
                let news = follow(world.watcher.clone(), ctx.address().recipient(), Arc::clone(&world.rng));
                actix::spawn(news.instrument(scope!(OperatorSigner)));
            },
        );
        ctx.wait(begin);
    }
}

impl Handler<ApplyBlocks> for OperatorSigner {
    type Result = ();

    fn handle(&mut self, ApplyBlocks(delta): ApplyBlocks, ctx: &mut Context<Self>) {
        self.has_blocks |= !delta.blocks.is_empty();
        self.decide(ctx, |duties| duties.follow(&delta));
        if let Some(duties) = &self.duties {
            self.world.metrics.sizes(duties.open(), duties.records());
        }
        if self.standing.is_due(&delta) {
            self.look(ctx);
        }
    }
}

impl OperatorSigner {
    /// Finds out how this operator stands.
    fn look(&self, ctx: &mut Context<Self>) {
        let (standings, operator) = (Arc::clone(&self.world.standings), self.world.signer.operator_id());
        let tokens = self.config.fee_tokens.clone();
        let work = async move { standings.standing(operator, &tokens).await };
        ctx.spawn(work.into_actor(self).map(|found, actor, _| {
            match &found {
                Ok(standing) => actor.world.metrics.eigen.standing(standing),
                Err(error) => tracing::debug!(%error, "not known how this operator stands; asking again"),
            }
            actor.standing.looked(found.ok());
        }));
    }

    fn terms(&self) -> Terms {
        Terms {
            operator: self.world.signer.operator_id(),
            started: self.world.clock.now().0 / 1000,
            domain: self.world.domain.clone(),
            protocols: self.config.protocols.iter().copied().collect(),
            aggregators: self.world.aggregators.iter().map(|one| one.oracle_indices.clone()).collect(),
            most_open: self.config.most_open_tasks,
            finality_blocks: self.config.finality_blocks,
            keep_records: self.config.keep_records,
        }
    }

    /// Tells the duties something and carries out what they make of it.
    pub(super) fn decide(&mut self, ctx: &mut Context<Self>, tell: impl FnOnce(&mut Duties) -> Vec<Effect>) {
        for effect in self.duties.as_mut().map(tell).unwrap_or_default() {
            match effect {
                Effect::Compute { ticket, task } => self.compute(ctx, ticket, &task),
                Effect::Record { ticket, writes } => self.record(ctx, ticket, writes),
                Effect::Sign { ticket, permit } => self.sign(ctx, ticket, permit),
                Effect::Submit { ticket, to, message } => self.submit(ctx, ticket, to, message),
                Effect::Pause { ticket, step, failures } => self.pause(ctx, ticket, step, failures),
                Effect::Prune(writes) => self.prune(ctx, writes),
                Effect::Report(fact) => {
                    self.performance.heed(&fact);
                    self.world.metrics.eigen.score(self.performance.score());
                    report(&fact, &self.names, &self.world.metrics);
                }
            }
        }
    }
}
