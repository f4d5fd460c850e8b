//! Questions to a node: one, or several in a batch; each is counted and has a time limit.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes, U64};
use alloy::rpc::client::{BatchRequest, RpcClient, Waiter};
use alloy::sol_types::SolCall;
use alloy::transports::http::reqwest;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::endpoint::Endpoint;
use super::failure::Failure;
use super::metrics::RpcMetrics;
use crate::health::Health;
use crate::ports::ChainError;

/// How old an answer may be that tells how the endpoint is.
const LATELY: Duration = Duration::from_secs(5);
/// A node that does not say what it is.
const UNNAMED: &str = "unknown";
/// The most of a node's name that is kept, in characters.
const LONGEST_NAME: usize = 128;

/// The state that a view is asked of.
#[derive(Debug, Clone, Copy)]
pub(super) enum At {
    Latest,
    /// After the block with this hash (EIP-1898).
    Block(B256),
}

impl From<At> for BlockId {
    fn from(at: At) -> Self {
        match at {
            At::Latest => Self::latest(),
            At::Block(hash) => Self::hash(hash),
        }
    }
}

/// What a question may carry; alloy's own bound, which has it by these traits.
pub(super) trait Question: Serialize + Clone + Debug + Send + Sync + Unpin {}
impl<T: Serialize + Clone + Debug + Send + Sync + Unpin> Question for T {}

/// What an answer may be; alloy's own bound likewise.
pub(super) trait Reply: DeserializeOwned + Debug + Send + Sync + Unpin + 'static {}
impl<T: DeserializeOwned + Debug + Send + Sync + Unpin + 'static> Reply for T {}

pub(super) struct Rpc {
    client: RpcClient,
    timeout: Duration,
    most_in_batch: usize,
    metrics: RpcMetrics,
    /// What the node calls itself; nothing where it is to be asked.
    client_version: Mutex<Option<String>>,
}

impl Rpc {
    pub(super) fn new(
        endpoint: &Endpoint,
        timeout: Duration,
        most_in_batch: usize,
        metrics: RpcMetrics,
    ) -> Result<Self, ChainError> {
        let http = reqwest::Client::builder().timeout(timeout).build();
        let http = http.map_err(|error| ChainError::Endpoint(error.to_string()))?;
        let client = RpcClient::new_http_with_client(http, endpoint.url().clone());
        Ok(Self {
            client,
            timeout,
            most_in_batch: most_in_batch.max(1),
            metrics,
            client_version: Mutex::default(),
        })
    }

    async fn timed<T>(
        &self,
        methods: &[&'static str],
        question: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let start = Instant::now();
        let answer = tokio::time::timeout(self.timeout, question).await.unwrap_or(Err(Failure::Timeout));
        let outcome = answer.as_ref().err().map_or("ok", Failure::outcome);
        self.metrics.answered(methods, outcome, &self.client_name(), start.elapsed());
        match &answer {
            Err(failure @ (Failure::Timeout | Failure::Unreachable(_))) => {
                // Another one may stand there when it answers again.
                self.name_client(None);
                self.metrics.pulse.failed(&ChainError::from(failure.clone()));
            }
            _ => self.metrics.pulse.well(),
        }
        answer
    }

    /// What the node calls itself, once it has been asked.
    fn client_name(&self) -> String {
        let version = self.client_version.lock().unwrap_or_else(PoisonError::into_inner);
        version.clone().unwrap_or_else(|| UNNAMED.into())
    }

    fn name_client(&self, name: Option<String>) {
        *self.client_version.lock().unwrap_or_else(PoisonError::into_inner) = name;
    }

    /// Asks the node what it is, unless that is known.
    pub(super) async fn identify(&self) -> Result<(), Failure> {
        if self.client_version.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return Ok(());
        }
        let question = async {
            let answer: Result<String, _> = self.client.request("web3_clientVersion", ()).await;
            let name = match answer.map_err(Failure::from) {
                Ok(name) => name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect(),
                Err(failure @ (Failure::Timeout | Failure::Unreachable(_))) => return Err(failure),
                // It does not tell.
                Err(_) => UNNAMED.into(),
            };
            self.name_client(Some(name));
            Ok(())
        };
        self.timed(&["web3_clientVersion"], question).await
    }

