//! Carries out what the collector's state decides.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use anzen_messages::aggregation::QuorumReached;
use anzen_messages::bls::{Signature, verify};
use anzen_messages::chain::{BlockRef, NextBlocks};
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use anzen_messages::task::SigningDomain;
use anzen_messages::wire::ActorName;
use anzen_messages::{OperatorId, SafetyFactor, TaskHash};
use tokio::time::Instant;
use tracing::{Instrument, debug, info, warn};

use super::Config;
use super::check::CheckJob;
use super::collection::Suspicion;
use super::collector::Collector;
use super::early::Waiting;
use super::effect::{Effect, Verdict};
use super::metrics::CollectorMetrics;
use super::records;
use super::report::blame;
use crate::bus::{BusMetrics, Handle, Inbox, Incoming};
use crate::follow::{ApplyBlocks, ChainState, follow};
use crate::health::{Examine, Health, of_follower};
use crate::measure::Laps;
use crate::ports::{CpuPool, OperatorRegistry, Rng, Store, StoreError, jittered, run_on};
use crate::telemetry::{scope, step, task_step};

/// The longest pause before something that failed is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What the collector needs of the world.
pub struct Dependencies {
    /// The chain's blocks.
    pub watcher: Handle<NextBlocks>,
    /// Who posts the certificates.
    pub aggregator: Handle<QuorumReached>,
    /// Operators and stakes.
    pub registry: Arc<dyn OperatorRegistry>,
    /// Accepted signatures.
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
    state: Collector,
    deps: Dependencies,
    linger: Duration,
    /// True once it has taken in a block.
    has_blocks: bool,
    /// Tasks without a signature.
    heard: Laps<TaskHash>,
    /// Tasks from their first signature on.
    signing: Laps<TaskHash>,
}

