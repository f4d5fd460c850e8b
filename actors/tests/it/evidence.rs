//! `anzen evidence`, with a store as a collector leaves it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use alloy::primitives::{Address, B256, Bytes, I256};
use anzen_actors::adapters::{SqliteStore, StoreMetrics};
use anzen_actors::ports::{Space, Store, Write};
use anzen_messages::bls::{SecretKey, hash_to_g1};
use anzen_messages::evidence::{Evidence, SignedAnswer};
use anzen_messages::task::SigningDomain;
use anzen_messages::{SafetyFactor, Task, TaskResponse};
use serde_json::{Value, json};

fn document() -> Evidence {
    let domain = SigningDomain::new(31_337, Address::repeat_byte(0xaa));
    let task = Task {
        index: 3,
        oracle_index: 0,
        model_hash: B256::repeat_byte(1),
        proposed_safety_factor: SafetyFactor(I256::ONE),
        reference_block: 100,
        reference_block_hash: B256::repeat_byte(2),
        created_block: 101,
        quorum_numbers: Bytes::from_static(&[0]),
        quorum_threshold_percentage: 66,
    };
    let secret = SecretKey::from_hex("7").unwrap();
    let [first, second] = [1i64, 2].map(|units| {
        let safety_factor = SafetyFactor(I256::try_from(units).unwrap());
        let response = TaskResponse { task_hash: task.hash(), safety_factor };
        SignedAnswer {
            safety_factor,
            signature: secret.sign(&hash_to_g1(response.digest(&domain))).to_bytes(),
        }
    });
    Evidence::new(&domain, task, &secret.public_key(), first, second)
}

async fn store(folder: &Path, documents: &[Evidence]) -> SqliteStore {
    let store = SqliteStore::open(&folder.join("anzen.db"), StoreMetrics::default()).unwrap();
    let put = |document: &Evidence| Write::Put {
        space: Space("collector.equivocations"),
        key: [document.operator.id.0.0, document.task_hash().0.0].concat(),
        value: serde_json::to_vec(document).unwrap(),
    };
    store.commit(documents.iter().map(put).collect()).await.unwrap();
    store
}

fn anzen(folder: &Path, command: &str) -> Output {
    let mut anzen = Command::new(env!("CARGO_BIN_EXE_anzen"));
    anzen.args(command.split_whitespace()).current_dir(folder).env_clear().stdin(Stdio::null());
    anzen.output().unwrap()
}

fn json_of(folder: &Path, command: &str) -> Value {
    let output = anzen(folder, &format!("--json {command}"));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

#[tokio::test]
async fn two_answers_are_listed_exported_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    drop(store(here, &[document()]).await);
    let listed = json_of(here, "evidence list --data-dir .");
    assert_eq!(listed["evidence"][0]["taskIndex"], 3);
    assert_eq!(listed["evidence"][0]["operatorId"], document().operator.id.to_string());

    let exported = json_of(here, "evidence export --data-dir . --out proofs");
    let file = exported["files"][0].as_str().unwrap().to_owned();
    assert_eq!(json_of(here, "evidence export --data-dir . --out proofs"), exported, "the same again");
    let others = format!("evidence export --data-dir . --out proofs --operator {}", B256::ZERO);
    assert_eq!(json_of(here, &others), json!({ "files": [] }));

    // Elsewhere, with nothing but the file.
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::copy(here.join(&file), elsewhere.path().join("proof.json")).unwrap();
    let verdict = json_of(elsewhere.path(), "evidence verify proof.json");
    assert_eq!((&verdict["proved"], &verdict["chainId"]), (&json!(true), &json!(31_337)));

    let text = std::fs::read_to_string(here.join(&file)).unwrap();
    std::fs::write(elsewhere.path().join("forged.json"), text.replace("\"index\": 3", "\"index\": 4"))
        .unwrap();
    let output = anzen(elsewhere.path(), "evidence verify forged.json");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    std::fs::write(elsewhere.path().join("half.json"), &text[..text.len() / 2]).unwrap();
    let output = anzen(elsewhere.path(), "evidence verify half.json");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("half.json is no evidence"), "{output:?}");
}

#[tokio::test]
async fn a_store_that_is_in_use_or_is_none_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let none = anzen(folder.path(), "evidence list --data-dir nowhere");
    assert_eq!(none.status.code(), Some(1));
    assert!(said(&none).contains("there is no store at nowhere/anzen.db"), "{none:?}");
    assert!(!folder.path().join("nowhere").exists(), "and none is made");
    let held = store(folder.path(), &[]).await;
    let busy = anzen(folder.path(), "evidence list --data-dir .");
    assert_eq!(busy.status.code(), Some(1));
    assert!(said(&busy).contains("while the aggregator runs nobody else can"), "{busy:?}");
    drop(held);
}
