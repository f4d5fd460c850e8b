//! One endpoint: questions go out over HTTP, and answers of a bounded size come back.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use alloy::primitives::U64;
use alloy::transports::TransportError;
use alloy::transports::http::reqwest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::endpoint::Endpoint;
use super::failure::Failure;
use super::metrics::RpcMetrics;
use crate::ports::ChainError;

/// A node that does not say what it is.
const UNNAMED: &str = "unknown";
/// The most of a node's name that is kept, in characters.
const LONGEST_NAME: usize = 128;

/// A question.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: &'static str,
    params: Box<RawValue>,
}

impl Call {
    pub(super) fn new<P: Serialize>(method: &'static str, params: &P) -> Result<Self, Failure> {
        let params = serde_json::value::to_raw_value(params);
        Ok(Self { method, params: params.map_err(|error| Failure::Malformed(error.to_string()))? })
    }
}

/// An answer that has not been read yet, or why there is none.
pub(super) type Raw = Result<Box<RawValue>, Failure>;

/// What an answer says.
pub(super) fn read<R: DeserializeOwned>(answer: &RawValue) -> Result<R, Failure> {
    serde_json::from_str(answer.get()).map_err(|error| Failure::Malformed(error.to_string()))
}

/// The answer to the only question.
pub(super) fn only(mut answers: Vec<Raw>) -> Raw {
    answers.pop().unwrap_or_else(|| Err(unanswered()))
}

#[derive(Serialize)]
struct Question<'a> {
    jsonrpc: &'static str,
    id: usize,
    method: &'static str,
    params: &'a RawValue,
}

/// What every question to a node is subject to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// How long it may take.
    pub(super) timeout: Duration,
    /// How long the answer may be, in bytes.
    pub(super) answer: usize,
}

/// The question for what a node calls itself.
const VERSION: &str = "web3_clientVersion";

pub(super) struct Node {
    /// Scheme, host and port.
    pub(super) name: String,
    endpoint: Endpoint,
    http: reqwest::Client,
    bounds: Bounds,
    metrics: RpcMetrics,
    /// What the node calls itself.
    version: Mutex<Option<String>>,
    /// True once it has been seen to serve the right chain.
    introduced: AtomicBool,
    /// Held while it is asked which chain it serves; what came of that the last time.
    introducing: tokio::sync::Mutex<Result<(), Failure>>,
    /// How often that was asked.
    introductions: AtomicU64,
}

impl Node {
    pub(super) fn new(endpoint: Endpoint, bounds: Bounds, metrics: RpcMetrics) -> Result<Self, ChainError> {
        // One that cannot be reached is told from one that does not answer: it has got nothing.
        let connect = bounds.timeout / 2;
        let http = reqwest::Client::builder().timeout(bounds.timeout).connect_timeout(connect).build();
        let http = http.map_err(|error| ChainError::Endpoint(error.to_string()))?;
        Ok(Self {
            name: endpoint.to_string(),
            endpoint,
            http,
            bounds,
            metrics,
            version: Mutex::default(),
            introduced: AtomicBool::new(false),
            introducing: tokio::sync::Mutex::new(Ok(())),
            introductions: AtomicU64::new(0),
        })
    }

    /// Makes sure that the node serves this chain, unless that is known, and asks what it is. Whoever comes while that is
    /// asked shares the answer.
    pub(super) async fn introduce(&self, chain_id: u64) -> Result<(), Failure> {
        if self.introduced.load(Ordering::Acquire) {
            return Ok(());
        }
        let before = self.introductions.load(Ordering::Acquire);
        let mut last = self.introducing.lock().await;
        if self.introduced.load(Ordering::Acquire) {
            return Ok(());
        }
        if self.introductions.load(Ordering::Acquire) != before {
            return last.clone();
        }
        *last = self.ask_who_it_is(chain_id).await;
        self.introductions.fetch_add(1, Ordering::AcqRel);
        self.introduced.store(last.is_ok(), Ordering::Release);
        last.clone()
    }

    async fn ask_who_it_is(&self, chain_id: u64) -> Result<(), Failure> {
        // First of all: what is counted is counted by the node's name.
        match self.ask(Call::new(VERSION, &[(); 0])?).await {
            Err(failure) if failure.is_silence() => return Err(failure),
            // A proxy in front may let nobody ask it, and be as good for the rest.
            Ok(_) | Err(_) => {}
        }
        let found: U64 = read(&self.ask(Call::new("eth_chainId", &[(); 0])?).await?)?;
        if found.to::<u64>() != chain_id {
            return Err(Failure::OtherChain { found: found.to(), expected: chain_id });
        }
        Ok(())
    }

    fn name_it(&self, answer: &Raw) {
        let name = answer.as_ref().ok().and_then(|name| read::<String>(name).ok());
        let name = name.map(|name| name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect());
        *self.version.lock().unwrap_or_else(PoisonError::into_inner) = name;
    }

    fn client_version(&self) -> String {
        let known = self.version.lock().unwrap_or_else(PoisonError::into_inner).clone();
        known.unwrap_or_else(|| UNNAMED.to_owned())
    }

    /// One question.
    pub(super) async fn ask(&self, call: Call) -> Raw {
        only(self.exchange(std::slice::from_ref(&call)).await?)
    }

