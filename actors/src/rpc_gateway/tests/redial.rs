//! Links that outlive the other end.

use tokio_util::compat::TokioAsyncReadCompatExt;

use super::*;
use crate::bus::DeliveryError;
use crate::ports::{Transport, TransportError};

async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

async fn connected(link: &OperatorLink) {
    soon(link.status().wait_for(|status| status.connected)).await.unwrap();
}

#[actix::test]
async fn an_operator_that_starts_first_connects_when_the_aggregator_is_there() {
    let address = free_address().await;
    let link = Arc::new(operator_link(format!("ws://{address}"), 3, identity(), SetClock::at(1_000)));
    let handle: Handle<SubmitSignature> = Handle::remote(link.clone());
    let mut status = link.status();
    soon(status.wait_for(|status| status.last_error.is_some())).await.unwrap();
    let submitted = actix::spawn(async move { handle.ask(submission(3)).await });
    let receiver = Receiver::start(16, 16);
    let listener = TcpListener::bind(address).await.unwrap();
    let _server = Server::on(listener, &Config::default(), receiver.handle.clone());
    assert_eq!(soon(submitted).await.unwrap(), Ok(SubmitReply::Accepted));
    assert!(status.borrow_and_update().connected);
}

#[actix::test]
async fn an_aggregator_that_restarts_is_found_again() {
    let mut receiver = Receiver::start(16, 0);
    let server = Server::start(&Config::default(), receiver.handle.clone()).await;
    let (address, clock) = (server.address, server.clock.clone());
    let link = Arc::new(operator_link(server.url(), 3, identity(), clock));
    let handle: Handle<SubmitSignature> = Handle::remote(link.clone());
    let in_flight = actix::spawn({
        let handle = handle.clone();
        async move { handle.ask(submission(3)).await }
    });
    soon(receiver.seen.recv()).await.unwrap();
    soon(server.end()).await;
    let lost = soon(in_flight).await.unwrap();
    assert!(matches!(lost, Err(DeliveryError::Transport(TransportError::NoReply { .. }))), "{lost:?}");
    receiver.replies.add_permits(10);
    let listener = TcpListener::bind(address).await.unwrap();
    let _server = Server::on(listener, &Config::default(), receiver.handle.clone());
    assert_eq!(soon(handle.ask(submission(3))).await, Ok(SubmitReply::Accepted));
}

#[actix::test]
async fn nothing_there_is_unreachable_when_the_time_is_over() {
    let link = operator_link(format!("ws://{}", free_address().await), 3, identity(), SetClock::at(1_000));
    let message = Envelope::seal(&submission(3)).unwrap();
    let outcome = link.call(ActorName::SignatureCollector, "collector_submitSignature", message, 300).await;
    assert!(matches!(outcome, Err(TransportError::Unreachable { .. })), "{outcome:?}");
}

#[actix::test]
async fn a_full_receiver_is_full_at_the_other_end() {
    let mut receiver = Receiver::start(1, 0);
    let server = Server::start(&Config::default(), receiver.handle.clone()).await;
    let handle: Handle<SubmitSignature> = Handle::remote(Arc::new(server.link(3)));
    let first = actix::spawn({
        let handle = handle.clone();
        async move { handle.ask(submission(3)).await }
    });
    soon(receiver.seen.recv()).await.unwrap();
    let second = soon(handle.ask(submission(3))).await;
    assert!(matches!(second, Err(DeliveryError::Full(_))), "{second:?}");
    receiver.replies.add_permits(1);
    assert_eq!(soon(first).await.unwrap(), Ok(SubmitReply::Accepted));
}

#[actix::test]
async fn a_refused_message_is_not_worth_sending_again() {
    let receiver = Receiver::start(16, 16);
    let server = Server::start(&Config::default(), receiver.handle.clone()).await;
    let handle: Handle<SubmitSignature> = Handle::remote(Arc::new(server.link(3)));
    let outcome = soon(handle.ask(submission(4))).await;
    assert!(matches!(outcome, Err(DeliveryError::Transport(TransportError::Refused { .. }))), "{outcome:?}");
}

#[actix::test]
async fn a_session_that_expired_unnoticed_is_opened_anew() {
    let receiver = Receiver::start(16, 16);
    let server = Server::start(&Config::default(), receiver.handle.clone()).await;
    let link = Arc::new(server.link(3));
    let handle: Handle<SubmitSignature> = Handle::remote(link.clone());
    assert_eq!(soon(handle.ask(submission(3))).await, Ok(SubmitReply::Accepted));
    // A laptop that slept: the timer for the renewal has not run, the time of day has.
    server.clock.pass(5 * 3600);
    assert_eq!(soon(handle.ask(submission(3))).await, Ok(SubmitReply::Accepted));
    assert_eq!(server.metrics.refusals("session_expired"), 1);
}

