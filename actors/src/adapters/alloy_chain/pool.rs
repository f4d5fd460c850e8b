//! Several endpoints: the best one is asked, and where it fails, the next.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use alloy::primitives::U64;
use futures::future::join_all;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::failure::Failure;
use super::metrics::RpcMetrics;
use super::node::{Call, Node, Raw, only, read};
use super::ranking::{Gravity, Ranking};
use super::refusal::judged;
use crate::ports::{ChainError, SendError};

/// How long endpoints may take to say what they think of a transaction once another has refused it.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) struct Pool {
    nodes: Vec<Node>,
    ranking: Mutex<Ranking>,
    chain_id: u64,
    metrics: RpcMetrics,
    start: Instant,
}

impl Pool {
    pub(super) fn new(nodes: Vec<Node>, chain_id: u64, metrics: RpcMetrics) -> Self {
        for node in &nodes {
            metrics.endpoint(&node.name, true, 0);
        }
        let ranking = Mutex::new(Ranking::new(nodes.len()));
        Self { nodes, ranking, chain_id, metrics, start: Instant::now() }
    }

    fn ranking(&self) -> MutexGuard<'_, Ranking> {
        self.ranking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The endpoints, the one to ask first first.
    pub(super) fn order(&self) -> Vec<usize> {
        self.ranking().order(self.start.elapsed())
    }

    /// What an endpoint is called.
    pub(super) fn name_of(&self, endpoint: usize) -> String {
        self.nodes.get(endpoint).map(|node| node.name.clone()).unwrap_or_default()
    }

    /// Asks the best endpoint, and the others where it has no answer. Where nobody has one, it is the first that said why.
    pub(super) async fn exchange(&self, calls: &[Call]) -> Result<Vec<Raw>, Failure> {
        let mut said: Option<Vec<Raw>> = None;
        let mut silent: Option<Failure> = None;
        for endpoint in self.order() {
            match self.ask(endpoint, calls).await {
                Ok(answers) if !answers.iter().any(others_may_know) => {
                    self.metrics.pulse.well();
                    return Ok(answers);
                }
                Ok(answers) => _ = said.get_or_insert(answers),
                Err(failure) => _ = silent.get_or_insert(failure),
            }
        }
        let failure = silent.unwrap_or_else(|| Failure::NotReached("there is no endpoint".into()));
        match said {
            Some(answers) => {
                self.metrics.pulse.well();
                Ok(answers)
            }
            None => {
                self.metrics.pulse.failed(&ChainError::from(failure.clone()));
                Err(failure)
            }
        }
    }

    /// Asks this endpoint and no other.
    pub(super) async fn ask(&self, endpoint: usize, calls: &[Call]) -> Result<Vec<Raw>, Failure> {
        let node = self.nodes.get(endpoint).ok_or_else(|| Failure::NotReached("no such endpoint".into()))?;
        let answers = async {
            node.introduce(self.chain_id).await?;
            node.exchange(calls).await
        };
        let answers = answers.await;
        let failure = match &answers {
            Ok(answers) => answers.iter().find_map(|answer| answer.as_ref().err().filter(|f| f.condemns())),
            Err(failure) => Some(failure).filter(|failure| failure.condemns()),
        };
        self.note(endpoint, node, failure);
        answers
    }

    fn note(&self, endpoint: usize, node: &Node, failure: Option<&Failure>) {
        let now = self.start.elapsed();
        let mut ranking = self.ranking();
        let others = if self.nodes.len() > 1 { "; asking the others" } else { "" };
        match failure {
            None => {
                if ranking.answered(endpoint, now) {
                    tracing::info!(endpoint = node.name, "it answers again");
                }
            }
            Some(failure) => {
                let lasting = matches!(failure, Failure::OtherChain { .. });
                let gravity = if lasting { Gravity::Lasting } else { Gravity::Passing };
                let is_new = ranking.failed(endpoint, now, gravity);
                let error = ChainError::from(failure.clone());
                if is_new && lasting {
                    tracing::error!(endpoint = node.name, %error, "it serves another chain{others}");
                } else if is_new {
                    tracing::warn!(endpoint = node.name, %error, "an endpoint fails{others}");
                }
            }
        }
        self.metrics.endpoint(&node.name, ranking.is_usable(endpoint), ranking.lag(endpoint));
    }

