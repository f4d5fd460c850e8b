//! Requests, from the first word to the last confirmation. No I/O, no clock.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, Bytes};
use anzen_messages::chain::{BlockRef, ChainBlock};
use anzen_messages::transaction::{Mined, SendTransaction, TxId, TxRefusal};

use super::Config;
use super::fees;
use super::intent::{Attempt, Flight, Intent, Stage};
use crate::follow::ChainState;
use crate::ports::{Fees, Receipt, SendError, SignedTx, UnsignedTx};

/// At how many blocks in a row a used nonce without a receipt means that another sender used it.
const GONE_AFTER: u32 = 2;
/// What an empty transaction takes.
const EMPTY_GAS: u64 = 21_000;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// Try the call and ask for fees; tell by [`Queue::tried`].
    Try { id: TxId, to: Address, data: Bytes },
    /// Ask for the nonce, then for these receipts; tell by [`Queue::synced`].
    Sync { hashes: Vec<B256> },
    /// Ask for fees; tell by [`Queue::repriced`].
    Reprice { id: TxId },
    /// Sign; tell by [`Queue::signed`].
    Sign { id: TxId, tx: UnsignedTx, cancels: bool },
    /// Save the intent ([`Queue::intent`]), then broadcast; tell by [`Queue::broadcast`].
    Send { id: TxId, raw: Bytes },
    /// Save the intent.
    Save(TxId),
    /// Remove the intent's record.
    Forget(TxId),
    /// Reply to everyone who waits for it.
    Conclude { id: TxId, outcome: Result<Mined, TxRefusal> },
    /// The ceiling keeps a stuck transaction from being replaced.
    AtCeiling { id: TxId },
}

/// What trying a call yielded.
pub(super) type Tried = Result<(u64, Fees), TxRefusal>;

/// All requests of one key.
#[derive(Debug)]
pub(super) struct Queue {
    config: Config,
    sender: Address,
    chain_id: u64,
    head: u64,
    /// How many transactions of the sender are mined; unknown at first and after a reorg.
    chain_nonce: Option<u64>,
    intents: BTreeMap<TxId, Intent>,
}

impl Queue {
    pub(super) fn new(config: Config, sender: Address, chain_id: u64) -> Self {
        Self { config, sender, chain_id, head: 0, chain_nonce: None, intents: BTreeMap::new() }
    }

    /// Takes in a record of an earlier life; its last transaction is broadcast again, which is safe.
    pub(super) fn recover(&mut self, intent: Intent) -> Option<Effect> {
        let id = intent.request.id.clone();
        let flying = matches!(intent.stage, Stage::Flying { .. });
        let raw =
            intent.flight().and_then(|flight| flight.attempts.last()).map(|attempt| attempt.raw.clone());
        self.intents.insert(id.clone(), intent);
        raw.filter(|_| flying).map(|raw| Effect::Send { id, raw })
    }

    pub(super) fn intent(&self, id: &TxId) -> Option<&Intent> {
        self.intents.get(id)
    }

    /// How many have a transaction under way.
    pub(super) fn flying(&self) -> usize {
        self.intents.values().filter(|intent| matches!(intent.stage, Stage::Flying { .. })).count()
    }

    /// Somebody asks.
    pub(super) fn request(&mut self, request: SendTransaction) -> Vec<Effect> {
        let id = request.id.clone();
        match self.intents.get(&id) {
            Some(Intent { stage: Stage::Done(Flight { mined: Some(mined), .. }), .. }) => {
                vec![Effect::Conclude { id, outcome: Ok(mined.clone()) }]
            }
            Some(_) => Vec::new(),
            None => {
                self.intents.insert(id, Intent { request, stage: Stage::Queued });
                self.start_queued()
            }
        }
    }

