//! Reading from a chain and sending transactions to it, with errors that name what was tried and why it failed.

mod account;
mod limits;
mod read;
mod receipts;
mod url;

pub use account::{Account, Price, Request, Sent};
pub use limits::asked_too_much;
pub(crate) use limits::asked_too_often;
pub(crate) use read::{ADMIN_SLOT, IMPLEMENTATION_SLOT};
pub use read::{
    block_time, code_at, latest_timestamp, proxy_admin, proxy_implementation, read, read_at, revert_of,
};
pub use url::redact;
pub(crate) use url::without_key;

use crate::TransportError;
use alloy::primitives::{Address, TxHash, U256, utils::format_ether};
use anzen_contracts::revert::describe_revert;
use std::error::Error;

/// EIP-7825: no transaction may have more gas, 2^24.
pub const MAX_TRANSACTION_GAS: u64 = 1 << 24;

/// Why the chain did not do or tell what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The node did not answer, or refused.
    #[error("{what}: the node answered: {source}; is it running, and is its URL the configured one?")]
    Rpc {
        /// What was tried.
        what: String,
        /// What the transport said.
        source: NodeError,
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
    /// Earlier transactions of the account stay out of the blocks.
    #[error(
        "{account} has transactions that are in no block after {seconds} seconds; replace them by others with the same \
         nonces that pay more, or wait, and run the same command again"
    )]
    Unsettled {
        /// The account.
        account: Address,
        /// How long was waited.
        seconds: u64,
    },
    /// The account cannot pay for the transaction.
    #[error("{what}: {account} has {} ETH, and this may cost {} ETH; send it ether and run the same command again",
        format_ether(*balance), format_ether(*cost))]
    NotEnoughEther {
        /// What was tried.
        what: String,
        /// Who was to pay.
        account: Address,
        /// What it has, in wei.
        balance: U256,
        /// The most that the transaction may cost, in wei.
        cost: U256,
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

/// What the transport said, with its causes. URLs are cut after the host: what follows often is a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NodeError(String);

impl From<TransportError> for NodeError {
    fn from(error: TransportError) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let line = error.to_string();
            // Some errors repeat their cause.
            if !text.contains(&line) {
                text = format!("{text}: {line}");
            }
            cause = error.source();
        }
        Self(redact(&text))
    }
}

impl ChainError {
    /// Tells a revert, whose data is decoded, from other answers of the node.
    pub fn rpc(what: impl Into<String>, source: TransportError) -> Self {
        let what = what.into();
        // Geth's code of a revert is 3; other nodes have the word only.
        let revert = source.as_error_resp().filter(|payload| {
            payload.code == 3 || payload.message.contains("revert") || payload.as_revert_data().is_some()
        });
        match revert.map(|payload| payload.as_revert_data().unwrap_or_default()) {
            Some(data) => Self::Reverted { what, reason: describe_revert(&data) },
            None => Self::Rpc { what, source: source.into() },
        }
    }

    /// Whether a contract refused, so that the same will fail again until the chain's state is another.
    pub fn is_revert(&self) -> bool {
        self.revert_reason().is_some()
    }

    /// Why a contract refused, where one did: its error, by name.
    pub fn revert_reason(&self) -> Option<&str> {
        match self {
            Self::Reverted { reason, .. } | Self::Failed { reason, .. } => Some(reason),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::providers::{Provider, ProviderBuilder};

    #[tokio::test]
    async fn an_unreachable_node_is_named_without_the_key_in_its_url() {
        // Port 1: nothing listens.
        let url = "http://user:SECRET@127.0.0.1:1/v2/SECRET?key=SECRET".parse().unwrap();
        let provider = ProviderBuilder::new().connect_http(url);
        let error =
            provider.get_chain_id().await.map_err(|e| ChainError::rpc("the chain's id", e)).unwrap_err();
        let (text, debug) = (error.to_string(), format!("{error:?}"));
        assert!(text.contains("http://127.0.0.1:1") && text.contains("refused"), "{text}");
        assert!(!text.contains("SECRET") && !debug.contains("SECRET"), "{text} {debug}");
        assert!(error.source().is_none_or(|source| !source.to_string().contains("SECRET")));
    }
}
