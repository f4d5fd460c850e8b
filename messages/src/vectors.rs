//! The same numbers on both sides of the chain, in contracts/test/vectors: what this crate computes, for the Solidity tests to
//! verify (bls.json; models.json is made in model/vectors/), and what the contracts' tests use, verified here (g2.json).
//!
//! `ANZEN_WRITE_VECTORS=1 cargo test -p anzen-messages vectors` writes both anew, where a form was meant to change.

use std::path::{Path, PathBuf};

use alloy_primitives::{Address, B256, Bytes, I256, U256, keccak256};
use serde_json::{Value, json};

use crate::bls::{AggregateKey, HashedMessage, PublicKey, SecretKey, hash_to_g1, sum_signatures};
use crate::certificate::{Certificate, NonSigner};
use crate::task::SigningDomain;
use crate::{SafetyFactor, Task, TaskResponse};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/test/vectors")
}

fn secret(k: u64) -> SecretKey {
    SecretKey::from_hex(&format!("{k:x}")).unwrap()
}

fn point(bytes: crate::bls::G1Bytes) -> Value {
    let (x, y) = bytes.to_words();
    json!({ "x": x, "y": y })
}

fn key(public: &PublicKey) -> Value {
    let words = public.g2().to_bytes().to_words();
    json!({ "g1": point(public.g1()), "g2": words, "operatorId": public.operator_id() })
}

fn hashes() -> Value {
    let digests = [B256::ZERO, B256::with_last_byte(1), B256::repeat_byte(0xff), B256::repeat_byte(0x5a)];
    let entry = |digest: B256| json!({ "digest": digest, "point": point(hash_to_g1(digest).to_bytes()) });
    digests.into_iter().map(entry).collect()
}

fn keys() -> Value {
    let entry = |k: u64| json!({ "secretKey": k, "key": key(&secret(k).public_key()) });
    [1, 2, 42].into_iter().map(entry).collect()
}

fn task() -> Task {
    Task {
        index: 7,
        oracle_index: 3,
        model_hash: B256::repeat_byte(0x11),
        proposed_safety_factor: SafetyFactor(I256::try_from(-250_000_000).unwrap()),
        reference_block: 123_456,
        reference_block_hash: B256::repeat_byte(0x22),
        created_block: 123_457,
        quorum_numbers: Bytes::from_static(&[0, 1]),
        quorum_threshold_percentage: 67,
    }
}

/// Operators 3 and 5 in quorum 0 only, 9 in both: its key and signature count twice.
fn aggregate(message: &HashedMessage) -> Value {
    let parts = [(3, 1), (5, 1), (9, 2)];
    let keys: Vec<_> = parts.iter().map(|(k, weight)| (secret(*k).public_key(), *weight)).collect();
    let apk = AggregateKey::sum(keys.iter().map(|(key, weight)| (key, *weight)));
    let sigma = sum_signatures(parts.iter().map(|(k, weight)| (secret(*k).sign(message), *weight))).unwrap();
    json!({
        "secretKeys": [3, 5, 9], "weights": [1, 1, 2],
        "apkG1": point(apk.g1().unwrap()), "apkG2": apk.g2().unwrap().to_bytes().to_words(),
        "sigma": point(sigma.to_bytes()),
    })
}

/// Secret keys of the operators in test/fixtures/EigenLayerFixture.sol (`_setUpTwoQuorums`), and the quorums of each.
const OPERATORS: [(u64, &[usize]); 6] =
    [(1, &[0, 1]), (2, &[0, 1]), (4, &[0, 1]), (8, &[0, 1]), (16, &[0]), (32, &[1])];

