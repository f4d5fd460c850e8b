//! EigenLayer's AVS node specification, field by field, against a running operator.

use serde_json::{Value, json};

use anzen_integration::e2e::chain::Chain;
use anzen_integration::e2e::network::LocalNetwork;
use anzen_integration::e2e::node::{get, until_health};

/// Name, type, and labels beside `avs_name`, as the specification and EigenLayer's SDK have them.
const METRICS: [(&str, &str, &[&str]); 6] = [
    ("eigen_registered_stakes", "gauge", &["quorum_number", "quorum_name"]),
    ("eigen_performance_score", "gauge", &[]),
    ("eigen_rpc_request_duration_seconds", "histogram", &["method", "client_version"]),
    ("eigen_rpc_request_total", "counter", &["method", "client_version"]),
    ("eigen_fees_earned_total", "counter", &["token"]),
    ("eigen_slashing_status", "gauge", &[]),
];

#[tokio::test]
async fn an_operator_keeps_to_the_specification() {
    let mut network = LocalNetwork::ready(&["--operators", "1", "--interval", "5"]).await;
    network.answered().await;
    let url = network.api_url("operator-1");
    until_health(&url, 200).await;
    node_api(&url).await;
    let metrics = metrics(&url).await;
    values(&metrics, &Chain::new(network.json("addresses.json")));
    let aggregator = get(&format!("{}/metrics", network.api_url("aggregator"))).await.1;
    for of_operators in
        ["eigen_registered_stakes", "eigen_performance_score", "eigen_fees_earned", "eigen_slashing"]
    {
        assert!(!aggregator.contains(of_operators), "an aggregator has no {of_operators}");
    }
    assert!(aggregator.contains("eigen_rpc_request_total{"));
}

async fn node_api(url: &str) {
    let (status, body) = get(&format!("{url}/eigen/node")).await;
    let node: Value = serde_json::from_str(&body).unwrap();
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    assert_eq!(status, 200);
    assert_eq!(node, json!({ "node_name": "anzen", "spec_version": "v0.0.1", "node_version": version }));

    let (status, body) = get(&format!("{url}/eigen/node/services")).await;
    assert_eq!(status, 200);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["services"]);
    for service in body["services"].as_array().unwrap() {
        let mut fields: Vec<&String> = service.as_object().unwrap().keys().collect();
        fields.sort();
        assert_eq!(fields, ["description", "id", "name", "status"]);
        let id = service["id"].as_str().unwrap();
        assert_eq!(service["status"], "Up", "{id}");
        assert_eq!(get(&format!("{url}/eigen/node/services/{id}/health")).await, (200, String::new()));
    }
    assert_eq!(get(&format!("{url}/eigen/node/services/none/health")).await.0, 404);

    let (status, body) = get(&format!("{url}/eigen/node?version=v9.9.9")).await;
    let message: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, message), (404, json!({ "message": "API version not found" })));
}

/// A sample: its name, its labels, its value.
type Sample = (String, Vec<(String, String)>, f64);

async fn metrics(url: &str) -> Vec<Sample> {
    let (status, text) = get(&format!("{url}/metrics")).await;
    assert_eq!(status, 200);
    assert!(text.ends_with("# EOF\n"), "OpenMetrics ends so");
    let samples: Vec<Sample> = text.lines().filter(|line| line.starts_with("eigen_")).map(sample).collect();
    let kinds: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE eigen_")).collect();
    for (name, kind, labels) in METRICS {
        // A counter's family has no suffix, its sample has.
        let family = name.strip_suffix("_total").unwrap_or(name).strip_prefix("eigen_").unwrap();
        assert!(kinds.contains(&format!("{family} {kind}").as_str()), "{name} is a {kind}: {kinds:?}");
        let suffix = if kind == "histogram" { "_count" } else { "" };
        let of_it: Vec<_> =
            samples.iter().filter(|(found, ..)| *found == format!("{name}{suffix}")).collect();
        assert!(!of_it.is_empty(), "there is no sample of {name}");
        for (_, found, _) in of_it {
            let mut found: Vec<&str> = found.iter().map(|(label, _)| label.as_str()).collect();
            found.sort_unstable();
            let mut wanted = [labels, &["avs_name"]].concat();
            wanted.sort_unstable();
            assert_eq!(found, wanted, "{name}");
        }
    }
    assert_eq!(kinds.len(), METRICS.len(), "and no others: {kinds:?}");
    assert!(samples.iter().all(|(_, labels, _)| labels.contains(&("avs_name".into(), "anzen".into()))));
    samples
}

fn sample(line: &str) -> Sample {
    let (name, rest) = line.split_once('{').unwrap();
    let (labels, value) = rest.rsplit_once("} ").unwrap();
    let label = |text: &str| {
        let (label, value) = text.split_once("=\"").unwrap();
        (label.trim_start_matches(',').to_owned(), value.to_owned())
    };
    let labels = labels.split_terminator('"').collect::<Vec<_>>();
    let labels = labels.chunks(2).map(|pair| label(&pair.join("\""))).collect();
    (name.to_owned(), labels, value.parse().unwrap())
}

fn values(samples: &[Sample], chain: &Chain) {
    let value = |name: &str| samples.iter().find(|(found, ..)| found == name).unwrap().2;
    assert!(value("eigen_registered_stakes") > 1e18, "of the one operator");
    assert!((value("eigen_performance_score") - 100.0).abs() < f64::EPSILON);
    assert!(value("eigen_fees_earned_total").abs() < f64::EPSILON);
    assert!(value("eigen_slashing_status").abs() < f64::EPSILON);
    let (_, labels, _) = samples.iter().find(|(name, ..)| name == "eigen_fees_earned_total").unwrap();
    assert!(labels.contains(&("token".into(), chain.address("token").to_string())), "{labels:?}");
    let requests: Vec<_> = samples.iter().filter(|(name, ..)| name == "eigen_rpc_request_total").collect();
    let label =
        |sample: &Sample, wanted: &str| sample.1.iter().find(|(label, _)| label == wanted).unwrap().1.clone();
    assert!(requests.iter().any(|sample| label(sample, "method") == "eth_call" && sample.2 > 0.0));
    assert!(requests.iter().all(|sample| label(sample, "client_version").starts_with("anvil/")));
}
