//! Requests, from the first word to a transaction under way. No I/O, no clock.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, Bytes, U256};
use anzen_messages::transaction::{Mined, SendTransaction, TxId, TxRefusal};

use super::Config;
use super::fees;
use super::intent::{Attempt, Flight, Intent, Stage};
use super::settle::{Gap, Recent, Sync};
use crate::ports::{Fees, SendError, SignedTx, UnsignedTx};

/// What an empty transaction takes.
const EMPTY_GAS: u64 = 21_000;
/// For how many blocks nobody is told again that the sender has too little.
const WARN_EVERY: u64 = 50;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// Try the call, and ask for fees and the balance; tell by [`Queue::tried`].
    Try { id: TxId, to: Address, data: Bytes },
    /// Ask for the nonce, then for these receipts; tell by [`Queue::synced`] or [`Queue::not_synced`].
    Sync { hashes: Vec<B256> },
    /// Ask for fees; tell by [`Queue::repriced`].
    Reprice { id: TxId },
    /// Sign; tell by [`Queue::signed`].
    Sign { id: TxId, tx: UnsignedTx, cancels: bool },
    /// Save the intent ([`Queue::intent`]), then broadcast; tell by [`Queue::broadcast`] or [`Queue::not_saved`].
    Send { id: TxId, hash: B256, raw: Bytes },
    /// Broadcast what is saved already; tell by [`Queue::broadcast`].
    Resend { id: TxId, hash: B256, raw: Bytes },
    /// Save the intent.
    Save(TxId),
    /// Remove the intent's record.
    Forget(TxId),
    /// Reply to everyone who waits for it: this is how it ended, and what it cost, in wei.
    Conclude { id: TxId, outcome: Result<Mined, TxRefusal>, fee: U256 },
    /// Reply to everyone who waits for it: this is how it ended some time ago.
    Remind { id: TxId, mined: Mined },
    /// Tell people that the ceiling keeps a stuck transaction from being replaced.
    AtCeiling { id: TxId },
    /// Tell people that the sender has too little.
    Unfunded { balance: U256 },
}

/// What trying a call yielded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tried {
    pub(super) gas: u64,
    pub(super) fees: Fees,
    pub(super) balance: U256,
}

/// All requests of one key.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) config: Config,
    pub(super) sender: Address,
    chain_id: u64,
    pub(super) head: u64,
    /// The blocks that were followed, so that a receipt of another fork is not taken for one of this.
    pub(super) recent: Recent,
    /// How many transactions of the sender are mined; unknown at first and after a reorg.
    pub(super) chain_nonce: Option<u64>,
    pub(super) sync: Option<Sync>,
    pub(super) gap: Option<Gap>,
    balance: U256,
    warned_at: Option<u64>,
    pub(super) intents: BTreeMap<TxId, Intent>,
}

impl Queue {
    pub(super) fn new(config: Config, sender: Address, chain_id: u64) -> Self {
        Self {
            config,
            sender,
            chain_id,
            head: 0,
            recent: Recent::default(),
            chain_nonce: None,
            sync: None,
            gap: None,
            balance: U256::ZERO,
            warned_at: None,
            intents: BTreeMap::new(),
        }
    }

    /// Takes in a record of an earlier life. What was under way is broadcast again, which is safe; what was mined may have
    /// been undone meanwhile, and is looked for.
    pub(super) fn recover(&mut self, mut intent: Intent) -> Option<Effect> {
        let id = intent.request.id.clone();
        intent.doubt(self.head);
        let flight = intent.flying_mut()?;
        // The process may have ended just after they were broadcast.
        flight.attempts.iter_mut().for_each(|attempt| attempt.may_be_known = true);
        let resend = if flight.concluded { None } else { flight.resend(&id) };
        self.intents.insert(id, intent);
        resend
    }

    pub(super) fn intent(&self, id: &TxId) -> Option<&Intent> {
        self.intents.get(id)
    }

