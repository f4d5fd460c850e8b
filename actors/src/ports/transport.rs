//! What carries a message to another process, beneath the handle that a sender holds.

use anzen_messages::wire::{ActorName, Envelope};
use async_trait::async_trait;
use serde_json::value::RawValue;

/// Why a message did not arrive, or its reply did not come back. In every case but `Refused` the receiver may or may not
/// have seen it: messages are made so that sending one again is safe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// There is no connection; one is being made.
    #[error("no connection to {peer}: {error}")]
    Unreachable {
        /// Who was called.
        peer: String,
        /// What failed.
        error: String,
    },
    /// The connection broke, or nothing came back in time.
    #[error("no reply from {peer}: {error}")]
    NoReply {
        /// Who was called.
        peer: String,
        /// What failed.
        error: String,
    },
    /// The receiver is full; send again after a pause.
    #[error("{peer} is full")]
    Full {
        /// Who was called.
        peer: String,
    },
    /// The receiver will not have it: unknown message, wrong version, malformed, no session.
    #[error("{peer} refused: {error}")]
    Refused {
        /// Who was called.
        peer: String,
        /// What it said.
        error: String,
    },
}

/// A way to one actor in another process.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Carries `message`, which is called `name`, to `to`, and its reply back, waiting at most `timeout_ms`.
    async fn call(
        &self,
        to: ActorName,
        name: &'static str,
        message: Envelope,
        timeout_ms: u64,
    ) -> Result<Box<RawValue>, TransportError>;

    /// False while a message would wait for a connection, as far as is known.
    fn is_connected(&self) -> bool {
        true
    }
}
