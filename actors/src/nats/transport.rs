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
use tokio::time::{Instant, sleep, timeout_at};
use tracing::debug;

use super::bus::Bus;
use super::replies::Reply;
use super::subjects::is_question;
use crate::ports::{Transport, TransportError};
use crate::retry::{Backoff, Pauses};

/// Where the reply to a message goes; JetStream has the usual place for itself.
pub(super) const REPLY_TO: &str = "Anzen-Reply";
/// What the server says where a stream has as much as it may.
const NO_ROOM: [&str; 3] =
    ["maximum bytes exceeded", "maximum messages exceeded", "maximum messages per subject exceeded"];
/// Pauses before what the server has not kept is sent again.
const AGAIN: Backoff = Backoff { first_ms: 50, longest_ms: 1_000 };
/// After so long without an answer a question is put again: most wait for the next block.
const PUT_AGAIN: Duration = Duration::from_secs(3);

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
        let deadline = Instant::now() + limit;
        let reply = match is_question(name) {
            true => self.ask(to, name, payload, deadline).await,
            false => self.keep(to, name, payload, deadline).await,
        };
        reply?.into_result(to.to_string())
    }

    /// Whoever is there answers, or nobody. Who has the question may be killed with it, and nobody tells; nor does a server that
    /// was restarted. So it is put again and again, and the first answer counts.
    async fn ask(
        &self,
        to: ActorName,
        name: &'static str,
        payload: Vec<u8>,
        deadline: Instant,
    ) -> Result<Reply, TransportError> {
        timeout_at(deadline, self.0.connection()).await.map_err(|_| unreachable(to, &NO_CONNECTION))?;
        let limit = deadline.saturating_duration_since(Instant::now());
        let subject = self.0.subjects.message(to, name);
        let mut answers = FuturesUnordered::new();
        let answer = loop {
            let request = Request::new().payload(payload.clone().into()).timeout(Some(limit));
            answers.push(self.0.client.send_request(subject.clone(), request));
            let again = async {
                sleep(PUT_AGAIN).await;
                self.0.connection().await;
            };
            tokio::select! {
                Some(answer) = answers.next() => break answer,
                () = again => {}
            }
        };
        let answer = answer.map_err(|error| unreachable(to, &error))?;
        serde_json::from_slice(&answer.payload).map_err(|error| refused(to, &error))
    }

    /// The server keeps the message until it has been handled, or the caller has given up: who gives up asks again, and the
    /// copies would pile up where the receiver is away.
    async fn keep(
        &self,
        to: ActorName,
        name: &'static str,
        payload: Vec<u8>,
        deadline: Instant,
    ) -> Result<Reply, TransportError> {
        let bus = &self.0;
        let mut call = bus.waiting.open();
        let reply_to = bus.subjects.reply(&bus.deps.process, call.number);
        let publish = PublishMessage::build()
            .payload(payload.into())
            .header(REPLY_TO, reply_to.as_str())
            // The same message, should its receipt be lost and it be sent again.
            .header(header::NATS_MESSAGE_ID, reply_to.as_str());
        let placed = timeout_at(deadline, self.place(to, name, publish)).await;
        let place = placed.map_err(|_| unreachable(to, &NO_CONNECTION))??;
        match timeout_at(deadline, &mut call.reply).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) => Err(no_reply(to, "the bus is gone")),
            Err(_) => {
                tokio::spawn(take_back(Arc::clone(bus), place));
                Err(no_reply(to, "the time limit has passed"))
            }
        }
    }

    /// Has the server keep a message, however long that takes, and returns its place there. Nothing is sent while there is no
    /// connection: the client would hold it back and send it whenever there is one, with all that was sent meanwhile.
    async fn place(
        &self,
        to: ActorName,
        name: &'static str,
        publish: PublishMessage,
    ) -> Result<u64, TransportError> {
        let subject = self.0.subjects.message(to, name);
        let mut pauses = Pauses::new(AGAIN);
        loop {
            self.0.connection().await;
            match self.publish(&subject, publish.clone()).await {
                Ok(receipt) => return Ok(receipt.sequence),
                Err(Unkept::Full) => return Err(TransportError::Full { peer: to.to_string() }),
                Err(Unkept::Never(error)) => return Err(refused(to, &error)),
                Err(Unkept::Yet(error)) => debug!(%error, %subject, "not kept by the server yet"),
            }
            sleep(pauses.next(self.0.deps.rng.as_ref())).await;
        }
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

/// Why a message was not kept in time, as far as is known.
const NO_CONNECTION: &str = "the NATS server did not take it in time";

/// Removes a message from the server that nobody waits for any more.
async fn take_back(bus: Arc<Bus>, place: u64) {
    let outcome = match bus.jetstream.get_stream_no_info(bus.subjects.stream()).await {
        Ok(stream) => stream.delete_message(place).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = outcome {
        debug!(%error, "a message that nobody waits for stays on the server; it is handled all the same");
    }
}

fn unreachable(to: ActorName, error: &dyn std::fmt::Display) -> TransportError {
    TransportError::Unreachable { peer: to.to_string(), error: error.to_string() }
}

fn no_reply(to: ActorName, error: &str) -> TransportError {
    TransportError::NoReply { peer: to.to_string(), error: error.into() }
}

fn refused(to: ActorName, error: &dyn std::fmt::Display) -> TransportError {
    TransportError::Refused { peer: to.to_string(), error: error.to_string() }
}

#[async_trait]
impl Transport for NatsTransport {
    async fn call(&self, to: ActorName, name: &'static str, message: Envelope, timeout_ms: u64) -> Answer {
        let answer = self.carry(to, name, &message, Duration::from_millis(timeout_ms)).await;
        self.0.deps.metrics.called(match &answer {
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
