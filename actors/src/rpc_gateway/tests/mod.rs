//! The gateway over real sockets on this machine, with doubles for the chain, the clock and the collector.

mod budget;
mod crowd;
mod doc;
mod edge;
mod flood;
mod fragments;
mod links;
mod redial;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use actix::prelude::*;
use alloy::primitives::{Address, Bytes};
use anzen_messages::chain::BlockRef;
use anzen_messages::session::{Hello, OpenSession, Session, SessionOpened};
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use anzen_messages::wire::{ActorName, Envelope};
use anzen_messages::{OperatorId, OperatorSet, TaskResponse};
use async_trait::async_trait;
use jsonrpsee::core::client::{Client, ClientT, Error as ClientError};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::WsClientBuilder;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::adapters::LocalBlsSigner;
use crate::bus::{BusMetrics, Handle, Inbox, Incoming};
use crate::ports::{
    ChainError, Clock, CpuPool, OperatorRegistry, OperatorStanding, OperatorStandings, RegisteredOperator,
    Rng, StakeStatus, UnixMillis,
};
use crate::testing::world::MemoryStore;
use crate::testing::{domain, operator_id, secret, task, value};

const NAME: &str = "aggregator-0";

fn identity() -> Identity {
    Identity { server: NAME.into(), chain_id: 31_337, task_manager: Address::repeat_byte(0xaa) }
}

/// A clock that stands where it is put.
pub(super) struct SetClock(AtomicU64);

impl SetClock {
    fn at(seconds: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(seconds)))
    }

    fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::SeqCst) * 1000)
    }
}

/// Bytes that differ each time, whichever server asks.
struct CountingRng;

impl Rng for CountingRng {
    fn fill(&self, bytes: &mut [u8]) {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst).to_le_bytes();
        bytes.iter_mut().zip(count.iter().cycle()).for_each(|(byte, count)| *byte = *count);
    }
}

struct InPlace;

impl CpuPool for InPlace {
    fn spawn(&self, job: Box<dyn FnOnce() + Send>) {
        job();
    }
}

/// Operators 0 to 9 are registered.
#[derive(Default)]
struct Registry {
    questions: AtomicUsize,
    /// The chain cannot be asked.
    is_down: AtomicBool,
    /// All have left their quorums.
    have_left: AtomicBool,
}

#[async_trait]
impl OperatorStandings for Registry {
    async fn standing(
        &self,
        _operator: OperatorId,
        _tokens: &[Address],
    ) -> Result<OperatorStanding, ChainError> {
        let stakes =
            if self.have_left.load(Ordering::SeqCst) { vec![] } else { vec![(0, Default::default())] };
        Ok(OperatorStanding { stakes: stakes.into_iter().collect(), ..Default::default() })
    }
}

#[async_trait]
impl OperatorRegistry for Registry {
    async fn operators_at(&self, _at: BlockRef, _quorums: &[u8]) -> Result<OperatorSet, ChainError> {
        Err(ChainError::Nonsense("not asked here".into()))
    }

    async fn operator(&self, id: OperatorId) -> Result<Option<RegisteredOperator>, ChainError> {
        self.questions.fetch_add(1, Ordering::SeqCst);
        if self.is_down.load(Ordering::SeqCst) {
            return Err(ChainError::Nonsense("it is down".into()));
        }
        let found = (0..10).find(|i| operator_id(*i) == id);
        Ok(found.map(|i| RegisteredOperator { address: Address::ZERO, key: secret(i).public_key() }))
    }

    async fn stakes(&self, _quorum: u8) -> Result<StakeStatus, ChainError> {
        Err(ChainError::Nonsense("not asked here".into()))
    }

    fn refresh_quorum_call(&self, _quorum: u8, _operators: &[Address]) -> (Address, Bytes) {
        (Address::ZERO, Bytes::new())
    }

    fn refresh_operators_call(&self, _operators: &[Address]) -> (Address, Bytes) {
        (Address::ZERO, Bytes::new())
    }
}

/// Accepts every signature once it is let to.
struct Collector {
    seen: mpsc::UnboundedSender<SubmitSignature>,
    replies: Arc<Semaphore>,
}

impl Actor for Collector {
    type Context = Context<Self>;
}

impl Handler<Incoming<SubmitSignature>> for Collector {
    type Result = ResponseFuture<SubmitReply>;

    fn handle(
        &mut self,
        Incoming { message, .. }: Incoming<SubmitSignature>,
        _ctx: &mut Context<Self>,
    ) -> Self::Result {
        let _ = self.seen.send(message);
        let replies = Arc::clone(&self.replies);
        Box::pin(async move {
            replies.acquire().await.unwrap().forget();
            SubmitReply::Accepted
        })
    }
}

/// A collector, what it has seen, and how many replies it may give.
struct Receiver {
    handle: Handle<SubmitSignature>,
    seen: mpsc::UnboundedReceiver<SubmitSignature>,
    replies: Arc<Semaphore>,
}

