//! How messages travel between processes. `docs/wire.md` is the reference for someone who writes the other end.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::TaskHash;
use crate::trace::TraceParent;

/// The actors, as configuration and routes name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorName {
    /// Follows the chain.
    ChainWatcher,
    /// Decides when a task is needed.
    TaskGenerator,
    /// Computes and signs answers.
    OperatorSigner,
    /// Accumulates signatures.
    SignatureCollector,
    /// Builds certificates and has them posted.
    Aggregator,
    /// Keeps recorded stakes fresh.
    StakeUpdater,
    /// Sends transactions of one key.
    TxSender,
    /// The edge that operators connect to.
    RpcGateway,
    /// Disputes wrong answers.
    Challenger,
}

impl ActorName {
    /// Every actor.
    pub const ALL: [Self; 9] = [
        Self::ChainWatcher,
        Self::TaskGenerator,
        Self::OperatorSigner,
        Self::SignatureCollector,
        Self::Aggregator,
        Self::StakeUpdater,
        Self::TxSender,
        Self::RpcGateway,
        Self::Challenger,
    ];

    /// Those of an aggregator; each comes after those that it talks to.
    pub const AGGREGATOR: [Self; 7] = [
        Self::ChainWatcher,
        Self::TxSender,
        Self::StakeUpdater,
        Self::TaskGenerator,
        Self::Aggregator,
        Self::SignatureCollector,
        Self::RpcGateway,
    ];

    /// Those of an operator.
    pub const OPERATOR: [Self; 2] = [Self::ChainWatcher, Self::OperatorSigner];

    /// Those of a challenger.
    pub const CHALLENGER: [Self; 3] = [Self::ChainWatcher, Self::TxSender, Self::Challenger];

    /// The actors that it sends to; the graph has no cycle.
    pub fn talks_to(self) -> &'static [Self] {
        match self {
            Self::TaskGenerator | Self::Aggregator | Self::StakeUpdater | Self::Challenger => {
                &[Self::ChainWatcher, Self::TxSender]
            }
            Self::SignatureCollector => &[Self::ChainWatcher, Self::Aggregator],
            Self::RpcGateway => &[Self::SignatureCollector],
            Self::TxSender | Self::OperatorSigner => &[Self::ChainWatcher],
            Self::ChainWatcher => &[],
        }
    }

    /// As configuration writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChainWatcher => "chain-watcher",
            Self::TaskGenerator => "task-generator",
            Self::OperatorSigner => "operator-signer",
            Self::SignatureCollector => "signature-collector",
            Self::Aggregator => "aggregator",
            Self::StakeUpdater => "stake-updater",
            Self::TxSender => "tx-sender",
            Self::RpcGateway => "rpc-gateway",
            Self::Challenger => "challenger",
        }
    }
}

impl fmt::Display for ActorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A message that may cross processes.
pub trait Wire:
    actix::Message<Result = <Self as Wire>::Reply> + Serialize + DeserializeOwned + Send + 'static
{
    /// What the receiver answers.
    type Reply: Serialize + DeserializeOwned + Send + 'static;
    /// The stable name: the JSON-RPC method.
    const NAME: &'static str;
    /// Counts up whenever an older receiver could misread a newer message.
    const VERSION: u16;
    /// The actor that it is for.
    const TO: ActorName;
    /// The most bytes of JSON that a receiver reads.
    const MOST_BYTES: usize;
    /// How long a sender waits for the reply, in milliseconds.
    const TIMEOUT_MS: u64;

    /// The task that it is about, for logs and traces.
    fn task(&self) -> Option<TaskHash> {
        None
    }
}

/// What surrounds every message on the wire.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    /// [`Wire::VERSION`] of the message.
    pub version: u16,
    /// The span that the message was sent in, where the sender records traces. It may be anything a stranger likes; what
    /// is malformed is read as nothing.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "TraceParent::deserialize_leniently"
    )]
    pub trace: Option<TraceParent>,
    /// The message.
    pub body: Box<RawValue>,
}

/// Why a message was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Larger than the message's limit.
    #[error("{name} has {size} bytes and may have {most}")]
    TooLarge {
        /// The message.
        name: &'static str,
        /// What came.
        size: usize,
        /// The limit.
        most: usize,
    },
    /// Of a version that this process does not speak.
    #[error("{name} came in version {got}, this process speaks {known}; upgrade the older of the two")]
    Version {
        /// The message.
        name: &'static str,
        /// What came.
        got: u16,
        /// What is spoken.
        known: u16,
    },
    /// Not the JSON that the message is.
    #[error("{name} is malformed: {error}")]
    Malformed {
        /// The message.
        name: &'static str,
        /// Where and why.
        error: String,
    },
}

impl Envelope {
    /// Wraps a message.
    ///
    /// # Errors
    /// Where the message is larger than receivers accept.
    pub fn seal<M: Wire>(message: &M) -> Result<Self, DecodeError> {
        let body = serde_json::value::to_raw_value(message)
            .map_err(|error| DecodeError::Malformed { name: M::NAME, error: error.to_string() })?;
        check_size::<M>(&body)?;
        Ok(Self { version: M::VERSION, trace: None, body })
    }

    /// With the span that the message is sent in.
    #[must_use]
    pub fn traced(self, trace: Option<TraceParent>) -> Self {
        Self { trace, ..self }
    }

    /// Reads the message.
    ///
    /// # Errors
    /// Where it is too large, of another version, or malformed.
    pub fn open<M: Wire>(&self) -> Result<M, DecodeError> {
        if self.version != M::VERSION {
            return Err(DecodeError::Version { name: M::NAME, got: self.version, known: M::VERSION });
        }
        check_size::<M>(&self.body)?;
        serde_json::from_str(self.body.get())
            .map_err(|error| DecodeError::Malformed { name: M::NAME, error: error.to_string() })
    }
}

fn check_size<M: Wire>(body: &RawValue) -> Result<(), DecodeError> {
    let size = body.get().len();
    if size > M::MOST_BYTES {
        return Err(DecodeError::TooLarge { name: M::NAME, size, most: M::MOST_BYTES });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trace_of(text: &str) -> Option<TraceParent> {
        serde_json::from_str::<Envelope>(text).unwrap().trace
    }

    #[test]
    fn a_trace_is_never_a_reason_to_refuse_a_message() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(trace_of(&format!(r#"{{"version":1,"trace":"{good}","body":{{}}}}"#)), good.parse().ok());
        assert_eq!(trace_of(r#"{"version":1,"body":{}}"#), None);
        for odd in ["null", "7", "[]", r#"{"a":1}"#, "\"\"", r#""\u0030""#, "true"] {
            assert_eq!(trace_of(&format!(r#"{{"version":1,"trace":{odd},"body":{{}}}}"#)), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn no_text_in_its_place_is_an_error(text: String) {
            let envelope = serde_json::json!({ "version": 1, "trace": text, "body": {} }).to_string();
            trace_of(&envelope);
        }
    }
}
