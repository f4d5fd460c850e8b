//! What an endpoint's errors mean.

use alloy::primitives::Bytes;
use alloy::sol_types::SolError;
use alloy::transports::{RpcError, TransportError};
use anzen_contracts::AnzenTaskManager::TaskAlreadyAnswered;
use anzen_contracts::revert::describe_revert;

use super::endpoint::redacted;
use crate::ports::{CallError, ChainError, SendError};

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The contract reverts, with this data.
    Reverts(Bytes),
    /// The call cannot be executed for another reason.
    Fails(String),
    /// The node answered with an error.
    Error { code: i64, message: String },
    /// The answer is not what was asked for.
    Malformed(String),
    /// Nothing came back in time.
    Timeout,
    /// The node cannot be reached.
    Unreachable(String),
}

impl Failure {
    /// All that [`Failure::outcome`] says, and `ok`.
    pub(super) const OUTCOMES: [&str; 5] = ["ok", "reverted", "error", "timeout", "unreachable"];

    /// For the metric.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::Reverts(_) => "reverted",
            Self::Timeout => "timeout",
            Self::Unreachable(_) => "unreachable",
            _ => "error",
        }
    }

    /// True where the same question about fewer blocks may be answered.
    pub(super) fn asked_too_much(&self) -> bool {
        match self {
            Self::Timeout => true,
            Self::Error { code, message } => anzen_deploy::chain::asked_too_much(*code, message),
            _ => false,
        }
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        match error {
            RpcError::ErrorResp(payload) => {
                let message = redacted(&payload.message);
                match payload.as_revert_data() {
                    Some(data) => Self::Reverts(data),
                    None if says(&message, &["execution reverted"]) => Self::Reverts(Bytes::new()),
                    None if says(&message, EXECUTION) => Self::Fails(message),
                    None => Self::Error { code: payload.code, message },
                }
            }
            RpcError::NullResp => Self::Malformed("nothing".into()),
            RpcError::DeserError { err, .. } | RpcError::SerError(err) => Self::Malformed(err.to_string()),
            other => Self::Unreachable(redacted(&chain_of(&other))),
        }
    }
}

/// What nodes say where a call fails other than by a revert.
const EXECUTION: &[&str] = &[
    "gas required exceeds",
    "out of gas",
    "invalid opcode",
    "vm execution error",
    "intrinsic gas",
    "vm exception",
];
/// What nodes say of a block, or its state, that they do not have.
const NO_BLOCK: &[&str] = &[
    "header not found",
    "block not found",
    "unknown block",
    "missing trie node",
    "state not available",
    "is not available",
    "state is not",
    "pruned",
    "not canonical",
    "header for hash",
    "could not find block",
    "blocknotfound",
    "resource not found",
];

fn says(message: &str, words: &[&str]) -> bool {
    let message = message.to_lowercase();
    words.iter().any(|word| message.contains(word))
}

/// An error with its causes.
fn chain_of(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) { text } else { format!("{text}: {cause}") }
    })
}

impl From<Failure> for ChainError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Reverts(data) => Self::Nonsense(format!("a view reverts: {}", describe_revert(&data))),
            Failure::Fails(message) => Self::Nonsense(format!("a view fails: {message}")),
            Failure::Error { message, .. } if says(&message, NO_BLOCK) => Self::NoSuchBlock(message),
            Failure::Error { code, message } => Self::Endpoint(format!("{message} (code {code})")),
            Failure::Malformed(error) => Self::Endpoint(format!("its answer cannot be read: {error}")),
            Failure::Timeout => Self::Endpoint("no answer in time".into()),
            Failure::Unreachable(error) => Self::Endpoint(error),
        }
    }
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Reverts(data) => Self::Reverts {
                reason: describe_revert(&data),
                already_answered: data.starts_with(&TaskAlreadyAnswered::SELECTOR),
            },
            Failure::Fails(reason) => Self::Reverts { reason, already_answered: false },
            other => Self::Chain(other.into()),
        }
    }
}

/// Sorts what nodes say of a transaction: geth, reth, erigon, nethermind, besu and anvil use these words. Nothing where the
/// node has the transaction already.
pub(super) fn send_error(failure: Failure) -> Result<(), SendError> {
    let message = match &failure {
        Failure::Error { message, .. } | Failure::Fails(message) => message.clone(),
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
    use alloy::primitives::B256;

    fn error(code: i64, message: &str) -> Failure {
        let payload = serde_json::json!({ "code": code, "message": message });
        TransportError::ErrorResp(serde_json::from_value(payload).unwrap()).into()
    }

    #[test]
    fn an_answered_task_is_told_from_other_reverts() {
        let answered = TaskAlreadyAnswered { taskHash: B256::repeat_byte(1) };
        let failure = Failure::Reverts(answered.abi_encode().into());
        let CallError::Reverts { reason, already_answered: true } = failure.into() else { panic!() };
        assert!(reason.starts_with("TaskAlreadyAnswered(taskHash: 0x01"), "{reason}");
        let failure = Failure::Reverts(Bytes::new());
        assert!(matches!(failure.into(), CallError::Reverts { already_answered: false, .. }));
    }

    #[test]
    fn a_revert_is_found_in_what_nodes_answer() {
        let payload = serde_json::json!({
            "code": 3, "message": "execution reverted", "data": "0xfa55fc81"
        });
        let failure = Failure::from(TransportError::ErrorResp(serde_json::from_value(payload).unwrap()));
        assert_eq!(failure, Failure::Reverts(alloy::hex!("fa55fc81").into()));
        assert_eq!(error(-32000, "execution reverted"), Failure::Reverts(Bytes::new()));
        assert!(matches!(error(-32000, "gas required exceeds allowance (30000000)"), Failure::Fails(_)));
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

    #[test]
    fn a_range_that_is_too_large_and_a_block_that_is_gone_are_told_apart() {
        assert!(error(-32000, "exceed maximum block range: 5000").asked_too_much());
        assert!(!error(-32000, "header not found").asked_too_much());
        assert!(matches!(ChainError::from(error(-32000, "header not found")), ChainError::NoSuchBlock(_)));
    }
}
