//! Messages that are kept until they have been handled.

use anzen_actors::ports::{Transport, TransportError};
use anzen_messages::aggregation::QuorumReached;
use anzen_messages::wire::{Envelope, Wire};

use super::*;

/// Sends a request that is given up after so many milliseconds.
async fn call(bus: &Arc<Bus>, block: u64, limit_ms: u64) -> TransportError {
    let envelope = Envelope::seal(&request(block)).unwrap();
    let transport = NatsTransport::new(bus.clone());
    transport.call(ActorName::TxSender, SendTransaction::NAME, envelope, limit_ms).await.unwrap_err()
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
    let (bus, handle) = server.sender().await;
    let asked = ask(&handle, 1);
    // Kept: the stream has it.
    let seen_by_server = server.bus("onlooker").await;
    until_kept(&seen_by_server, 1).await;
    server.kill().await;
    server.start_again().await;
    let mut receiver = Receiver::start(&server, 10).await;
    receiver.sees(1).await;
    // Nobody keeps replies: who is not back yet would have to ask again.
    bus.connection().await;
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
    server.start_again().await;
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
    until_kept(&bus, 0).await;
}

#[actix::test]
async fn what_was_given_up_while_the_server_was_away_is_not_sent_when_it_is_back() {
    let mut server = Server::start().await;
    let (bus, handle) = server.sender().await;
    until_kept(&bus, 0).await;
    server.kill().await;
    while bus.is_connected() {
        tokio::task::yield_now().await;
    }
    for block in 1..=20 {
        let outcome = call(&bus, block, 20).await;
        assert!(matches!(outcome, TransportError::Unreachable { .. }), "{outcome}");
    }
    server.start_again().await;
    // What was sent before this one is there before it.
    let asked = ask(&handle, 21);
    let mut receiver = Receiver::start(&server, 10).await;
    receiver.sees(21).await;
    receiver.answer(1);
    assert_eq!(asked.await.unwrap().unwrap(), Ok(mined()));
    assert!(receiver.seen.try_recv().is_err());
}

#[actix::test]
async fn what_the_caller_has_given_up_is_taken_back() {
    let server = Server::start().await;
    let (bus, _) = server.sender().await;
    until_kept(&bus, 0).await;
    for block in 1..=20 {
        let outcome = call(&bus, block, 100).await;
        assert!(matches!(outcome, TransportError::NoReply { .. }), "{outcome}");
    }
    until_kept(&bus, 0).await;
}

#[actix::test]
async fn a_burst_of_one_kind_leaves_room_for_the_others() {
    let server = Server::start().await;
    let (bus, handle) = server.sender().await;
    until_kept(&bus, 0).await;
    let stranger = server.stranger().await;
    let subject = format!("anzen.anzen.do.{}.{}", ActorName::Aggregator, QuorumReached::NAME);
    for _ in 0..17_000 {
        stranger.publish(subject.clone(), "{}".into()).await.unwrap();
    }
    let last = async_nats::jetstream::new(stranger).publish(subject, "{}".into()).await.unwrap().await;
    assert!(last.unwrap_err().to_string().contains("maximum messages per subject exceeded"));
    let transport = NatsTransport::new(bus.clone());
    let envelope = Envelope { version: 1, trace: None, body: Default::default() };
    let full = transport.call(ActorName::Aggregator, QuorumReached::NAME, envelope, 10_000).await;
    assert_eq!(full.unwrap_err(), TransportError::Full { peer: "aggregator".into() });
    let asked = ask(&handle, 1);
    let mut receiver = Receiver::start(&server, 10).await;
    receiver.sees(1).await;
    receiver.answer(1);
    assert_eq!(asked.await.unwrap().unwrap(), Ok(mined()));
}
