//! Inputs that our own encoders write: where a form changes, so do they. `ANZEN_WRITE_VECTORS=1 cargo test -p anzen-actors corpus`
//! writes them; those that are written by hand are beside them.

mod tasks;

use std::fs;

use alloy::primitives::{Address, B256, I256};
use anzen_messages::bls::hash_to_g1;
use anzen_messages::chain::{BlockRef, NextBlocks};
use anzen_messages::evidence::{Evidence, OperatorKeys, SignedAnswer};
use anzen_messages::session::{Hello, SessionOpened};
use anzen_messages::wire::{Envelope, Wire};
use anzen_messages::{Task, TaskResponse};
use serde::Serialize;
use serde_json::{Value, json};

use super::TARGETS;
use super::tests::folder;
use crate::testing::{domain, reached, secret, task, value};

type Example = (&'static str, &'static str, Vec<u8>);

#[test]
fn what_our_own_encoders_write_is_in_the_corpus() {
    let examples = [sessions(), files(), bus(), disk(), tasks::tasks(), tasks::steps()].concat();
    for (target, name, input) in examples {
        assert!(
            TARGETS.iter().any(|known| known.name == target && input.len() <= known.most_bytes),
            "{target}/{name}"
        );
        let file = folder(target).join(name);
        if std::env::var_os("ANZEN_WRITE_VECTORS").is_some() {
            fs::create_dir_all(folder(target)).unwrap();
            fs::write(&file, &input).unwrap();
        }
        assert!(
            fs::read(&file).is_ok_and(|kept| kept == input),
            "{target}/{name} is not what is written now"
        );
    }
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

fn lines(lines: &[String]) -> Vec<u8> {
    lines.join("\n").into_bytes()
}

/// As [`super::records`] reads them.
fn records(records: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let record = |(key, value): &(Vec<u8>, Vec<u8>)| {
        let lengths =
            [&[u8::try_from(key.len()).unwrap()][..], &u16::try_from(value.len()).unwrap().to_be_bytes()];
        [&lengths.concat()[..], key, value].concat()
    };
    records.iter().flat_map(record).collect()
}

fn sessions() -> Vec<Example> {
    let hello = Hello {
        server: "aggregator-0".into(),
        nonce: B256::repeat_byte(5),
        time: 1_800_000_000,
        chain_id: 31_337,
        task_manager: [0xaa; 20].into(),
    };
    let reply = |id: u64, result: Value| text(&json!({ "jsonrpc": "2.0", "id": id, "result": result }));
    let refusal = |id: u64, message: &str| {
        text(&json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32_024, "message": message } }))
    };
    let hello_of = |hello: &Hello| reply(0, json!(hello));
    let opened = |expiry: u64| reply(1, json!(SessionOpened { expiry }));
    let other = Hello { server: "aggregator-1".repeat(100), ..hello };
    [
        ("opened", vec![hello_of(&hello), opened(1_800_000_100)]),
        ("expiry-beyond-all", vec![hello_of(&hello), opened(u64::MAX)]),
        ("expiry-of-the-past", vec![hello_of(&hello), opened(0)]),
        ("clock-at-the-end", vec![hello_of(&Hello { time: u64::MAX, ..hello.clone() }), opened(1)]),
        ("another-aggregator", vec![hello_of(&other)]),
        ("another-chain", vec![hello_of(&Hello { chain_id: 0, ..hello.clone() })]),
        ("refused", vec![hello_of(&hello), refusal(1, "no")]),
        ("refused-at-length", vec![refusal(0, &"no \u{7f}\u{202e}".repeat(200))]),
        ("id-of-nobody", vec![reply(7, json!({}))]),
        (
            "subscription-of-nobody",
            vec![r#"{"jsonrpc":"2.0","method":"x","params":{"subscription":1,"result":0}}"#.into()],
        ),
        ("batch", vec![format!("[{}]", hello_of(&hello))]),
    ]
    .map(|(name, messages)| ("session-replies", name, lines(&messages)))
    .to_vec()
}

