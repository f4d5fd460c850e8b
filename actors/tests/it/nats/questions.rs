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
    let mut directory = Directory::default();
    directory.provide::<_, NextBlocks>(&inbox);
    let receiver = server.bus("receiver").await;
    actix::spawn(serve(
        receiver,
        vec![ActorName::ChainWatcher],
        directory.dispatcher(),
        CancellationToken::new(),
    ));
    let answer = loop {
        // The server says at once that nobody is there.
        if let Ok(answer) = handle.ask(question()).await {
            break answer;
        }
    };
    assert_eq!((answer, asked.load(Ordering::Relaxed)), (Err(NotFollowing), 1));
    assert_eq!(bus.kept().await.unwrap(), 0);
}