    /// How the endpoint is: as the last question found it, which is asked here where nobody has asked one lately.
    pub(super) async fn examine(&self) -> Health {
        // Whether that fails is in the pulse.
        let _ = self.identify().await;
        if self.metrics.pulse.age().is_none_or(|age| age > LATELY) {
            // What comes of it is in the pulse.
            let _ = self.ask::<_, U64>("eth_blockNumber", ()).await;
        }
        self.metrics.pulse.health()
    }

    /// One question.
    pub(super) async fn ask<P: Question, R: Reply>(
        &self,
        method: &'static str,
        params: P,
    ) -> Result<R, Failure> {
        let question = async { Ok(self.client.request(method, params).await?) };
        self.timed(&[method], question).await
    }

    /// A view of a contract.
    pub(super) async fn view<C: SolCall>(&self, to: Address, call: &C, at: At) -> Result<C::Return, Failure> {
        let answer: Bytes = self.ask("eth_call", view_params(to, call, at)).await?;
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
    pub(super) async fn ask_many<P: Question, R: Reply>(
        &self,
        method: &'static str,
        params: Vec<P>,
    ) -> Result<Vec<R>, Failure> {
        let batches = params.chunks(self.most_in_batch).map(|params| async move {
            let mut batch = self.batch();
            let answers: Vec<_> = params.iter().map(|params| batch.ask(method, params)).collect();
            batch.send().await?;
            let answers = answers.into_iter().map(Answer::get);
            futures::future::try_join_all(answers).await
        });
        Ok(futures::future::try_join_all(batches).await?.into_iter().flatten().collect())
    }

    /// Several questions of different kinds at once.
    pub(super) fn batch(&self) -> Batch<'_> {
        Batch { rpc: self, questions: self.client.new_batch(), methods: Vec::new() }
    }
}

/// Questions that are asked together.
pub(super) struct Batch<'a> {
    rpc: &'a Rpc,
    questions: BatchRequest<'a>,
    methods: Vec<&'static str>,
}

impl Batch<'_> {
    /// Adds a question; ask for the answer after [`Batch::send`].
    pub(super) fn ask<P: Question, R: Reply>(&mut self, method: &'static str, params: &P) -> Answer<R> {
        self.methods.push(method);
        Answer(self.questions.add_call(method, params).map_err(Failure::from))
    }

    /// Adds a view of a contract.
    pub(super) fn view<C: SolCall>(&mut self, to: Address, call: &C, at: At) -> View<C> {
        View(self.ask("eth_call", &view_params(to, call, at)), PhantomData)
    }

    /// Asks. An error here is of all questions; each may have one of its own.
    pub(super) async fn send(self) -> Result<(), Failure> {
        let Self { rpc, questions, methods } = self;
        rpc.timed(&methods, async { Ok(questions.send().await?) }).await
    }
}

/// The answer to one question of a batch.
pub(super) struct Answer<R>(Result<Waiter<R>, Failure>);

impl<R: Reply> Answer<R> {
    pub(super) async fn get(self) -> Result<R, Failure> {
        Ok(self.0?.await?)
    }
}

/// The answer to a view in a batch.
pub(super) struct View<C>(Answer<Bytes>, PhantomData<C>);

impl<C: SolCall> View<C> {
    pub(super) async fn get(self) -> Result<C::Return, Failure> {
        decode::<C>(&self.0.get().await?)
    }
}

fn view_params<C: SolCall>(to: Address, call: &C, at: At) -> (serde_json::Value, BlockId) {
    (json!({ "to": to, "data": Bytes::from(call.abi_encode()) }), at.into())
}

pub(super) fn decode<C: SolCall>(answer: &Bytes) -> Result<C::Return, Failure> {
    if answer.is_empty() {
        return Err(Failure::Fails(format!("no contract answers {}", C::SIGNATURE)));
    }
    C::abi_decode_returns(answer).map_err(|error| Failure::Malformed(format!("{}: {error}", C::SIGNATURE)))
}
