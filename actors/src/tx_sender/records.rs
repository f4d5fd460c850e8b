//! What is on disk: requests that have a transaction, and those whose transaction was mined not long ago.

use alloy::primitives::Address;
use anzen_messages::transaction::{SendTransaction, TxId};
use serde::{Deserialize, Serialize};

use super::intent::{Flight, Intent, Stage};
use crate::ports::{Space, StoreError, Write};

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

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Unreadable {
    /// It is not what was written.
    #[error("{0}")]
    Malformed(String),
    /// Its parts do not fit each other.
    #[error("its parts do not fit each other")]
    Inconsistent,
}

/// The intent of a record.
///
/// # Errors
/// [`StoreError::Damaged`] where it is not as it was written. It must not be passed over: its transaction may be under way.
pub(super) fn read(at: &[u8], value: &[u8]) -> Result<Intent, StoreError> {
    decode(at, value).map_err(|error| {
        let danger = "its transaction may still be mined; given up before that, it is sent a second time";
        StoreError::damaged(INTENTS.0, at, &format!("{error}; {danger}"))
    })
}

fn decode(at: &[u8], value: &[u8]) -> Result<Intent, Unreadable> {
    let record = serde_json::from_slice(value).map_err(|error| Unreadable::Malformed(error.to_string()))?;
    let Record { request, flight, done } = record;
    let named = at.get(Address::len_bytes()..) == Some(request.id.as_str().as_bytes());
    if !named || !flight.is_sound() || (done && flight.mined.is_none()) {
        return Err(Unreadable::Inconsistent);
    }
    let stage = if done { Stage::Done(flight) } else { Stage::Flying { flight, busy: false } };
    Ok(Intent { request, stage })
}

fn key(sender: Address, id: &TxId) -> Vec<u8> {
    [sender.as_slice(), id.as_str().as_bytes()].concat()
}
