//! Providers that are less than a node: they bound the range of a query, or have a block before they have its logs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use alloy::transports::http::reqwest;
use anzen_actors::adapters::ChainConfig;
use anzen_actors::ports::ChainReader;
use anzen_messages::chain::ChainEvent;
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::chain::Chain;
use crate::watcher::refresh;

/// What a provider answers itself; the rest goes to the node. Null stands for no answer, ever.
pub(crate) type Answer = fn(&Provider, &Value) -> Option<Value>;

pub(crate) struct Provider {
    node: String,
    http: reqwest::Client,
    answer: Answer,
    asked_by_hash: AtomicBool,
    noted: AtomicUsize,
    notes: Notify,
}

impl Provider {
    /// Notes that what a test waits for has happened.
    pub(crate) fn note(&self) {
        self.noted.fetch_add(1, Ordering::SeqCst);
        self.notes.notify_one();
    }

    /// How often it was noted.
    pub(crate) fn times_noted(&self) -> usize {
        self.noted.load(Ordering::SeqCst)
    }

    /// Waits until it was noted.
    pub(crate) async fn noted(&self) {
        self.notes.notified().await;
    }
}

pub(crate) async fn serve(chain: &Chain, answer: Answer) -> (ChainConfig, Arc<Provider>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rpc_url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let provider = Arc::new(Provider {
        node: chain.anvil.http_url(),
        http: reqwest::Client::new(),
        answer,
        asked_by_hash: AtomicBool::new(false),
        noted: AtomicUsize::new(0),
        notes: Notify::new(),
    });
    let router = Router::new().route("/", post(relay)).with_state(Arc::clone(&provider));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (ChainConfig { rpc_url, ..chain.config() }, provider)
}

async fn relay(State(provider): State<Arc<Provider>>, body: String) -> String {
    let question: Value = serde_json::from_str(&body).unwrap();
    if let Some(answer) = (provider.answer)(&provider, &question) {
        if answer.is_null() {
            return std::future::pending().await;
        }
        return answer.to_string();
    }
    let request = provider.http.post(&provider.node).header("content-type", "application/json").body(body);
    request.send().await.unwrap().text().await.unwrap()
}

/// The number in a question's parameter.
fn number(filter: &Value, name: &str) -> u64 {
    u64::from_str_radix(filter[name].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

/// True where it is asked to look through more than ten blocks at a time.
pub(crate) fn asks_for_many_blocks(question: &Value) -> bool {
    let filter = &question["params"][0];
    let asked = question["method"] == "eth_getLogs" && filter["fromBlock"].is_string();
    asked && number(filter, "toBlock") - number(filter, "fromBlock") >= 10
}

/// Refuses to do so.
fn at_most_ten_blocks(_provider: &Provider, question: &Value) -> Option<Value> {
    if !asks_for_many_blocks(question) {
        return None;
    }
    let error = json!({ "code": -32602, "message": "exceed maximum block range: 10" });
    Some(json!({ "jsonrpc": "2.0", "id": question["id"], "error": error }))
}

/// Has no logs, unless it is asked for those of one block.
fn logs_by_hash_only(provider: &Provider, question: &Value) -> Option<Value> {
    let question = if question.is_array() { &question[0] } else { question };
    if question["method"] != "eth_getLogs" {
        return None;
    }
    if question["params"][0]["blockHash"].is_string() {
        provider.asked_by_hash.store(true, Ordering::SeqCst);
        return None;
    }
    Some(json!({ "jsonrpc": "2.0", "id": question["id"], "result": [] }))
}

#[actix::test]
async fn a_provider_that_bounds_the_range_is_asked_for_less() {
    let chain = Chain::start().await;
    refresh(&chain).await;
    let node = chain.connect(&chain.config());
    let to = node.head().await.unwrap().at.number;
    let (config, _) = serve(&chain, at_most_ten_blocks).await;
    let blocks = chain.connect(&config).blocks(0, to).await.unwrap();
    assert_eq!(blocks, node.blocks(0, to).await.unwrap());
}

#[actix::test]
async fn logs_that_a_provider_does_not_have_yet_are_asked_for_by_hash() {
    let chain = Chain::start().await;
    refresh(&chain).await;
    let (config, provider) = serve(&chain, logs_by_hash_only).await;
    let port = chain.connect(&config);
    let head = port.head().await.unwrap().at.number;
    let block = port.blocks(head, head).await.unwrap().pop().unwrap();
    assert_eq!(block.events, [ChainEvent::QuorumRefreshed { quorum: 0 }]);
    assert!(provider.asked_by_hash.load(Ordering::SeqCst));
}
