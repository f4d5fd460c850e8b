//! What Prometheus has to say, and what Grafana would ask it.

use std::path::Path;
use std::time::Duration;

use alloy::transports::http::reqwest::{Client, Url};
use serde_json::Value;

use crate::Outcome;
use crate::command::eventually;

/// How long until something has happened of all that a panel shows.
const PATIENCE: Duration = Duration::from_secs(120);

/// Who is asked: Prometheus, or Grafana in its place.
pub(crate) struct Monitoring {
    client: Client,
    prometheus: String,
}

/// What a panel asks.
pub(crate) struct Question {
    panel: String,
    query: String,
}

impl Monitoring {
    /// Prometheus at an address like `127.0.0.1:9090`.
    pub(crate) fn new(address: &str) -> Self {
        Self { client: Client::new(), prometheus: format!("http://{address}") }
    }

    /// Returns when every target is up, and there are so many of each job. Tells how many there are in all.
    pub(crate) async fn all_up(&self, jobs: &[(&str, usize)]) -> Outcome<usize> {
        eventually("every target is up", PATIENCE, async || {
            let targets = self.get("/api/v1/targets?state=active", &[]).await?;
            let targets = targets["activeTargets"].as_array().cloned().unwrap_or_default();
            for target in &targets {
                if target["health"] != "up" {
                    return Err(format!(
                        "{} is {}: {}",
                        target["scrapeUrl"], target["health"], target["lastError"]
                    )
                    .into());
                }
            }
            for (job, expected) in jobs {
                let found = targets.iter().filter(|target| target["labels"]["job"] == *job).count();
                if found != *expected {
                    return Err(format!("{job} has {found} targets and not {expected}").into());
                }
            }
            Ok(targets.len())
        })
        .await
    }

    /// Returns when every question is answered with data.
    pub(crate) async fn all_answered(&self, questions: &[Question]) -> Outcome<()> {
        eventually("every panel has data", PATIENCE, async || {
            let mut empty = String::new();
            for question in questions {
                let answer = self.get("/api/v1/query", &[("query", &question.query)]).await?;
                if answer["result"].as_array().is_none_or(Vec::is_empty) {
                    empty += &format!("\n  {}: {}", question.panel, question.query);
                }
            }
            if empty.is_empty() { Ok(()) } else { Err(format!("no data for{empty}").into()) }
        })
        .await
    }

    /// Fails where an alert fires.
    pub(crate) async fn none_fires(&self) -> Outcome<()> {
        let alerts = self.get("/api/v1/alerts", &[]).await?;
        let alerts = alerts["alerts"].as_array().cloned().unwrap_or_default();
        let firing: Vec<_> = alerts.iter().filter(|alert| alert["state"] == "firing").collect();
        if firing.is_empty() { Ok(()) } else { Err(format!("alerts fire: {firing:#?}").into()) }
    }

    async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Outcome<Value> {
        let mut url: Url = format!("{}{path}", self.prometheus).parse()?;
        for (name, value) in parameters {
            url.query_pairs_mut().append_pair(name, value);
        }
        let answer: Value = serde_json::from_str(&self.client.get(url.clone()).send().await?.text().await?)?;
        if answer["status"] == "success" {
            Ok(answer["data"].clone())
        } else {
            Err(format!("{url}: {answer}").into())
        }
    }
}

/// Grafana at an address like `127.0.0.1:3000`: its own data source must reach Prometheus, and the dashboards be there.
pub(crate) async fn grafana_shows(address: &str, dashboards: usize) -> Outcome<Monitoring> {
    let base = format!("http://admin:admin@{address}");
    let client = Client::new();
    eventually("Grafana has the dashboards", PATIENCE, async || {
        let found = client.get(format!("{base}/api/search?type=dash-db")).send().await?.text().await?;
        let found: Value = serde_json::from_str(&found)?;
        let found = found.as_array().map_or(0, Vec::len);
        if found == dashboards { Ok(()) } else { Err(format!("{found} of {dashboards}").into()) }
    })
    .await?;
    let prometheus = format!("{base}/api/datasources/proxy/uid/prometheus");
    Ok(Monitoring { client, prometheus })
}

/// What the panels of all dashboards in a folder ask, with the variables that Grafana puts in; and how many dashboards.
pub(crate) fn questions(folder: &Path) -> Outcome<(Vec<Question>, usize)> {
    let (mut questions, mut dashboards) = (Vec::new(), 0);
    for entry in std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
        dashboards += 1;
        for panel in dashboard["panels"].as_array().into_iter().flatten() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let panel = format!("{} › {}", text(&dashboard["title"]), text(&panel["title"]));
                questions.push(Question { panel, query: filled_in(text(&target["expr"]), &dashboard) });
            }
        }
    }
    Ok((questions, dashboards))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A query as Grafana asks it when nothing is chosen.
fn filled_in(query: &str, dashboard: &Value) -> String {
    let mut query = query.to_owned();
    let mut put = |name: &str, value: &str| {
        query = query.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value);
    };
    put("__rate_interval", "1m");
    put("__interval", "15s");
    put("__range", "30m");
    for variable in dashboard["templating"]["list"].as_array().into_iter().flatten() {
        put(text(&variable["name"]), variable["allValue"].as_str().unwrap_or(".*"));
    }
    query
}
