//! docs/wire.md says what is true: its worked example is computed here, step by step, and looked for there.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::path::Path;

use alloy_primitives::{Address, B256, keccak256};
use alloy_sol_types::{Eip712Domain, SolStruct, eip712_domain, sol};
use anzen_messages::bls::{Signature, hash_to_g1, verify};
use anzen_messages::signature::SubmitSignature;
use anzen_messages::wire::{Envelope, Wire};
use serde_json::value::to_raw_value;

#[path = "golden/samples.rs"]
#[allow(dead_code, reason = "the golden tests use the rest")]
mod samples;

sol! {
    struct Session {
        string server;
        bytes32 nonce;
        bytes32 operatorId;
        uint64 expiry;
    }
    struct TaskResponse {
        bytes32 taskHash;
        int256 safetyFactor;
    }
}

fn doc() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/wire.md")).unwrap()
}

fn says(doc: &str, text: &str) {
    assert!(doc.contains(text), "docs/wire.md does not contain what is true:\n{text}");
}

fn domain() -> Eip712Domain {
    eip712_domain! {
        name: "AnzenTaskManager",
        version: "1",
        chain_id: 31_337,
        verifying_contract: Address::repeat_byte(0xaa),
    }
}

fn request(id: u32, method: &str, param: &impl serde::Serialize) -> String {
    let param = to_raw_value(param).unwrap();
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":[{param}]}}"#)
}

fn reply(id: u32, result: &impl serde::Serialize) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{}}}"#, serde_json::to_string(result).unwrap())
}

/// The digest of a struct, computed as the EIP says, next to what alloy computes.
fn digest<S: SolStruct>(value: &S) -> B256 {
    let parts =
        [&[0x19, 0x01], domain().separator().as_slice(), value.eip712_hash_struct().as_slice()].concat();
    assert_eq!(keccak256(&parts), value.eip712_signing_hash(&domain()));
    keccak256(&parts)
}

#[test]
fn the_types_that_are_signed() {
    let doc = doc();
    says(&doc, &Session::eip712_root_type());
    says(&doc, &TaskResponse::eip712_root_type());
    says(&doc, &domain().encode_type());
    says(&doc, &domain().separator().to_string());
}

#[test]
fn the_example_opens_a_session() {
    let (doc, hello, open) = (doc(), samples::hello(), samples::open_session());
    says(&doc, r#"{"jsonrpc":"2.0","id":1,"method":"session_hello","params":[]}"#);
    says(&doc, &reply(1, &hello));
    let session = Session {
        server: open.session.server.clone(),
        nonce: open.session.nonce,
        operatorId: open.session.operator_id.0,
        expiry: open.session.expiry,
    };
    says(&doc, &session.eip712_hash_struct().to_string());
    says(&doc, &digest(&session).to_string());
    let message = hash_to_g1(digest(&session));
    says(&doc, &message.to_bytes().0.to_string());
    let key = samples::secret(42).public_key();
    assert!(verify(&message, &Signature::try_from(open.signature).unwrap(), &key.g2()));
    says(&doc, &key.g1().0.to_string());
    says(&doc, &request(2, "session_open", &open));
    says(&doc, &reply(2, &samples::session_opened()));
}

#[test]
fn the_example_submits_an_answer() {
    let (doc, submit) = (doc(), &samples::submissions()[0]);
    let response =
        TaskResponse { taskHash: submit.response.task_hash.0, safetyFactor: submit.response.safety_factor.0 };
    says(&doc, &response.eip712_hash_struct().to_string());
    says(&doc, &digest(&response).to_string());
    let message = hash_to_g1(digest(&response));
    says(&doc, &message.to_bytes().0.to_string());
    let key = samples::secret(42).public_key();
    assert!(verify(&message, &Signature::try_from(submit.signature).unwrap(), &key.g2()));
    says(&doc, &request(3, SubmitSignature::NAME, &Envelope::seal(submit).unwrap()));
    says(&doc, &reply(3, &samples::submission_replies()[0]));
}

#[test]
fn the_example_of_a_trace_is_the_tasks() {
    let trace = samples::traced_submission().trace.unwrap();
    says(&doc(), &format!("    {trace}"));
}

#[test]
fn every_outcome_has_a_row() {
    let doc = doc();
    for outcome in samples::submission_replies() {
        let value = serde_json::to_value(outcome).unwrap();
        let again = if outcome.is_temporary() { "yes" } else { "no" };
        says(&doc, &format!("| `{}` | {again} |", value["outcome"].as_str().unwrap()));
    }
}