/// Starts the actor with the records that `store` has.
///
/// # Errors
/// Where the records cannot be read.
pub async fn start(
    config: Config,
    deps: Dependencies,
    bus: &BusMetrics,
) -> Result<Inbox<SignatureCollector>, StoreError> {
    let capacity = config.capacity;
    let linger = Duration::from_millis(config.linger_ms);
    let mut state = Collector::new(config, deps.domain.clone(), deps.response_window);
    for (key, value) in deps.store.load(records::SIGNATURES).await? {
        match records::decode(&key, &value) {
            Some((task, operator, record)) => state.recover(task, operator, record),
            None => warn!("a record of an accepted signature is unreadable and is left where it is"),
        }
    }
    let addr = SignatureCollector::create(|ctx| {
        ctx.set_mailbox_capacity(capacity + 1);
        let (heard, signing) = (Laps::default(), Laps::default());
        SignatureCollector { state, deps, linger, has_blocks: false, heard, signing }
    });
    Ok(Inbox::new(ActorName::SignatureCollector, addr, capacity, bus))
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
        let Ok(signature) = Signature::try_from(message.signature) else {
            return self.reply(SubmitReply::Malformed);
        };
        match self.state.receive(&message, &signature) {
            Verdict::Reply(reply) => self.reply(reply),
            Verdict::Keep => self.keep(&message, signature),
            Verdict::Evidence(suspicion) => self.keep_evidence(&message, signature, *suspicion),
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

impl SignatureCollector {
    fn reply(&self, reply: SubmitReply) -> ResponseActFuture<Self, SubmitReply> {
        self.deps.metrics.submission(reply);
        Box::pin(std::future::ready(reply).into_actor(self))
    }

    /// An acknowledgement means that the signature is on disk.
    fn keep(&self, message: &SubmitSignature, signature: Signature) -> ResponseActFuture<Self, SubmitReply> {
        let (task, operator) = (message.response.task_hash, message.operator_id);
        let record = self.state.record(message, signature);
        let write = records::put(task, operator, &record);
        let store = Arc::clone(&self.deps.store);
        let actor = ActorName::SignatureCollector.as_str();
        let span = step!("collector.add", actor, %task, %operator);
        let written = async move { store.commit(vec![write]).await }.instrument(span);
        Box::pin(written.into_actor(self).map(move |written, actor, ctx| {
            let reply = actor.written(written, task, operator, record, ctx);
            actor.deps.metrics.submission(reply);
            reply
        }))
    }

    fn written(
        &mut self,
        written: Result<(), StoreError>,
        task: TaskHash,
        operator: OperatorId,
        record: Waiting,
        ctx: &mut Context<Self>,
    ) -> SubmitReply {
        if let Err(error) = written {
            self.state.not_kept(task, operator);
            warn!(%task, %operator, %error, "a signature could not be kept; the operator will send it again");
            return SubmitReply::Unavailable;
        }
        self.first_signature(task);
        let (reply, effects) = self.state.kept(task, operator, record);
        debug!(%operator, %task, value = %record.value, ?reply, "signature");
        self.carry_out(effects, ctx);
        reply
    }

    /// Evidence that does not hold alone convicts nobody, so the second signature is verified by itself.
    fn keep_evidence(
        &self,
        message: &SubmitSignature,
        signature: Signature,
        suspicion: Suspicion,
    ) -> ResponseActFuture<Self, SubmitReply> {
        let (task, operator) = (message.response.task_hash, message.operator_id);
        let second = self.state.record(message, signature);
        let first = Waiting { value: suspicion.first.0, signature: suspicion.first.1, since: second.since };
        let (store, cpu) = (Arc::clone(&self.deps.store), Arc::clone(&self.deps.cpu));
        let span =
            step!("collector.evidence", actor = ActorName::SignatureCollector.as_str(), %task, %operator);
        let kept = async move {
            let valid =
                run_on(cpu.as_ref(), move || verify(&suspicion.message, &signature, &suspicion.key)).await;
            if valid != Some(true) {
                return SubmitReply::Invalid;
            }
            let write = records::put_evidence(task, operator, &first, &second);
            match store.commit(vec![write]).await {
                Ok(()) => SubmitReply::SecondAnswer,
                Err(error) => {
                    warn!(%error, "a second answer could not be kept; the operator will send it again");
                    SubmitReply::Unavailable
                }
            }
        };
        let kept = kept.instrument(span);
        Box::pin(kept.into_actor(self).map(move |reply, actor, ctx| {
            if reply == SubmitReply::SecondAnswer {
                let effects = actor.state.convict(task, operator);
                actor.carry_out(effects, ctx);
            }
            actor.deps.metrics.submission(reply);
            reply
        }))
    }

    fn carry_out(&mut self, effects: Vec<Effect>, ctx: &mut Context<Self>) {
        for effect in effects {
            match effect {
                Effect::LoadSet { task, at, quorums } => self.load_set(task, at, quorums, ctx),
                Effect::Check { task, value, job } => self.check(task, value, job, ctx),
                Effect::Linger { task } => {
                    let took = self.signing.first_lap(&task, Instant::now());
                    self.deps.metrics.step("quorum", took);
                    ctx.run_later(self.linger, move |actor, ctx| {
                        let effects = actor.state.linger_over(task);
                        actor.carry_out(effects, ctx);
                    });
                }
                Effect::Reached(reached) => {
                    self.certified(&reached);
                    self.hand_over(reached, ctx);
                }
                Effect::Blame { task, index, operator, fault } => {
                    let _about = scope!(SignatureCollector, %task, index).entered();
                    blame(operator, fault, &self.deps.metrics);
                }
                Effect::Created { task, oracle_index } => {
                    self.deps.metrics.created(oracle_index);
                    self.heard.start(task, Instant::now());
                }
                Effect::Answered { oracle_index, value } => self.deps.metrics.answered(oracle_index, value),
                Effect::Unanswered { task, index, oracle_index, stakes } => {
                    self.deps.metrics.missed(oracle_index, &stakes);
                    let signed: Vec<u32> = stakes.iter().map(|stake| stake.basis_points() / 100).collect();
                    warn!(%task, index, signed_percent = ?signed, "the window passed without an answer");
                }
                Effect::Forget(records) => self.forget(records, ctx),
            }
        }
    }

    fn load_set(&mut self, task: TaskHash, at: BlockRef, quorums: Vec<u8>, ctx: &mut Context<Self>) {
        if !self.state.needs_set(task) {
            return;
        }
        if let Some(set) = self.state.cached_set(task) {
            let effects = self.state.set_loaded(task, set);
            return self.carry_out(effects, ctx);
        }
        let registry = Arc::clone(&self.deps.registry);
        let wanted = quorums.clone();
        let span = task_step!("collector.operators", SignatureCollector, task, block = at.number);
        let read = async move { registry.operators_at(at, &wanted).await }.instrument(span);
        ctx.spawn(read.into_actor(self).map(move |set, actor, ctx| match set {
            Ok(set) => {
                let effects = actor.state.set_loaded(task, Arc::new(set));
                actor.carry_out(effects, ctx);
            }
            Err(error) => {
                warn!(%task, %error, "the operators at the reference block cannot be read; trying again");
                let pause = jittered(actor.deps.rng.as_ref(), LONGEST_PAUSE);
                ctx.run_later(pause, move |actor, ctx| actor.load_set(task, at, quorums, ctx));
            }
        }));
    }

    fn check(&mut self, task: TaskHash, value: SafetyFactor, job: CheckJob, ctx: &mut Context<Self>) {
        let cpu = Arc::clone(&self.deps.cpu);
        let started = Instant::now();
        let span = task_step!("quorum.check", SignatureCollector, task, answer = %value);
        let run = async move { run_on(cpu.as_ref(), move || job.run()).await }.instrument(span);
        ctx.spawn(run.into_actor(self).map(move |result, actor, ctx| {
            actor.deps.metrics.check_took(started.elapsed());
            if let Some(result) = result {
                let effects = actor.state.checked(task, value, &result);
                actor.carry_out(effects, ctx);
            }
        }));
    }

    fn first_signature(&mut self, task: TaskHash) {
        let now = Instant::now();
        if self.signing.start(task, now) {
            self.deps.metrics.step("first_signature", self.heard.stop(&task, now));
        }
    }

    fn certified(&mut self, reached: &QuorumReached) {
        let (task, now, metrics) = (reached.response.task_hash, Instant::now(), &self.deps.metrics);
        // Where all sign at once, nothing lingers.
        metrics.step("quorum", self.signing.first_lap(&task, now));
        metrics.step("certificate", self.signing.lap(&task, now));
        metrics.certified(&reached.task, &reached.stakes);
    }

    /// Until the aggregator has taken it, or there is nothing left to post.
    fn hand_over(&mut self, reached: Box<QuorumReached>, ctx: &mut Context<Self>) {
        let task = reached.response.task_hash;
        if !self.state.wants_posting(task) {
            return;
        }
        let aggregator = self.deps.aggregator.clone();
        let message = QuorumReached::clone(&reached);
        let ask = async move {
            let taken = aggregator.ask(message).await.map_err(|error| error.to_string())?;
            taken.map_err(|not_kept| not_kept.to_string())
        };
        let span = task_step!("quorum.reached", SignatureCollector, task, index = reached.task.index);
        ctx.spawn(ask.instrument(span).into_actor(self).map(move |taken, actor, ctx| match taken {
            Ok(_) => {
                let now = Instant::now();
                actor.deps.metrics.step("handover", actor.signing.lap(&task, now));
                actor.signing.stop(&task, now);
                let signed: Vec<u32> = reached.stakes.iter().map(|stake| stake.basis_points() / 100).collect();
                let (signers, value) = (reached.signers.len(), reached.response.safety_factor);
                let index = reached.task.index;
                info!(%task, index, %value, signers, signed_percent = ?signed, "quorum reached");
            }
            Err(error) => {
                warn!(%task, index = reached.task.index, %error, "the aggregator did not take the certificate; trying again");
                let pause = jittered(actor.deps.rng.as_ref(), LONGEST_PAUSE);
                ctx.run_later(pause, move |actor, ctx| actor.hand_over(reached, ctx));
            }
        }));
    }

    fn forget(&mut self, records: Vec<(TaskHash, OperatorId)>, ctx: &mut Context<Self>) {
        if records.is_empty() {
            return;
        }
        let store = Arc::clone(&self.deps.store);
        let writes = records.into_iter().map(|(task, operator)| records::delete(task, operator)).collect();
        let removed = async move { store.commit(writes).await }.instrument(scope!(SignatureCollector));
        ctx.spawn(removed.into_actor(self).map(|removed, _, _| {
            if let Err(error) = removed {
                warn!(%error, "records of tasks that are over could not be removed; they are removed after a restart");
            }
        }));
    }
}
