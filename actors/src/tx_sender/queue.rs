//! Requests, from the first word to a transaction under way. No I/O, no clock.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, U256};
use anzen_deploy::chain::MAX_TRANSACTION_GAS;
use anzen_messages::transaction::{SendTransaction, TxId, TxRefusal};

use super::Config;
use super::effect::{Effect, Tried};
use super::fees;
use super::intent::{Attempt, Counted, Flight, Intent, Stage};
use super::nonces::{Nonces, Seen};
use super::settle::{Recent, Sync};
use crate::ports::{ContractCall, Fees, SignedTx, UnsignedTx};

/// What an empty transaction takes.
pub(super) const EMPTY_GAS: u64 = 21_000;

/// All requests of one key.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) config: Config,
    pub(super) sender: Address,
    chain_id: u64,
    pub(super) head: u64,
    /// The blocks that were followed, so that a receipt of another fork is not taken for one of this.
    pub(super) recent: Recent,
    /// Which nonces are used; unknown at first and after a reorg.
    pub(super) nonces: Nonces,
    pub(super) sync: Option<Sync>,
    /// The lowest nonce that nothing has, below one that something has.
    pub(super) gap: Option<Seen>,
    /// The highest nonce of ours, where too many are missing below it; people were told.
    pub(super) out_of_reach: Option<u64>,
    /// What the sender has, in wei.
    pub(super) balance: U256,
    pub(super) warned_at: Option<u64>,
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
            nonces: Nonces::default(),
            sync: None,
            gap: None,
            out_of_reach: None,
            balance: U256::ZERO,
            warned_at: None,
            intents: BTreeMap::new(),
        }
    }

    /// Takes in a record of an earlier life. What was under way is broadcast again, which is safe; what was mined may have
    /// been undone meanwhile, and is looked for.
    pub(super) fn recover(&mut self, mut intent: Intent) -> Vec<Effect> {
        let id = intent.request.id.clone();
        intent.doubt(self.head);
        let Some(flight) = intent.flying_mut() else { return Vec::new() };
        flight.recover();
        let again = if flight.concluded { Vec::new() } else { flight.resend(&id, U256::MAX, self.head) };
        self.intents.insert(id, intent);
        again
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

    /// How many requests of others are not done.
    fn open(&self) -> usize {
        let asked_for = self.intents.values().filter(|intent| intent.request.id.filled_nonce().is_none());
        asked_for.filter(|intent| !matches!(intent.stage, Stage::Done(_))).count()
    }

    /// Somebody asks.
    pub(super) fn request(&mut self, request: SendTransaction) -> Vec<Effect> {
        let id = request.id.clone();
        let is_full = self.open() >= self.config.capacity;
        match self.intents.get_mut(&id) {
            // Who asks again may have looked in vain for what it did: it is looked for, too, before the same is told.
            Some(intent) if matches!(intent.stage, Stage::Done(_)) => {
                intent.doubt(self.head);
                self.ask().into_iter().collect()
            }
            Some(intent) => {
                intent.extend(request.not_after);
                Vec::new()
            }
            None if is_full => {
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
            // The gap that it was for has been filled meanwhile.
            (Ok(_), Some(_)) if id.filled_nonce().is_some_and(|nonce| !self.is_free(nonce)) => {
                return self.refuse(id, TxRefusal::Expired);
            }
            (Ok(tried), Some(free)) => (tried, id.filled_nonce().unwrap_or(free)),
        };
        self.balance = tried.balance;
        let Some(gas_limit) = gas_limit(tried.gas) else {
            let error =
                format!("it takes {} gas, and no transaction has more than {MAX_TRANSACTION_GAS}", tried.gas);
            return self.refuse(id, TxRefusal::Reverts { error });
        };
        let reserved: U256 = self.flights().filter(|flight| flight.mined.is_none()).map(Flight::cost).sum();
        let offer = fees::first(tried.fees, self.config.most_fee_per_gas.into());
        let Some(value) = self.intents.get(id).map(|intent| intent.request.value) else { return Vec::new() };
        let flight = Flight::new(nonce, gas_limit, value, self.head);
        if tried.balance < flight.cost_at(offer).saturating_add(reserved) {
            return self.unfunded(id);
        }
        self.set_stage(id, Stage::Flying { flight, busy: false });
        self.sign(id, offer).into_iter().collect()
    }

    /// A transaction was signed, or could not be.
    pub(super) fn signed(
        &mut self,
        id: &TxId,
        signed: Result<SignedTx, TxRefusal>,
        fees: Fees,
        cancels: bool,
    ) -> Vec<Effect> {
        let head = self.head;
        let Some(Intent { stage: Stage::Flying { flight, busy }, .. }) = self.intents.get_mut(id) else {
            return Vec::new();
        };
        *busy = false;
        match signed {
            Ok(signed) => {
                let (hash, raw) = (signed.hash, signed.raw.clone());
                flight.attempts.push(Attempt::new(signed, fees, cancels, head));
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

    pub(super) fn refuse(&mut self, id: &TxId, refusal: TxRefusal) -> Vec<Effect> {
        self.intents.remove(id);
        let ended = Effect::Conclude { id: id.clone(), outcome: Err(refusal), fee: U256::ZERO };
        vec![Effect::Forget(id.clone()), ended]
    }

    pub(super) fn start_queued(&mut self) -> Vec<Effect> {
        if self.nonces.unused().is_none() {
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
        let SendTransaction { to, data, value, .. } = intent.request.clone();
        vec![Effect::Try { id: id.clone(), call: ContractCall { to, data, value } }]
    }

    /// The transaction of an intent that has a nonce; an empty one where it has become useless.
    pub(super) fn sign(&mut self, id: &TxId, fees: Fees) -> Option<Effect> {
        let (chain_id, head, sender) = (self.chain_id, self.head, self.sender);
        let intent = self.intents.get_mut(id)?;
        let cancels = intent.is_useless_after(head);
        let Stage::Flying { flight, busy } = &mut intent.stage else { return None };
        *busy = true;
        let nonce = flight.nonce;
        let tx = if cancels {
            let (data, value) = Default::default();
            UnsignedTx { chain_id, nonce, to: sender, data, value, gas_limit: EMPTY_GAS, fees }
        } else {
            let SendTransaction { to, data, value, .. } = intent.request.clone();
            UnsignedTx { chain_id, nonce, to, data, value, gas_limit: flight.gas_limit, fees }
        };
        Some(Effect::Sign { id: id.clone(), tx, cancels })
    }

    pub(super) fn set_stage(&mut self, id: &TxId, stage: Stage) {
        if let Some(intent) = self.intents.get_mut(id) {
            intent.stage = stage;
        }
    }

    pub(super) fn flying_mut(&mut self, id: &TxId) -> Option<&mut Flight> {
        self.intents.get_mut(id)?.flying_mut()
    }

    /// The nonces of all transactions that may be mined, or are.
    pub(super) fn taken(&self) -> BTreeSet<u64> {
        self.intents.values().filter_map(Intent::flight).map(|flight| flight.nonce).collect()
    }

    /// The highest of them.
    pub(super) fn highest_of_ours(&self) -> Option<u64> {
        self.intents.values().filter_map(Intent::flight).map(|flight| flight.nonce).max()
    }

    /// All below it are used, by what is mined of ours on the chain that is followed, and by the last count of each.
    pub(super) fn mined_below(&self) -> u64 {
        let nonce = |intent: &Intent| match &intent.stage {
            Stage::Done(flight) if flight.counted == Counted::Yes => Some(flight.nonce.saturating_add(1)),
            _ => None,
        };
        self.intents.values().filter_map(nonce).max().unwrap_or_default()
    }

    /// How many from `free` to below `highest` no transaction of ours has.
    pub(super) fn nonces_unused_below(&self, free: u64, highest: u64) -> u64 {
        if free >= highest {
            return 0;
        }
        let taken = self.taken().range(free..highest).count() as u64;
        highest.saturating_sub(free).saturating_sub(taken)
    }

    fn is_free(&self, nonce: u64) -> bool {
        self.nonces.free_from().is_some_and(|from| from <= nonce) && !self.taken().contains(&nonce)
    }

    /// The lowest nonce that nothing has.
    pub(super) fn free_nonce(&self) -> Option<u64> {
        let taken = self.taken();
        (self.nonces.free_from()?..u64::MAX).find(|nonce| !taken.contains(nonce))
    }
}

/// What a transaction may take: a quarter more than it was estimated to, if that is allowed; nothing where the estimate is not.
fn gas_limit(estimate: u64) -> Option<u64> {
    let limit = estimate.saturating_add(estimate / 4).min(MAX_TRANSACTION_GAS);
    (estimate <= MAX_TRANSACTION_GAS).then_some(limit)
}