    /// The call was tried.
    pub(super) fn tried(&mut self, id: &TxId, result: Tried) -> Vec<Effect> {
        if !matches!(self.intents.get(id), Some(Intent { stage: Stage::Trying, .. })) {
            return Vec::new();
        }
        match (result, self.free_nonce()) {
            (Err(refusal), _) => self.refuse(id, refusal),
            // A reorg came between: what was tried may be otherwise now.
            (Ok(_), None) => {
                self.set_stage(id, Stage::Queued);
                Vec::new()
            }
            (Ok((gas, now)), Some(nonce)) => {
                let flight = Flight::new(nonce, gas + gas / 4, self.head);
                self.set_stage(id, Stage::Flying { flight, busy: false });
                let offer = fees::first(now, self.config.most_fee_per_gas.into());
                self.sign(id, offer).into_iter().collect()
            }
        }
    }

    /// A transaction was signed, or could not be.
    pub(super) fn signed(
        &mut self,
        id: &TxId,
        signed: Result<SignedTx, TxRefusal>,
        fees: Fees,
        cancels: bool,
    ) -> Vec<Effect> {
        let Some(Intent { stage: Stage::Flying { flight, busy }, .. }) = self.intents.get_mut(id) else {
            return Vec::new();
        };
        *busy = false;
        match signed {
            Ok(signed) => {
                let raw = signed.raw.clone();
                flight.attempts.push(Attempt::new(signed, fees, cancels));
                vec![Effect::Send { id: id.clone(), raw }]
            }
            Err(refusal) if flight.attempts.is_empty() => self.refuse(id, refusal),
            // The transaction before is still under way.
            Err(_) => Vec::new(),
        }
    }

    /// The transaction could not be saved, so it was not broadcast: as if it had never been signed.
    pub(super) fn not_saved(&mut self, id: &TxId, refusal: TxRefusal) -> Vec<Effect> {
        let Some(Intent { stage: Stage::Flying { flight, .. }, .. }) = self.intents.get_mut(id) else {
            return Vec::new();
        };
        flight.attempts.pop();
        if flight.attempts.is_empty() { self.refuse(id, refusal) } else { Vec::new() }
    }

    /// What the node said to a transaction.
    pub(super) fn broadcast(&mut self, id: &TxId, result: Result<(), SendError>) -> Vec<Effect> {
        let Some(Intent { stage: Stage::Flying { flight, .. }, .. }) = self.intents.get_mut(id) else {
            return Vec::new();
        };
        let first = flight.attempts.len() == 1;
        match result {
            // Nothing of it can be mined, so its nonce is free again.
            Err(SendError::InsufficientFunds) if first => {
                let balance = "less than the gas costs".to_owned();
                self.refuse(id, TxRefusal::InsufficientFunds { address: self.sender, balance })
            }
            Err(SendError::Rejected(error)) if first => self.refuse(id, TxRefusal::Unavailable { error }),
            // A node that did not answer may have it; a nonce that is used shows at the next block.
            _ => Vec::new(),
        }
    }

    /// The nonce, and which of the transactions are mined, as of about now.
    pub(super) fn synced(&mut self, nonce: u64, receipts: &BTreeMap<B256, Receipt>) -> Vec<Effect> {
        self.chain_nonce = Some(nonce);
        let ids: Vec<TxId> = self.intents.keys().cloned().collect();
        let mut effects: Vec<Effect> = ids.iter().flat_map(|id| self.settle(id, nonce, receipts)).collect();
        effects.extend(self.fill_gap());
        effects.extend(self.start_queued());
        effects
    }

    /// What the chain asks now, for a replacement.
    pub(super) fn repriced(&mut self, id: &TxId, now: Fees) -> Vec<Effect> {
        let ceiling = self.config.most_fee_per_gas.into();
        let Some(Intent { stage: Stage::Flying { flight, busy: false }, .. }) = self.intents.get_mut(id)
        else {
            return Vec::new();
        };
        let Some(before) = flight.attempts.last().map(Attempt::fees) else { return Vec::new() };
        flight.since = self.head;
        match fees::replacement(before, now, ceiling) {
            Some(offer) => self.sign(id, offer).into_iter().collect(),
            None => vec![Effect::AtCeiling { id: id.clone() }],
        }
    }