    /// Sends a transaction to every endpoint, since none of them need pass it on, but for those that failed a moment ago.
    /// Returns when one has taken it; the others go on being told. Once one has refused it, the others have a moment left.
    pub(super) async fn send_to_all(self: &Arc<Self>, call: &Call) -> Result<(), SendError> {
        let mut sending = JoinSet::new();
        for endpoint in self.due_or_all() {
            let (pool, call) = (Arc::clone(self), call.clone());
            let send = async move { pool.ask(endpoint, &[call]).await.and_then(only) };
            sending.spawn(send.in_current_span());
        }
        let mut best: Option<(u8, SendError)> = None;
        let mut refused: Option<Instant> = None;
        loop {
            let left = refused.map_or(Duration::MAX, |at| PATIENCE.saturating_sub(at.elapsed()));
            let sent = match tokio::time::timeout(left, sending.join_next()).await {
                Ok(None) => break,
                Ok(Some(sent)) => sent.unwrap_or_else(|error| Err(Failure::Unreachable(error.to_string()))),
                // It may have come there all the same.
                Err(_) => Err(Failure::Timeout),
            };
            let Some((weight, error)) = sent.map_or_else(judged, |_| None) else { return told(sending) };
            if !matches!(error, SendError::Chain(_)) {
                refused.get_or_insert_with(Instant::now);
            }
            let is_over = refused.is_some_and(|at| at.elapsed() >= PATIENCE);
            if best.as_ref().is_none_or(|(least, _)| weight < *least) {
                best = Some((weight, error));
            }
            if is_over {
                break;
            }
        }
        sending.detach_all();
        let nobody = || SendError::Chain(ChainError::Endpoint("there is no endpoint".into()));
        Err(best.map_or_else(nobody, |(_, error)| error))
    }

    /// The endpoints that did not fail a moment ago; all, where there are none.
    fn due_or_all(&self) -> Vec<usize> {
        let (ranking, now) = (self.ranking(), self.start.elapsed());
        let due: Vec<usize> =
            (0..self.nodes.len()).filter(|endpoint| ranking.is_due(*endpoint, now)).collect();
        if due.is_empty() { (0..self.nodes.len()).collect() } else { due }
    }

    /// Sees how far each endpoint is, and whether those that failed are back.
    pub(super) async fn compare(&self) {
        let now = self.start.elapsed();
        let due: Vec<usize> =
            (0..self.nodes.len()).filter(|endpoint| self.ranking().is_due(*endpoint, now)).collect();
        let Ok(call) = Call::new("eth_blockNumber", &[(); 0]) else { return };
        let call = &[call];
        let heads = due.into_iter().map(|endpoint| async move {
            let answer = self.ask(endpoint, call).await.and_then(only).ok()?;
            let head: U64 = read(&answer).ok()?;
            Some((endpoint, head.to::<u64>()))
        });
        let heads: Vec<(usize, u64)> = join_all(heads).await.into_iter().flatten().collect();
        let mut ranking = self.ranking();
        ranking.compared(&heads, self.start.elapsed());
        for (endpoint, node) in self.nodes.iter().enumerate() {
            self.metrics.endpoint(&node.name, ranking.is_usable(endpoint), ranking.lag(endpoint));
        }
    }

    /// Compares them for ever.
    pub(super) async fn watch(self: Arc<Self>, interval: Duration) {
        loop {
            self.compare().await;
            tokio::time::sleep(interval).await;
        }
    }
}

fn told<T: 'static>(mut others: JoinSet<T>) -> Result<(), SendError> {
    others.detach_all();
    Ok(())
}

/// True for an error that another endpoint need not have.
fn others_may_know(answer: &Raw) -> bool {
    answer.as_ref().is_err_and(Failure::is_of_the_node)
}