    /// Those that have a transaction under way.
    pub(super) fn flights(&self) -> impl Iterator<Item = &Flight> {
        self.intents.values().filter_map(Intent::flying)
    }

    /// How often the transaction that was replaced most has been sent, of those that are not mined.
    pub(super) fn most_attempts(&self) -> usize {
        let waiting = self.flights().filter(|flight| flight.mined.is_none());
        waiting.map(|flight| flight.attempts.len()).max().unwrap_or_default()
    }

    fn open(&self) -> usize {
        self.intents.values().filter(|intent| !matches!(intent.stage, Stage::Done(_))).count()
    }

    /// Somebody asks.
    pub(super) fn request(&mut self, request: SendTransaction) -> Vec<Effect> {
        let id = request.id.clone();
        match self.intents.get(&id) {
            Some(Intent { stage: Stage::Done(Flight { mined: Some(mined), .. }), .. }) => {
                vec![Effect::Remind { id, mined: mined.clone() }]
            }
            Some(_) => Vec::new(),
            None if self.open() >= self.config.capacity => {
                let error = "as many transactions are under way as may be (tx_sender.capacity)".to_owned();
                vec![Effect::Conclude { id, outcome: Err(TxRefusal::Unavailable { error }), fee: U256::ZERO }]
            }
            None => {
                self.intents.insert(id, Intent { request, stage: Stage::Queued });
                self.start_queued()
            }
        }
    }

    /// The call was tried.
    pub(super) fn tried(&mut self, id: &TxId, result: Result<Tried, TxRefusal>) -> Vec<Effect> {
        if !matches!(self.intents.get(id), Some(Intent { stage: Stage::Trying, .. })) {
            return Vec::new();
        }
        let (tried, nonce) = match (result, self.free_nonce()) {
            (Err(refusal), _) => return self.refuse(id, refusal),
            // A reorg came between: what was tried may be otherwise now.
            (Ok(_), None) => {
                self.set_stage(id, Stage::Queued);
                return Vec::new();
            }
            (Ok(tried), Some(nonce)) => (tried, nonce),
        };
        self.balance = tried.balance;
        let reserved: U256 = self.flights().filter(|flight| flight.mined.is_none()).map(Flight::cost).sum();
        let offer = fees::first(tried.fees, self.config.most_fee_per_gas.into());
        let flight = Flight::new(nonce, tried.gas.saturating_add(tried.gas / 4), self.head);
        if tried.balance < flight.cost_at(offer) + reserved {
            return self.unfunded(id);
        }
        self.set_stage(id, Stage::Flying { flight, busy: false });
        self.sign(id, offer).into_iter().collect()
    }

