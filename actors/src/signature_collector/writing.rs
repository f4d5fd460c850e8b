//! What the actor writes to disk.

use std::sync::Arc;

use actix::prelude::*;
use anzen_messages::bls::Signature;
use anzen_messages::evidence::Evidence;
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use anzen_messages::wire::ActorName;
use anzen_messages::{OperatorId, TaskHash};
use tracing::{Instrument, debug, info, warn};

use super::actor::SignatureCollector;
use super::early::Waiting;
use super::records;
use super::seconds::Place;
use crate::ports::{StoreError, Write};
use crate::retry::Backoff;
use crate::telemetry::{scope, step};

/// What is done when a signature is on disk, or could not be written.
type Then =
    fn(&mut SignatureCollector, Written, Place, Waiting, &mut Context<SignatureCollector>) -> SubmitReply;
type Written = Result<(), StoreError>;

impl SignatureCollector {
    /// An acknowledgement means that the signature is on disk.
    pub(super) fn keep(
        &self,
        message: &SubmitSignature,
        signature: Signature,
    ) -> ResponseActFuture<Self, SubmitReply> {
        self.write_and_reply(message, signature, records::put, Self::written)
    }

    /// A second signature is kept until both have been judged, so that no crash loses what proves a fault.
    pub(super) fn keep_second(
        &self,
        message: &SubmitSignature,
        signature: Signature,
    ) -> ResponseActFuture<Self, SubmitReply> {
        self.write_and_reply(message, signature, records::put_second, |actor, written, place, _, ctx| {
            actor.second_written(written, place, ctx)
        })
    }

    fn write_and_reply(
        &self,
        message: &SubmitSignature,
        signature: Signature,
        put: fn(Place, &Waiting) -> Write,
        then: Then,
    ) -> ResponseActFuture<Self, SubmitReply> {
        let place = (message.response.task_hash, message.operator_id);
        let record = self.state.record(message, signature);
        let written = self.write(place, put(place, &record));
        Box::pin(written.map(move |written, actor, ctx| {
            actor.shares.leave(place.1);
            let reply = then(actor, written, place, record, ctx);
            actor.deps.metrics.submission(reply);
            reply
        }))
    }

    fn write(
        &self,
        (task, operator): Place,
        write: Write,
    ) -> impl ActorFuture<Self, Output = Written> + 'static + use<> {
        let store = Arc::clone(&self.deps.store);
        let actor = ActorName::SignatureCollector.as_str();
        let span = step!("collector.add", actor, %task, %operator);
        let written = async move { store.commit(vec![write]).await }.instrument(span);
        written.into_actor(self)
    }

    fn written(
        &mut self,
        written: Written,
        place: Place,
        record: Waiting,
        ctx: &mut Context<Self>,
    ) -> SubmitReply {
        let (task, operator) = place;
        if let Err(error) = written {
            let effects = self.state.not_kept(task, operator);
            self.carry_out(effects, ctx);
            warn!(%task, %operator, %error, "a signature could not be kept; the operator will send it again");
            return SubmitReply::Unavailable;
        }
        self.first_signature(task);
        let (reply, effects) = self.state.kept(task, operator, record);
        debug!(%operator, %task, value = %record.value, ?reply, "signature");
        self.carry_out(effects, ctx);
        reply
    }

    fn second_written(&mut self, written: Written, place: Place, ctx: &mut Context<Self>) -> SubmitReply {
        let (task, operator) = place;
        if let Err(error) = written {
            self.state.second_not_kept(place);
            warn!(%task, %operator, %error, "a second signature could not be kept; the operator will send it again");
            return SubmitReply::Unavailable;
        }
        let (reply, effects) = self.state.second_kept(place);
        self.carry_out(effects, ctx);
        reply
    }

    /// Until it is on disk; the second signature stays there as long.
    pub(super) fn keep_evidence(
        &self,
        evidence: Box<Evidence>,
        dropped: Vec<TaskHash>,
        failures: u32,
        ctx: &mut Context<Self>,
    ) {
        let writes = records::put_evidence(&evidence, &dropped);
        let (task, operator) = (evidence.task_hash(), evidence.operator.id);
        let store = Arc::clone(&self.deps.store);
        let span =
            step!("collector.evidence", actor = ActorName::SignatureCollector.as_str(), %task, %operator);
        let written = async move { store.commit(writes).await }.instrument(span);
        ctx.spawn(written.into_actor(self).map(move |written, actor, ctx| match written {
            Ok(()) => {
                actor.deps.metrics.evidence(actor.state.convictions.len());
                info!(%task, %operator, "kept as evidence; `anzen evidence export` writes it to a file");
            }
            Err(error) => {
                warn!(%task, %operator, %error, "evidence could not be kept; trying again");
                let pause = Backoff::default().pause(actor.deps.rng.as_ref(), failures + 1);
                ctx.run_later(pause, move |actor, ctx| {
                    actor.keep_evidence(evidence, dropped, failures + 1, ctx);
                });
            }
        }));
    }

    /// Where this fails the second signature is on disk still, and is judged again after a restart.
    pub(super) fn promote(&self, place: Place, record: &Waiting, ctx: &mut Context<Self>) {
        let writes = vec![records::put(place, record), records::delete_second(place)];
        self.tidy(writes, "a second signature that counts is still noted as such", ctx);
    }

    pub(super) fn forget(&self, places: Vec<Place>, ctx: &mut Context<Self>) {
        let writes = places.into_iter().map(records::delete).collect();
        self.tidy(
            writes,
            "records of tasks that are over could not be removed; they are removed after a restart",
            ctx,
        );
    }

    pub(super) fn forget_seconds(&self, places: Vec<Place>, ctx: &mut Context<Self>) {
        let writes = places.into_iter().map(records::delete_second).collect();
        self.tidy(writes, "second signatures could not be removed; they are removed after a restart", ctx);
    }

    pub(super) fn forget_penalties(&self, operators: Vec<OperatorId>, ctx: &mut Context<Self>) {
        let writes = operators.into_iter().map(records::delete_penalty).collect();
        self.tidy(writes, "old penalties could not be removed; they are removed after a restart", ctx);
    }

    /// Writes what nobody waits for.
    pub(super) fn tidy(&self, writes: Vec<Write>, failed: &'static str, ctx: &mut Context<Self>) {
        if writes.is_empty() {
            return;
        }
        let store = Arc::clone(&self.deps.store);
        let written = async move { store.commit(writes).await }.instrument(scope!(SignatureCollector));
        ctx.spawn(written.into_actor(self).map(move |written, _, _| {
            if let Err(error) = written {
                warn!(%error, "{failed}");
            }
        }));
    }
}
