//! What an endpoint's errors mean.

use alloy::primitives::Bytes;
use alloy::sol_types::SolError;
use alloy::transports::http::reqwest;
use alloy::transports::{RpcError, TransportError};
use anzen_contracts::AnzenTaskManager::TaskAlreadyAnswered;
use anzen_contracts::revert::describe_revert;

use super::endpoint::redacted;
use crate::ports::{CallError, ChainError};

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The contract reverts, with this data.
    Reverts(Bytes),
    /// The call cannot be executed for another reason.
    Fails(String),
    /// The call ran out of the gas that the node gave it: another node may give it more.
    OutOfGas(String),
    /// The node answered with an error.
    Error { code: i64, message: String },
    /// The answer is not what was asked for.
    Malformed(String),
    /// The answer is longer than this many bytes.
    TooLong(usize),
    /// Nothing came back in time.
    Timeout,
    /// The question may have reached the node, and no answer came back.
    Unreachable(String),
    /// The question did not reach the node.
    NotReached(String),
    /// The node serves another chain.
    OtherChain { found: u64, expected: u64 },
}

impl Failure {
    /// All that [`Failure::outcome`] says, and `ok`.
    pub(super) const OUTCOMES: [&str; 5] = ["ok", "reverted", "error", "timeout", "unreachable"];

