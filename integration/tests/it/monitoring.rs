//! The list of metrics, walked: each is shown or alerted on, each that is named exists, each is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anzen_actors::node::NodeMetrics;
use anzen_integration::monitoring::{promql, render};
use anzen_messages::wire::ActorName;
use prometheus_client::encoding::text::encode;
use serde::Deserialize;
use serde_json::Value;

use anzen_integration::e2e::network::LocalNetwork;

/// What may stay at zero while all is well, and when it does not. That it is written all the same is shown by
/// [`every_metric_is_written`].
const QUIET: &[(&str, &str)] = &[
    ("anzen_actor_refusals", "an actor is full"),
    ("anzen_aggregator_given_up", "a certificate is not posted in time"),
    ("anzen_aggregator_pending", "between a certificate and its block"),
    ("anzen_bus_calls", "a bus is configured"),
    ("anzen_bus_connected", "a bus is configured"),
    ("anzen_bus_connections", "a bus is configured"),
    ("anzen_bus_received", "a bus is configured"),
    ("anzen_chain_follow_failures", "the endpoint is away"),
    ("anzen_chain_lag_blocks", "between a new head and its blocks"),
    ("anzen_chain_reorg_depth_blocks", "the chain forks"),
    ("anzen_chain_waiting", "nearly always, but not just after a block"),
    ("anzen_challenger_challenges_running_out", "an answer is wrong"),
    ("anzen_challenger_checks_running_out", "a task cannot be recomputed"),
    ("anzen_challenger_disputes", "an answer is wrong"),
    ("anzen_challenger_done", "an answer is wrong"),
    ("anzen_challenger_hindered", "the endpoint is away, or an answer is wrong"),
    ("anzen_challenger_sent", "an answer is wrong"),
    ("anzen_challenger_slashed", "an answer is wrong"),
    ("anzen_challenger_slashings_running_out", "an answer is wrong"),
    ("anzen_challenger_unchecked", "a task cannot be recomputed"),
    ("anzen_collector_early", "an operator sees a block before the collector does"),
    ("anzen_collector_evidence", "an operator gives two answers"),
    ("anzen_collector_faults", "an operator is at fault"),
    ("anzen_collector_penalised", "an operator is at fault"),
    ("anzen_collector_penalties", "an operator is at fault"),
    ("anzen_collector_tasks_missed", "too little stake signs"),
    ("anzen_gateway_certificates", "a certificate is renewed"),
    ("anzen_gateway_ended", "a connection ends"),
    ("anzen_gateway_refusals", "a client is at fault"),
    ("anzen_gateway_turned_away", "there are too many connections"),
    ("anzen_generator_hindered", "a task cannot be created"),
    ("anzen_generator_unanswered", "too little stake signs"),
    ("anzen_rpc_disagreements", "an endpoint lies"),
    ("anzen_rpc_endpoint_lag_blocks", "an endpoint is behind another"),
    ("anzen_rpc_unproven", "an endpoint lies"),
    ("anzen_signer_disagreements", "the proposal is wrong"),
    ("anzen_signer_failures", "endpoint, disk or signer fail"),
    ("anzen_signer_ignored", "a task cannot be answered"),
    ("anzen_signer_missed", "no aggregator can be reached"),
    ("anzen_signer_no_answers", "a feed is stale, or a guard does not hold"),
    ("anzen_signer_refusals", "the protection refuses"),
    ("anzen_stake_drift_ratio", "stake moves"),
    ("anzen_stake_hindered", "stakes cannot be refreshed"),
    ("anzen_stake_refreshes", "stakes get old"),
    ("anzen_store_failures", "the disk fails"),
    ("anzen_store_waiting", "while the disk works"),
    ("anzen_telemetry_spans", "a collector of traces is configured"),
    ("anzen_tx_at_ceiling", "gas is dearer than allowed"),
    ("anzen_tx_doubtful_nonces", "an endpoint lies"),
    ("anzen_tx_pending", "between a broadcast and its block"),
    ("anzen_tx_replacements", "a transaction is stuck"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Files of a folder with an extension, by stem.
fn files(folder: &str, extension: &str) -> BTreeMap<String, String> {
    let paths = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let of_kind = paths.filter(|path| path.extension().is_some_and(|found| found == extension));
    let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    of_kind.map(|path| (stem(&path), std::fs::read_to_string(&path).unwrap())).collect()
}

/// Every metric of Anzen's own that some process may serve, with the names of its samples. From the source, because a registry says nothing
/// of a family that has no members yet.
fn served() -> BTreeMap<String, Vec<String>> {
    let mut served = BTreeMap::new();
    for (path, text) in sources() {
        let kinds: BTreeMap<&str, &str> = fields(&text).into_iter().collect();
        for call in text.split("registry.register(").skip(1) {
            let arguments = call.split_once(");").unwrap().0;
            let name = arguments.split('"').nth(1).unwrap();
            // The last argument: `field`, or `self.field.clone()`.
            let metric =
                arguments.trim_end().trim_end_matches([',', ')']).rsplit(['"', ',']).next().unwrap().trim();
            let field = metric.trim_start_matches("self.").trim_end_matches(".clone(");
            let kind = kinds.get(field).copied().unwrap_or(if field == "build" { "Info" } else { "?" });
            assert_ne!(kind, "?", "{}: what is {field}?", path.display());
            // EigenLayer's own dashboard shows its metrics.
            if !name.starts_with("eigen_") {
                served.insert(name.to_owned(), samples(name, kind));
            }
        }
    }
    served
}

fn samples(name: &str, kind: &str) -> Vec<String> {
    let suffixes: &[&str] = match kind {
        counter if counter.contains("Counter") => &["_total"],
        histogram if histogram.contains("Histogram") => &["_bucket", "_sum", "_count"],
        "Info" => &["_info"],
        _ => &[""],
    };
    suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect()
}

/// What a registry of all actors does say, the source has said.
#[test]
fn the_source_tells_of_every_metric() {
    let mut text = String::new();
    encode(&mut text, &NodeMetrics::default().registry(&ActorName::ALL)).unwrap();
    let (served, mut told) = (served(), 0);
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        if name.starts_with("eigen_") {
            continue;
        }
        let samples = served.get(name).unwrap_or_else(|| panic!("{name} is registered out of sight"));
        let suffix = samples[0].trim_start_matches(name);
        let expected = match kind {
            "counter" => "_total",
            "histogram" => "_bucket",
            "info" => "_info",
            _ => "",
        };
        assert_eq!(suffix, expected, "{name}");
        told += 1;
    }
    assert!(told > 40, "{told} of {}", served.len());
}

#[derive(Deserialize)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    alert: String,
    expr: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

fn alerts() -> Vec<Rule> {
    let rules: Rules = serde_saphyr::from_str(&read("docker/prometheus/alerts.yml")).unwrap();
    rules.groups.into_iter().flat_map(|group| group.rules).collect()
}

/// All queries of all dashboards.
fn panels() -> Vec<String> {
    let mut queries = Vec::new();
    for text in files("docker/grafana/dashboards", "json").values() {
        let dashboard: Value = serde_json::from_str(text).unwrap();
        for panel in dashboard["panels"].as_array().unwrap() {
            let targets = panel["targets"].as_array().into_iter().flatten();
            queries.extend(targets.map(|target| target["expr"].as_str().unwrap().to_owned()));
        }
    }
    queries
}

#[test]
fn every_metric_is_shown_or_alerted_on_and_none_is_made_up() {
    let queries: Vec<String> =
        panels().into_iter().chain(alerts().into_iter().map(|rule| rule.expr)).collect();
    let named: BTreeSet<String> = queries.iter().flat_map(|query| promql::metrics(query)).collect();
    let served = served();
    let unseen: Vec<_> =
        served.iter().filter(|(_, samples)| !samples.iter().any(|sample| named.contains(sample))).collect();
    assert!(unseen.is_empty(), "on no dashboard, in no alert: {unseen:?}");
    let real: BTreeSet<String> = served.into_values().flatten().collect();
    let made_up: Vec<_> = named.difference(&real).collect();
    assert!(made_up.is_empty(), "no process serves {made_up:?}");
}

#[test]
fn names_are_anzens_own_and_carry_their_unit() {
    for (name, samples) in served() {
        assert!(name.starts_with("anzen_"), "{name}");
        let is_time = name.contains("time") || samples.iter().any(|sample| sample.ends_with("_bucket"));
        let has_unit = ["_seconds", "_blocks", "_ratio"].iter().any(|unit| name.ends_with(unit));
        assert!(!is_time || has_unit, "{name} has no unit");
    }
    let queries = panels().join(" ");
    assert!(!queries.contains("eigen_"), "EigenLayer's own dashboard shows its metrics");
}

#[test]
fn dashboards_are_what_their_sources_make() {
    let rendered: BTreeMap<String, String> = files("docker/grafana/sources", "yaml")
        .into_iter()
        .map(|(name, source)| (name, render(&source).unwrap()))
        .collect();
    assert_eq!(files("docker/grafana/dashboards", "json"), rendered, "run `just dashboards`");
}

#[test]
fn every_alert_has_its_section_in_the_runbook() {
    for Rule { alert, labels, annotations, .. } in alerts() {
        assert!(["critical", "warning"].contains(&labels["severity"].as_str()), "{alert}");
        assert!(!annotations["summary"].is_empty() && !annotations["description"].is_empty(), "{alert}");
        let (file, anchor) = annotations["runbook_url"].split_once('#').unwrap();
        assert_eq!(anchor, alert.to_lowercase());
        let text = read(file);
        assert!(text.lines().any(|line| line == format!("### {alert}")), "{file} has no section {alert}");
    }
    let text = read("docs/runbook.md");
    let known: BTreeSet<String> = alerts().into_iter().map(|rule| rule.alert).collect();
    let sections: BTreeSet<String> =
        text.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_owned).collect();
    assert_eq!(sections, known, "a section for each alert, and no others");
    let links = text.split("](#").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links {
        assert!(known.iter().any(|alert| alert.to_lowercase() == link), "#{link} leads nowhere");
    }
}

