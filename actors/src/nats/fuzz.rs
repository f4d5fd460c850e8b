//! What whoever can write to the bus may send, for `just fuzz`.

use std::sync::Arc;

use anzen_messages::aggregation::QuorumReached;
use anzen_messages::chain::NextBlocks;
use anzen_messages::signature::SubmitSignature;
use anzen_messages::transaction::SendTransaction;
use anzen_messages::wire::{ActorName, Envelope};
use async_trait::async_trait;
use serde_json::value::RawValue;

use super::replies::{Reply, Waiting};
use super::serve::dispatch;
use super::subjects::{Subjects, last};
use crate::bus::{Dispatcher, Handle};
use crate::fuzz::finish;
use crate::ports::{Transport, TransportError};

/// A message: its subject, where its reply should go, and what it carries, each but the last on a line of its own.
pub(crate) fn message(data: &[u8]) {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let mut text = || std::str::from_utf8(lines.next().unwrap_or_default()).unwrap_or_default();
    let (subject, reply_to) = (text(), text());
    let payload = lines.next().unwrap_or_default();
    if let Some(subjects) = Subjects::new("a").filter(|subjects| subjects.is_reply(reply_to)) {
        let parts: Vec<&str> = reply_to.split('.').collect();
        let fits =
            |part: &&str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
        assert!(parts.starts_with(&["anzen", "a", "re"]) && parts.iter().all(fits), "{reply_to:?}");
        assert!(reply_to.starts_with(subjects.replies("p").trim_end_matches("p.*")));
    }
    if let Some(outcome) = finish(dispatch(&dispatcher(), subject, payload)) {
        read_again(&Reply::from(outcome));
    }
    if let Ok(reply) = serde_json::from_slice::<Reply>(payload) {
        read_again(&reply);
        let waiting = Waiting::default();
        let mut call = waiting.open();
        waiting.arrived(last(subject), reply);
        assert!(call.reply.try_recv().is_err() || last(subject).parse() == Ok(call.number));
    }
}

/// What is written of a reply is read as the same.
fn read_again(reply: &Reply) {
    let written = serde_json::to_string(reply).unwrap_or_default();
    let read =
        serde_json::from_str::<Reply>(&written).map(|read| serde_json::to_string(&read).unwrap_or_default());
    assert!(read.is_ok_and(|read| read == written), "{written}");
}

fn dispatcher() -> Dispatcher {
    let to: Arc<dyn Transport> = Arc::new(Echo);
    let mut dispatcher = Dispatcher::default();
    dispatcher.accept::<SubmitSignature>(Handle::remote(Arc::clone(&to)));
    dispatcher.accept::<QuorumReached>(Handle::remote(Arc::clone(&to)));
    dispatcher.accept::<SendTransaction>(Handle::remote(Arc::clone(&to)));
    dispatcher.accept::<NextBlocks>(Handle::remote(to));
    dispatcher
}

/// Answers a message with what it says, which is a reply at times.
struct Echo;

#[async_trait]
impl Transport for Echo {
    async fn call(
        &self,
        _to: ActorName,
        _name: &'static str,
        message: Envelope,
        _timeout_ms: u64,
    ) -> Result<Box<RawValue>, TransportError> {
        Ok(message.body)
    }
}
