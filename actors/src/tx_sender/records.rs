//! What is on disk: requests that have a transaction, and those that succeeded not long ago.

use alloy::primitives::Address;
use anzen_messages::transaction::{SendTransaction, TxId};
use serde::{Deserialize, Serialize};

use super::intent::{Flight, Intent, Stage};
use crate::ports::{Space, Write};

/// Key: the sender's address, the id. Value: the record as JSON.
pub(super) const INTENTS: Space = Space("tx_sender.intents");

#[derive(Serialize, Deserialize)]
struct Record {
    request: SendTransaction,
    flight: Flight,
    done: bool,
}

/// The write that keeps an intent; nothing where it has no transaction yet.
pub(super) fn put(sender: Address, intent: &Intent) -> Option<Write> {
    let done = matches!(intent.stage, Stage::Done(_));
    let record = Record { request: intent.request.clone(), flight: intent.flight()?.clone(), done };
    let value = serde_json::to_vec(&record).ok()?;
    Some(Write::Put { space: INTENTS, key: key(sender, &intent.request.id), value })
}

pub(super) fn delete(sender: Address, id: &TxId) -> Write {
    Write::Delete { space: INTENTS, key: key(sender, id) }
}

/// False for the record of another key: its nonces are not this one's.
pub(super) fn is_of(sender: Address, key: &[u8]) -> bool {
    key.starts_with(sender.as_slice())
}

pub(super) fn decode(value: &[u8]) -> Result<Intent, serde_json::Error> {
    let Record { request, flight, done } = serde_json::from_slice(value)?;
    let stage = if done { Stage::Done(flight) } else { Stage::Flying { flight, busy: false } };
    Ok(Intent { request, stage })
}

fn key(sender: Address, id: &TxId) -> Vec<u8> {
    [sender.as_slice(), id.as_str().as_bytes()].concat()
}
