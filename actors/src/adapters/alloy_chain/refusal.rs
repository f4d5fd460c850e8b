//! What nodes say of a transaction.

use anzen_contracts::revert::describe_revert;

use super::failure::{Failure, says};
use crate::ports::SendError;

/// What a node said of a transaction, and how much that weighs: the less, the more it says about what became of it. Nothing
/// where the node has it.
pub(super) fn judged(failure: Failure) -> Option<(u8, SendError)> {
    // One that was not reached has got nothing, and says nothing.
    let unreached = matches!(failure, Failure::NotReached(_) | Failure::OtherChain { .. });
    let error = send_error(failure).err()?;
    let weight = match &error {
        // It may have the transaction: who is told that its nonce is used instead would give it up, and sign another.
        SendError::Chain(_) if !unreached => 0,
        SendError::NonceUsed => 1,
        SendError::Underpriced => 2,
        SendError::InsufficientFunds => 3,
        SendError::Rejected(_) => 4,
        SendError::Chain(_) => 5,
    };
    Some((weight, error))
}

/// Sorts what nodes say of a transaction: geth, reth, erigon, nethermind, besu and anvil use these words. Nothing where the
/// node has the transaction already.
fn send_error(failure: Failure) -> Result<(), SendError> {
    let message = match &failure {
        Failure::Error { message, .. } | Failure::Fails(message) | Failure::OutOfGas(message) => {
            message.clone()
        }
        Failure::Reverts(data) => describe_revert(data),
        _ => return Err(SendError::Chain(failure.into())),
    };
    let said = |words: &[&str]| says(&message, words);
    if said(&["already known", "alreadyknown", "known transaction", "already imported", "already in mempool"])
    {
        Ok(())
    } else if said(&["nonce too low", "nonce is too low", "oldnonce", "invalid nonce"]) {
        Err(SendError::NonceUsed)
    } else if said(&["underpriced", "gas price too low to replace", "replacement", "feetoolow"]) {
        Err(SendError::Underpriced)
    } else if said(&[
        "insufficient funds",
        "insufficientfunds",
        "insufficient balance",
        "upfront cost exceeds",
    ]) {
        Err(SendError::InsufficientFunds)
    } else if said(TEMPORARY) {
        Err(SendError::Chain(failure.into()))
    } else {
        Err(SendError::Rejected(message))
    }
}

/// What passes: the same transaction may be taken later.
const TEMPORARY: &[&str] = &[
    "txpool is full",
    "pool is full",
    "mempool is full",
    "too many",
    "rate limit",
    "limit exceeded",
    "timeout",
    "timed out",
    "try again",
    "internal error",
    "per second",
    "capacity",
    "unavailable",
    "max fee per gas less than block base fee",
    "fee cap less than block base fee",
    "syncing",
    "nonce too high",
    "nonce too far",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: i64, message: &str) -> Failure {
        Failure::Error { code, message: message.into() }
    }

    #[test]
    fn what_nodes_say_of_a_transaction_is_sorted() {
        let sorted = |message| send_error(error(-32000, message));
        assert_eq!(sorted("already known"), Ok(()));
        assert_eq!(sorted("transaction already imported"), Ok(()));
        assert_eq!(sorted("nonce too low: next nonce 5, tx nonce 4"), Err(SendError::NonceUsed));
        assert_eq!(sorted("replacement transaction underpriced"), Err(SendError::Underpriced));
        assert_eq!(
            sorted("insufficient funds for gas * price + value: balance 0"),
            Err(SendError::InsufficientFunds)
        );
        assert!(matches!(sorted("txpool is full"), Err(SendError::Chain(_))));
        assert!(matches!(sorted("exceeds block gas limit"), Err(SendError::Rejected(_))));
        assert!(matches!(send_error(Failure::Timeout), Err(SendError::Chain(_))));
    }

    /// Of several nodes, one that may have the transaction says more than one that refuses it, and one that was not reached
    /// says nothing.
    #[test]
    fn what_says_most_weighs_least() {
        let weight = |failure| judged(failure).map_or(0, |(weight, _)| weight);
        let failures = [
            Failure::Timeout,
            error(-32000, "nonce too low"),
            error(-32000, "replacement transaction underpriced"),
            error(-32000, "insufficient funds"),
            error(-32000, "exceeds block gas limit"),
            Failure::NotReached("refused".into()),
        ];
        assert!(failures.map(weight).is_sorted());
        assert_eq!(judged(error(-32000, "already known")), None);
    }
}
