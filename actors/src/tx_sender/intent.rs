//! One request, and its transactions.

use std::collections::BTreeSet;

use alloy::primitives::{B256, Bytes, U256, keccak256};
use anzen_messages::transaction::{Mined, SendTransaction, TxId, TxRefusal};
use serde::{Deserialize, Serialize};

use super::effect::Effect;
use super::nonces::BELIEVED_FOR;
use crate::ports::{Fees, Receipt, SendError, SignedTx};

/// What a node last said of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Said {
    /// Nothing that is known: it may never have come there, or have been forgotten since.
    #[default]
    Nothing,
    /// It waits there, or another one with its nonce that pays as much.
    Waits,
    /// The sender cannot pay for it.
    Unpaid,
    /// It will never be taken.
    Never,
}

/// A transaction that was signed, and perhaps broadcast. All of an intent's have the same nonce: one at most is mined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attempt {
    pub(super) hash: B256,
    pub(super) raw: Bytes,
    max_fee: u128,
    priority_fee: u128,
    /// An empty transaction, which only uses the nonce up.
    pub(super) cancels: bool,
    /// False until a node may have it.
    #[serde(skip)]
    pub(super) may_be_known: bool,
    #[serde(skip)]
    pub(super) said: Said,
    /// True until the node's answer comes: one question at a time.
    #[serde(skip)]
    being_sent: bool,
    /// The newest block when it was sent last.
    #[serde(skip)]
    sent_at: u64,
}

impl Attempt {
    /// One that is about to be sent.
    pub(super) fn new(signed: SignedTx, fees: Fees, cancels: bool, head: u64) -> Self {
        let Fees { max_fee, priority_fee } = fees;
        Self {
            hash: signed.hash,
            raw: signed.raw,
            max_fee,
            priority_fee,
            cancels,
            may_be_known: false,
            said: Said::Nothing,
            being_sent: true,
            sent_at: head,
        }
    }

    /// Takes in what a node says to it. True where it waits there from now on.
    pub(super) fn heard(&mut self, result: &Result<(), SendError>) -> bool {
        self.being_sent = false;
        let before = std::mem::take(&mut self.said);
        match result {
            Ok(()) => (self.may_be_known, self.said) = (true, Said::Waits),
            // A node that did not answer may have it.
            Err(SendError::Chain(_)) => self.may_be_known = true,
            Err(SendError::Underpriced) => self.said = Said::Waits,
            Err(SendError::InsufficientFunds) => self.said = Said::Unpaid,
            Err(SendError::Rejected(_)) => self.said = Said::Never,
            // Mined meanwhile, most likely; the receipts tell.
            Err(SendError::NonceUsed) => {}
        }
        self.said == Said::Waits && before != Said::Waits
    }

    /// Forgets what an earlier life, or another fork, knew of it. One that is being sent still is: it may not be on disk yet, so
    /// it must not be sent a second way.
    fn forget(&mut self) {
        (self.said, self.sent_at) = (Said::Nothing, 0);
    }

    fn send_again(&mut self, id: &TxId, head: u64) -> Effect {
        (self.being_sent, self.sent_at) = (true, head);
        Effect::Resend { id: id.clone(), hash: self.hash, raw: self.raw.clone() }
    }

    pub(super) fn fees(&self) -> Fees {
        Fees { max_fee: self.max_fee, priority_fee: self.priority_fee }
    }
}

/// Whether counts of nonces bear out what a receipt says: one answer alone may be false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Counted {
    /// None was taken in since the receipt.
    #[default]
    NotYet,
    /// The last ones did not, the first of them at this head.
    NotSince(u64),
    /// By the last one the nonce is used.
    Yes,
}