/// What operator 7 answered.
fn signed(task: &Task, units: i64) -> SignedAnswer {
    let response = TaskResponse { task_hash: task.hash(), safety_factor: value(units) };
    let signature = secret(7).sign(&hash_to_g1(response.digest(&domain()))).to_bytes();
    SignedAnswer { safety_factor: value(units), signature }
}

fn evidence() -> Evidence {
    let task = task(0, 101);
    let (first, second) = (signed(&task, 1), signed(&task, 2));
    Evidence::new(&domain(), task, &secret(7).public_key(), first, second)
}

fn files() -> Vec<Example> {
    let proof = evidence();
    let accused = secret(8).public_key().operator_id();
    let framed = Evidence { operator: OperatorKeys { id: accused, ..proof.operator }, ..proof.clone() };
    let record = |byte: u8, blocked: bool| {
        let mut record = json!({
            "taskHash": B256::repeat_byte(byte), "digest": B256::repeat_byte(2), "safetyFactor": "-1", "createdBlock": u32::MAX,
        });
        if blocked {
            record["blocked"] = json!(true);
        }
        record
    };
    let interchange = |format: &str, floor: Value, records: &[Value]| {
        json!({
            "format": format, "version": 1, "chainId": 1, "taskManager": Address::ZERO, "operatorId": B256::ZERO,
            "floor": floor, "records": records,
        })
    };
    let protection = "anzen-signing-protection";
    let twice = [record(1, false), record(1, true), record(2, false)];
    vec![
        ("evidence", "proof", text(&proof).into()),
        ("evidence", "same-answer", text(&Evidence { second: proof.first, ..proof.clone() }).into()),
        ("evidence", "framed", text(&framed).into()),
        ("evidence", "another-chain", text(&Evidence { chain_id: 1, ..proof }).into()),
        ("interchange", "records", text(&interchange(protection, json!(7), &[record(1, false)])).into()),
        ("interchange", "a-task-three-times", text(&interchange(protection, Value::Null, &twice)).into()),
        ("interchange", "another-format", text(&interchange("other", json!(0), &[])).into()),
        ("interchange", "nothing", text(&interchange(protection, Value::Null, &[])).into()),
    ]
}

fn bus() -> Vec<Example> {
    let question = NextBlocks { after: Some(BlockRef { number: 1, hash: B256::ZERO }), wait_ms: 0 };
    let envelope = text(&Envelope::seal(&question).unwrap());
    let quorum = text(&Envelope::seal(&reached(0, 101)).unwrap());
    let subject = |to: &str, name: &str| format!("anzen.a.do.{to}.{name}");
    let (ask, reply) =
        (format!("anzen.a.ask.chainWatcher.{}", NextBlocks::NAME), "anzen.a.re.p.7".to_owned());
    let quorum_to = subject("aggregator", "aggregator_quorumReached");
    vec![
        ("bus", "question", lines(&[ask.clone(), reply.clone(), envelope.clone()])),
        ("bus", "kept", lines(&[quorum_to, reply.clone(), quorum])),
        (
            "bus",
            "version",
            lines(&[ask.clone(), reply.clone(), envelope.replace("\"version\":1", "\"version\":9")]),
        ),
        ("bus", "name-of-nobody", lines(&[subject("x", "y"), reply.clone(), envelope.clone()])),
        ("bus", "no-envelope", lines(&[ask.clone(), reply.clone(), "{".into()])),
        (
            "bus",
            "reply-elsewhere",
            lines(&[ask.clone(), "$JS.API.STREAM.DELETE.ANZEN_a".into(), envelope.clone()]),
        ),
        (
            "bus",
            "reply-to-two-subjects",
            lines(&[ask, "anzen.a.re.p.7 $JS.API.STREAM.DELETE.ANZEN_a".into(), envelope]),
        ),
        ("bus", "done", lines(&[reply.clone(), String::new(), "{\"done\":{\"a\":1}}".into()])),
        ("bus", "full", lines(&["anzen.a.re.p.1".into(), String::new(), "\"full\"".into()])),
        ("bus", "refused", lines(&[reply, String::new(), "{\"refused\":\"no\"}".into()])),
    ]
}

