//! The receiver's end.

use std::sync::Arc;
use std::time::Duration;

use anzen_messages::wire::{ActorName, Envelope};
use async_nats::Subscriber;
use async_nats::jetstream::{self, AckKind};
use futures::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::bus::Bus;
use super::error::NatsError;
use super::replies::Reply;
use super::setup::{ACK_WAIT, MOST_IN_HAND};
use super::subjects::last;
use super::transport::REPLY_TO;
use crate::bus::{DispatchError, Dispatcher};

/// How long an actor that is full is left alone.
const FULL_PAUSE: Duration = Duration::from_millis(250);
/// How long to wait where the server cannot be asked.
const PAUSE: Duration = Duration::from_millis(500);
/// The most questions of others that wait for an answer; most wait for the next block.
const MOST_QUESTIONS: usize = 4096;
/// As many messages are fetched at once.
const BATCH: usize = 256;

/// Hands messages for `actors` from the bus to the actors of this process, until `stop`.
pub async fn serve(bus: Arc<Bus>, actors: Vec<ActorName>, dispatcher: Dispatcher, stop: CancellationToken) {
    let dispatcher = Arc::new(dispatcher);
    let mut all = JoinSet::new();
    for actor in actors {
        let kept = Receiver { bus: bus.clone(), actor, dispatcher: dispatcher.clone() };
        let questions = Receiver { bus: bus.clone(), actor, dispatcher: dispatcher.clone() };
        all.spawn(async move { kept.take_kept().await });
        all.spawn(async move { questions.take_questions().await });
    }
    stop.cancelled().await;
    // What is in hand is handed out again to whoever runs the actor next.
    all.shutdown().await;
}

struct Receiver {
    bus: Arc<Bus>,
    actor: ActorName,
    dispatcher: Arc<Dispatcher>,
}

impl Receiver {
    async fn take_kept(&self) {
        let room = Arc::new(Semaphore::new(MOST_IN_HAND));
        let mut told = false;
        loop {
            match self.take_some(&room).await {
                Ok(()) => told = false,
                Err(error) if told => debug!(%error, actor = %self.actor, "no messages from the bus"),
                Err(error) => {
                    warn!(%error, actor = %self.actor, "no messages from the bus; trying again");
                    told = true;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Takes messages until the server fails.
    async fn take_some(&self, room: &Arc<Semaphore>) -> Result<(), NatsError> {
        let consumer = self.bus.consumer(self.actor).await?;
        let messages = consumer.stream().max_messages_per_batch(BATCH).messages().await;
        let mut messages = messages.map_err(|error| self.bus.server_error(error))?;
        let mut in_hand = JoinSet::new();
        loop {
            // Never closed.
            let Ok(permit) = Arc::clone(room).acquire_owned().await else { return Ok(()) };
            let message = tokio::select! {
                message = messages.next() => message,
                Some(_) = in_hand.join_next() => continue,
            };
            match message {
                Some(Ok(message)) => {
                    in_hand.spawn(handle_kept(self.bus.clone(), self.dispatcher.clone(), message, permit));
                }
                Some(Err(error)) => return Err(self.bus.server_error(error)),
                None => return Ok(()),
            }
        }
    }

    /// The client subscribes anew after every connection; where a subscription ends all the same, this does.
    async fn take_questions(&self) {
        let room = Arc::new(Semaphore::new(MOST_QUESTIONS));
        loop {
            let why = match self.subscribe().await {
                Ok(questions) => {
                    self.answer_all(questions, &room).await;
                    "the subscription has ended".to_owned()
                }
                Err(error) => error.to_string(),
            };
            warn!(why, actor = %self.actor, "no questions from the bus; subscribing again");
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn subscribe(&self) -> Result<Subscriber, NatsError> {
        let subject = self.bus.subjects.questions_to(self.actor);
        let questions = self.bus.client.queue_subscribe(subject, self.actor.to_string()).await;
        questions.map_err(|error| self.bus.server_error(error))
    }

    async fn answer_all(&self, mut questions: Subscriber, room: &Arc<Semaphore>) {
        let mut in_hand = JoinSet::new();
        loop {
            let question = tokio::select! {
                question = questions.next() => question,
                Some(_) = in_hand.join_next() => continue,
            };
            let Some(question) = question else { return };
            let permit = Arc::clone(room).try_acquire_owned().ok();
            in_hand.spawn(answer(self.bus.clone(), self.dispatcher.clone(), question, permit));
        }
    }
}

async fn answer(
    bus: Arc<Bus>,
    dispatcher: Arc<Dispatcher>,
    question: async_nats::Message,
    permit: Option<OwnedSemaphorePermit>,
) {
    let Some(to) = question.reply else { return };
    let reply = match permit {
        Some(_) => Reply::from(dispatch(&dispatcher, &question.subject, &question.payload).await),
        None => Reply::Full,
    };
    bus.deps.metrics.received(reply.outcome());
    send(&bus, to.as_str(), &reply).await;
}

/// A message leaves the server when its actor has replied, or will never have it.
async fn handle_kept(
    bus: Arc<Bus>,
    dispatcher: Arc<Dispatcher>,
    message: jetstream::Message,
    _in_hand: OwnedSemaphorePermit,
) {
    let work = dispatch(&dispatcher, &message.subject, &message.payload);
    tokio::pin!(work);
    let reply = loop {
        match tokio::time::timeout(ACK_WAIT / 3, &mut work).await {
            Ok(outcome) => break Reply::from(outcome),
            // Otherwise the server would hand it out again.
            Err(_) => acknowledge(&message, AckKind::Progress).await,
        }
    };
    bus.deps.metrics.received(reply.outcome());
    if let Reply::Full = reply {
        return acknowledge(&message, AckKind::Nak(Some(FULL_PAUSE))).await;
    }
    if let Reply::Failed(error) = &reply {
        // The actor has stopped, and its process is about to.
        debug!(%error, subject = %message.subject, "a message is left for the actor's next start");
        return acknowledge(&message, AckKind::Nak(Some(FULL_PAUSE))).await;
    }
    let to = message.headers.as_ref().and_then(|headers| headers.get(REPLY_TO));
    if let Some(to) = to.filter(|to| bus.subjects.is_reply(to.as_str())) {
        send(&bus, to.as_str(), &reply).await;
    }
    let done = match &reply {
        Reply::Refused(error) => {
            warn!(%error, subject = %message.subject, "a message of the bus was refused");
            AckKind::Term
        }
        _ => AckKind::Ack,
    };
    acknowledge(&message, done).await;
}

/// Hands a message to its actor, and yields the reply.
pub(super) async fn dispatch(
    dispatcher: &Dispatcher,
    subject: &str,
    payload: &[u8],
) -> Result<Box<serde_json::value::RawValue>, DispatchError> {
    let name = last(subject);
    let malformed = |error: serde_json::Error| DispatchError::Unknown(format!("{name} as it came ({error})"));
    let envelope: Envelope = serde_json::from_slice(payload).map_err(malformed)?;
    dispatcher.dispatch(name, envelope).await
}

async fn send(bus: &Bus, to: &str, reply: &Reply) {
    let outcome = match serde_json::to_vec(reply) {
        Ok(payload) => {
            bus.client.publish(to.to_owned(), payload.into()).await.map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = outcome {
        debug!(%error, to, "a reply could not be sent; whoever waits for it asks again");
    }
}

async fn acknowledge(message: &jetstream::Message, kind: AckKind) {
    if let Err(error) = message.ack_with(kind).await {
        debug!(%error, subject = %message.subject, "the server was not told; it hands the message out again");
    }
}
