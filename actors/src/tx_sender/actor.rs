//! The actor: its start, its messages, its replies.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use alloy::primitives::U256;
use anzen_messages::chain::NextBlocks;
use anzen_messages::transaction::{Mined, SendTransaction, TxId, TxRefusal};
use anzen_messages::wire::{ActorName, Wire};
use futures::channel::oneshot;
use tokio::time::Instant;
use tracing::{Instrument, Span, debug, error, info, warn};

use super::Config;
use super::effect::Effect;
use super::health::note;
use super::metrics::Metrics;
use super::queue::Queue;
use super::records;
use super::spans::{about, sending, told};
use crate::bus::{BusMetrics, Handle, Inbox, Incoming};
use crate::follow::{ApplyBlocks, ChainState, follow};
use crate::measure::Laps;
use crate::ports::{Rng, Store, StoreError, TxBroadcast, TxSigner};
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
    pub(super) laps: Laps<TxId>,
}

/// Starts the actor with the transactions that `store` has.
///
/// # Errors
/// Where the records cannot be read, or one of them: its transaction may be under way, and its nonce is not to be used again.
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
    for (key, value) in own {
        recovered.extend(queue.recover(records::read(&key, &value)?));
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
    pub(super) fn carry_out(&mut self, effects: Vec<Effect>, ctx: &mut Context<Self>) {
        for effect in effects {
            match effect {
                Effect::Try { id, call } => self.try_call(id, call, ctx),
                Effect::Sync { hashes, credible } => self.sync(hashes, credible, ctx),
                Effect::Reprice { id } => self.reprice(id, ctx),
                Effect::Sign { id, tx, cancels } => self.sign(id, tx, cancels, ctx),
                Effect::Send { id, hash, raw } => self.send(id, hash, raw, ctx),
                Effect::Resend { id, hash, raw } => self.resend(id, hash, raw, ctx),
                Effect::Save(id) => self.write(self.record(&id).into_iter().collect(), ctx),
                Effect::Forget(id) => self.write(vec![records::delete(self.deps.signer.address(), &id)], ctx),
                Effect::Conclude { id, outcome, fee } => self.conclude(&id, &outcome, fee),
                Effect::Remind { id, outcome } => self.answer(&id, &outcome),
                Effect::AtCeiling { id } => {
                    self.deps.metrics.at_ceiling();
                    let _about = about(&id).entered();
                    warn!("stuck: the chain asks more than tx_sender.most_fee_per_gas allows");
                }
                Effect::Unfunded { balance } => {
                    let address = self.deps.signer.address();
                    warn!(%address, %balance, "the sender cannot pay for its transactions; fund it (balance in wei)");
                }
                Effect::Doubtful { nonce, known } => {
                    self.deps.metrics.doubtful_nonce();
                    error!(
                        nonce,
                        known,
                        "an endpoint says that far more nonces are used than is known here; is the key used elsewhere, or is \
                         one of chain.rpc_url wrong?"
                    );
                }
            }
        }
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
}
