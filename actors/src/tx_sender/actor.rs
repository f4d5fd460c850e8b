//! Tries, signs, saves, broadcasts, asks for receipts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use alloy::primitives::{Address, B256, Bytes, U256};
use anzen_messages::chain::NextBlocks;
use anzen_messages::transaction::{Mined, SendTransaction, TxId, TxRefusal};
use anzen_messages::wire::{ActorName, Wire};
use futures::channel::oneshot;
use tokio::time::Instant;
use tracing::{Instrument, Span, debug, info, warn};

use super::Config;
use super::health::note;
use super::intent::Intent;
use super::metrics::Metrics;
use super::questions::{read, try_call};
use super::queue::{Effect, Queue};
use super::records;
use super::spans::{about, sending, told};
use crate::bus::{BusMetrics, Handle, Inbox, Incoming};
use crate::follow::{ApplyBlocks, ChainState, follow};
use crate::measure::Laps;
use crate::ports::{Rng, SendError, Store, StoreError, TxBroadcast, TxSigner, UnsignedTx, Write};
use crate::telemetry::scope;

/// What the sender needs of the world.
pub struct Dependencies {
    /// The chain's blocks.
    pub watcher: Handle<NextBlocks>,
    /// Where transactions go.
    pub broadcast: Arc<dyn TxBroadcast>,
    /// The key.
    pub signer: Arc<dyn TxSigner>,
    /// Transactions that were signed.
    pub store: Arc<dyn Store>,
    /// Pauses.
    pub rng: Arc<dyn Rng>,
    /// Counts.
    pub metrics: Metrics,
}

/// How long a request waits for its transaction: as long as its sender does.
const PATIENCE: Duration = Duration::from_millis(SendTransaction::TIMEOUT_MS);

pub(super) type Outcome = Result<Mined, TxRefusal>;

/// The actor.
pub struct TxSender {
    pub(super) queue: Queue,
    pub(super) deps: Dependencies,
    waiting: BTreeMap<TxId, Vec<oneshot::Sender<Outcome>>>,
    recovered: Vec<Effect>,
    /// Why the last transaction was not sent, where that is for the operator of this process to mend.
    pub(super) trouble: Option<String>,
    laps: Laps<TxId>,
}

/// Starts the actor with the transactions that `store` has.
///
/// # Errors
/// Where the records cannot be read.
pub async fn start(
    config: Config,
    deps: Dependencies,
    bus: &BusMetrics,
) -> Result<Inbox<TxSender>, StoreError> {
    let capacity = config.capacity;
    let mut queue = Queue::new(config, deps.signer.address(), deps.broadcast.chain_id());
    let mut recovered = Vec::new();
    let records = deps.store.load(records::INTENTS).await?;
    let (own, others): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|(key, _)| records::is_of(deps.signer.address(), key));
    if !others.is_empty() {
        warn!(transactions = others.len(), "the store has transactions of another key, which are left alone");
    }
    for (_, value) in own {
        match records::decode(&value) {
            Ok(intent) => recovered.extend(queue.recover(intent)),
            Err(error) => warn!(%error, "a transaction on disk is unreadable and is left where it is"),
        }
    }
    let addr = TxSender::create(|ctx| {
        ctx.set_mailbox_capacity(capacity + 1);
        let laps = Laps::default();
        TxSender { queue, deps, waiting: BTreeMap::new(), recovered, trouble: None, laps }
    });
    Ok(Inbox::new(ActorName::TxSender, addr, capacity, bus))
}

impl Actor for TxSender {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let recovered = std::mem::take(&mut self.recovered);
        self.carry_out(recovered, ctx);
        let feed = follow(self.deps.watcher.clone(), ctx.address().recipient(), Arc::clone(&self.deps.rng));
        actix::spawn(feed.instrument(scope!(TxSender)));
    }
}

impl Handler<Incoming<SendTransaction>> for TxSender {
    type Result = ResponseFuture<Outcome>;

    fn handle(&mut self, incoming: Incoming<SendTransaction>, ctx: &mut Context<Self>) -> Self::Result {
        let Incoming { message: request, span } = incoming;
        let span = span.in_scope(|| sending(&request.id));
        let (sender, receiver) = oneshot::channel();
        let waiting = self.waiting.entry(request.id.clone()).or_default();
        waiting.retain(|waiter| !waiter.is_canceled());
        waiting.push(sender);
        self.laps.start(request.id.clone(), Instant::now());
        let effects = self.queue.request(request);
        self.carry_out(effects, ctx);
        let outcome = async move {
            let unavailable = |error: &str| Err(TxRefusal::Unavailable { error: error.into() });
            let outcome = match tokio::time::timeout(PATIENCE, receiver).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => unavailable("the sender is stopping"),
                Err(_) => unavailable("it is under way and not mined yet"),
            };
            told(&Span::current(), &outcome);
            outcome
        };
        Box::pin(outcome.instrument(span))
    }
}

impl Handler<ApplyBlocks> for TxSender {
    type Result = ();

    fn handle(&mut self, ApplyBlocks(delta): ApplyBlocks, ctx: &mut Context<Self>) {
        let effects = self.queue.advance(&delta);
        self.carry_out(effects, ctx);
        self.deps.metrics.pending(self.queue.flights().count());
    }
}

