//! Hands messages that came from another process to the actors of this one.

use std::collections::BTreeMap;
use std::sync::Arc;

use anzen_messages::wire::{DecodeError, Envelope, Wire};
use futures::future::BoxFuture;
use serde_json::value::RawValue;
use tracing::Instrument;

use super::handle::{DeliveryError, Handle};
use crate::telemetry;

/// Why a message from outside was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DispatchError {
    /// No actor of this process takes messages of that name.
    #[error("no actor of this process takes {0}; check the links of the configuration")]
    Unknown(String),
    /// The message cannot be read.
    #[error(transparent)]
    Unreadable(#[from] DecodeError),
    /// The actor's reply cannot be written as JSON.
    #[error("the reply cannot be encoded: {0}")]
    Reply(String),
    /// The actor did not answer.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
}

type Entry = Arc<dyn Fn(Envelope) -> BoxFuture<'static, Result<Box<RawValue>, DispatchError>> + Send + Sync>;

/// The messages that this process takes, by name.
#[derive(Clone, Default)]
pub struct Dispatcher(BTreeMap<&'static str, Entry>);

impl Dispatcher {
    /// Takes messages of one kind for the actor behind `handle`.
    pub fn accept<M: Wire>(&mut self, handle: Handle<M>) {
        let entry = move |envelope: Envelope| -> BoxFuture<'static, Result<Box<RawValue>, DispatchError>> {
            let handle = handle.clone();
            Box::pin(async move {
                let message = envelope.open::<M>()?;
                let span = telemetry::receive(&message, envelope.trace);
                let reply = handle.ask(message).instrument(span).await?;
                serde_json::value::to_raw_value(&reply)
                    .map_err(|error| DispatchError::Reply(error.to_string()))
            })
        };
        self.0.insert(M::NAME, Arc::new(entry));
    }

    /// Hands a message over and returns the encoded reply.
    ///
    /// # Errors
    /// Where nobody takes it, it cannot be read, or the actor is full or gone.
    pub async fn dispatch(&self, name: &str, envelope: Envelope) -> Result<Box<RawValue>, DispatchError> {
        match self.0.get(name) {
            Some(entry) => entry(envelope).await,
            None => Err(DispatchError::Unknown(name.to_owned())),
        }
    }
}