    /// For the metric.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::Reverts(_) => "reverted",
            Self::Timeout => "timeout",
            Self::Unreachable(_) | Self::NotReached(_) => "unreachable",
            _ => "error",
        }
    }

    /// True where the same question about fewer blocks may be answered.
    pub(super) fn asked_too_much(&self) -> bool {
        match self {
            Self::Timeout | Self::TooLong(_) => true,
            Self::Error { code, message } => anzen_deploy::chain::asked_too_much(*code, message),
            _ => false,
        }
    }

    /// True where nothing is heard of the node.
    pub(super) fn is_silence(&self) -> bool {
        self.is_away() || *self == Self::Timeout
    }

    /// True where the connection to the node has ended: one that is only slow is still the same.
    pub(super) fn is_away(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::NotReached(_))
    }

    /// True where another node need not fail: it is not the question's fault.
    pub(super) fn is_of_the_node(&self) -> bool {
        match self {
            Self::Reverts(_) | Self::Fails(_) => false,
            Self::Error { .. } => !self.asked_too_much(),
            _ => true,
        }
    }

    /// True where the node had better be left alone for a while.
    pub(super) fn condemns(&self) -> bool {
        match self {
            Self::Error { message, .. } => says(message, BUSY),
            Self::Malformed(_) | Self::OtherChain { .. } => true,
            _ => self.is_silence(),
        }
    }

    /// A node refuses, and does not say why in JSON.
    pub(super) fn of_status(status: reqwest::StatusCode) -> Self {
        match status {
            reqwest::StatusCode::TOO_MANY_REQUESTS => {
                Self::Error { code: -32005, message: "rate limit exceeded (HTTP 429)".into() }
            }
            status => Self::Unreachable(format!("HTTP {status}")),
        }
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        let text = redacted(&chain_of(&error));
        match error {
            error if error.is_connect() || error.is_builder() => Self::NotReached(text),
            error if error.is_timeout() => Self::Timeout,
            _ => Self::Unreachable(text),
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
                    None if says(&message, OUT_OF_GAS) => Self::OutOfGas(message),
                    // Nethermind, Parity: the reason stands beside.
                    None if payload.data.as_ref().is_some_and(|data| says(data.get(), OUT_OF_GAS)) => {
                        Self::OutOfGas(message)
                    }
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

/// What nodes say where they give a call too little gas. How much that is, their operators set (`--rpc.gascap`).
const OUT_OF_GAS: &[&str] =
    &["out of gas", "outofgas", "gas required exceeds", "required gas exceeds", "intrinsic gas"];
/// What nodes say where a call fails other than by a revert.
const EXECUTION: &[&str] = &["invalid opcode", "vm execution error", "vm exception"];
/// What nodes say to one who asks too often.
const BUSY: &[&str] = &["rate limit", "per second", "too many requests", "capacity", "quota"];
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

pub(super) fn says(message: &str, words: &[&str]) -> bool {
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
            Failure::OutOfGas(message) => {
                Self::Endpoint(format!("it gives a call too little gas: {message}"))
            }
            Failure::Error { message, .. } if says(&message, NO_BLOCK) => Self::NoSuchBlock(message),
            Failure::Error { code, message } => Self::Endpoint(format!("{message} (code {code})")),
            Failure::Malformed(error) => Self::Endpoint(format!("its answer cannot be read: {error}")),
            Failure::TooLong(bytes) => {
                Self::Endpoint(format!("its answer is longer than {bytes} bytes (chain.longest_answer)"))
            }
            Failure::Timeout => Self::Endpoint("no answer in time".into()),
            Failure::Unreachable(error) | Failure::NotReached(error) => Self::Endpoint(error),
            Failure::OtherChain { found, expected } => {
                Self::Nonsense(format!("the chain's id is {found} and should be {expected}"))
            }
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
            // Nobody gives it more.
            Failure::Fails(reason) | Failure::OutOfGas(reason) => {
                Self::Reverts { reason, already_answered: false }
            }
            other => Self::Chain(other.into()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use alloy::primitives::B256;

    pub(crate) fn error(code: i64, message: &str) -> Failure {
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
        assert!(matches!(error(-32000, "invalid opcode: INVALID"), Failure::Fails(_)));
    }

    /// How much gas a node gives a call is its operator's choice, and its operator's alone.
    #[test]
    fn a_call_that_runs_out_of_gas_is_taken_to_a_node_that_gives_it_more() {
        let geth = error(-32000, "out of gas");
        let reth = error(-32003, "out of gas: gas required exceeds: 50000000");
        let anvil = error(-32603, "EVM error OutOfGas");
        let payload =
            serde_json::json!({ "code": -32015, "message": "VM execution error.", "data": "OutOfGas" });
        let nethermind = TransportError::ErrorResp(serde_json::from_value(payload).unwrap()).into();
        for failure in [geth, reth, anvil, nethermind] {
            assert!(failure.is_of_the_node() && !failure.condemns(), "{failure:?}");
            assert!(matches!(ChainError::from(failure.clone()), ChainError::Endpoint(_)), "{failure:?}");
        }
    }

    /// What all nodes say of an estimate is final: the same call takes no less tomorrow.
    #[test]
    fn a_transaction_that_no_node_has_the_gas_for_is_one_that_reverts() {
        let failure = error(-32000, "gas required exceeds allowance (16777216)");
        assert!(matches!(failure.into(), CallError::Reverts { already_answered: false, .. }));
    }

    #[test]
    fn a_range_that_is_too_large_and_a_block_that_is_gone_are_told_apart() {
        assert!(error(-32000, "exceed maximum block range: 5000").asked_too_much());
        assert!(!error(-32000, "header not found").asked_too_much());
        assert!(Failure::TooLong(1).asked_too_much());
        assert!(matches!(ChainError::from(error(-32000, "header not found")), ChainError::NoSuchBlock(_)));
    }

    /// What the contract says, everybody says; what is busy, behind or away is another matter.
    #[test]
    fn a_question_is_taken_elsewhere_where_that_may_help() {
        let busy = error(-32005, "too many requests, 10 per second");
        let behind = error(-32000, "header not found");
        let large = error(-32005, "query returned more than 10000 results");
        let reverts = Failure::Reverts(Bytes::new());
        let told = |failure: &Failure| (failure.is_of_the_node(), failure.condemns());
        assert_eq!(
            [&busy, &behind, &large, &reverts].map(told),
            [(true, true), (true, false), (false, false), (false, false)]
        );
        assert_eq!(told(&Failure::Timeout), (true, true));
    }
}
