//! The bus on a real nats-server that is killed and started again, and so are both ends.

mod leases;
mod messages;
mod questions;
mod setup;

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use actix::{Actor, Context, Handler, ResponseFuture};
use alloy::primitives::{Address, B256, U256};
use anzen_actors::adapters::OsRng;
use anzen_actors::bus::{BusMetrics, DeliveryError, Directory, Handle, Inbox, Incoming};
use anzen_actors::nats::{Bus, BusDependencies, NatsConfig, NatsMetrics, NatsTransport, serve};
use anzen_messages::transaction::{Mined, SendTransaction, TxId, TxRefusal};
use anzen_messages::wire::ActorName;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A server with a folder of its own.
struct Server {
    folder: tempfile::TempDir,
    process: Child,
    port: u16,
}

impl Server {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (process, port) = spawn(folder.path(), None).await;
        Self { folder, process, port }
    }

    async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    async fn start_again(&mut self) {
        (self.process, self.port) = spawn(self.folder.path(), Some(self.port)).await;
    }

    fn config(&self) -> NatsConfig {
        let url = format!("nats://127.0.0.1:{}", self.port).parse().unwrap();
        NatsConfig { url, ..NatsConfig::default() }
    }

    async fn bus(&self, process: &str) -> Arc<Bus> {
        Bus::connect(&self.config(), dependencies(process)).await.unwrap()
    }

    async fn sender(&self) -> (Arc<Bus>, Handle<SendTransaction>) {
        let bus = self.bus("sender").await;
        (bus.clone(), Handle::remote(Arc::new(NatsTransport::new(bus))))
    }

    /// A client that is nobody's process.
    async fn stranger(&self) -> async_nats::Client {
        async_nats::connect(format!("127.0.0.1:{}", self.port)).await.unwrap()
    }
}

fn dependencies(process: &str) -> BusDependencies {
    let (process, rng) = (process.to_owned(), Arc::new(OsRng::new().unwrap()));
    BusDependencies { process, rng, metrics: NatsMetrics::default() }
}

/// A server that listens, and its port: its log says where.
async fn spawn(folder: &Path, port: Option<u16>) -> (Child, u16) {
    let config = folder.join("server.conf");
    std::fs::write(&config, "max_payload: 8MB\n").unwrap();
    let port = port.map_or("-1".to_owned(), |port| port.to_string());
    let mut server = Command::new("nats-server");
    server.arg("-js").arg("-sd").arg(folder).arg("-c").arg(config).args(["-a", "127.0.0.1", "-p", &port]);
    let mut server = server
        .kill_on_drop(true)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("nats-server: {error}; install Debian's package of that name"));
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
    let mut said = String::new();
    while let Some(line) = log.next_line().await.unwrap() {
        if let Some((_, at)) = line.split_once("Listening for client connections on ") {
            let port = at.rsplit(':').next().unwrap().parse().unwrap();
            // It would block if nobody read on.
            tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
            return (server, port);
        }
        said.push_str(&line);
    }
    panic!("nats-server ended: {said}");
}

/// Waits until the server keeps as many messages; it is asked again and again.
async fn until_kept(bus: &Bus, count: u64) {
    while bus.kept().await.ok() != Some(count) {}
}

/// Answers each request once there is an answer for it, and tells which came.
struct Sender {
    answers: Arc<Semaphore>,
    seen: mpsc::UnboundedSender<TxId>,
}

impl Actor for Sender {
    type Context = Context<Self>;
}

impl Handler<Incoming<SendTransaction>> for Sender {
    type Result = ResponseFuture<Result<Mined, TxRefusal>>;

    fn handle(&mut self, incoming: Incoming<SendTransaction>, _: &mut Self::Context) -> Self::Result {
        self.seen.send(incoming.message.id).unwrap();
        let answers = self.answers.clone();
        Box::pin(async move {
            answers.acquire().await.unwrap().forget();
            Ok(mined())
        })
    }
}

fn mined() -> Mined {
    Mined { hash: B256::repeat_byte(7), block: 8, gas_used: 9, succeeded: true }
}

fn request(block: u64) -> SendTransaction {
    SendTransaction {
        id: TxId::create(0, block),
        to: Address::ZERO,
        data: Default::default(),
        value: U256::ZERO,
        not_after: None,
    }
}

/// A process that runs the actor.
struct Receiver {
    answers: Arc<Semaphore>,
    seen: mpsc::UnboundedReceiver<TxId>,
    serving: JoinHandle<()>,
}

impl Receiver {
    async fn start(server: &Server, capacity: usize) -> Self {
        let (seen_by, seen) = mpsc::unbounded_channel();
        let answers = Arc::new(Semaphore::new(0));
        let actor = Sender { answers: answers.clone(), seen: seen_by }.start();
        let mut directory = Directory::default();
        let inbox = Inbox::new(ActorName::TxSender, actor, capacity, &BusMetrics::default());
        directory.provide::<_, SendTransaction>(&inbox);
        let bus = server.bus("receiver").await;
        let serving = serve(bus, vec![ActorName::TxSender], directory.dispatcher(), CancellationToken::new());
        Self { answers, seen, serving: actix::spawn(serving) }
    }

    async fn sees(&mut self, block: u64) {
        assert_eq!(self.seen.recv().await.unwrap(), TxId::create(0, block));
    }

    fn answer(&self, count: usize) {
        self.answers.add_permits(count);
    }

    /// As if the process were killed: whatever it had in hand is never answered by it.
    async fn kill(self) {
        self.serving.abort();
        let _ = self.serving.await;
    }
}

fn ask(
    handle: &Handle<SendTransaction>,
    block: u64,
) -> JoinHandle<Result<Result<Mined, TxRefusal>, DeliveryError>> {
    let handle = handle.clone();
    actix::spawn(async move { handle.ask(request(block)).await })
}
