//! What comes over the wire, and what is in a transaction or a revert.

use std::fmt::Debug;
use std::str::FromStr;

use alloy::primitives::{Address, B512, FixedBytes, keccak256};
use alloy::sol_types::SolCall;
use anzen_contracts::AnzenTaskManager;
use anzen_contracts::eigenlayer::{AllocationManager, OperatorStateRetriever};
use anzen_contracts::revert::{describe_call, describe_revert};
use anzen_messages::aggregation::QuorumReached;
use anzen_messages::bls::{G1Bytes, G2Bytes, PublicKey, PublicKeyG2, PublicKeyText, Signature};
use anzen_messages::chain::NextBlocks;
use anzen_messages::model::Model;
use anzen_messages::session::{Hello, OpenSession, SessionOpened};
use anzen_messages::signature::SubmitSignature;
use anzen_messages::task::SigningDomain;
use anzen_messages::trace::TraceParent;
use anzen_messages::transaction::SendTransaction;
use anzen_messages::wire::{Envelope, Wire};
use anzen_messages::{SafetyFactor, Task};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Taken;

/// What is read is read again from what is written of it.
pub(super) fn json<T: DeserializeOwned + Serialize + PartialEq + Debug>(data: &[u8]) -> Option<T> {
    let read = serde_json::from_slice::<T>(data).ok()?;
    let written = serde_json::to_vec(&read).ok()?;
    assert_eq!(serde_json::from_slice::<T>(&written).ok().as_ref(), Some(&read));
    Some(read)
}

fn as_text<T: FromStr + ToString + PartialEq + Debug>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        assert_eq!(read.to_string().parse::<T>().ok(), Some(read), "{text}");
    }
}

/// What opens a session, from a stranger; what answers it, from whoever was dialled.
pub(super) fn session(data: &[u8]) {
    if let Some(open) = json::<OpenSession>(data) {
        let domain = SigningDomain::new(1, Address::ZERO);
        let _ = (open.session.message(&domain), Signature::try_from(open.signature));
    }
    let _ = (json::<Hello>(data), json::<SessionOpened>(data));
}

/// A message in its envelope, whichever it is.
pub(super) fn envelope(data: &[u8]) {
    let Ok(envelope) = serde_json::from_slice::<Envelope>(data) else { return };
    open::<SubmitSignature>(&envelope);
    open::<QuorumReached>(&envelope);
    open::<SendTransaction>(&envelope);
    open::<NextBlocks>(&envelope);
}

fn open<M: Wire + PartialEq + Debug>(envelope: &Envelope) {
    let envelope = Envelope { version: M::VERSION, ..envelope.clone() };
    let Ok(message) = envelope.open::<M>() else { return };
    let _ = message.task();
    if let Ok(sealed) = Envelope::seal(&message) {
        assert_eq!(sealed.open::<M>().as_ref(), Ok(&message));
    }
}

/// The reply to a message, whichever it is.
pub(super) fn reply(data: &[u8]) {
    let _ = json::<<SubmitSignature as Wire>::Reply>(data);
    let _ = json::<<QuorumReached as Wire>::Reply>(data);
    let _ = json::<<SendTransaction as Wire>::Reply>(data);
    let _ = json::<<NextBlocks as Wire>::Reply>(data);
}

/// Values that are texts, or parts of messages.
pub(super) fn text(data: &[u8]) {
    if let Some(task) = json::<Task>(data) {
        let _ = task.hash();
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    as_text::<TraceParent>(text);
    as_text::<SafetyFactor>(text);
    if let Ok(key) = text.parse::<PublicKeyText>() {
        let _ = (key.operator_id(), key.to_string());
    }
}

/// Points of the curve, uncompressed.
pub(super) fn points(data: &[u8]) {
    let (g1, rest) = data.split_at(data.len().min(64));
    let mut bytes = [0; 64];
    bytes[..g1.len()].copy_from_slice(g1);
    let g1 = G1Bytes(B512::new(bytes));
    if let Ok(signature) = Signature::try_from(g1) {
        assert_eq!(signature.to_bytes(), g1);
    }
    let mut bytes = [0; 128];
    let taken = rest.len().min(128);
    bytes[..taken].copy_from_slice(&rest[..taken]);
    let g2 = G2Bytes(FixedBytes::new(bytes));
    if let Ok(key) = PublicKeyG2::try_from(g2) {
        assert_eq!(key.to_bytes(), g2);
        let _ = PublicKey::new(g1, g2);
    }
}

/// A model: as the chain has it, as a file has it.
pub(super) fn model(data: &[u8]) {
    if let Ok(model) = Model::decode(data) {
        assert_eq!((model.encode().as_slice(), model.hash()), (data, keccak256(data)));
    }
    if let Ok(model) = serde_json::from_slice::<Model>(data) {
        assert_eq!(Model::decode(&model.encode()), Ok(model));
    }
}

/// What a contract reverts with; which of some calls, and its arguments.
pub(super) fn reverts(data: &[u8]) {
    const CALLS: [&str; 3] = [
        AnzenTaskManager::respondToTaskCall::SIGNATURE,
        AllocationManager::getMembersCall::SIGNATURE,
        OperatorStateRetriever::getCheckSignaturesIndicesCall::SIGNATURE,
    ];
    describe_revert(data);
    let which = usize::from(Taken(data).byte());
    describe_call(CALLS[which % CALLS.len()], data);
}

/// The arguments of the transaction that posted a response, by whoever posted it.
pub(super) fn calldata(data: &[u8]) {
    let Ok(call) = AnzenTaskManager::respondToTaskCall::abi_decode_raw(data) else { return };
    let _ = Task::from(call.task).hash();
    for key in call.certificate.nonSignerPubkeys {
        keccak256([key.X.to_be_bytes::<32>(), key.Y.to_be_bytes()].concat());
    }
}
