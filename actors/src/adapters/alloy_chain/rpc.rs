//! Questions to the chain: one, or several in a batch.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes, U64};
use alloy::sol_types::SolCall;
use futures::channel::oneshot;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::task::JoinHandle;

use super::config::ChainConfig;
use super::failure::Failure;
use super::metrics::RpcMetrics;
use super::node::{Bounds, Call, Node, Raw, only, read};
use super::pool::Pool;
use crate::health::Health;
use crate::ports::{ChainError, SendError};

/// How old an answer may be that tells how the endpoint is.
const LATELY: Duration = Duration::from_secs(5);
/// The state that a view is asked of.
#[derive(Debug, Clone, Copy)]
pub(super) enum At {
    Latest,
    /// After the block with this hash (EIP-1898).
    Block(B256),
}

impl At {
    /// As questions name it.
    pub(super) fn id(self) -> BlockId {
        self.into()
    }
}

impl From<At> for BlockId {
    fn from(at: At) -> Self {
        match at {
            At::Latest => Self::latest(),
            At::Block(hash) => Self::hash(hash),
        }
    }
}

pub(super) struct Rpc {
    pool: Arc<Pool>,
    most_in_batch: usize,
    metrics: RpcMetrics,
    /// Compares the endpoints, where there are several.
    watch: Option<JoinHandle<()>>,
}

impl Rpc {
    pub(super) fn new(config: &ChainConfig, chain_id: u64, metrics: RpcMetrics) -> Result<Self, ChainError> {
        let bounds =
            Bounds { timeout: Duration::from_millis(config.timeout_ms), answer: config.longest_answer };
        let nodes = config.rpc_endpoints().into_iter();
        let nodes: Result<Vec<Node>, _> =
            nodes.map(|endpoint| Node::new(endpoint, bounds, metrics.clone())).collect();
        let nodes = nodes?;
        let several = nodes.len() > 1;
        let pool = Arc::new(Pool::new(nodes, chain_id, metrics.clone()));
        let interval = Duration::from_millis(config.compare_interval_ms.max(1));
        let watch = several.then(|| tokio::spawn(Arc::clone(&pool).watch(interval)));
        Ok(Self { pool, most_in_batch: config.batch.max(1), metrics, watch })
    }

    /// The endpoints, the one to ask first first.
    pub(super) fn order(&self) -> Vec<usize> {
        self.pool.order()
    }

    /// How the endpoints are: as the last question found them, which is asked here where nobody has asked one lately.
    pub(super) async fn examine(&self) -> Health {
        if self.metrics.pulse.age().is_none_or(|age| age > LATELY) {
            // What comes of it is in the pulse.
            let _ = self.ask::<_, U64>("eth_blockNumber", [(); 0]).await;
        }
        self.metrics.pulse.health()
    }

    /// One question.
    pub(super) async fn ask<P: Serialize, R: DeserializeOwned>(
        &self,
        method: &'static str,
        params: P,
    ) -> Result<R, Failure> {
        let call = Call::new(method, &params)?;
        let answer = only(self.pool.exchange(&[call]).await?)?;
        read(&answer)
    }

    /// One question to this endpoint and no other.
    pub(super) async fn ask_of<P: Serialize, R: DeserializeOwned>(
        &self,
        endpoint: usize,
        method: &'static str,
        params: P,
    ) -> Result<R, Failure> {
        let call = Call::new(method, &params)?;
        let answer = only(self.pool.ask(endpoint, &[call]).await?)?;
        read(&answer)
    }

    /// Sends a transaction to every endpoint.
    pub(super) async fn send(&self, raw: Bytes) -> Result<(), SendError> {
        let call = Call::new("eth_sendRawTransaction", &[raw]).map_err(ChainError::from)?;
        self.pool.send_to_all(&call).await
    }

    /// A view of a contract.
    pub(super) async fn view<C: SolCall>(&self, to: Address, call: &C, at: At) -> Result<C::Return, Failure> {
        let answer: Bytes = self.ask("eth_call", view_params(to, call, at)).await?;
        decode::<C>(&answer)
    }

    /// A view of a contract, by this endpoint and no other.
    pub(super) async fn view_of<C: SolCall>(
        &self,
        endpoint: usize,
        to: Address,
        call: &C,
        at: At,
    ) -> Result<C::Return, Failure> {
        let answer: Bytes = self.ask_of(endpoint, "eth_call", view_params(to, call, at)).await?;
        decode::<C>(&answer)
    }

    /// Many views of one kind, in as many batches as it takes; the answers are in the order of the calls.
    pub(super) async fn views<C: SolCall>(
        &self,
        calls: impl IntoIterator<Item = (Address, C)>,
        at: At,
    ) -> Result<Vec<C::Return>, Failure> {
        let params = calls.into_iter().map(|(to, call)| view_params(to, &call, at));
        let answers: Vec<Bytes> = self.ask_many("eth_call", params.collect()).await?;
        answers.iter().map(|answer| decode::<C>(answer)).collect()
    }