    fn unfunded(&mut self, id: &TxId) -> Vec<Effect> {
        let (address, balance) = (self.sender, self.balance);
        let mut effects =
            self.refuse(id, TxRefusal::InsufficientFunds { address, balance: balance.to_string() });
        if self.warned_at.is_none_or(|block| self.head >= block + WARN_EVERY) {
            self.warned_at = Some(self.head);
            effects.push(Effect::Unfunded { balance });
        }
        effects
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
                let (hash, raw) = (signed.hash, signed.raw.clone());
                flight.attempts.push(Attempt::new(signed, fees, cancels));
                vec![Effect::Send { id: id.clone(), hash, raw }]
            }
            Err(refusal) if flight.attempts.is_empty() => self.refuse(id, refusal),
            // The transaction before is still under way.
            Err(_) => Vec::new(),
        }
    }

    /// A transaction could not be saved, so it was not broadcast: as if it had never been signed.
    pub(super) fn not_saved(&mut self, id: &TxId, hash: B256, refusal: TxRefusal) -> Vec<Effect> {
        let Some(flight) = self.flying_mut(id) else { return Vec::new() };
        flight.attempts.retain(|attempt| attempt.hash != hash);
        if flight.attempts.is_empty() { self.refuse(id, refusal) } else { Vec::new() }
    }

    /// What the node said to a transaction.
    pub(super) fn broadcast(&mut self, id: &TxId, hash: B256, result: Result<(), SendError>) -> Vec<Effect> {
        let Some(flight) = self.flying_mut(id) else { return Vec::new() };
        let alone = flight.attempts.len() == 1;
        let Some(attempt) = flight.attempts.iter_mut().find(|attempt| attempt.hash == hash) else {
            return Vec::new();
        };
        // Only then can nothing of the intent be mined, so that its nonce is free again.
        let unknown = alone && !attempt.may_be_known;
        match result {
            Err(SendError::InsufficientFunds) if unknown => self.unfunded(id),
            Err(SendError::Rejected(error)) if unknown => self.refuse(id, TxRefusal::Unavailable { error }),
            // A node that did not answer may have it.
            Ok(()) | Err(SendError::Chain(_)) => {
                attempt.may_be_known = true;
                Vec::new()
            }
            Err(_) => Vec::new(),
        }
    }

    /// What the chain asks now, for a replacement.
    pub(super) fn repriced(&mut self, id: &TxId, now: Fees) -> Vec<Effect> {
        let (head, ceiling) = (self.head, self.config.most_fee_per_gas.into());
        let Some(Intent { stage: Stage::Flying { flight, busy: false }, .. }) = self.intents.get_mut(id)
        else {
            return Vec::new();
        };
        let Some(before) = flight.attempts.last().map(Attempt::fees) else { return Vec::new() };
        flight.since = head;
        match fees::replacement(before, now, ceiling) {
            Some(offer) => self.sign(id, offer).into_iter().collect(),
            // The node may have forgotten it.
            None => std::iter::once(Effect::AtCeiling { id: id.clone() }).chain(flight.resend(id)).collect(),
        }
    }

    pub(super) fn refuse(&mut self, id: &TxId, refusal: TxRefusal) -> Vec<Effect> {
        self.intents.remove(id);
        let ended = Effect::Conclude { id: id.clone(), outcome: Err(refusal), fee: U256::ZERO };
        vec![Effect::Forget(id.clone()), ended]
    }

    pub(super) fn start_queued(&mut self) -> Vec<Effect> {
        if self.chain_nonce.is_none() {
            return Vec::new();
        }
        let queued = |intent: &Intent| intent.stage == Stage::Queued;
        let ids = self.intents.iter().filter(|(_, intent)| queued(intent)).map(|(id, _)| id.clone());
        ids.collect::<Vec<_>>().iter().flat_map(|id| self.start(id)).collect()
    }

    pub(super) fn start(&mut self, id: &TxId) -> Vec<Effect> {
        let head = self.head;
        let Some(intent) = self.intents.get_mut(id) else { return Vec::new() };
        if intent.is_useless_after(head) {
            return self.refuse(id, TxRefusal::Expired);
        }
        intent.stage = Stage::Trying;
        let SendTransaction { to, data, .. } = intent.request.clone();
        vec![Effect::Try { id: id.clone(), to, data }]
    }

    /// The transaction of an intent that has a nonce; an empty one where it has become useless.
    fn sign(&mut self, id: &TxId, fees: Fees) -> Option<Effect> {
        let (chain_id, head, sender) = (self.chain_id, self.head, self.sender);
        let intent = self.intents.get_mut(id)?;
        let cancels = intent.is_useless_after(head);
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

    pub(super) fn set_stage(&mut self, id: &TxId, stage: Stage) {
        if let Some(intent) = self.intents.get_mut(id) {
            intent.stage = stage;
        }
    }

    fn flying_mut(&mut self, id: &TxId) -> Option<&mut Flight> {
        self.intents.get_mut(id)?.flying_mut()
    }

    pub(super) fn nonces(&self) -> BTreeSet<u64> {
        self.flights().map(|flight| flight.nonce).collect()
    }

    pub(super) fn free_nonce(&self) -> Option<u64> {
        let used = self.nonces();
        (self.chain_nonce?..).find(|nonce| !used.contains(nonce))
    }
}
