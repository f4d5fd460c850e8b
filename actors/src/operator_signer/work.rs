//! What the actor has done: answers computed, recorded, signed, submitted.

use std::sync::Arc;

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};
use anzen_messages::Task;
use anzen_messages::signature::SubmitSignature;
use tokio::time::Instant;
use tracing::Instrument;

use super::actor::{Aggregator, OperatorSigner};
use super::duty::{Computed, Step, Ticket};
use super::protection::Permit;
use super::questions::evaluate;
use super::report::deferred;
use crate::ports::Write;
use crate::telemetry::{scope, task_step};

impl OperatorSigner {
    pub(super) fn compute(&mut self, ctx: &mut Context<Self>, ticket: Ticket, task: &Task) {
        if self.laps.start(ticket.task, Instant::now()) {
            self.world.metrics.task(task.oracle_index);
        }
        let inputs = Arc::clone(&self.world.inputs);
        let (model, at) = (task.model_hash, task.reference_block_hash);
        let reads = Arc::clone(&self.reads);
        let work = async move {
            // Never closed, so there is always a permit in the end.
            let _permit = reads.acquire().await;
            let answer = evaluate(model, at, inputs.as_ref()).await;
            answer.unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot compute the answer yet");
                Computed::Failed
            })
        };
        let operator = self.world.signer.operator_id();
        let span = task_step!(
            "signer.compute", OperatorSigner, ticket.task, %operator, index = task.index,
            oracle_index = task.oracle_index, block = task.reference_block,
        );
        ctx.spawn(work.instrument(span).into_actor(self).map(move |computed, actor, ctx| {
            match computed {
                Computed::Answer(_) => actor.lap(ticket, "compute"),
                Computed::NoAnswer(_) => {}
                Computed::Failed => actor.world.metrics.failed("compute"),
            }
            actor.decide(ctx, |duties| duties.computed(ticket, &computed));
        }));
    }

    pub(super) fn record(&self, ctx: &mut Context<Self>, ticket: Ticket, writes: Vec<Write>) {
        let store = Arc::clone(&self.world.store);
        let span = scope!(OperatorSigner, task = %ticket.task);
        let work = async move { store.commit(writes).await }.instrument(span);
        ctx.spawn(work.into_actor(self).map(move |outcome, actor, ctx| {
            match &outcome {
                Ok(()) => actor.lap(ticket, "record"),
                Err(error) => {
                    actor.world.metrics.failed("record");
                    tracing::error!(task = %ticket.task, %error, "cannot record the answer, so it is not signed yet");
                }
            }
            actor.decide(ctx, |duties| duties.recorded(ticket, outcome.is_ok()));
        }));
    }

    pub(super) fn sign(&self, ctx: &mut Context<Self>, ticket: Ticket, permit: Permit) {
        let signer = Arc::clone(&self.world.signer);
        let answer = permit.response().safety_factor;
        let span = task_step!("signer.sign", OperatorSigner, ticket.task, operator = %signer.operator_id());
        let work = async move { signer.sign(&permit.message()).await }.instrument(span);
        ctx.spawn(work.into_actor(self).map(move |outcome, actor, ctx| {
            actor.signer.note(&outcome);
            match &outcome {
                Ok(_) => {
                    actor.world.metrics.signed();
                    actor.lap(ticket, "sign");
                    tracing::info!(task = %ticket.task, %answer, "signed");
                }
                Err(error) => {
                    actor.world.metrics.failed("sign");
                    tracing::error!(task = %ticket.task, %error, "cannot sign yet");
                }
            }
            actor.decide(ctx, |duties| duties.signed(ticket, outcome.ok()));
        }));
    }

    pub(super) fn submit(
        &self,
        ctx: &mut Context<Self>,
        ticket: Ticket,
        to: usize,
        message: SubmitSignature,
    ) {
        let Some(Aggregator { name, handle, .. }) = self.world.aggregators.get(to) else {
            return;
        };
        let operator = self.world.signer.operator_id();
        let span = task_step!("submit", OperatorSigner, ticket.task, %operator, aggregator = %name, otel.kind = "client");
        let aggregator = handle.clone();
        let work = async move { aggregator.ask(message).await }.instrument(span);
        ctx.spawn(work.into_actor(self).map(move |outcome, actor, ctx| {
            if let Some(reason) = deferred(&outcome) {
                let aggregator = actor.names.get(to).cloned().unwrap_or_default();
                tracing::debug!(task = %ticket.task, aggregator, ?outcome, "not submitted yet");
                actor.world.metrics.submission(aggregator, reason);
            }
            if matches!(outcome, Ok(reply) if reply.is_acknowledgement()) {
                actor.acknowledged(ticket);
            }
            actor.decide(ctx, |duties| duties.replied(ticket, to, outcome.ok()));
        }));
    }

    pub(super) fn pause(&self, ctx: &mut Context<Self>, ticket: Ticket, step: Step, failures: u32) {
        let pause = self.config.retry.pause(self.world.rng.as_ref(), failures);
        ctx.run_later(pause, move |actor, ctx| actor.decide(ctx, |duties| duties.resume(ticket, step)));
    }

    pub(super) fn prune(&self, ctx: &mut Context<Self>, writes: Vec<Write>) {
        let store = Arc::clone(&self.world.store);
        let work = async move { store.commit(writes).await }.instrument(scope!(OperatorSigner));
        ctx.spawn(work.into_actor(self).map(|outcome, actor, _| {
            if let Err(error) = &outcome {
                tracing::warn!(%error, "old signing records are still on disk; they are removed after the next start");
            }
            if let Some(duties) = &mut actor.duties {
                duties.pruned(outcome.is_ok());
            }
        }));
    }

    fn lap(&mut self, ticket: Ticket, step: &'static str) {
        self.world.metrics.step(step, self.laps.lap(&ticket.task, Instant::now()));
    }

    /// The first acknowledgement of an answer ends it; those of other aggregators are not timed.
    fn acknowledged(&mut self, ticket: Ticket) {
        let now = Instant::now();
        let step = self.laps.lap(&ticket.task, now);
        if let Some(took) = self.laps.stop(&ticket.task, now) {
            self.world.metrics.step("acknowledge", step);
            self.world.metrics.acknowledged(took);
        }
    }
}