#[actix::test]
async fn a_session_is_renewed_before_it_expires() {
    let receiver = Receiver::start(16, 16);
    let config = Config { longest_session_secs: 1, ..Config::default() };
    let server = Server::start(&config, receiver.handle.clone()).await;
    let dial = OperatorLinkConfig { session_secs: 1, ..OperatorLinkConfig::default() };
    let signer = Arc::new(LocalBlsSigner::new(secret(3)));
    let deps = link_dependencies(server.clock.clone());
    let upstream = Upstream { identity: identity(), url: server.url(), ca: None, plaintext: false };
    let link = OperatorLink::start(&dial, upstream, signer, deps).unwrap();
    connected(&link).await;
    let before = server.registry.questions.load(Ordering::SeqCst);
    soon(async {
        while server.metrics.sessions_opened() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(server.registry.questions.load(Ordering::SeqCst), before);
    assert!(link.status().borrow().connected);
}

#[actix::test]
async fn an_aggregator_that_is_not_the_one_gets_no_signature() {
    let receiver = Receiver::start(16, 16);
    let server = Server::start(&Config::default(), receiver.handle.clone()).await;
    type Change = fn(&mut Identity);
    let changes: [(Change, &str); 3] = [
        (|aggregator| aggregator.server = "aggregator-1".into(), "\"aggregator-0\", not \"aggregator-1\""),
        (|aggregator| aggregator.chain_id = 1, "chain 31337, not 1"),
        (|aggregator| aggregator.task_manager = Address::ZERO, "serves task manager"),
    ];
    for (change, words) in changes {
        let mut expected = identity();
        change(&mut expected);
        let link = operator_link(server.url(), 3, expected, server.clock.clone());
        let mut status = link.status();
        let status = soon(status.wait_for(|status| status.last_error.is_some())).await.unwrap();
        let error = status.last_error.clone().unwrap_or_default();
        assert!(error.contains(words), "{error}");
    }
}

#[actix::test]
async fn an_aggregator_that_talks_nonsense_is_dialled_again() {
    let nonsense = [
        "no JSON",
        "[]",
        "[1]",
        "{}",
        r#"{"jsonrpc":"2.0","id":7,"result":1}"#,
        r#"[{"jsonrpc":"2.0","id":0,"result":1},{"jsonrpc":"2.0","id":1152921504606846976,"result":1}]"#,
        r#"{"jsonrpc":"2.0","id":0,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32026,"message":"later"}}"#,
        r#"{"jsonrpc":"2.0","method":"x","params":{"subscription":1,"result":1}}"#,
    ];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let link = operator_link(url, 3, identity(), SetClock::at(1_000));
    for text in nonsense {
        let (stream, _) = soon(listener.accept()).await.unwrap();
        soon(say(stream, text)).await;
    }
    soon(listener.accept()).await.unwrap();
    assert!(!link.status().borrow().connected);
}

/// Takes a WebSocket, says one thing, and closes it when the other end has said hello.
async fn say(stream: tokio::net::TcpStream, text: &str) {
    let mut server = soketto::handshake::Server::new(stream.compat());
    let key = server.receive_request().await.unwrap().key();
    let accept = soketto::handshake::server::Response::Accept { key, protocol: None };
    server.send_response(&accept).await.unwrap();
    let (mut sender, mut receiver) = server.into_builder().finish();
    receiver.receive_data(&mut Vec::new()).await.unwrap();
    sender.send_text(text).await.unwrap();
    sender.close().await.unwrap();
}

/// Takes a WebSocket and opens every session that is asked for, until `expiry`.
async fn open_all(stream: tokio::net::TcpStream, expiry: u64) -> Option<()> {
    let mut server = soketto::handshake::Server::new(stream.compat());
    let key = server.receive_request().await.ok()?.key();
    let accept = soketto::handshake::server::Response::Accept { key, protocol: None };
    server.send_response(&accept).await.ok()?;
    let (mut sender, mut receiver) = server.into_builder().finish();
    let hello = Hello {
        server: NAME.into(),
        nonce: Default::default(),
        time: 1_000,
        chain_id: identity().chain_id,
        task_manager: identity().task_manager.0,
    };
    loop {
        let mut message = Vec::new();
        receiver.receive_data(&mut message).await.ok()?;
        let call: serde_json::Value = serde_json::from_slice(&message).ok()?;
        let result = match call["method"].as_str()? {
            "session_hello" => serde_json::to_value(&hello).ok()?,
            _ => serde_json::json!({ "expiry": expiry }),
        };
        let reply = serde_json::json!({ "jsonrpc": "2.0", "id": call["id"], "result": result });
        sender.send_text(reply.to_string()).await.ok()?;
        sender.flush().await.ok()?;
    }
}

#[actix::test]
async fn an_expiry_out_of_range_is_survived() {
    for expiry in [u64::MAX, 0, 999, 1_000] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let link = operator_link(url, 3, identity(), SetClock::at(1_000));
        let (stream, _) = soon(listener.accept()).await.unwrap();
        let served = tokio::spawn(open_all(stream, expiry));
        connected(&link).await;
        drop(link);
        soon(served).await.unwrap();
    }
}