#[derive(Deserialize)]
struct AlertTests {
    tests: Vec<AlertTest>,
}

#[derive(Deserialize)]
struct AlertTest {
    alert_rule_test: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    alertname: String,
    exp_alerts: Vec<Value>,
}

#[test]
fn every_alert_is_tested_to_fire_and_to_stay_quiet() {
    let tests: AlertTests = serde_saphyr::from_str(&read("docker/prometheus/alerts_test.yml")).unwrap();
    let cases: Vec<Case> = tests.tests.into_iter().flat_map(|test| test.alert_rule_test).collect();
    for Rule { alert, .. } in alerts() {
        let mut of_alert = cases.iter().filter(|case| case.alertname == alert);
        assert!(of_alert.clone().any(|case| case.exp_alerts.is_empty()), "{alert} is never quiet");
        assert!(of_alert.any(|case| !case.exp_alerts.is_empty()), "{alert} never fires");
    }
}

/// Every field of a struct of metrics is changed by a method, and not only made known at zero. That the method is called
/// outside of tests is the compiler's part: it refuses one that is not.
#[test]
fn every_metric_is_written() {
    for (path, text) in sources() {
        let writers: Vec<&str> = text.split("fn ").skip(1).filter(|function| is_writer(function)).collect();
        for (field, _) in fields(&text) {
            let write = format!("self.{field}");
            let writes = |at: usize, writer: &str| {
                !writer[..at].ends_with("at_zero(&") && !continues(&writer[at + write.len()..])
            };
            let written =
                writers.iter().any(|writer| writer.match_indices(&write).any(|(at, _)| writes(at, writer)));
            assert!(written, "{}: nothing writes {field}", path.display());
        }
    }
}

