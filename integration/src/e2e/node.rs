//! One process of `anzen node`, and what it serves.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::chain::http_get;
use super::process::anzen;
use super::{PATIENCE, within};

/// A process. It is killed when this is dropped.
pub struct Node {
    process: Child,
    data: PathBuf,
}

impl Node {
    /// Starts a process in `folder` with the settings of `config`, those of `variables`, and `data` for its records.
    pub fn start(folder: &Path, config: &str, data: &Path, variables: &[(&str, String)]) -> Self {
        let process = Command::new(anzen())
            .args(["node", "--config", config])
            .current_dir(folder)
            .env("ANZEN_DATA_DIR", data)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { process, data: data.to_owned() }
    }

    /// Where it serves the node API and its metrics, once it is ready.
    pub async fn url(&mut self) -> String {
        let file = self.data.join("endpoints.json");
        let ready = async {
            loop {
                if let Ok(text) = std::fs::read_to_string(&file) {
                    let endpoints: Value = serde_json::from_str(&text).unwrap();
                    return format!("http://{}", endpoints["api"].as_str().unwrap());
                }
                assert!(self.process.try_wait().unwrap().is_none(), "the process has ended");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        within("a process that is ready", ready).await
    }
}

/// The status and the body of what is answered at `url`.
pub async fn get(url: &str) -> (u16, String) {
    let answer = http_get(url).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Returns when the node API at `url` answers `wanted` for the node's health.
pub async fn until_health(url: &str, wanted: u16) {
    let health = format!("{url}/eigen/node/health");
    let mut last = 0;
    let reached = async {
        while last != wanted {
            tokio::time::sleep(Duration::from_millis(50)).await;
            last = get(&health).await.0;
        }
    };
    if timeout(PATIENCE, reached).await.is_err() {
        let (_, services) = get(&format!("{url}/eigen/node/services")).await;
        panic!("the node's health is {last}, not {wanted}: {services}");
    }
}

/// The status of each service, as the node API at `url` lists them.
pub async fn services(url: &str) -> Vec<(String, String)> {
    let (status, body) = get(&format!("{url}/eigen/node/services")).await;
    assert_eq!(status, 200);
    let body: Value = serde_json::from_str(&body).unwrap();
    let text = |service: &Value, field: &str| service[field].as_str().unwrap().to_owned();
    let services = body["services"].as_array().unwrap();
    services.iter().map(|service| (text(service, "id"), text(service, "status"))).collect()
}