impl Receiver {
    fn start(capacity: usize, replies: usize) -> Self {
        let (sender, seen) = mpsc::unbounded_channel();
        let replies = Arc::new(Semaphore::new(replies));
        let addr = Collector { seen: sender, replies: Arc::clone(&replies) }.start();
        let inbox = Inbox::new(ActorName::SignatureCollector, addr, capacity, &BusMetrics::default());
        Self { handle: inbox.handle(), seen, replies }
    }
}

/// An edge that is being served.
struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<()>,
    clock: Arc<SetClock>,
    registry: Arc<Registry>,
    metrics: GatewayMetrics,
}

impl Server {
    async fn start(config: &Config, collector: Handle<SubmitSignature>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, config, collector)
    }

    fn on(listener: TcpListener, config: &Config, collector: Handle<SubmitSignature>) -> Self {
        Self::with_store(listener, config, collector, Arc::default())
    }

    fn with_store(
        listener: TcpListener,
        config: &Config,
        collector: Handle<SubmitSignature>,
        store: Arc<MemoryStore>,
    ) -> Self {
        let (clock, registry) = (SetClock::at(1_000), Arc::new(Registry::default()));
        let metrics = GatewayMetrics::default();
        let deps = Dependencies {
            registry: registry.clone(),
            standings: registry.clone(),
            store,
            clock: clock.clone(),
            rng: Arc::new(CountingRng),
            cpu: Arc::new(InPlace),
            metrics: metrics.clone(),
        };
        let mut methods = EdgeMethods::default();
        methods.accept(collector);
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let tls = config.tls.as_ref().map(|files| files.load().unwrap());
        let edge = start(config, identity(), methods, deps);
        let served = edge.serve_apart(listener, tls, stop.clone()).unwrap();
        Self { address, stop, served, clock, registry, metrics }
    }

    fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    async fn client(&self) -> Client {
        WsClientBuilder::new().build(self.url()).await.unwrap()
    }

    /// A client with a session of operator `i`.
    async fn operator(&self, i: usize) -> Client {
        let client = self.client().await;
        open(&client, i, |_| ()).await.unwrap();
        client
    }

    /// Whether an operator has a session still: its end is noticed soon after the connection's.
    async fn has_sessions(&self) -> bool {
        tokio::task::yield_now().await;
        self.metrics.open_sessions() > 0
    }

    async fn end(self) {
        self.stop.cancel();
        self.served.await.unwrap();
    }

    fn link(&self, i: usize) -> OperatorLink {
        operator_link(self.url(), i, identity(), self.clock.clone())
    }
}

fn link_dependencies(clock: Arc<SetClock>) -> LinkDependencies {
    LinkDependencies { clock, rng: Arc::new(CountingRng), metrics: LinkMetrics::default() }
}

fn operator_link(url: String, i: usize, aggregator: Identity, clock: Arc<SetClock>) -> OperatorLink {
    let config = OperatorLinkConfig { longest_pause_ms: 100, ..OperatorLinkConfig::default() };
    let signer = Arc::new(LocalBlsSigner::new(secret(i)));
    let upstream = Upstream { identity: aggregator, url, ca: None, plaintext: false };
    OperatorLink::start(&config, upstream, signer, link_dependencies(clock)).unwrap()
}

/// Says hello and opens a session of operator `i`, after `change` has had its way with it.
async fn open(
    client: &Client,
    i: usize,
    change: impl FnOnce(&mut Session),
) -> Result<SessionOpened, ClientError> {
    let hello: Hello = client.request("session_hello", rpc_params![]).await?;
    let mut session = Session {
        server: NAME.into(),
        nonce: hello.nonce,
        operator_id: operator_id(i),
        expiry: hello.time + 100,
    };
    change(&mut session);
    client.request("session_open", rpc_params![signed(i, session)]).await
}

fn signed(i: usize, session: Session) -> OpenSession {
    let signature = secret(i).sign(&session.message(&domain())).to_bytes();
    OpenSession { session, signature }
}

/// What operator `i` would submit.
fn submission(i: usize) -> SubmitSignature {
    let response = TaskResponse { task_hash: task(0, 101).hash(), safety_factor: value(5) };
    let message = anzen_messages::bls::hash_to_g1(response.digest(&domain()));
    SubmitSignature { operator_id: operator_id(i), response, signature: secret(i).sign(&message).to_bytes() }
}

async fn submit(client: &Client, message: &SubmitSignature) -> Result<SubmitReply, ClientError> {
    let envelope = Envelope::seal(message).unwrap();
    client.request("collector_submitSignature", rpc_params![envelope]).await
}

/// The code of a refusal.
fn code<T: std::fmt::Debug>(outcome: Result<T, ClientError>) -> i32 {
    match outcome {
        Err(ClientError::Call(error)) => error.code(),
        other => panic!("no refusal: {other:?}"),
    }
}

/// Waits for something that is on its way; a test that waits in vain fails.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what).await.expect("it did not happen within 30 s")
}