/// What has a nonce.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Flight {
    pub(super) nonce: u64,
    pub(super) gas_limit: u64,
    /// What the call pays, in wei, besides the gas.
    #[serde(default)]
    pub(super) value: U256,
    /// In the order in which they were signed; empty while the first one is being signed.
    pub(super) attempts: Vec<Attempt>,
    /// The block in which one of them is.
    pub(super) mined: Option<Mined>,
    /// The newest block when the last one was broadcast.
    pub(super) since: u64,
    /// What that cost, in wei.
    #[serde(default)]
    pub(super) fee: U256,
    /// True once its outcome was told; it is found out again after a reorg or a restart.
    #[serde(default)]
    pub(super) concluded: bool,
    /// The newest block when that was told first in this life.
    #[serde(skip)]
    pub(super) concluded_at: Option<u64>,
    /// What counts of nonces say of the receipt that it was concluded by.
    #[serde(skip)]
    pub(super) counted: Counted,
    /// It did nothing, and is forgotten if that is still so.
    #[serde(skip)]
    pub(super) expiring: bool,
    /// At which heads in a row the nonce was used, and none of the attempts mined.
    #[serde(skip)]
    pub(super) missing: BTreeSet<u64>,
    /// True while the fees for a replacement are being asked for.
    #[serde(skip)]
    pub(super) repricing: bool,
}

impl Flight {
    pub(super) fn new(nonce: u64, gas_limit: u64, value: U256, since: u64) -> Self {
        Self {
            nonce,
            gas_limit,
            value,
            attempts: Vec::new(),
            mined: None,
            fee: U256::ZERO,
            since,
            concluded: false,
            concluded_at: None,
            counted: Counted::NotYet,
            expiring: false,
            missing: BTreeSet::new(),
            repricing: false,
        }
    }

    /// Takes it over from an earlier life, which may have ended just after it was broadcast.
    pub(super) fn recover(&mut self) {
        self.repricing = false;
        for attempt in &mut self.attempts {
            attempt.forget();
            attempt.may_be_known = true;
        }
    }

    /// True where it is whole: there is a transaction, and all are what their hashes say.
    pub(super) fn is_sound(&self) -> bool {
        let sound = |attempt: &Attempt| keccak256(&attempt.raw) == attempt.hash;
        !self.attempts.is_empty() && self.attempts.iter().all(sound)
    }

    pub(super) fn hashes(&self) -> impl Iterator<Item = B256> + use<'_> {
        self.attempts.iter().map(|attempt| attempt.hash)
    }

    /// The most that its transaction can cost, in wei.
    pub(super) fn cost(&self) -> U256 {
        self.attempts.last().map_or(U256::ZERO, |attempt| self.cost_of(attempt))
    }

    /// The same, if it offered `fees`.
    pub(super) fn cost_at(&self, fees: Fees) -> U256 {
        self.gas_cost(fees).saturating_add(self.value)
    }

    /// The most that one of its transactions can cost: the empty one pays for its gas alone.
    fn cost_of(&self, attempt: &Attempt) -> U256 {
        if attempt.cancels { self.gas_cost(attempt.fees()) } else { self.cost_at(attempt.fees()) }
    }

    fn gas_cost(&self, fees: Fees) -> U256 {
        U256::from(fees.max_fee) * U256::from(self.gas_limit)
    }

    /// True while a node's answer to one of them is awaited.
    pub(super) fn is_being_sent(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.being_sent)
    }

    /// True where the last one is to be sent again at once: the node may have missed it, or the account was filled up.
    pub(super) fn may_be_missed(&self, balance: U256, head: u64) -> bool {
        self.attempts.last().is_some_and(|last| match last.said {
            Said::Nothing => head > last.sent_at,
            Said::Unpaid => head > last.sent_at && self.cost() <= balance,
            Said::Waits | Said::Never => false,
        })
    }

    /// Broadcasts again: the newest one that the account can pay for, and, where a node would not have that, the newest one
    /// that a node took.
    pub(super) fn resend(&mut self, id: &TxId, balance: U256, head: u64) -> Vec<Effect> {
        if self.attempts.is_empty() || self.is_being_sent() {
            return Vec::new();
        }
        let payable = |attempt: &Attempt| self.cost_of(attempt) <= balance;
        let newest = self.attempts.iter().rposition(payable).unwrap_or(self.attempts.len() - 1);
        let refused = matches!(self.attempts[newest].said, Said::Unpaid | Said::Never);
        let taken = self.attempts.iter().rposition(|attempt| attempt.said == Said::Waits);
        let again = [taken.filter(|_| refused), Some(newest)].into_iter().flatten();
        again.map(|place| self.attempts[place].send_again(id, head)).collect()
    }

    /// Takes in that all nonces below `unused` are used. True where counts have not borne out the receipt for some heads.
    pub(super) fn is_contradicted(&mut self, unused: u64, head: u64) -> bool {
        self.counted = match self.counted {
            _ if unused > self.nonce => Counted::Yes,
            Counted::NotSince(since) => Counted::NotSince(since),
            Counted::NotYet | Counted::Yes => Counted::NotSince(head),
        };
        matches!(self.counted, Counted::NotSince(since) if head >= since.saturating_add(BELIEVED_FOR))
    }

    /// What is told of it, once one of its transactions is mined.
    pub(super) fn outcome(&self) -> Option<Result<Mined, TxRefusal>> {
        let mined = self.mined.clone()?;
        let cancelled = self.attempts.iter().any(|attempt| attempt.cancels && attempt.hash == mined.hash);
        Some(if cancelled { Err(TxRefusal::Expired) } else { Ok(mined) })
    }

    /// True where the call succeeded: what reverted, and the empty transaction, did nothing.
    pub(super) fn took_effect(&self) -> bool {
        matches!(self.outcome(), Some(Ok(mined)) if mined.succeeded)
    }

    /// The block in which it is mined; no older than what was followed when that was told, whatever a receipt says.
    pub(super) fn found_at(&self) -> u64 {
        let mined = self.mined.as_ref().map(|mined| mined.block);
        mined.max(self.concluded_at).unwrap_or_default()
    }

    /// Takes in where the attempts stand.
    pub(super) fn found(&mut self, hash: B256, receipt: &Receipt) {
        self.mined = Some(Mined {
            hash,
            block: receipt.at.number,
            gas_used: receipt.gas_used,
            succeeded: receipt.succeeded,
        });
        self.fee = receipt.fee;
        self.missing.clear();
    }
}