fn disk() -> Vec<Example> {
    let key = |bytes: &[u8]| bytes.to_vec();
    let place = [[1; 32], [2; 32]].concat();
    let signed = signed(&task(0, 101), 1);
    let signature = |since: u64| {
        [&I256::ONE.to_be_bytes::<32>()[..], signed.signature.0.as_slice(), &since.to_be_bytes()].concat()
    };
    let of = |space: u8, all: &[(Vec<u8>, Vec<u8>)]| [vec![space], records(all)].concat();
    let penalty = |doublings: u8, until: u64| [&[doublings][..], &until.to_be_bytes()].concat();
    let cursor = |numbers: &[u64], window: u64| {
        let blocks: Vec<Value> =
            numbers.iter().map(|number| json!({ "number": number, "hash": B256::repeat_byte(1) })).collect();
        records(&[(key(b"cursor"), text(&json!({ "blocks": blocks, "longestWindow": window })).into())])
    };
    let operator_key = [
        secret(1).public_key().g2().to_bytes().0.as_slice(),
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1],
    ]
    .concat();
    let challenged = |created: u32| {
        let task = task(0, created);
        let response = json!({ "taskHash": task.hash(), "safetyFactor": value(2) });
        let answer = json!({ "response": response, "transaction": B256::repeat_byte(3), "block": created });
        let found = json!({ "due": { "answer": value(1) }, "witness": "0x0102" });
        let record = json!({ "version": 1, "task": task, "found": found, "answer": answer });
        (key(task.hash().0.as_slice()), text(&record).into_bytes())
    };
    let certificate = |created: u32| (key(&[1; 32]), text(&reached(0, created)).into_bytes());
    vec![
        (
            "collector-records",
            "signatures",
            of(0, &[(place.clone(), signature(9)), ([[3; 32], [2; 32]].concat(), signature(0))]),
        ),
        ("collector-records", "seconds", of(1, &[(place.clone(), signature(u64::MAX))])),
        ("collector-records", "evidence", of(2, &[(place.clone(), text(&evidence()).into())])),
        ("collector-records", "penalty", of(3, &[(key(&[2; 32]), penalty(4, 101))])),
        (
            "collector-records",
            "penalty-that-has-doubled-too-often",
            of(3, &[(key(&[2; 32]), penalty(255, u64::MAX))]),
        ),
        ("collector-records", "cut-off", of(0, &[(place, signature(9)[1..].to_vec())])),
        ("aggregator-records", "certificate", records(&[certificate(101)])),
        ("aggregator-records", "latest-block", records(&[certificate(u32::MAX)])),
        ("aggregator-records", "malformed", records(&[(key(&[1; 32]), key(b"{}"))])),
        ("challenger-records", "wrong-answer", records(&[challenged(101)])),
        ("challenger-records", "latest-block", records(&[challenged(u32::MAX)])),
        ("challenger-records", "malformed", records(&[(key(&[1; 32]), key(b"{}"))])),
        ("gateway-keys", "key", records(&[(key(&[1; 32]), operator_key.clone())])),
        ("gateway-keys", "cut-off", records(&[(key(&[1; 32]), operator_key[1..].to_vec())])),
        ("watcher-cursor", "blocks", cursor(&[7, 8, 9, 10], 30)),
        ("watcher-cursor", "descending", cursor(&[10, 9, 8, 7], u64::MAX)),
        ("watcher-cursor", "last-number", cursor(&[u64::MAX - 1, u64::MAX], u64::MAX)),
        ("watcher-cursor", "nothing", cursor(&[], 0)),
    ]
}
