//! What the actor has done: sets read, signatures checked, certificates handed over.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use anzen_messages::aggregation::QuorumReached;
use anzen_messages::chain::BlockRef;
use anzen_messages::signature::SignedStake;
use anzen_messages::{SafetyFactor, TaskHash};
use tokio::time::Instant;
use tracing::{Instrument, info, warn};

use super::actor::SignatureCollector;
use super::check::CheckJob;
use super::effect::Effect;
use super::records;
use super::report::{blame, penalise};
use super::seconds::Place;
use super::trial::{Contest, Trial};
use crate::ports::{Priority, jittered, run_at, run_on};
use crate::retry::Backoff;
use crate::telemetry::{scope, task_step};

/// The longest pause before a certificate is handed over again.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl SignatureCollector {
    pub(super) fn carry_out(&mut self, effects: Vec<Effect>, ctx: &mut Context<Self>) {
        for effect in effects {
            match effect {
                Effect::LoadSet { task, at, quorums } => self.load_set(task, at, quorums, 0, ctx),
                Effect::Check { task, value, job } => self.check(task, value, job, ctx),
                Effect::Try { place, trial } => self.try_alone(place, *trial, ctx),
                Effect::Contest(contest) => self.judge_both(*contest, ctx),
                Effect::Linger { task } => self.linger(task, ctx),
                Effect::Reached { task } => self.certified(task),
                Effect::HandOver { task } => self.hand_over(task, ctx),
                Effect::Promote { place, record } => self.promote(place, &record, ctx),
                Effect::KeepEvidence { evidence, dropped } => self.keep_evidence(evidence, dropped, 0, ctx),
                Effect::Forget(places) => self.forget(places, ctx),
                Effect::ForgetSeconds(places) => self.forget_seconds(places, ctx),
                Effect::ForgetPenalties(operators) => self.forget_penalties(operators, ctx),
                told => self.tell(told, ctx),
            }
        }
    }

    /// What is said only, or nearly.
    fn tell(&mut self, told: Effect, ctx: &mut Context<Self>) {
        match told {
            Effect::Blame { task, index, operator, fault } => {
                let _about = scope!(SignatureCollector, %task, index).entered();
                blame(operator, fault, &self.deps.metrics);
            }
            Effect::Penalise { operator, struck } => {
                penalise(operator, struck, &self.deps.metrics);
                let write = records::put_penalty(operator, struck.penalty);
                self.tidy(vec![write], "a penalty could not be kept; a restart of the process ends it", ctx);
            }
            Effect::OtherSet { task } => {
                warn!(%task, "the operators were read again and are others: an endpoint lags, or is wrong; signatures are added anew");
            }
            Effect::Created { task, oracle_index } => {
                self.deps.metrics.created(oracle_index);
                self.heard.start(task, Instant::now());
            }
            Effect::Answered { oracle_index, value } => self.deps.metrics.answered(oracle_index, value),
            Effect::Unanswered { task, index, oracle_index, stakes } => {
                self.deps.metrics.missed(oracle_index, &stakes);
                let signed = percents(&stakes);
                warn!(%task, index, signed_percent = ?signed, "the window passed without an answer");
            }
            _ => {}
        }
    }

    fn load_set(
        &mut self,
        task: TaskHash,
        at: BlockRef,
        quorums: Vec<u8>,
        failures: u32,
        ctx: &mut Context<Self>,
    ) {
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
                if std::mem::take(&mut actor.registry_fails) {
                    info!(%task, "the operators can be read again");
                }
                let effects = actor.state.set_loaded(task, Arc::new(set));
                actor.carry_out(effects, ctx);
            }
            Err(error) => {
                // Once an outage; the metrics of the endpoint tell how long it lasts.
                if !std::mem::replace(&mut actor.registry_fails, true) {
                    warn!(%task, %error, "the operators at the reference block cannot be read; trying again");
                }
                let pause = Backoff::default().pause(actor.deps.rng.as_ref(), failures + 1);
                ctx.run_later(pause, move |actor, ctx| actor.load_set(task, at, quorums, failures + 1, ctx));
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

    fn try_alone(&mut self, place: Place, trial: Trial, ctx: &mut Context<Self>) {
        let (cpu, claim) = (Arc::clone(&self.deps.cpu), trial.claim);
        let span = task_step!("collector.try", SignatureCollector, place.0, operator = %place.1);
        let run = async move { run_at(cpu.as_ref(), Priority::Doubt, move || trial.run()).await };
        ctx.spawn(run.instrument(span).into_actor(self).map(move |good, actor, ctx| {
            if let Some(good) = good {
                let effects = actor.state.tried(place, claim, good);
                actor.carry_out(effects, ctx);
            }
        }));
    }

    fn judge_both(&mut self, contest: Contest, ctx: &mut Context<Self>) {
        let cpu = Arc::clone(&self.deps.cpu);
        let span = task_step!("collector.contest", SignatureCollector, contest.hash);
        let run = async move {
            let job = move || (contest.run(), contest);
            run_at(cpu.as_ref(), Priority::Doubt, job).await
        };
        ctx.spawn(run.instrument(span).into_actor(self).map(move |ruled, actor, ctx| {
            if let Some((ruling, contest)) = ruled {
                let effects = actor.state.contested(&contest, ruling);
                actor.carry_out(effects, ctx);
            }
        }));
    }

    fn linger(&mut self, task: TaskHash, ctx: &mut Context<Self>) {
        let took = self.signing.first_lap(&task, Instant::now());
        self.deps.metrics.step("quorum", took);
        ctx.run_later(self.linger, move |actor, ctx| {
            let effects = actor.state.linger_over(task);
            actor.carry_out(effects, ctx);
        });
    }

    pub(super) fn first_signature(&mut self, task: TaskHash) {
        let now = Instant::now();
        if !self.state.is_certified(task) && self.signing.start(task, now) {
            self.deps.metrics.step("first_signature", self.heard.stop(&task, now));
        }
    }

    fn certified(&mut self, task: TaskHash) {
        let Some(reached) = self.state.certificate(task) else { return };
        let (now, metrics) = (Instant::now(), &self.deps.metrics);
        // Where all sign at once, nothing lingers.
        metrics.step("quorum", self.signing.first_lap(&task, now));
        metrics.step("certificate", self.signing.lap(&task, now));
        metrics.certified(&reached.task, &reached.stakes);
    }

    /// Until the aggregator has taken it, or there is nothing left to post.
    fn hand_over(&mut self, task: TaskHash, ctx: &mut Context<Self>) {
        let Some(reached) = self.state.due_for_handover(task) else { return };
        let aggregator = self.deps.aggregator.clone();
        let message = QuorumReached::clone(&reached);
        let ask = async move {
            let taken = aggregator.ask(message).await.map_err(|error| error.to_string())?;
            taken.map_err(|not_kept| not_kept.to_string())
        };
        let span = task_step!("quorum.reached", SignatureCollector, task, index = reached.task.index);
        ctx.spawn(ask.instrument(span).into_actor(self).map(move |taken, actor, ctx| match taken {
            Ok(_) => actor.handed_over(&reached, ctx),
            Err(error) => {
                warn!(%task, index = reached.task.index, %error, "the aggregator did not take the certificate; trying again");
                let pause = jittered(actor.deps.rng.as_ref(), LONGEST_PAUSE);
                ctx.run_later(pause, move |actor, ctx| actor.hand_over(task, ctx));
            }
        }));
    }

    fn handed_over(&mut self, reached: &QuorumReached, ctx: &mut Context<Self>) {
        let (task, now) = (reached.response.task_hash, Instant::now());
        self.deps.metrics.step("handover", self.signing.lap(&task, now));
        self.signing.stop(&task, now);
        let (signed, signers) = (percents(&reached.stakes), reached.signers.len());
        let (index, value) = (reached.task.index, reached.response.safety_factor);
        info!(%task, index, %value, signers, signed_percent = ?signed, "quorum reached");
        let again = self.state.handed_over(reached);
        self.carry_out(again.into_iter().collect(), ctx);
    }
}

fn percents(stakes: &[SignedStake]) -> Vec<u32> {
    stakes.iter().map(|stake| stake.basis_points() / 100).collect()
}
