//! Links over Unix sockets.

use std::os::unix::fs::PermissionsExt;

use anzen_messages::chain::{ChainDelta, NextBlocks, NotFollowing};
use futures::FutureExt;

use super::*;
use crate::bus::{DeliveryError, Directory, Dispatcher};
use crate::ports::TransportError;

/// A watcher that has no news.
struct Watcher;

impl Actor for Watcher {
    type Context = Context<Self>;
}

impl Handler<Incoming<NextBlocks>> for Watcher {
    type Result = ResponseFuture<Result<ChainDelta, NotFollowing>>;

    fn handle(
        &mut self,
        Incoming { message, .. }: Incoming<NextBlocks>,
        _ctx: &mut Context<Self>,
    ) -> Self::Result {
        if message.wait_ms == 0 {
            return std::future::ready(Err(NotFollowing)).boxed();
        }
        std::future::pending().boxed()
    }
}

fn dispatcher() -> Dispatcher {
    let mut directory = Directory::default();
    let inbox = Inbox::new(ActorName::ChainWatcher, Watcher.start(), 100, &BusMetrics::default());
    directory.provide::<_, NextBlocks>(&inbox);
    directory.dispatcher()
}

fn private_directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    directory
}

fn serve(path: &std::path::Path, dispatcher: Dispatcher) -> (CancellationToken, JoinHandle<()>) {
    let stop = CancellationToken::new();
    let socket = LinkSocket::bind(path).unwrap();
    (stop.clone(), tokio::spawn(serve_links(socket, dispatcher, stop)))
}

fn watcher(path: &std::path::Path) -> Handle<NextBlocks> {
    let link = LinkTransport::start(path, link_dependencies(SetClock::at(1_000))).unwrap();
    Handle::remote(Arc::new(link))
}

fn question(wait_ms: u64) -> NextBlocks {
    NextBlocks { after: None, wait_ms }
}

#[actix::test]
async fn a_long_wait_does_not_hold_up_others_on_the_link() {
    let directory = private_directory();
    let path = directory.path().join("aggregator.sock");
    let _served = serve(&path, dispatcher());
    let handle = watcher(&path);
    let mut waiting: Vec<_> = (0..20).map(|_| handle.ask(question(30_000)).boxed()).collect();
    for waiting in &mut waiting {
        assert!(futures::poll!(waiting).is_pending());
    }
    assert_eq!(soon(handle.ask(question(0))).await, Ok(Err(NotFollowing)));
}

#[actix::test]
async fn a_process_that_restarts_is_found_again() {
    let directory = private_directory();
    let path = directory.path().join("aggregator.sock");
    let handle = watcher(&path);
    for _ in 0..3 {
        let (stop, served) = serve(&path, dispatcher());
        // The link may not have noticed yet that the one before is gone.
        let answer = soon(async {
            loop {
                match handle.ask(question(0)).await {
                    Err(DeliveryError::Transport(TransportError::NoReply { .. })) => {}
                    answer => break answer,
                }
            }
        });
        assert_eq!(answer.await, Ok(Err(NotFollowing)));
        stop.cancel();
        soon(served).await.unwrap();
    }
}

#[actix::test]
async fn a_message_for_nobody_here_is_refused() {
    let directory = private_directory();
    let path = directory.path().join("aggregator.sock");
    let _served = serve(&path, dispatcher());
    let link = LinkTransport::start(&path, link_dependencies(SetClock::at(1_000))).unwrap();
    let handle: Handle<SubmitSignature> = Handle::remote(Arc::new(link));
    let outcome = soon(handle.ask(submission(3))).await;
    assert!(matches!(outcome, Err(DeliveryError::Transport(TransportError::Refused { .. }))), "{outcome:?}");
}

#[actix::test]
async fn a_socket_of_a_dead_process_is_replaced_and_a_live_ones_is_not() {
    let directory = private_directory();
    let path = directory.path().join("aggregator.sock");
    // As a killed process leaves it: the file is there and nobody listens.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let socket = LinkSocket::bind(&path).unwrap();
    assert!(matches!(LinkSocket::bind(&path), Err(SocketError::InUse(_))));
    drop(socket);
    assert!(!path.exists());
    assert!(LinkSocket::bind(&path).is_ok());
}

#[actix::test]
async fn a_socket_is_not_put_where_it_should_not_be() {
    let directory = private_directory();
    let taken = directory.path().join("notes.txt");
    std::fs::write(&taken, "mine").unwrap();
    assert!(matches!(LinkSocket::bind(&taken), Err(SocketError::NoSocket(_))));
    let long = directory.path().join("x".repeat(108));
    assert!(matches!(LinkSocket::bind(&long), Err(SocketError::TooLong { .. })));
    assert!(LinkTransport::start(&long, link_dependencies(SetClock::at(0))).is_err());
    let open = directory.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(LinkSocket::bind(&open.join("a.sock")), Err(SocketError::NotPrivate(_))));
    let new = directory.path().join("run/anzen/a.sock");
    let _socket = LinkSocket::bind(&new).unwrap();
    let mode = std::fs::metadata(new.parent().unwrap()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
