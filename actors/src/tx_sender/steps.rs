//! Steps out into the world, one for each effect that needs it: tries, signs, saves, broadcasts, asks for receipts.

use std::sync::Arc;

use actix::prelude::*;
use alloy::primitives::{B256, Bytes};
use anzen_messages::transaction::{TxId, TxRefusal};
use tokio::time::Instant;
use tracing::{Instrument, debug, warn};

use super::actor::TxSender;
use super::effect::Effect;
use super::intent::Intent;
use super::questions::{read, try_call};
use super::records;
use super::spans::about;
use crate::ports::{ContractCall, SendError, StoreError, UnsignedTx, Write};
use crate::telemetry::scope;

impl TxSender {
    pub(super) fn try_call(&mut self, id: TxId, call: ContractCall, ctx: &mut Context<Self>) {
        let (broadcast, from) = (Arc::clone(&self.deps.broadcast), self.deps.signer.address());
        let span = about(&id);
        let tried = async move { try_call(broadcast.as_ref(), from, &call).await }.instrument(span);
        ctx.spawn(tried.into_actor(self).map(move |tried, actor, ctx| {
            let effects = actor.queue.tried(&id, tried);
            actor.carry_out(effects, ctx);
        }));
    }

    pub(super) fn sync(&mut self, hashes: Vec<B256>, credible: Option<u64>, ctx: &mut Context<Self>) {
        let (broadcast, account) = (Arc::clone(&self.deps.broadcast), self.deps.signer.address());
        let metrics = self.deps.metrics.clone();
        let read = async move { read(broadcast.as_ref(), account, credible, &hashes, &metrics).await };
        let read = read.instrument(scope!(TxSender));
        ctx.spawn(read.into_actor(self).map(|read, actor, ctx| {
            let effects = match read {
                Ok((account, receipts)) => actor.queue.synced(account, &receipts),
                Err(error) => {
                    warn!(%error, "nonce and receipts cannot be read; trying again at the next block");
                    actor.queue.not_synced()
                }
            };
            actor.carry_out(effects, ctx);
        }));
    }

    pub(super) fn reprice(&mut self, id: TxId, ctx: &mut Context<Self>) {
        let broadcast = Arc::clone(&self.deps.broadcast);
        let fees = async move { broadcast.fees().await }.instrument(about(&id));
        ctx.spawn(fees.into_actor(self).map(move |fees, actor, ctx| match fees {
            Ok(fees) => {
                let effects = actor.queue.repriced(&id, fees);
                actor.carry_out(effects, ctx);
            }
            Err(error) => {
                actor.queue.not_repriced(&id);
                let _about = about(&id).entered();
                warn!(%error, "stuck, and the fees cannot be read; trying again at the next block");
            }
        }));
    }

    pub(super) fn sign(&mut self, id: TxId, tx: UnsignedTx, cancels: bool, ctx: &mut Context<Self>) {
        let signer = Arc::clone(&self.deps.signer);
        let fees = tx.fees;
        let span = about(&id);
        span.in_scope(|| debug!(nonce = tx.nonce, max_fee = fees.max_fee, cancels, "signing a transaction"));
        let signed = async move { signer.sign(&tx).await }.instrument(span);
        ctx.spawn(signed.into_actor(self).map(move |signed, actor, ctx| {
            let signed = signed.map_err(|error| TxRefusal::Unavailable { error: error.to_string() });
            let effects = actor.queue.signed(&id, signed, fees, cancels);
            actor.carry_out(effects, ctx);
        }));
    }

    /// Nothing is broadcast that is not on disk: after a crash, the same bytes are sent again and no others.
    pub(super) fn send(&mut self, id: TxId, hash: B256, raw: Bytes, ctx: &mut Context<Self>) {
        let write = self.record(&id);
        let (store, broadcast) = (Arc::clone(&self.deps.store), Arc::clone(&self.deps.broadcast));
        let replaces =
            self.queue.intent(&id).and_then(Intent::flight).is_some_and(|of| of.attempts.len() > 1);
        self.deps.metrics.broadcast(replaces);
        let sent = async move {
            store.commit(write.into_iter().collect()).await?;
            Ok(broadcast.send(raw).await)
        };
        let sent = sent.instrument(about(&id));
        ctx.spawn(sent.into_actor(self).map(move |sent: Result<_, StoreError>, actor, ctx| {
            let effects = match sent {
                Ok(result) => {
                    if !replaces {
                        actor.deps.metrics.step(&id, "broadcast", actor.laps.lap(&id, Instant::now()));
                    }
                    actor.broadcast(&id, hash, result)
                }
                Err(error) => {
                    let _about = about(&id).entered();
                    warn!(%error, "the transaction could not be kept on disk, so it is not sent");
                    actor.queue.not_saved(&id, hash, TxRefusal::Unavailable { error: error.to_string() })
                }
            };
            actor.carry_out(effects, ctx);
        }));
    }

    pub(super) fn resend(&mut self, id: TxId, hash: B256, raw: Bytes, ctx: &mut Context<Self>) {
        let broadcast = Arc::clone(&self.deps.broadcast);
        let sent = async move { broadcast.send(raw).await }.instrument(about(&id));
        ctx.spawn(sent.into_actor(self).map(move |result, actor, ctx| {
            let effects = actor.broadcast(&id, hash, result);
            actor.carry_out(effects, ctx);
        }));
    }

    fn broadcast(&mut self, id: &TxId, hash: B256, result: Result<(), SendError>) -> Vec<Effect> {
        let _about = about(id).entered();
        match &result {
            // Mined meanwhile, most likely.
            Ok(()) | Err(SendError::NonceUsed) => {}
            Err(SendError::InsufficientFunds) => debug!("the node says that the sender cannot pay"),
            Err(error) => warn!(tx = %hash, %error, "the node did not take the transaction"),
        }
        self.queue.broadcast(id, hash, result)
    }

    pub(super) fn record(&self, id: &TxId) -> Option<Write> {
        records::put(self.deps.signer.address(), self.queue.intent(id)?)
    }

    pub(super) fn write(&mut self, writes: Vec<Write>, ctx: &mut Context<Self>) {
        let store = Arc::clone(&self.deps.store);
        let written = async move { store.commit(writes).await }.instrument(scope!(TxSender));
        ctx.spawn(written.into_actor(self).map(|written, _, _| {
            if let Err(error) = written {
                warn!(%error, "a record of a transaction that is over could not be brought up to date");
            }
        }));
    }
}