    /// The same question about many things, in as many batches as it takes. Fails where one of them does.
    pub(super) async fn ask_many<P: Serialize, R: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Vec<P>,
    ) -> Result<Vec<R>, Failure> {
        let calls = calls(method, &params)?;
        let batches = calls.chunks(self.most_in_batch).map(|calls| self.pool.exchange(calls));
        read_all(futures::future::try_join_all(batches).await?)
    }

    /// The same of this endpoint and no other.
    pub(super) async fn ask_many_of<P: Serialize, R: DeserializeOwned>(
        &self,
        endpoint: usize,
        method: &'static str,
        params: Vec<P>,
    ) -> Result<Vec<R>, Failure> {
        let calls = calls(method, &params)?;
        let batches = calls.chunks(self.most_in_batch).map(|calls| self.pool.ask(endpoint, calls));
        read_all(futures::future::try_join_all(batches).await?)
    }

    /// Several questions of different kinds at once.
    pub(super) fn batch(&self) -> Batch<'_> {
        Batch { rpc: self, endpoint: None, calls: Ok(Vec::new()), answers: Vec::new() }
    }

    /// The same, to this endpoint and no other.
    pub(super) fn batch_of(&self, endpoint: usize) -> Batch<'_> {
        Batch { endpoint: Some(endpoint), ..self.batch() }
    }

    /// What an endpoint is called: scheme, host and port.
    pub(super) fn name_of(&self, endpoint: usize) -> String {
        self.pool.name_of(endpoint)
    }
}

fn calls<P: Serialize>(method: &'static str, params: &[P]) -> Result<Vec<Call>, Failure> {
    params.iter().map(|params| Call::new(method, params)).collect()
}

fn read_all<R: DeserializeOwned>(batches: Vec<Vec<Raw>>) -> Result<Vec<R>, Failure> {
    batches.into_iter().flatten().map(|answer| answer.and_then(|answer| read(&answer))).collect()
}

impl Drop for Rpc {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.abort();
        }
    }
}

/// Questions that are asked together.
pub(super) struct Batch<'a> {
    rpc: &'a Rpc,
    /// The best one where none is named.
    endpoint: Option<usize>,
    calls: Result<Vec<Call>, Failure>,
    answers: Vec<oneshot::Sender<Raw>>,
}

impl Batch<'_> {
    /// Adds a question; ask for the answer after [`Batch::send`].
    pub(super) fn ask<P: Serialize, R: DeserializeOwned>(
        &mut self,
        method: &'static str,
        params: &P,
    ) -> Answer<R> {
        match (Call::new(method, params), &mut self.calls) {
            (Ok(call), Ok(calls)) => calls.push(call),
            (Err(failure), calls @ Ok(_)) => *calls = Err(failure),
            (_, Err(_)) => {}
        }
        let (sender, answer) = oneshot::channel();
        self.answers.push(sender);
        Answer(answer, PhantomData)
    }

    /// Adds a view of a contract.
    pub(super) fn view<C: SolCall>(&mut self, to: Address, call: &C, at: At) -> View<C> {
        View(self.ask("eth_call", &view_params(to, call, at)), PhantomData)
    }

    /// Asks, in as many batches as it takes. An error here is of all questions; each may have one of its own.
    pub(super) async fn send(self) -> Result<(), Failure> {
        let Self { rpc, endpoint, calls, answers } = self;
        let calls = calls?;
        let batches = calls.chunks(rpc.most_in_batch).map(|calls| async move {
            match endpoint {
                Some(endpoint) => rpc.pool.ask(endpoint, calls).await,
                None => rpc.pool.exchange(calls).await,
            }
        });
        let batches = futures::future::try_join_all(batches).await?;
        for (sender, answer) in answers.into_iter().zip(batches.into_iter().flatten()) {
            // Whoever does not want it any more has gone.
            let _ = sender.send(answer);
        }
        Ok(())
    }
}

/// The answer to one question of a batch.
pub(super) struct Answer<R>(oneshot::Receiver<Raw>, PhantomData<R>);

impl<R: DeserializeOwned> Answer<R> {
    pub(super) async fn get(self) -> Result<R, Failure> {
        let answer = self.0.await.map_err(|_| Failure::Malformed("it was not asked".into()))?;
        answer.and_then(|answer| read(&answer))
    }
}

/// The answer to a view in a batch.
pub(super) struct View<C>(Answer<Bytes>, PhantomData<C>);

impl<C: SolCall> View<C> {
    pub(super) async fn get(self) -> Result<C::Return, Failure> {
        decode::<C>(&self.0.get().await?)
    }
}

pub(super) fn view_params<C: SolCall>(to: Address, call: &C, at: At) -> (serde_json::Value, BlockId) {
    (json!({ "to": to, "data": Bytes::from(call.abi_encode()) }), at.into())
}

pub(super) fn decode<C: SolCall>(answer: &Bytes) -> Result<C::Return, Failure> {
    if answer.is_empty() {
        return Err(Failure::Fails(format!("no contract answers {}", C::SIGNATURE)));
    }
    C::abi_decode_returns(answer).map_err(|error| Failure::Malformed(format!("{}: {error}", C::SIGNATURE)))
}