    /// Several questions at once; the answers are in their order. An error here is of all of them.
    pub(super) async fn exchange(&self, calls: &[Call]) -> Result<Vec<Raw>, Failure> {
        let start = Instant::now();
        let exchange = tokio::time::timeout(self.bounds.timeout, self.post(calls));
        let answers = exchange.await.unwrap_or(Err(Failure::Timeout));
        let failure = match &answers {
            Err(failure) => Some(failure),
            // A single question fails as its answer does.
            Ok(answers) if calls.len() == 1 => answers.first().and_then(|answer| answer.as_ref().err()),
            Ok(_) => None,
        };
        if let (Ok([answer]), [Call { method: VERSION, .. }]) = (answers.as_deref(), calls) {
            self.name_it(answer);
        }
        let methods: Vec<&'static str> = calls.iter().map(|call| call.method).collect();
        let outcome = failure.map_or("ok", Failure::outcome);
        self.metrics.answered(&methods, outcome, &self.name, &self.client_version(), start.elapsed());
        if failure.is_some_and(Failure::is_away) {
            // Another one may stand there when it answers again.
            self.introduced.store(false, Ordering::Release);
        }
        answers
    }

    async fn post(&self, calls: &[Call]) -> Result<Vec<Raw>, Failure> {
        let question = |(id, call): (usize, &Call)| {
            serde_json::to_string(&Question { jsonrpc: "2.0", id, method: call.method, params: &call.params })
        };
        let questions: Result<Vec<String>, _> = calls.iter().enumerate().map(question).collect();
        let questions = questions.map_err(|error| Failure::Malformed(error.to_string()))?;
        let body = match questions.as_slice() {
            [question] => question.clone(),
            several => format!("[{}]", several.join(",")),
        };
        let request = self.http.post(self.endpoint.url().clone()).body(body);
        let response = request.header(reqwest::header::CONTENT_TYPE, "application/json").send().await?;
        let status = response.status();
        if status == reqwest::StatusCode::TOO_MANY_REQUESTS {
            // Whatever else it says, and in whatever words: it is the asking that is too much, not the question.
            return Err(Failure::of_status(status));
        }
        let body = self.body(response).await?;
        match sorted(&body, calls.len()) {
            Ok(answers) => Ok(answers),
            // One that refuses need not do so in JSON.
            Err(_) if !status.is_success() => Err(Failure::of_status(status)),
            Err(error) => Err(Failure::Malformed(error.to_string())),
        }
    }

    /// Whatever the node says of its length, no more is read than may be.
    async fn body(&self, mut response: reqwest::Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len().saturating_add(chunk.len()) > self.bounds.answer {
                return Err(Failure::TooLong(self.bounds.answer));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn unanswered() -> Failure {
    Failure::Malformed("one of the questions has no answer".into())
}

/// A response of JSON-RPC. One without an error and a result has the result null.
#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    id: serde_json::Value,
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<Box<RawValue>>,
}

impl Response {
    fn answer(self) -> Raw {
        let malformed = |error: serde_json::Error| Failure::Malformed(error.to_string());
        match (self.error, self.result) {
            (Some(error), _) => {
                let error = serde_json::from_str(error.get()).map_err(malformed)?;
                Err(TransportError::ErrorResp(error).into())
            }
            (None, Some(result)) => Ok(result),
            (None, None) => RawValue::from_string("null".into()).map_err(malformed),
        }
    }
}

/// The answers in the order of the questions, whose numbers they bear.
fn sorted(body: &[u8], questions: usize) -> Result<Vec<Raw>, serde_json::Error> {
    let is_batch = body.trim_ascii_start().starts_with(b"[");
    let responses: Vec<Response> =
        if is_batch { serde_json::from_slice(body)? } else { vec![serde_json::from_slice(body)?] };
    let mut answers: Vec<Raw> = (0..questions).map(|_| Err(unanswered())).collect();
    for response in responses {
        let place = response.id.as_u64().and_then(|id| usize::try_from(id).ok());
        match place {
            Some(place) => {
                if let Some(answer) = answers.get_mut(place) {
                    *answer = response.answer();
                }
            }
            // Some refuse a batch as a whole.
            None if !is_batch => {
                if let Err(failure) = response.answer() {
                    answers.fill(Err(failure));
                }
            }
            None => {}
        }
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(text: &str, questions: usize) -> Vec<Result<String, Failure>> {
        let answers = sorted(text.as_bytes(), questions).unwrap();
        answers.into_iter().map(|answer| answer.map(|answer| answer.get().to_owned())).collect()
    }

    #[test]
    fn answers_are_sorted_by_their_numbers() {
        let text = r#"[{"jsonrpc":"2.0","id":1,"result":"b"},{"jsonrpc":"2.0","id":0,"result":null},
            {"jsonrpc":"2.0","id":7,"result":"?"},{"jsonrpc":"2.0","id":"2","result":"?"}]"#;
        assert_eq!(answers("{}", 1), [Err(unanswered())]);
        assert!(sorted(b"<html>", 1).is_err() && sorted(b"[1]", 1).is_err());
        let expected = [Ok("null".to_owned()), Ok("\"b\"".to_owned()), Err(unanswered())];
        assert_eq!(answers(text, 3), expected);
    }

    #[test]
    fn a_batch_that_is_refused_as_a_whole_is_refused_in_each_part() {
        let text = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch too large"}}"#;
        let refused = Failure::Error { code: -32600, message: "batch too large".into() };
        assert_eq!(answers(text, 2), [Err(refused.clone()), Err(refused)]);
    }
}