    fn settle(&mut self, id: &TxId, nonce: u64, receipts: &BTreeMap<B256, Receipt>) -> Vec<Effect> {
        let (head, config) = (self.head, self.config.clone());
        let Some(Intent { stage: Stage::Flying { flight, busy: false }, .. }) = self.intents.get_mut(id)
        else {
            return Vec::new();
        };
        flight.mined = None;
        let found = flight.hashes().find_map(|hash| Some((hash, receipts.get(&hash)?)));
        if let Some((hash, receipt)) = found {
            flight.found(hash, receipt);
            self.chain_nonce = self.chain_nonce.max(Some(flight.nonce + 1));
            return if head + 1 >= receipt.at.number + config.confirmations {
                self.conclude(id)
            } else {
                Vec::new()
            };
        }
        if flight.nonce < nonce {
            flight.missing += 1;
            return if flight.missing >= GONE_AFTER { self.start_over(id) } else { Vec::new() };
        }
        let next_in_line = flight.nonce == nonce;
        let stuck = head >= flight.since + config.replace_after_blocks;
        if next_in_line && stuck { vec![Effect::Reprice { id: id.clone() }] } else { Vec::new() }
    }

    /// It is mined and confirmed. Only a success is remembered: what reverted may be asked for again.
    fn conclude(&mut self, id: &TxId) -> Vec<Effect> {
        let Some(intent) = self.intents.remove(id) else { return Vec::new() };
        let Stage::Flying { flight, .. } = intent.stage else { return Vec::new() };
        let Some(mined) = flight.mined.clone() else { return Vec::new() };
        let outcome = if flight.was_cancelled() { Err(TxRefusal::Expired) } else { Ok(mined) };
        let remembered = outcome.as_ref().is_ok_and(|mined| mined.succeeded);
        let record = if remembered {
            self.intents.insert(id.clone(), Intent { request: intent.request, stage: Stage::Done(flight) });
            Effect::Save(id.clone())
        } else {
            Effect::Forget(id.clone())
        };
        vec![record, Effect::Conclude { id: id.clone(), outcome }]
    }

    /// Another sender used the nonce: nothing of this intent can be mined any more.
    fn start_over(&mut self, id: &TxId) -> Vec<Effect> {
        self.set_stage(id, Stage::Queued);
        vec![Effect::Forget(id.clone())]
    }

    fn refuse(&mut self, id: &TxId, refusal: TxRefusal) -> Vec<Effect> {
        self.intents.remove(id);
        vec![Effect::Forget(id.clone()), Effect::Conclude { id: id.clone(), outcome: Err(refusal) }]
    }

    fn start_queued(&mut self) -> Vec<Effect> {
        if self.chain_nonce.is_none() {
            return Vec::new();
        }
        let queued = |intent: &Intent| intent.stage == Stage::Queued;
        let ids: Vec<TxId> =
            self.intents.iter().filter(|(_, intent)| queued(intent)).map(|(id, _)| id.clone()).collect();
        ids.iter().flat_map(|id| self.start(id)).collect()
    }

    fn start(&mut self, id: &TxId) -> Vec<Effect> {
        let Some(intent) = self.intents.get_mut(id) else { return Vec::new() };
        if intent.request.not_after.is_some_and(|last| self.head > last) {
            return self.refuse(id, TxRefusal::Expired);
        }
        intent.stage = Stage::Trying;
        let SendTransaction { to, data, .. } = intent.request.clone();
        vec![Effect::Try { id: id.clone(), to, data }]
    }

