//! Every message that crosses processes, and every reply to it, in its exact JSON: `messages/vectors/*.json`.
//!
//! What is in use out there must go on being read. So a change here is a new version of the message, or no change of the
//! wire at all. Where it is meant: `ANZEN_WRITE_VECTORS=1 cargo test -p anzen-messages --test golden`.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use anzen_messages::wire::{Envelope, Wire};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[path = "golden/samples.rs"]
mod samples;

/// One file.
#[derive(Deserialize)]
struct Golden {
    requests: Vec<Box<RawValue>>,
    replies: Vec<Box<RawValue>>,
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("vectors/{name}.json"))
}

/// One value a line.
fn list<T: Serialize>(values: &[T]) -> String {
    let lines: Vec<_> = values.iter().map(|value| serde_json::to_string(value).unwrap()).collect();
    if lines.is_empty() { "[]".into() } else { format!("[\n    {}\n  ]", lines.join(",\n    ")) }
}

/// Compares with the file, byte by byte, and returns what the file has.
fn check(name: &str, head: &str, requests: &str, replies: &str) -> Golden {
    let text = format!(
        "{{\n  \"name\": \"{name}\",\n{head}  \"requests\": {requests},\n  \"replies\": {replies}\n}}\n"
    );
    if std::env::var_os("ANZEN_WRITE_VECTORS").is_some() {
        std::fs::write(file(name), &text).unwrap();
    }
    let golden = std::fs::read_to_string(file(name)).unwrap();
    assert!(golden == text, "the wire form of {name} has changed; it was\n{golden}and is now\n{text}");
    serde_json::from_str(&golden).unwrap()
}

fn check_replies<R: DeserializeOwned + PartialEq + Debug>(golden: &Golden, replies: &[R]) {
    assert_eq!(golden.replies.len(), replies.len());
    for (line, reply) in golden.replies.iter().zip(replies) {
        assert_eq!(serde_json::from_str::<R>(line.get()).unwrap(), *reply);
    }
}

/// A message in its envelope, as it is the parameter of the call, and the result of the call.
fn check_message<M>(messages: &[M], replies: &[M::Reply])
where
    M: Wire + PartialEq + Debug,
    M::Reply: PartialEq + Debug,
{
    let head = format!("  \"version\": {},\n  \"to\": \"{}\",\n", M::VERSION, M::TO);
    let envelopes: Vec<_> = messages.iter().map(|message| Envelope::seal(message).unwrap()).collect();
    let golden = check(M::NAME, &head, &list(&envelopes), &list(replies));
    assert_eq!(golden.requests.len(), messages.len());
    for (line, message) in golden.requests.iter().zip(messages) {
        let envelope: Envelope = serde_json::from_str(line.get()).unwrap();
        assert_eq!(envelope.open::<M>().unwrap(), *message);
    }
    check_replies(&golden, replies);
}

#[test]
fn next_blocks() {
    check_message(&samples::next_blocks(), &samples::next_blocks_replies());
}

#[test]
fn submit_signature() {
    check_message(&samples::submissions(), &samples::submission_replies());
}

#[test]
fn quorum_reached() {
    check_message(&samples::quorums(), &samples::quorum_replies());
}

#[test]
fn send_transaction() {
    check_message(&samples::transactions(), &samples::transaction_replies());
}

/// A message as it is sent by who records traces.
#[test]
fn envelope_trace() {
    let envelope = samples::traced_submission();
    let golden = check("envelope_trace", "", &list(&[&envelope]), "[]");
    let read: Envelope = serde_json::from_str(golden.requests[0].get()).unwrap();
    assert_eq!(read.trace, envelope.trace);
}

#[test]
fn session_hello() {
    let hello = [samples::hello()];
    let golden = check("session_hello", "", "[]", &list(&hello));
    check_replies(&golden, &hello);
}

#[test]
fn session_open() {
    let (open, opened) = ([samples::open_session()], [samples::session_opened()]);
    let golden = check("session_open", "", &list(&open), &list(&opened));
    for (line, open) in golden.requests.iter().zip(&open) {
        assert_eq!(serde_json::from_str::<anzen_messages::session::OpenSession>(line.get()).unwrap(), *open);
    }
    check_replies(&golden, &opened);
}

/// A document that people hand around, so it must be readable for as long as a fault matters.
#[test]
fn evidence() {
    let document = samples::evidence();
    let golden = check("evidence", "", &list(&[&document]), "[]");
    let read: anzen_messages::evidence::Evidence = serde_json::from_str(golden.requests[0].get()).unwrap();
    assert_eq!(read, document);
    assert_eq!(read.verify(), Ok(()));
}