/// A whole certificate of `task()`, as an aggregator makes it: operator 2, of both quorums, and 16, of quorum 0 only, did not
/// sign. The key in G2 is that of all less that of the non-signers.
fn certificate(message: &HashedMessage) -> Value {
    let weight = |quorums: &[usize]| u8::try_from(quorums.len()).unwrap();
    let all: Vec<(SecretKey, PublicKey, &[usize])> =
        OPERATORS.iter().map(|(k, quorums)| (secret(*k), secret(*k).public_key(), *quorums)).collect();
    let absent = [secret(2).public_key(), secret(16).public_key()].map(|key| key.operator_id());
    let (missing, signers): (Vec<_>, Vec<_>) =
        all.iter().partition(|(_, key, _)| absent.contains(&key.operator_id()));
    let weighted = |some: &[&'_ (SecretKey, PublicKey, &[usize])]| -> Vec<(PublicKey, u8)> {
        some.iter().map(|(_, key, quorums)| (*key, weight(quorums))).collect()
    };

    let everyone = weighted(&all.iter().collect::<Vec<_>>());
    let everyone = AggregateKey::sum(everyone.iter().map(|(key, weight)| (key, *weight)));
    let absent = weighted(&missing);
    let apk = everyone.without(absent.iter().map(|(key, weight)| (key, *weight)));
    let parts = signers.iter().map(|(key, _, quorums)| (key.sign(message), weight(quorums)));
    let mut non_signers: Vec<NonSigner> =
        absent.iter().map(|(key, _)| NonSigner { id: key.operator_id(), key: key.g1() }).collect();
    non_signers.sort_by_key(|one| one.id);
    let quorum_apk = |quorum: usize| {
        let members = all.iter().filter(|(_, _, quorums)| quorums.contains(&quorum));
        AggregateKey::sum(members.map(|(_, key, _)| (key, 1))).g1().unwrap()
    };
    let certificate = Certificate {
        non_signers,
        quorum_apks: vec![quorum_apk(0), quorum_apk(1)],
        signers_apk: apk.g2().unwrap().to_bytes(),
        signature: sum_signatures(parts).unwrap().to_bytes(),
    };

    let mut record = task().reference_block.to_be_bytes().to_vec();
    certificate.non_signers.iter().for_each(|one| record.extend_from_slice(one.id.0.as_slice()));
    json!({
        "nonSignerIds": certificate.non_signers.iter().map(|one| one.id).collect::<Vec<_>>(),
        "nonSignerPubkeys": certificate.non_signers.iter().map(|one| point(one.key)).collect::<Vec<_>>(),
        "quorumApks": certificate.quorum_apks.iter().map(|key| point(*key)).collect::<Vec<_>>(),
        "apkG2": certificate.signers_apk.to_words(),
        "sigma": point(certificate.signature),
        "signatoryRecordHash": keccak256(record),
    })
}

fn vectors() -> Value {
    let (chain_id, contract) = (31_337, Address::repeat_byte(0xaa));
    let response = TaskResponse {
        task_hash: task().hash(),
        safety_factor: SafetyFactor(I256::try_from(123_456_789).unwrap()),
    };
    let digest = response.digest(&SigningDomain::new(chain_id, contract));
    let message = hash_to_g1(digest);
    json!({
        "hashToG1": hashes(),
        "keys": keys(),
        "task": task(), "taskHash": task().hash(),
        "chainId": chain_id, "taskManager": contract,
        "response": response, "responseDigest": digest,
        "message": point(message.to_bytes()), "aggregate": aggregate(&message),
        "certificate": certificate(&message),
    })
}

/// Compares with the file that the contracts' tests read.
pub(crate) fn check(file: &str, vectors: &Value) {
    let path = folder().join(file);
    let text = serde_json::to_string_pretty(vectors).unwrap() + "\n";
    if std::env::var_os("ANZEN_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "see the head of messages/src/vectors.rs");
}

#[test]
fn what_the_contracts_are_tested_with_is_what_this_crate_computes() {
    check("bls.json", &vectors());
}

#[test]
fn the_keys_that_the_contracts_are_tested_with_are_keys() {
    let text = std::fs::read_to_string(folder().join("g2.json")).unwrap();
    let table: Value = serde_json::from_str(&text).unwrap();
    let word = |name: &str, i: usize| table[name][i].as_str().unwrap().parse::<U256>().unwrap();
    let count = table["x1"].as_array().unwrap().len();
    for i in (0..count).step_by(17) {
        let words = ["x1", "x0", "y1", "y0"].map(|name| word(name, i));
        assert_eq!(secret(i as u64 + 1).public_key().g2().to_bytes().to_words(), words, "{}", i + 1);
    }
}