    /// A refused transaction leaves a gap, behind which nothing is mined: an empty transaction fills it.
    fn fill_gap(&mut self) -> Vec<Effect> {
        let waiting =
            self.intents.values().any(|intent| matches!(intent.stage, Stage::Queued | Stage::Trying));
        let highest = self.nonces().last().copied();
        let Some(gap) = self.free_nonce().filter(|free| highest.is_some_and(|highest| *free < highest))
        else {
            return Vec::new();
        };
        if waiting {
            return Vec::new();
        }
        let id = TxId::fill(gap);
        let request =
            SendTransaction { id: id.clone(), to: self.sender, data: Bytes::new(), not_after: None };
        self.intents.insert(id.clone(), Intent { request, stage: Stage::Queued });
        self.start(&id)
    }

    /// The transaction of an intent that has a nonce; an empty one where it has become useless.
    fn sign(&mut self, id: &TxId, fees: Fees) -> Option<Effect> {
        let (chain_id, head, sender) = (self.chain_id, self.head, self.sender);
        let intent = self.intents.get_mut(id)?;
        let cancels = intent.request.not_after.is_some_and(|last| head > last);
        let Stage::Flying { flight, busy } = &mut intent.stage else { return None };
        *busy = true;
        let nonce = flight.nonce;
        let tx = if cancels {
            UnsignedTx { chain_id, nonce, to: sender, data: Bytes::new(), gas_limit: EMPTY_GAS, fees }
        } else {
            let SendTransaction { to, data, .. } = intent.request.clone();
            UnsignedTx { chain_id, nonce, to, data, gas_limit: flight.gas_limit, fees }
        };
        Some(Effect::Sign { id: id.clone(), tx, cancels })
    }

    fn set_stage(&mut self, id: &TxId, stage: Stage) {
        if let Some(intent) = self.intents.get_mut(id) {
            intent.stage = stage;
        }
    }

    fn nonces(&self) -> BTreeSet<u64> {
        let flying = self.intents.values().filter(|intent| matches!(intent.stage, Stage::Flying { .. }));
        flying.filter_map(Intent::flight).map(|flight| flight.nonce).collect()
    }

    fn free_nonce(&self) -> Option<u64> {
        let used = self.nonces();
        (self.chain_nonce?..).find(|nonce| !used.contains(nonce))
    }

    /// Successes that are too old to be asked for, or to be undone.
    fn prune(&mut self) -> Vec<Effect> {
        let oldest = self.head.saturating_sub(self.config.remember_blocks);
        let old = |intent: &Intent| match &intent.stage {
            Stage::Done(flight) => flight.mined.as_ref().is_some_and(|mined| mined.block < oldest),
            _ => false,
        };
        let over: Vec<TxId> =
            self.intents.iter().filter(|(_, intent)| old(intent)).map(|(id, _)| id.clone()).collect();
        over.into_iter().inspect(|id| drop(self.intents.remove(id))).map(Effect::Forget).collect()
    }
}

impl ChainState for Queue {
    type Effect = Effect;

    fn restart(&mut self) -> Vec<Effect> {
        self.chain_nonce = None;
        Vec::new()
    }

    /// What a reorg undid is under way again: it may be mined as it is.
    fn retract(&mut self, block: BlockRef) -> Vec<Effect> {
        self.chain_nonce = None;
        self.head = block.number;
        for intent in self.intents.values_mut() {
            let Stage::Done(flight) = &mut intent.stage else { continue };
            if flight.mined.take_if(|mined| mined.block > block.number).is_some() {
                flight.since = block.number;
                intent.stage = Stage::Flying { flight: flight.clone(), busy: false };
            }
        }
        Vec::new()
    }

    fn apply(&mut self, block: &ChainBlock, head: BlockRef) -> Vec<Effect> {
        self.head = block.header.at.number;
        if block.header.at != head {
            return Vec::new();
        }
        let flying = self.intents.values().filter(|intent| matches!(intent.stage, Stage::Flying { .. }));
        let hashes = flying.filter_map(Intent::flight).flat_map(Flight::hashes).collect();
        let mut effects = self.prune();
        effects.push(Effect::Sync { hashes });
        effects
    }
}
