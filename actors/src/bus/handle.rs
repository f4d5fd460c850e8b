//! A way to send one kind of message, whatever the distance.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anzen_messages::wire::{DecodeError, Envelope, Wire};
use futures::future::BoxFuture;

use crate::ports::{Transport, TransportError};
use crate::telemetry;

/// Why a message was not answered. Sending any message again is safe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The receiver has as much to do as it takes on. Send again after a pause.
    #[error("{0} is full")]
    Full(String),
    /// The receiver has stopped.
    #[error("{0} has stopped")]
    Closed(String),
    /// The receiver is in another process, and did not answer.
    #[error(transparent)]
    Transport(TransportError),
    /// The reply, or the message itself, is not what both ends should speak.
    #[error("{0}")]
    Codec(String),
}

impl From<TransportError> for DeliveryError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Full { peer } => Self::Full(peer),
            other => Self::Transport(other),
        }
    }
}

impl From<DecodeError> for DeliveryError {
    fn from(error: DecodeError) -> Self {
        Self::Codec(error.to_string())
    }
}

/// Carries a message of one kind to its actor and the reply back.
pub(super) trait Deliver<M: Wire>: Send + Sync {
    fn deliver(&self, message: M) -> BoxFuture<'static, Result<M::Reply, DeliveryError>>;

    fn is_reachable(&self) -> bool;
}

/// Sends messages of one kind to the actor that they are for. Cheap to clone.
pub struct Handle<M: Wire>(Arc<dyn Deliver<M>>);

impl<M: Wire> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Wire> fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({})", M::NAME)
    }
}

impl<M: Wire> Handle<M> {
    pub(super) fn new(deliver: impl Deliver<M> + 'static) -> Self {
        Self(Arc::new(deliver))
    }

    /// A handle to an actor in another process.
    pub fn remote(transport: Arc<dyn Transport>) -> Self {
        Self::new(Remote(transport))
    }

    /// Sends, and waits for the reply.
    ///
    /// # Errors
    /// Where the receiver is full, stopped, or out of reach.
    pub async fn ask(&self, message: M) -> Result<M::Reply, DeliveryError> {
        self.0.deliver(message).await
    }

    /// False while a message would have nobody to go to, as far as is known: for a health report, not to decide by.
    pub fn is_reachable(&self) -> bool {
        self.0.is_reachable()
    }
}

struct Remote(Arc<dyn Transport>);

impl<M: Wire> Deliver<M> for Remote {
    fn deliver(&self, message: M) -> BoxFuture<'static, Result<M::Reply, DeliveryError>> {
        let transport = Arc::clone(&self.0);
        Box::pin(async move {
            let envelope = Envelope::seal(&message)?.traced(telemetry::current());
            let call = transport.call(M::TO, M::NAME, envelope, M::TIMEOUT_MS);
            // The transport keeps the time limit as well; this one holds whatever the transport does.
            let limit = Duration::from_millis(M::TIMEOUT_MS) + Duration::from_secs(1);
            let reply = tokio::time::timeout(limit, call).await.map_err(|_| TransportError::NoReply {
                peer: M::TO.to_string(),
                error: "the time limit has passed".into(),
            })??;
            serde_json::from_str(reply.get())
                .map_err(|error| DeliveryError::Codec(format!("{} was answered with {error}", M::NAME)))
        })
    }

    fn is_reachable(&self) -> bool {
        self.0.is_connected()
    }
}
