//! Looks at disks and metrics, again and again, and tells what is there.

use std::collections::BTreeMap;
use std::time::Duration;

use anzen_messages::bls::G1Bytes;
use anzen_messages::chain::{ChainBlock, NextBlocks};
use anzen_messages::{OperatorId, SafetyFactor, Task};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde::Deserialize;

use super::node::{Machine, Node, Who};
use super::store::EVIDENCE;
use super::witness::Witness;
use crate::invariants::{Fact, Fault, View};

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
    witness.tell(Fact::Signatures { aggregator: process.clone(), kept: machine.disk.signatures() });
    for (_, value) in machine.disk.records(EVIDENCE) {
        let unreadable = || Fact::Unreadable { process: process.clone(), space: EVIDENCE };
        witness.tell(evidence(&value).unwrap_or_else(unreadable));
    }
    for (operator, fault) in blamed(machine) {
        witness.tell(Fact::Blamed { process: process.clone(), operator, fault });
    }
}

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

/// What a record of evidence says.
pub(crate) fn evidence(value: &[u8]) -> Option<Fact> {
    let Document { task, operator, first, second } = serde_json::from_slice(value).ok()?;
    let answers = [first, second].map(|answer| (answer.safety_factor, answer.signature));
    Some(Fact::Evidence { operator: operator.id, task: task.hash(), answers })
}

/// What some of a process's metrics say.
fn text(register: impl FnOnce(&mut Registry)) -> String {
    let (mut registry, mut text) = (Registry::default(), String::new());
    register(&mut registry);
    // Writing to a string does not fail; were it to, there is nothing to read.
    let _ = encode(&mut text, &registry);
    text
}

/// Whom the collector's metrics name, and why.
fn blamed(machine: &Machine) -> Vec<(OperatorId, Fault)> {
    faults_in(&text(|registry| machine.metrics().collector.register(registry)))
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

/// Asks each process's watcher for all that it tells of the chain, and reads what its actors take for open.
pub(super) async fn what_do_they_believe(nodes: &BTreeMap<Who, Node>, witness: &Witness) {
    for (who, node) in nodes {
        let Some(process) = &node.process else { continue };
        for (view, tasks) in beliefs(&node.machine) {
            witness.tell(Fact::Believes { process: who.to_string(), view, tasks });
        }
        let Some(watcher) = process.watcher.clone() else { continue };
        let (mut blocks, mut after) = (Vec::<ChainBlock>::new(), None);
        while let Ok(Ok(delta)) = watcher.ask(NextBlocks { after, wait_ms: 0 }).await {
            let Some(last) = delta.blocks.last() else { break };
            after = Some(last.header.at);
            blocks.extend(delta.blocks);
        }
        witness.tell(Fact::Follows { process: who.to_string(), blocks });
    }
}

/// What the metrics of a process's actors say of tasks.
fn beliefs(machine: &Machine) -> Vec<(View, usize)> {
    let metrics = machine.metrics();
    let of = |view, text: String, gauge: &str| Some((view, number(&text, gauge)?));
    match machine.who {
        Who::Operator(_) => {
            let text = text(|registry| metrics.signer.register(registry));
            of(View::Open, text, "anzen_signer_open_tasks").into_iter().collect()
        }
        Who::Aggregator(_) => {
            let collector = text(|registry| metrics.collector.register(registry));
            let aggregator = text(|registry| metrics.aggregator.register(registry));
            let known = of(View::Known, collector, "anzen_collector_tasks_kept");
            known.into_iter().chain(of(View::Unanswered, aggregator, "anzen_aggregator_pending")).collect()
        }
    }
}

/// The value of a gauge without labels.
fn number(text: &str, gauge: &str) -> Option<usize> {
    text.lines().find_map(|line| line.strip_prefix(gauge)?.strip_prefix(' ')?.parse().ok())
}
