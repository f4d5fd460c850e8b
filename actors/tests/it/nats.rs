//! The bus on a real nats-server that is killed and started again, and so are both ends.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix::{Actor, Context, Handler, ResponseFuture};
use alloy::primitives::{Address, B256};
use anzen_actors::bus::{BusMetrics, DeliveryError, Directory, Handle, Inbox, Incoming};
use anzen_actors::nats::{
    Bus, BusDependencies, Leases, NatsConfig, NatsError, NatsMetrics, NatsTransport, serve,
};
use anzen_messages::chain::{ChainDelta, NextBlocks, NotFollowing};
use anzen_messages::transaction::{Mined, SendTransaction, TxId, TxRefusal};
use anzen_messages::wire::ActorName;
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
        let process = spawn(folder.path(), None);
        let port = port_of(folder.path(), process.id().unwrap()).await;
        Self { folder, process, port }
    }

    async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    fn start_again(&mut self) {
        self.process = spawn(self.folder.path(), Some(self.port));
    }

    async fn bus(&self, process: &str) -> Arc<Bus> {
        let config = NatsConfig { url: format!("nats://127.0.0.1:{}", self.port), ..NatsConfig::default() };
        let deps = BusDependencies { process: process.into(), metrics: NatsMetrics::default() };
        Bus::connect(&config, deps).await.unwrap()
    }

    async fn sender(&self) -> (Arc<Bus>, Handle<SendTransaction>) {
        let bus = self.bus("sender").await;
        (bus.clone(), Handle::remote(Arc::new(NatsTransport::new(bus))))
    }
}

fn spawn(folder: &Path, port: Option<u16>) -> Child {
    let config = folder.join("server.conf");
    std::fs::write(&config, "max_payload: 8MB\n").unwrap();
    let port = port.map_or("-1".to_owned(), |port| port.to_string());
    let mut server = Command::new("nats-server");
    server.arg("-js").arg("-sd").arg(folder).arg("-c").arg(config).args(["-a", "127.0.0.1", "-p", &port]);
    server.arg("--ports_file_dir").arg(folder).arg("-l").arg(folder.join("log")).kill_on_drop(true);
    server
        .spawn()
        .unwrap_or_else(|error| panic!("nats-server: {error}; install Debian's package of that name"))
}

