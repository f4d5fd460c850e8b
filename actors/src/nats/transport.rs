//! The sender's end.

use std::sync::Arc;
use std::time::Duration;

use anzen_messages::wire::{ActorName, Envelope};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::{Request, header};
use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::value::RawValue;
use tokio::time::{sleep, timeout};
use tracing::debug;

use super::bus::Bus;
use super::replies::Reply;
use super::subjects::is_question;
use crate::ports::{Transport, TransportError};
use crate::retry::doubled;

/// Where the reply to a message goes; JetStream has the usual place for itself.
pub(super) const REPLY_TO: &str = "Anzen-Reply";
/// What the server says where a stream has as much as it may.
const NO_ROOM: [&str; 2] = ["maximum bytes exceeded", "maximum messages exceeded"];
/// After so long without an answer a question is put again: most wait for the next block.
const PUT_AGAIN: Duration = Duration::from_secs(3);
const FIRST_PAUSE_MS: u64 = 50;
const LONGEST_PAUSE_MS: u64 = 1_000;

/// The way to actors of other processes, through the bus.
pub struct NatsTransport(Arc<Bus>);

impl NatsTransport {
    /// Through this bus.
    pub fn new(bus: Arc<Bus>) -> Self {
        Self(bus)
    }

    async fn carry(&self, to: ActorName, name: &'static str, message: &Envelope, limit: Duration) -> Answer {
        let payload = serde_json::to_vec(message);
        let payload = payload.map_err(|error| refused(to, &error))?;
        let outcome = if is_question(name) {
            self.ask(to, name, payload, limit).await
        } else {
            let keep = self.keep(to, name, payload);
            let late = || TransportError::NoReply {
                peer: to.to_string(),
                error: "the time limit has passed".into(),
            };
            timeout(limit, keep).await.unwrap_or_else(|_| Err(late()))
        };
        outcome?.into_result(to.to_string())
    }

    /// Whoever is there answers, or nobody. Who has the question may be killed with it, and nobody tells; nor does a server that
    /// was restarted. So it is put again and again, and the first answer counts.
    async fn ask(
        &self,
        to: ActorName,
        name: &'static str,
        payload: Vec<u8>,
        limit: Duration,
    ) -> Result<Reply, TransportError> {
        let subject = self.0.subjects.message(to, name);
        let mut answers = FuturesUnordered::new();
        let answer = loop {
            let request = Request::new().payload(payload.clone().into()).timeout(Some(limit));
            answers.push(self.0.client.send_request(subject.clone(), request));
            tokio::select! {
                Some(answer) = answers.next() => break answer,
                () = sleep(PUT_AGAIN) => {}
            }
        };
        let answer = answer.map_err(|error| TransportError::Unreachable {
            peer: to.to_string(),
            error: error.to_string(),
        })?;
        serde_json::from_slice(&answer.payload).map_err(|error| refused(to, &error))
    }

    /// The server keeps the message until it has been handled.
    async fn keep(
        &self,
        to: ActorName,
        name: &'static str,
        payload: Vec<u8>,
    ) -> Result<Reply, TransportError> {
        let bus = &self.0;
        let mut call = bus.waiting.open();
        let reply_to = bus.subjects.reply(&bus.process, call.number);
        let subject = bus.subjects.message(to, name);
        let publish = PublishMessage::build()
            .payload(payload.into())
            .header(REPLY_TO, reply_to.as_str())
            // The same message, should its receipt be lost and it be sent again.
            .header(header::NATS_MESSAGE_ID, reply_to.as_str());
        let mut failures = 0;
        loop {
            match self.publish(&subject, publish.clone()).await {
                Ok(_) => break,
                Err(Unkept::Full) => return Err(TransportError::Full { peer: to.to_string() }),
                Err(Unkept::Never(error)) => return Err(refused(to, &error)),
                Err(Unkept::Yet(error)) => debug!(%error, %subject, "not kept by the server yet"),
            }
            failures += 1;
            sleep(Duration::from_millis(doubled(FIRST_PAUSE_MS, failures, LONGEST_PAUSE_MS))).await;
        }
        let gone = |_| TransportError::NoReply { peer: to.to_string(), error: "the bus is gone".into() };
        (&mut call.reply).await.map_err(gone)
    }

    async fn publish(&self, subject: &str, publish: PublishMessage) -> Result<PublishAck, Unkept> {
        let outcome = match self.0.jetstream.send_publish(subject.to_owned(), publish).await {
            Ok(receipt) => receipt.await,
            Err(error) => Err(error),
        };
        let error = match outcome {
            Ok(receipt) => return Ok(receipt),
            Err(error) => error,
        };
        let text = error.to_string();
        match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => Err(Unkept::Never(text)),
            PublishErrorKind::StreamNotFound => {
                // The receiver makes it as well; whoever comes first.
                let made = self.0.stream().await;
                Err(Unkept::Yet(made.err().map_or(text, |error| error.to_string())))
            }
            _ if NO_ROOM.iter().any(|no_room| text.contains(no_room)) => Err(Unkept::Full),
            _ => Err(Unkept::Yet(text)),
        }
    }
}

type Answer = Result<Box<RawValue>, TransportError>;

/// Why the server has not kept a message.
enum Unkept {
    Full,
    Never(String),
    Yet(String),
}

fn refused(to: ActorName, error: &dyn std::fmt::Display) -> TransportError {
    TransportError::Refused { peer: to.to_string(), error: error.to_string() }
}

#[async_trait]
impl Transport for NatsTransport {
    async fn call(&self, to: ActorName, name: &'static str, message: Envelope, timeout_ms: u64) -> Answer {
        let answer = self.carry(to, name, &message, Duration::from_millis(timeout_ms)).await;
        self.0.metrics.called(match &answer {
            Ok(_) => "done",
            Err(TransportError::Full { .. }) => "full",
            Err(TransportError::Refused { .. }) => "refused",
            Err(TransportError::Unreachable { .. } | TransportError::NoReply { .. }) => "unanswered",
        });
        answer
    }

    fn is_connected(&self) -> bool {
        self.0.is_connected()
    }
}
