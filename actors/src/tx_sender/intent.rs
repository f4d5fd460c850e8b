//! One request, and its transactions.

use alloy::primitives::{B256, Bytes};
use anzen_messages::transaction::{Mined, SendTransaction};
use serde::{Deserialize, Serialize};

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
}

impl Attempt {
    pub(super) fn new(signed: SignedTx, fees: Fees, cancels: bool) -> Self {
        let Fees { max_fee, priority_fee } = fees;
        Self { hash: signed.hash, raw: signed.raw, max_fee, priority_fee, cancels }
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
    /// At how many blocks in a row the nonce was used and none of the attempts was mined.
    #[serde(default)]
    pub(super) missing: u32,
}

impl Flight {
    pub(super) fn new(nonce: u64, gas_limit: u64, since: u64) -> Self {
        Self { nonce, gas_limit, attempts: Vec::new(), mined: None, since, missing: 0 }
    }

    pub(super) fn hashes(&self) -> impl Iterator<Item = B256> + use<'_> {
        self.attempts.iter().map(|attempt| attempt.hash)
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
        self.missing = 0;
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
}
