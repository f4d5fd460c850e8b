//! Reading from a chain and sending transactions to it, with errors that name what was tried and why it failed.

mod account;
mod read;
mod receipts;

pub use account::{Account, Request, Sent};
pub use read::{code_at, proxy_admin, proxy_implementation, read, read_at};

use crate::TransportError;
use alloy::primitives::{Address, TxHash};
use anzen_contracts::revert::describe_revert;

/// Why the chain did not do or tell what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The node did not answer, or refused.
    #[error("{what}: the node answered: {source}; is it running, and is its URL the configured one?")]
    Rpc {
        /// What was tried.
        what: String,
        /// What the transport said.
        source: TransportError,
    },
    /// A call or a transaction that was not sent would revert.
    #[error("{what} reverts: {reason}")]
    Reverted {
        /// What was tried.
        what: String,
        /// The contract's error, by name.
        reason: String,
    },
    /// A transaction is on chain, and has failed there.
    #[error("{what} failed on chain in transaction {hash}: {reason}")]
    Failed {
        /// What was tried.
        what: String,
        /// The transaction.
        hash: TxHash,
        /// The contract's error, by name, where it could be found out.
        reason: String,
    },
    /// A transaction was sent and did not get into a block.
    #[error(
        "{what}: transaction {hash} is in no block after {seconds} seconds; wait and run the same command again"
    )]
    NoReceipt {
        /// What was tried.
        what: String,
        /// The transaction.
        hash: TxHash,
        /// How long was waited.
        seconds: u64,
    },
    /// The key could not sign.
    #[error("{what}: the transaction could not be signed: {source}")]
    Sign {
        /// What was tried.
        what: String,
        /// What the signer said.
        source: alloy::signers::Error,
    },
    /// A contract answered something else than its interface says.
    #[error(
        "{what}: the contract at {address} answered {answer}, which is not that function's answer; is the address right?"
    )]
    Answer {
        /// The function.
        what: String,
        /// The contract.
        address: Address,
        /// The answer, in hexadecimal.
        answer: String,
    },
}

impl ChainError {
    /// Tells a revert, whose data is decoded, from other answers of the node.
    pub(crate) fn rpc(what: impl Into<String>, source: TransportError) -> Self {
        let what = what.into();
        // Geth's code of a revert is 3; other nodes have the word only.
        let revert = source.as_error_resp().filter(|payload| {
            payload.code == 3 || payload.message.contains("revert") || payload.as_revert_data().is_some()
        });
        match revert.map(|payload| payload.as_revert_data().unwrap_or_default()) {
            Some(data) => Self::Reverted { what, reason: describe_revert(&data) },
            None => Self::Rpc { what, source },
        }
    }

    /// Whether a contract refused, so that the same will fail again until the chain's state is another.
    pub fn is_revert(&self) -> bool {
        matches!(self, Self::Reverted { .. } | Self::Failed { .. })
    }
}