/// How far a request has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// Waits for a nonce.
    Queued,
    /// Is being tried.
    Trying,
    /// Has a nonce. `busy` while an attempt is being signed and saved.
    Flying { flight: Flight, busy: bool },
    /// Is mined and confirmed, and remembered.
    Done(Flight),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Intent {
    pub(super) request: SendTransaction,
    pub(super) stage: Stage,
}

impl Intent {
    pub(super) fn flight(&self) -> Option<&Flight> {
        match &self.stage {
            Stage::Flying { flight, .. } | Stage::Done(flight) => Some(flight),
            Stage::Queued | Stage::Trying => None,
        }
    }

    /// Its transactions, where one is under way.
    pub(super) fn flying(&self) -> Option<&Flight> {
        self.flight().filter(|_| matches!(self.stage, Stage::Flying { .. }))
    }

    pub(super) fn flying_mut(&mut self) -> Option<&mut Flight> {
        match &mut self.stage {
            Stage::Flying { flight, .. } => Some(flight),
            _ => None,
        }
    }

    pub(super) fn flight_mut(&mut self) -> Option<&mut Flight> {
        match &mut self.stage {
            Stage::Flying { flight, .. } | Stage::Done(flight) => Some(flight),
            Stage::Queued | Stage::Trying => None,
        }
    }

    /// What was mined may not be any more: it is under way again, and may be mined as it is.
    pub(super) fn doubt(&mut self, head: u64) {
        if let Stage::Done(flight) = &mut self.stage {
            let (mined, counted) = (None, Counted::NotYet);
            let mut flight = Flight { mined, counted, since: head, repricing: false, ..flight.clone() };
            // Nodes need not take up again what a fork undid.
            flight.attempts.iter_mut().for_each(Attempt::forget);
            self.stage = Stage::Flying { flight, busy: false };
        }
    }

    /// It is asked for again: the call may succeed up to this block, or whenever.
    pub(super) fn extend(&mut self, not_after: Option<u64>) {
        let last = self.request.not_after.zip(not_after);
        self.request.not_after = last.map(|(before, now)| before.max(now));
    }

    /// True where a transaction could not be mined any more before the call becomes useless: the next block is too late.
    pub(super) fn is_useless_after(&self, head: u64) -> bool {
        self.request.not_after.is_some_and(|last| head >= last)
    }
}
