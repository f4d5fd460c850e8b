//! What a process tells of its work: one trace a task, across all processes, and log lines that say what they are about.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use anzen_integration::e2e::collector::{Collector, Recorded};
use anzen_integration::e2e::network::LocalNetwork;

/// What each process does for a task, in a topology of one actor a process.
const STEPS: [(&str, &[&str]); 8] = [
    ("task-generator", &["task.create"]),
    ("operator-1", &["signer.compute", "signer.sign", "submit"]),
    ("operator-2", &["signer.compute", "signer.sign", "submit"]),
    ("operator-3", &["signer.compute", "signer.sign", "submit"]),
    ("rpc-gateway", &["gateway.receive"]),
    (
        "signature-collector",
        &["gateway.receive", "collector.add", "collector.operators", "quorum.check", "quorum.reached"],
    ),
    ("aggregator", &["gateway.receive", "aggregator.certificate", "aggregator.post"]),
    ("tx-sender", &["gateway.receive", "tx.send"]),
];

/// Calls that cross processes: where the parent is, and what it is.
const CALLS: [(&str, &str, &str, &str); 4] = [
    ("rpc-gateway", "gateway.receive", "operator-1", "submit"),
    ("signature-collector", "gateway.receive", "rpc-gateway", "gateway.receive"),
    ("aggregator", "gateway.receive", "signature-collector", "quorum.reached"),
    ("tx-sender", "gateway.receive", "aggregator", "aggregator.post"),
];

#[tokio::test]
async fn a_task_is_one_trace_and_its_lines_say_so() {
    let collector = Collector::start().await;
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("network");
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str())];
    let network = LocalNetwork::start_with(&folder, &["--tasks", "2", "--topology", "spread"], &variables)
        .ended()
        .await;
    assert!(network.status.success(), "{}", network.errors);

    let spans = collector.spans();
    // The second task may have been cut short by the end.
    let root = spans.iter().filter(|one| one.span.name == "task.create");
    let root = root.min_by_key(|one| one.span.start_time_unix_nano).expect("a task was created");
    let task = root.attribute("task").unwrap();
    let trace: Vec<&Recorded> = spans.iter().filter(|one| one.span.trace_id == root.span.trace_id).collect();

    assert_eq!(task[2..34], hex(&root.span.trace_id), "the trace's id is from the task's hash");
    assert_eq!(task[34..50], hex(&root.span.span_id), "and so is the root's");
    every_process_has_done_its_part(&trace);
    every_parent_is_there(&trace, &root.span.span_id);
    the_creation_is_linked(root, &spans);
    for one in trace.iter().filter(|one| one.attribute("task").is_some()) {
        assert_eq!(one.attribute("task").as_deref(), Some(task.as_str()), "{one:?}");
    }
    the_lines_say_what_they_are_about(&folder, &task);
}

fn every_process_has_done_its_part(trace: &[&Recorded]) {
    let mut done: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in trace {
        done.entry(&one.service).or_default().push(&one.span.name);
    }
    for (service, steps) in STEPS {
        for step in steps {
            assert!(
                done.get(service).is_some_and(|names| names.contains(step)),
                "{service} {step}: {done:?}"
            );
        }
    }
}

fn every_parent_is_there(trace: &[&Recorded], root: &[u8]) {
    let by_id: BTreeMap<&[u8], &Recorded> =
        trace.iter().map(|one| (one.span.span_id.as_slice(), *one)).collect();
    assert_eq!(by_id.len(), trace.len(), "ids are used once");
    for one in trace.iter().filter(|one| one.span.span_id != root) {
        assert!(by_id.contains_key(one.span.parent_span_id.as_slice()), "{one:?} has no parent");
    }
    for (service, name, from, step) in CALLS {
        let is_call = |one: &&&Recorded| {
            let parent = by_id.get(one.span.parent_span_id.as_slice());
            let expected = parent.is_some_and(|parent| parent.service == from && parent.span.name == step);
            one.service == service && one.span.name == name && expected
        };
        assert!(trace.iter().any(|one| is_call(&one)), "no {name} of {service} within {step} of {from}");
    }
}

/// The transaction was sent before the task had a hash: in a trace of its own, to which the root is linked.
fn the_creation_is_linked(root: &Recorded, spans: &[Recorded]) {
    let link = &root.span.links[0];
    let of_link = spans.iter().filter(|one| one.span.trace_id == link.trace_id);
    let names: Vec<(&str, &str)> =
        of_link.map(|one| (one.service.as_str(), one.span.name.as_str())).collect();
    for part in [("task-generator", "generator.attempt"), ("tx-sender", "tx.send")] {
        assert!(names.contains(&part), "{names:?}");
    }
}

fn the_lines_say_what_they_are_about(folder: &Path, task: &str) {
    let mut about = 0;
    for (name, _) in STEPS {
        let log = std::fs::read_to_string(folder.join(format!("{name}.log"))).unwrap();
        for line in log.lines() {
            let fields =
                &serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("no JSON: {line}"))["fields"];
            if line.contains(task) {
                about += 1;
                assert_eq!(fields["task"], task, "{line}");
                assert!(fields["actor"].is_string(), "{line}");
            }
            assert_eq!(fields["node"], name, "{line}");
            assert!(!name.starts_with("operator-") || fields["operator"].is_string(), "{line}");
        }
    }
    assert!(about >= 9, "{about} lines are about a task");
}

fn hex(bytes: &[u8]) -> String {
    alloy::primitives::hex::encode(bytes)
}