/// Where metrics are registered. `node/metrics.rs` only collects them.
const MAKERS: [&str; 3] = ["metrics.rs", "eigen.rs", "node/process.rs"];

/// The files with metrics, and what they say.
fn sources() -> Vec<(PathBuf, String)> {
    let mut paths = Vec::new();
    collect(&root().join("actors/src"), &mut paths);
    assert!(paths.len() > 10, "{paths:?}");
    paths.into_iter().map(|path| (path.clone(), std::fs::read_to_string(&path).unwrap())).collect()
}

fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if MAKERS.iter().any(|name| path.ends_with(name)) && !path.ends_with("node/metrics.rs") {
            sources.push(path);
        }
    }
}

fn is_writer(function: &str) -> bool {
    !["register", "default"].iter().any(|name| function.starts_with(name))
}

fn continues(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

/// The fields whose types are metrics, and the types.
fn fields(text: &str) -> Vec<(&str, &str)> {
    let kinds = ["Counter", "Gauge", "Histogram", "Family<", "Ratio"];
    text.lines()
        .filter(|line| line.starts_with("    ") && !line.starts_with("     ") && line.ends_with(','))
        .filter_map(|line| line.trim().split_once(": "))
        .map(|(field, kind)| (field.trim_start_matches("pub(super) "), kind))
        .filter(|(_, kind)| kinds.iter().any(|metric| kind.starts_with(metric)))
        .collect()
}

/// On a real network that does its work, everything counts but what is there for trouble.
#[tokio::test]
async fn on_a_healthy_network_all_but_trouble_is_counted() {
    let mut network = LocalNetwork::ready(&["--interval", "5"]).await;
    let mut silent = served();
    for _ in 0..4 {
        network.answered().await;
        let text = network.metrics("aggregator").await
            + &network.metrics("operator-1").await
            + &network.metrics("challenger").await;
        let counted = |name: &String| text.lines().any(|line| is_counted(line, name));
        silent.retain(|_, samples| !samples.iter().any(counted));
    }
    silent.retain(|name, _| !QUIET.iter().any(|(quiet, _)| name == quiet));
    assert!(silent.is_empty(), "nothing has counted {:?}", silent.keys());
    let served = served();
    let gone = QUIET.iter().find(|(name, _)| !served.contains_key(*name));
    assert_eq!(gone, None, "it is not served any more");
}

/// A sample of this name that is not zero.
fn is_counted(line: &str, name: &str) -> bool {
    let sample = line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
    sample
        && line
            .rsplit(' ')
            .next()
            .and_then(|value| value.parse::<f64>().ok())
            .is_some_and(|value| value != 0.0)
}
