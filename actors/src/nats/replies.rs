//! Replies, and who waits for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use crate::bus::{DeliveryError, DispatchError};
use crate::ports::TransportError;

/// What comes back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Reply {
    /// The actor's reply.
    Done(Box<RawValue>),
    /// It has as much to do as it takes on.
    Full,
    /// It will never have this message, or its reply can never be written.
    Refused(String),
    /// It has stopped.
    Failed(String),
}

impl From<Result<Box<RawValue>, DispatchError>> for Reply {
    fn from(outcome: Result<Box<RawValue>, DispatchError>) -> Self {
        match outcome {
            Ok(reply) => Self::Done(reply),
            Err(DispatchError::Delivery(DeliveryError::Full(_))) => Self::Full,
            Err(error @ DispatchError::Delivery(DeliveryError::Closed(_) | DeliveryError::Transport(_))) => {
                Self::Failed(error.to_string())
            }
            // Another attempt would end as this one did.
            Err(error) => Self::Refused(error.to_string()),
        }
    }
}

impl Reply {
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Full => "full",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "unanswered",
        }
    }

    /// What the sender's transport tells.
    pub(super) fn into_result(self, peer: String) -> Result<Box<RawValue>, TransportError> {
        match self {
            Self::Done(reply) => Ok(reply),
            Self::Full => Err(TransportError::Full { peer }),
            Self::Refused(error) => Err(TransportError::Refused { peer, error }),
            Self::Failed(error) => Err(TransportError::NoReply { peer, error }),
        }
    }
}

/// The calls of this process that wait for a reply.
#[derive(Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<Calls>>);

#[derive(Default)]
struct Calls {
    next: u64,
    open: HashMap<u64, oneshot::Sender<Reply>>,
}

/// A call that waits; forgotten when this is dropped.
pub(super) struct Call {
    /// Its number.
    pub(super) number: u64,
    /// What it waits for.
    pub(super) reply: oneshot::Receiver<Reply>,
    waiting: Waiting,
}

impl Waiting {
    /// One more call.
    pub(super) fn open(&self) -> Call {
        let (sender, reply) = oneshot::channel();
        let mut calls = self.lock();
        calls.next += 1;
        let number = calls.next;
        calls.open.insert(number, sender);
        drop(calls);
        Call { number, reply, waiting: self.clone() }
    }

    /// Hands a reply to whoever waits for it. One that nobody waits for is no error: the call took too long, or its reply
    /// came twice.
    pub(super) fn arrived(&self, call: &str, reply: Reply) {
        let number = call.parse::<u64>().ok();
        if let Some(sender) = number.and_then(|number| self.lock().open.remove(&number)) {
            let _ = sender.send(reply);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Calls> {
        // Nothing can panic between its steps.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.waiting.lock().open.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_finds_its_call_and_nothing_is_left() {
        let waiting = Waiting::default();
        let (mut first, second) = (waiting.open(), waiting.open());
        waiting.arrived(&first.number.to_string(), Reply::Full);
        waiting.arrived("77", Reply::Full);
        waiting.arrived("nonsense", Reply::Full);
        assert!(matches!(first.reply.try_recv(), Ok(Reply::Full)));
        drop((first, second));
        assert!(waiting.lock().open.is_empty());
    }

    #[test]
    fn only_a_message_that_another_attempt_may_help_is_handed_out_again() {
        let reply = |error| Reply::from(Err(error));
        for for_good in [
            DispatchError::Reply("a number that JSON has not".into()),
            DispatchError::Unknown("x".into()),
            DispatchError::Delivery(DeliveryError::Codec("x".into())),
        ] {
            assert!(matches!(reply(for_good.clone()), Reply::Refused(_)), "{for_good}");
        }
        let stopped = DispatchError::Delivery(DeliveryError::Closed("tx-sender".into()));
        assert!(matches!(reply(stopped), Reply::Failed(_)));
        let full = DispatchError::Delivery(DeliveryError::Full("tx-sender".into()));
        assert!(matches!(reply(full), Reply::Full));
    }

    #[test]
    fn replies_have_one_form() {
        let done = Reply::Done(RawValue::from_string("{\"a\": 1}".into()).unwrap());
        assert_eq!(serde_json::to_string(&done).unwrap(), r#"{"done":{"a": 1}}"#);
        let read: Reply = serde_json::from_str(r#"{"done":{"a": 1}}"#).unwrap();
        assert_eq!(read.into_result("x".into()).unwrap().get(), r#"{"a": 1}"#);
        let full: Reply = serde_json::from_str("\"full\"").unwrap();
        assert_eq!(full.into_result("x".into()).unwrap_err(), TransportError::Full { peer: "x".into() });
    }
}
