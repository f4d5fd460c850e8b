//! Questions, which nobody keeps.

use std::sync::atomic::{AtomicUsize, Ordering};

use anzen_messages::chain::{ChainDelta, NextBlocks, NotFollowing};

use super::*;

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
        // The server says at once that nobody is there.
        if let Ok(answer) = handle.ask(question()).await {
            break answer;
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