/// The server writes its ports to a file when it listens.
async fn port_of(folder: &Path, pid: u32) -> u16 {
    let file = folder.join(format!("nats-server_{pid}.ports"));
    loop {
        let ports = std::fs::read_to_string(&file).ok();
        let ports = ports.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
        if let Some(url) = ports.as_ref().and_then(|ports| ports["nats"][0].as_str()) {
            return url.rsplit(':').next().unwrap().parse().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
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

#[actix::test]
async fn a_message_arrives_and_its_reply_returns() {
    let server = Server::start().await;
    let mut receiver = Receiver::start(&server, 10).await;
    let (_bus, handle) = server.sender().await;
    let asked = ask(&handle, 1);
    receiver.sees(1).await;
    receiver.answer(1);
    assert_eq!(asked.await.unwrap().unwrap(), Ok(mined()));
}

#[actix::test]
async fn a_message_to_nobody_waits_through_a_restart_of_the_server() {
    let mut server = Server::start().await;
    let (_bus, handle) = server.sender().await;
    let asked = ask(&handle, 1);
    // Kept: the stream has it.
    let seen_by_server = server.bus("onlooker").await;
    while seen_by_server.kept().await.unwrap_or(0) == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.kill().await;
    server.start_again();
    let mut receiver = Receiver::start(&server, 10).await;
    receiver.sees(1).await;
    receiver.answer(1);
    assert_eq!(asked.await.unwrap().unwrap(), Ok(mined()));
}

#[actix::test]
async fn a_message_that_is_sent_while_the_server_is_away_arrives() {
    let mut server = Server::start().await;
    let mut receiver = Receiver::start(&server, 10).await;
    let (_bus, handle) = server.sender().await;
    server.kill().await;
    let asked = ask(&handle, 1);
    server.start_again();
    receiver.sees(1).await;
    receiver.answer(1);
    assert_eq!(asked.await.unwrap().unwrap(), Ok(mined()));
}

#[actix::test]
async fn what_a_killed_receiver_had_in_hand_is_handed_to_the_next() {
    let server = Server::start().await;
    let mut receiver = Receiver::start(&server, 10).await;
    let (_bus, handle) = server.sender().await;
    let asked = ask(&handle, 1);
    receiver.sees(1).await;
    receiver.kill().await;
    let mut next = Receiver::start(&server, 10).await;
    next.sees(1).await;
    next.answer(1);
    assert_eq!(asked.await.unwrap().unwrap(), Ok(mined()));
}

#[actix::test]
async fn a_receiver_that_is_full_gets_the_rest_later() {
    let server = Server::start().await;
    let mut receiver = Receiver::start(&server, 1).await;
    let (_bus, handle) = server.sender().await;
    let first = ask(&handle, 1);
    receiver.sees(1).await;
    let second = ask(&handle, 2);
    receiver.answer(1);
    assert_eq!(first.await.unwrap().unwrap(), Ok(mined()));
    receiver.sees(2).await;
    receiver.answer(1);
    assert_eq!(second.await.unwrap().unwrap(), Ok(mined()));
}

#[actix::test]
async fn what_no_actor_takes_is_refused_once() {
    let server = Server::start().await;
    let bus = server.bus("receiver").await;
    let serving =
        serve(bus, vec![ActorName::TxSender], Directory::default().dispatcher(), CancellationToken::new());
    actix::spawn(serving);
    let (bus, handle) = server.sender().await;
    let refused = handle.ask(request(1)).await.unwrap_err().to_string();
    assert!(
        refused.contains("tx-sender refused: no actor of this process takes txSender_sendTransaction"),
        "{refused}"
    );
    while bus.kept().await.unwrap() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Answers questions with a refusal, which is an answer.
struct Watcher(Arc<AtomicUsize>);

impl Actor for Watcher {
    type Context = Context<Self>;
}

impl Handler<Incoming<NextBlocks>> for Watcher {
    type Result = Result<ChainDelta, NotFollowing>;

    fn handle(&mut self, _: Incoming<NextBlocks>, _: &mut Self::Context) -> Self::Result {
        self.0.fetch_add(1, Ordering::Relaxed);
        Err(NotFollowing)
    }
}

#[actix::test]
async fn questions_are_answered_and_not_kept() {
    let server = Server::start().await;
    let (bus, _) = server.sender().await;
    let handle: Handle<NextBlocks> = Handle::remote(Arc::new(NatsTransport::new(bus.clone())));
    let question = || NextBlocks { after: None, wait_ms: 0 };
    let nobody = handle.ask(question()).await.unwrap_err();
    assert!(matches!(nobody, DeliveryError::Transport(_)), "{nobody}");
    let asked = Arc::new(AtomicUsize::new(0));
    let inbox =
        Inbox::new(ActorName::ChainWatcher, Watcher(asked.clone()).start(), 10, &BusMetrics::default());
    watch(&server, "receiver", &inbox, CancellationToken::new()).await;
    let answer = loop {
        match handle.ask(question()).await {
            Ok(answer) => break answer,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    assert_eq!((answer, asked.load(Ordering::Relaxed)), (Err(NotFollowing), 1));
    assert_eq!(bus.kept().await.unwrap(), 0);
}

/// Has a question in hand for good.
struct Pensive(mpsc::UnboundedSender<()>);

impl Actor for Pensive {
    type Context = Context<Self>;
}

impl Handler<Incoming<NextBlocks>> for Pensive {
    type Result = ResponseFuture<Result<ChainDelta, NotFollowing>>;

    fn handle(&mut self, _: Incoming<NextBlocks>, _: &mut Self::Context) -> Self::Result {
        self.0.send(()).unwrap();
        Box::pin(std::future::pending())
    }
}

#[actix::test]
async fn a_question_is_not_lost_with_who_was_asked() {
    let server = Server::start().await;
    let (bus, _) = server.sender().await;
    let handle: Handle<NextBlocks> = Handle::remote(Arc::new(NatsTransport::new(bus)));
    let (has_it, mut had_it) = mpsc::unbounded_channel();
    let gone = CancellationToken::new();
    let inbox = Inbox::new(ActorName::ChainWatcher, Pensive(has_it).start(), 10, &BusMetrics::default());
    watch(&server, "first", &inbox, gone.clone()).await;
    let ask = || {
        let handle = handle.clone();
        let question = NextBlocks { after: None, wait_ms: NextBlocks::LONGEST_WAIT_MS };
        actix::spawn(async move { handle.ask(question).await })
    };
    let mut asking = ask();
    loop {
        tokio::select! {
            Some(()) = had_it.recv() => break,
            // The first is not there yet.
            _ = &mut asking => asking = ask(),
        }
    }

    let asked = Arc::new(AtomicUsize::new(0));
    let inbox = Inbox::new(ActorName::ChainWatcher, Watcher(asked).start(), 10, &BusMetrics::default());
    watch(&server, "second", &inbox, CancellationToken::new()).await;
    gone.cancel();
    assert_eq!(asking.await.unwrap().unwrap(), Err(NotFollowing));
}

/// A process that answers questions with what is behind `inbox`.
async fn watch<A>(server: &Server, process: &str, inbox: &Inbox<A>, stop: CancellationToken)
where
    A: Actor<Context = Context<A>> + Handler<Incoming<NextBlocks>>,
{
    let mut directory = Directory::default();
    directory.provide::<_, NextBlocks>(inbox);
    let bus = server.bus(process).await;
    actix::spawn(serve(bus, vec![ActorName::ChainWatcher], directory.dispatcher(), stop));
}

#[actix::test]
async fn an_actor_runs_in_one_process_and_another_steps_in() {
    let server = Server::start().await;
    let leases = async |process: &str| {
        Leases::new(server.bus(process).await, process.into(), vec![ActorName::Aggregator])
    };
    let stop = CancellationToken::new();
    let first = leases("first").await.take().await;
    let kept = actix::spawn(first.keep(stop.clone()));
    let second = leases("second").await.take();
    tokio::pin!(second);
    assert!(futures::poll!(&mut second).is_pending());
    // The first returns after a crash: it is the same process, and has its lease at once.
    drop(leases("first").await.take().await);
    assert!(futures::poll!(&mut second).is_pending());
    stop.cancel();
    kept.await.unwrap().unwrap();
    let second = second.await;
    let usurped = second.keep(CancellationToken::new());
    tokio::pin!(usurped);
    assert!(futures::poll!(&mut usurped).is_pending());
    let client = async_nats::connect(format!("127.0.0.1:{}", server.port)).await.unwrap();
    let leases = async_nats::jetstream::new(client).get_key_value("ANZEN_LEASES_anzen").await.unwrap();
    leases.put("aggregator", "somebody else".into()).await.unwrap();
    assert!(matches!(usurped.await, Err(NatsError::Taken(ActorName::Aggregator))));
}
