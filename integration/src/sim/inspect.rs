//! Looks at disks and metrics, again and again, and tells what is there.

use std::collections::BTreeMap;
use std::time::Duration;

use alloy_primitives::{B512, I256};
use anzen_messages::bls::G1Bytes;
use anzen_messages::chain::{ChainBlock, NextBlocks};
use anzen_messages::{OperatorId, SafetyFactor, Task, TaskHash};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde::Deserialize;

use super::node::{Machine, Node, Who};
use super::store::{EVIDENCE, word};
use super::witness::Witness;
use crate::invariants::{Fact, Fault};

/// Inspects these machines every `interval`, for ever.
pub(super) async fn patrol(machines: Vec<Machine>, witness: Witness, interval: Duration) {
    loop {
        tokio::time::sleep(interval).await;
        for machine in &machines {
            inspect(machine, &witness);
        }
    }
}

/// Tells what a machine has on disk, and what its process says of operators.
pub(super) fn inspect(machine: &Machine, witness: &Witness) {
    let process = machine.who.to_string();
    for (space, records) in machine.disk.sizes() {
        witness.tell(Fact::Stored { process: process.clone(), space, records });
    }
    if matches!(machine.who, Who::Operator(_)) {
        return;
    }
    witness.tell(Fact::Signatures { aggregator: process, kept: machine.disk.signatures() });
    for (key, value) in EVIDENCE.iter().flat_map(|space| machine.disk.records(space)) {
        if let Some(fact) = evidence(&key, &value) {
            witness.tell(fact);
        }
    }
    for (operator, fault) in blamed(machine) {
        witness.tell(Fact::Blamed { operator, fault });
    }
}

/// How many bytes an answer has in a record of two answers: value, signature, block.
const ANSWER_BYTES: usize = 32 + 64 + 8;

/// A document of evidence, as far as it proves something; read as one would who does not have the code that wrote it.
#[derive(Deserialize)]
struct Document {
    task: Task,
    operator: Accused,
    first: Answer,
    second: Answer,
}

#[derive(Deserialize)]
struct Accused {
    id: OperatorId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    safety_factor: SafetyFactor,
    signature: G1Bytes,
}

/// What a record of evidence says: a document, or two answers one after the other.
pub(crate) fn evidence(key: &[u8], value: &[u8]) -> Option<Fact> {
    if let Ok(Document { task, operator, first, second }) = serde_json::from_slice(value) {
        let answers = [first, second].map(|answer| (answer.safety_factor, answer.signature));
        return Some(Fact::Evidence { operator: operator.id, task: task.hash(), answers });
    }
    let (task, operator) = (TaskHash(word(key, 0)?), OperatorId(word(key, 1)?));
    let answer = |bytes: &[u8]| {
        let value = SafetyFactor(I256::from_be_bytes(word(bytes, 0)?.0));
        Some((value, G1Bytes(B512::from_slice(bytes.get(32..96)?))))
    };
    let (first, second) = value.split_at_checked(ANSWER_BYTES)?;
    Some(Fact::Evidence { operator, task, answers: [answer(first)?, answer(second)?] })
}

/// Whom the collector's metrics name, and why.
fn blamed(machine: &Machine) -> Vec<(OperatorId, Fault)> {
    let (mut registry, mut text) = (Registry::default(), String::new());
    machine.metrics().collector.register(&mut registry);
    // Writing to a string does not fail; were it to, there is nothing to read.
    let _ = encode(&mut text, &registry);
    faults_in(&text)
}

/// Whom these metrics name, and why.
pub(crate) fn faults_in(metrics: &str) -> Vec<(OperatorId, Fault)> {
    let lines =
        metrics.lines().filter_map(|line| line.strip_prefix("anzen_collector_faults_total{operator=\""));
    lines.filter_map(culprit).collect()
}

fn culprit(line: &str) -> Option<(OperatorId, Fault)> {
    let (operator, rest) = line.split_once("\",fault=\"")?;
    let fault = match rest.split_once('"')?.0 {
        "bad_signature" => Fault::BadSignature,
        "second_answer" => Fault::SecondAnswer,
        "other_answer" => Fault::OtherAnswer,
        _ => return None,
    };
    Some((OperatorId(operator.parse().ok()?), fault))
}

/// Asks each process's watcher for all that it tells of the chain.
pub(super) async fn whom_do_they_follow(nodes: &BTreeMap<Who, Node>, witness: &Witness) {
    for (who, node) in nodes {
        let Some(watcher) = node.process.as_ref().and_then(|process| process.watcher.clone()) else {
            continue;
        };
        let (mut blocks, mut after) = (Vec::<ChainBlock>::new(), None);
        while let Ok(Ok(delta)) = watcher.ask(NextBlocks { after, wait_ms: 0 }).await {
            let Some(last) = delta.blocks.last() else { break };
            after = Some(last.header.at);
            blocks.extend(delta.blocks);
        }
        witness.tell(Fact::Follows { process: who.to_string(), blocks });
    }
}