impl TxSender {
    fn carry_out(&mut self, effects: Vec<Effect>, ctx: &mut Context<Self>) {
        for effect in effects {
            match effect {
                Effect::Try { id, to, data } => self.try_call(id, to, data, ctx),
                Effect::Sync { hashes } => self.sync(hashes, ctx),
                Effect::Reprice { id } => self.reprice(id, ctx),
                Effect::Sign { id, tx, cancels } => self.sign(id, tx, cancels, ctx),
                Effect::Send { id, hash, raw } => self.send(id, hash, raw, ctx),
                Effect::Resend { id, hash, raw } => self.resend(id, hash, raw, ctx),
                Effect::Save(id) => self.write(self.record(&id).into_iter().collect(), ctx),
                Effect::Forget(id) => self.write(vec![records::delete(self.deps.signer.address(), &id)], ctx),
                Effect::Conclude { id, outcome, fee } => self.conclude(&id, &outcome, fee),
                Effect::Remind { id, mined } => self.answer(&id, &Ok(mined)),
                Effect::AtCeiling { id } => {
                    self.deps.metrics.at_ceiling();
                    let _about = about(&id).entered();
                    warn!("stuck: the chain asks more than tx_sender.most_fee_per_gas allows");
                }
                Effect::Unfunded { balance } => {
                    let address = self.deps.signer.address();
                    warn!(%address, %balance, "the sender cannot pay for its transactions; fund it (balance in wei)");
                }
            }
        }
    }

    fn try_call(&mut self, id: TxId, to: Address, data: Bytes, ctx: &mut Context<Self>) {
        let (broadcast, from) = (Arc::clone(&self.deps.broadcast), self.deps.signer.address());
        let span = about(&id);
        let tried = async move { try_call(broadcast.as_ref(), from, to, &data).await }.instrument(span);
        ctx.spawn(tried.into_actor(self).map(move |tried, actor, ctx| {
            let effects = actor.queue.tried(&id, tried);
            actor.carry_out(effects, ctx);
        }));
    }

    fn sync(&mut self, hashes: Vec<B256>, ctx: &mut Context<Self>) {
        let (broadcast, account) = (Arc::clone(&self.deps.broadcast), self.deps.signer.address());
        let metrics = self.deps.metrics.clone();
        let read = async move { read(broadcast.as_ref(), account, &hashes, &metrics).await };
        let read = read.instrument(scope!(TxSender));
        ctx.spawn(read.into_actor(self).map(|read, actor, ctx| {
            let effects = match read {
                Ok((nonce, receipts)) => actor.queue.synced(nonce, &receipts),
                Err(error) => {
                    warn!(%error, "nonce and receipts cannot be read; trying again at the next block");
                    actor.queue.not_synced()
                }
            };
            actor.carry_out(effects, ctx);
        }));
    }

    fn reprice(&mut self, id: TxId, ctx: &mut Context<Self>) {
        let broadcast = Arc::clone(&self.deps.broadcast);
        let fees = async move { broadcast.fees().await }.instrument(about(&id));
        ctx.spawn(fees.into_actor(self).map(move |fees, actor, ctx| match fees {
            Ok(fees) => {
                let effects = actor.queue.repriced(&id, fees);
                actor.carry_out(effects, ctx);
            }
            Err(error) => {
                let _about = about(&id).entered();
                warn!(%error, "stuck, and the fees cannot be read; trying again at the next block");
            }
        }));
    }

    fn sign(&mut self, id: TxId, tx: UnsignedTx, cancels: bool, ctx: &mut Context<Self>) {
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
    fn send(&mut self, id: TxId, hash: B256, raw: Bytes, ctx: &mut Context<Self>) {
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

    fn resend(&mut self, id: TxId, hash: B256, raw: Bytes, ctx: &mut Context<Self>) {
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

    fn record(&self, id: &TxId) -> Option<Write> {
        records::put(self.deps.signer.address(), self.queue.intent(id)?)
    }

    fn conclude(&mut self, id: &TxId, outcome: &Outcome, fee: U256) {
        self.deps.metrics.concluded(id, outcome, fee);
        note(&mut self.trouble, outcome);
        let took = self.laps.lap(id, Instant::now());
        self.deps.metrics.step(id, "mined", took.filter(|_| outcome.is_ok()));
        let _about = about(id).entered();
        match outcome {
            Ok(mined) if mined.succeeded => debug!(tx = %mined.hash, block = mined.block, "mined"),
            Ok(mined) => info!(tx = %mined.hash, block = mined.block, "mined, and reverted"),
            Err(refusal) => debug!(%refusal, "not sent"),
        }
        self.answer(id, outcome);
    }

    fn answer(&mut self, id: &TxId, outcome: &Outcome) {
        self.laps.stop(id, Instant::now());
        for waiter in self.waiting.remove(id).into_iter().flatten() {
            // Whoever went away asks again.
            let _ = waiter.send(outcome.clone());
        }
    }

    fn write(&mut self, writes: Vec<Write>, ctx: &mut Context<Self>) {
        let store = Arc::clone(&self.deps.store);
        let written = async move { store.commit(writes).await }.instrument(scope!(TxSender));
        ctx.spawn(written.into_actor(self).map(|written, _, _| {
            if let Err(error) = written {
                warn!(%error, "a record of a transaction that is over could not be brought up to date");
            }
        }));
    }
}
