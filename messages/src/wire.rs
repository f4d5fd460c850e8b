//! How messages travel between processes. `docs/wire.md` is the reference for someone who writes the other end.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

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
}

impl ActorName {
    /// Every actor.
    pub const ALL: [Self; 8] = [
        Self::ChainWatcher,
        Self::TaskGenerator,
        Self::OperatorSigner,
        Self::SignatureCollector,
        Self::Aggregator,
        Self::StakeUpdater,
        Self::TxSender,
        Self::RpcGateway,
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

    /// The actors that it sends to; the graph has no cycle.
    pub fn talks_to(self) -> &'static [Self] {
        match self {
            Self::TaskGenerator | Self::Aggregator | Self::StakeUpdater => {
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
}

/// What surrounds every message on the wire.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    /// [`Wire::VERSION`] of the message.
    pub version: u16,
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
        Ok(Self { version: M::VERSION, body })
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
