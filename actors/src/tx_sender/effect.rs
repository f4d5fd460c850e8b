//! What the queue wants done, and what it is told of it.

use alloy::primitives::{B256, Bytes, U256};
use anzen_messages::transaction::{Mined, TxId, TxRefusal};

#[cfg(doc)]
use super::queue::Queue;
use crate::ports::{ContractCall, Fees, UnsignedTx};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// Try the call, and ask for fees and the balance; tell by [`Queue::tried`].
    Try { id: TxId, call: ContractCall },
    /// Ask how the account stands, then for these receipts; tell by [`Queue::synced`] or [`Queue::not_synced`]. A nonce above
    /// `credible`, or any where there is none, is asked of all endpoints.
    Sync { hashes: Vec<B256>, credible: Option<u64> },
    /// Ask for fees; tell by [`Queue::repriced`] or [`Queue::not_repriced`].
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
    Remind { id: TxId, outcome: Result<Mined, TxRefusal> },
    /// Tell people that the ceiling keeps a stuck transaction from being replaced.
    AtCeiling { id: TxId },
    /// Tell people that the sender has too little.
    Unfunded { balance: U256 },
    /// Tell people that an endpoint tells, or told, of far more nonces than are used: of `nonce` where `known` is the next.
    Doubtful { nonce: u64, known: u64 },
}

/// What trying a call yielded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tried {
    pub(super) gas: u64,
    pub(super) fees: Fees,
    pub(super) balance: U256,
}

/// How a node says that the account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    /// How many of its transactions are mined.
    pub(super) nonce: u64,
    /// More than one endpoint says so.
    pub(super) vouched: bool,
    /// The same, with those that wait in the node's pool.
    pub(super) pending: u64,
    /// What it has, in wei.
    pub(super) balance: U256,
}
