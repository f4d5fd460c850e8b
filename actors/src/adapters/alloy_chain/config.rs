//! How the chain is reached.

use serde::{Deserialize, Serialize};

use super::endpoint::Endpoint;

/// How the chain is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChainConfig {
    /// The node that is asked everything (`http://` or `https://`).
    pub rpc_url: Endpoint,
    /// Others, that are asked where the ones before them fail or lag behind.
    pub rpc_urls: Vec<Endpoint>,
    /// A node that tells of new blocks by a subscription (`ws://` or `wss://`). Without one, or while it is silent, the
    /// other is polled.
    pub ws_url: Option<Endpoint>,
    /// Others, that are subscribed to where the ones before them are down or silent.
    pub ws_urls: Vec<Endpoint>,
    /// How many of the nodes must say the same of what a model reads; where fewer do, nothing is signed. Storage slots need no
    /// agreement: they are proved.
    pub agree: usize,
    /// How long one question may take, in milliseconds.
    pub timeout_ms: u64,
    /// How long one answer may be, in bytes.
    pub longest_answer: usize,
    /// The pause between two polls, in milliseconds.
    pub poll_interval_ms: u64,
    /// The same while the subscription works.
    pub slow_poll_interval_ms: u64,
    /// With several nodes, how often it is seen how far each is, in milliseconds.
    pub compare_interval_ms: u64,
    /// The most blocks that one query of logs covers; fewer where the provider wants fewer.
    pub log_range: u64,
    /// The most questions in one batch.
    pub batch: usize,
}

impl Default for ChainConfig {
    fn default() -> Self {
        Self {
            #[allow(clippy::unwrap_used, reason = "a constant, tested below")]
            rpc_url: "http://127.0.0.1:8545".parse().unwrap(),
            rpc_urls: Vec::new(),
            ws_url: None,
            ws_urls: Vec::new(),
            agree: 1,
            timeout_ms: 10_000,
            longest_answer: 33_554_432,
            poll_interval_ms: 1_000,
            slow_poll_interval_ms: 12_000,
            compare_interval_ms: 15_000,
            log_range: 1_000,
            batch: 100,
        }
    }
}

impl ChainConfig {
    /// The nodes that are asked, the preferred one first, each once.
    pub fn rpc_endpoints(&self) -> Vec<Endpoint> {
        each_once(std::iter::once(&self.rpc_url).chain(&self.rpc_urls))
    }

    /// The nodes that are subscribed to, the preferred one first, each once.
    pub fn ws_endpoints(&self) -> Vec<Endpoint> {
        each_once(self.ws_url.iter().chain(&self.ws_urls))
    }
}

fn each_once<'a>(all: impl Iterator<Item = &'a Endpoint>) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for endpoint in all {
        if !endpoints.contains(endpoint) {
            endpoints.push(endpoint.clone());
        }
    }
    endpoints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_a_node_of_this_machine() {
        let endpoints = ChainConfig::default().rpc_endpoints();
        assert_eq!(endpoints.iter().map(Endpoint::to_string).collect::<Vec<_>>(), ["http://127.0.0.1:8545"]);
        assert!(ChainConfig::default().ws_endpoints().is_empty());
    }

    #[test]
    fn each_endpoint_is_asked_once_and_the_first_one_first() {
        let [a, b, c] = ["ws://a", "ws://b", "ws://c"].map(|url| url.parse::<Endpoint>().unwrap());
        let ws_urls = vec![b.clone(), a.clone(), c.clone(), b.clone()];
        let config = ChainConfig { ws_url: Some(a.clone()), ws_urls, ..ChainConfig::default() };
        assert_eq!(config.ws_endpoints(), [a, b, c]);
    }
}
