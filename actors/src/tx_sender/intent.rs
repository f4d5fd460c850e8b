//! One request, and its transactions.

use std::collections::BTreeSet;

use alloy::primitives::{B256, Bytes, U256};
use anzen_messages::transaction::{Mined, SendTransaction, TxId};
use serde::{Deserialize, Serialize};

use super::queue::Effect;
use crate::ports::{Fees, Receipt, SignedTx};

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
}

impl Attempt {
    pub(super) fn new(signed: SignedTx, fees: Fees, cancels: bool) -> Self {
        let Fees { max_fee, priority_fee } = fees;
        Self { hash: signed.hash, raw: signed.raw, max_fee, priority_fee, cancels, may_be_known: false }
    }

    pub(super) fn fees(&self) -> Fees {
        Fees { max_fee: self.max_fee, priority_fee: self.priority_fee }
    }
}

/// What has a nonce.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Flight {
    pub(super) nonce: u64,
    pub(super) gas_limit: u64,
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
    /// At which heads in a row the nonce was used, and none of the attempts mined.
    #[serde(skip)]
    pub(super) missing: BTreeSet<u64>,
}

impl Flight {
    pub(super) fn new(nonce: u64, gas_limit: u64, since: u64) -> Self {
        Self {
            nonce,
            gas_limit,
            attempts: Vec::new(),
            mined: None,
            fee: U256::ZERO,
            since,
            concluded: false,
            missing: BTreeSet::new(),
        }
    }

    pub(super) fn hashes(&self) -> impl Iterator<Item = B256> + use<'_> {
        self.attempts.iter().map(|attempt| attempt.hash)
    }

    /// The most that its transaction can cost, in wei.
    pub(super) fn cost(&self) -> U256 {
        self.attempts.last().map_or(U256::ZERO, |attempt| self.cost_at(attempt.fees()))
    }

    /// The same, if it offered `fees`.
    pub(super) fn cost_at(&self, fees: Fees) -> U256 {
        U256::from(fees.max_fee) * U256::from(self.gas_limit)
    }

    /// Broadcasting the last one again.
    pub(super) fn resend(&self, id: &TxId) -> Option<Effect> {
        let attempt = self.attempts.last()?;
        Some(Effect::Resend { id: id.clone(), hash: attempt.hash, raw: attempt.raw.clone() })
    }

    /// True where what was mined is the empty transaction.
    pub(super) fn was_cancelled(&self) -> bool {
        let mined = self.mined.as_ref().map(|mined| mined.hash);
        self.attempts.iter().any(|attempt| attempt.cancels && Some(attempt.hash) == mined)
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
    /// Succeeded, and is remembered.
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

    /// What was mined may not be any more: it is under way again, and may be mined as it is.
    pub(super) fn doubt(&mut self, head: u64) {
        if let Stage::Done(flight) = &mut self.stage {
            let flight = Flight { mined: None, since: head, ..flight.clone() };
            self.stage = Stage::Flying { flight, busy: false };
        }
    }

    /// True where a transaction could not be mined any more before the call becomes useless: the next block is too late.
    pub(super) fn is_useless_after(&self, head: u64) -> bool {
        self.request.not_after.is_some_and(|last| head >= last)
    }
}
