//! What is offered for a transaction that waits, and what nodes say to it.

use alloy::primitives::{B256, U256};
use anzen_messages::transaction::{TxId, TxRefusal};

use super::effect::Effect;
use super::fees;
use super::intent::{Attempt, Intent, Said, Stage};
use super::queue::{EMPTY_GAS, Queue};
use crate::ports::{Fees, SendError};

/// For how many blocks nobody is told again that the sender has too little.
const WARN_EVERY: u64 = 50;

impl Queue {
    /// What the node said to a transaction.
    pub(super) fn broadcast(&mut self, id: &TxId, hash: B256, result: Result<(), SendError>) -> Vec<Effect> {
        let head = self.head;
        let Some(intent) = self.intents.get_mut(id) else { return Vec::new() };
        let flying = matches!(intent.stage, Stage::Flying { .. });
        let Some(flight) = intent.flight_mut() else { return Vec::new() };
        let (nonce, alone) = (flight.nonce, flight.attempts.len() == 1);
        let Some(attempt) = flight.attempts.iter_mut().find(|attempt| attempt.hash == hash) else {
            return Vec::new();
        };
        // Only then can nothing of the intent be mined, so that its nonce is free again.
        let unknown = flying && alone && !attempt.may_be_known;
        if attempt.heard(&result) {
            flight.since = head;
        }
        match result {
            Err(SendError::InsufficientFunds) if unknown => self.unfunded(id),
            Err(SendError::InsufficientFunds) => self.tell_unfunded().into_iter().collect(),
            // The same request would be refused for ever: whoever asked has to ask for something else.
            Err(SendError::Rejected(error)) if unknown => {
                self.refuse(id, TxRefusal::Reverts { error: format!("no node takes it: {error}") })
            }
            Err(SendError::NonceUsed) if unknown => {
                self.nonces.told(nonce.saturating_add(1), head);
                self.start_over(id)
            }
            // The next one, if more are missing.
            Ok(()) if flying && id.filled_nonce().is_some() => self.ask().into_iter().collect(),
            Ok(()) | Err(_) => Vec::new(),
        }
    }

    /// A transaction is not mined: where the node may not have it, it is sent again; where it is next in line and has waited
    /// long enough, the fees are asked for.
    pub(super) fn urge(&mut self, id: &TxId) -> Vec<Effect> {
        let (head, balance, next) = (self.head, self.balance, self.nonces.unused());
        let patience = self.config.replace_after_blocks;
        let Some(intent) = self.intents.get_mut(id) else { return Vec::new() };
        let useless = intent.is_useless_after(head);
        let Some(flight) = intent.flying_mut() else { return Vec::new() };
        if flight.repricing || flight.is_being_sent() {
            return Vec::new();
        }
        if Some(flight.nonce) == next && head >= flight.since.saturating_add(patience) {
            flight.repricing = true;
            return vec![Effect::Reprice { id: id.clone() }];
        }
        // What is useless by now is replaced, when its turn comes.
        if flight.may_be_missed(balance, head) && !useless {
            return flight.resend(id, balance, head);
        }
        Vec::new()
    }

    /// The fees could not be read; the next block asks again.
    pub(super) fn not_repriced(&mut self, id: &TxId) {
        if let Some(flight) = self.intents.get_mut(id).and_then(Intent::flight_mut) {
            flight.repricing = false;
        }
    }

    /// What the chain asks now, for a replacement.
    pub(super) fn repriced(&mut self, id: &TxId, now: Fees) -> Vec<Effect> {
        let (head, balance, ceiling) = (self.head, self.balance, self.config.most_fee_per_gas.into());
        let Some(intent) = self.intents.get_mut(id) else { return Vec::new() };
        let useless = intent.is_useless_after(head);
        let Stage::Flying { flight, busy: false } = &mut intent.stage else { return Vec::new() };
        let Some(last) = flight.attempts.last().filter(|_| flight.repricing) else { return Vec::new() };
        let cancels = useless && !last.cancels;
        let (dearer, before) = (cancels || is_worth_more(last, now), last.fees());
        let (gas, value) = if useless { (EMPTY_GAS, U256::ZERO) } else { (flight.gas_limit, flight.value) };
        flight.repricing = false;
        flight.since = head;
        if !dearer {
            return flight.resend(id, balance, head);
        }
        match fees::replacement(before, now, ceiling) {
            // The node may have forgotten it.
            None => {
                let again = flight.resend(id, balance, head);
                std::iter::once(Effect::AtCeiling { id: id.clone() }).chain(again).collect()
            }
            Some(offer) if balance < (U256::from(offer.max_fee) * U256::from(gas)).saturating_add(value) => {
                let again = flight.resend(id, balance, head);
                self.tell_unfunded().into_iter().chain(again).collect()
            }
            Some(offer) => self.sign(id, offer).into_iter().collect(),
        }
    }

    /// A request is refused for want of ether.
    pub(super) fn unfunded(&mut self, id: &TxId) -> Vec<Effect> {
        let (address, balance) = (self.sender, self.balance.to_string());
        let mut effects = self.refuse(id, TxRefusal::InsufficientFunds { address, balance });
        effects.extend(self.tell_unfunded());
        effects
    }

    /// Tells people that the sender has too little, unless they were told not long ago.
    fn tell_unfunded(&mut self) -> Option<Effect> {
        if self.warned_at.is_some_and(|block| self.head < block.saturating_add(WARN_EVERY)) {
            return None;
        }
        self.warned_at = Some(self.head);
        Some(Effect::Unfunded { balance: self.balance })
    }

    /// True where a transaction waits because the node says that the sender cannot pay for it.
    pub(super) fn lacks_funds(&self) -> bool {
        let waiting = self.flights().filter(|flight| flight.mined.is_none());
        waiting.filter_map(|flight| flight.attempts.last()).any(|last| last.said == Said::Unpaid)
    }
}

/// True where a transaction that is not mined is to be replaced by a dearer one. One that no node has is not held up by its
/// price, unless the chain asks more by now; one that is too dear for the account does not get better by being dearer.
fn is_worth_more(last: &Attempt, now: Fees) -> bool {
    let offered = last.fees();
    let asks_more = now.max_fee > offered.max_fee || now.priority_fee > offered.priority_fee;
    match last.said {
        Said::Waits => true,
        Said::Nothing | Said::Never => asks_more,
        Said::Unpaid => false,
    }
}
