//! Sessions and messages, as operators and impostors see them.

use anzen_messages::bls::G1Bytes;
use anzen_messages::wire::Wire;
use jsonrpsee::core::params::BatchRequestBuilder;
use serde_json::{Value, json};

use super::*;

async fn edge() -> (Server, Receiver) {
    let receiver = Receiver::start(1024, 1024);
    (Server::start(&Config::default(), receiver.handle.clone()).await, receiver)
}

#[actix::test]
async fn an_operator_with_a_session_submits() {
    let (server, mut receiver) = edge().await;
    let client = server.operator(3).await;
    assert_eq!(submit(&client, &submission(3)).await.unwrap(), SubmitReply::Accepted);
    assert_eq!(soon(receiver.seen.recv()).await, Some(submission(3)));
}

#[actix::test]
async fn a_message_before_the_session_is_refused() {
    let (server, mut receiver) = edge().await;
    let client = server.client().await;
    assert_eq!(code(submit(&client, &submission(3)).await), RpcError::NO_SESSION);
    assert!(receiver.seen.try_recv().is_err());
    assert_eq!(server.metrics.refusals("no_session"), 1);
}

#[actix::test]
async fn a_message_in_anothers_name_is_refused() {
    let (server, mut receiver) = edge().await;
    let client = server.operator(3).await;
    assert_eq!(code(submit(&client, &submission(4)).await), RpcError::NOT_YOUR_ID);
    assert!(receiver.seen.try_recv().is_err());
}

#[actix::test]
async fn a_session_of_another_connection_cannot_be_replayed() {
    let (server, _receiver) = edge().await;
    let (client, thief) = (server.client().await, server.client().await);
    let mut seen = None;
    open(&client, 3, |session| seen = Some(session.clone())).await.unwrap();
    let replay = signed(3, seen.unwrap());
    let _: Hello = thief.request("session_hello", rpc_params![]).await.unwrap();
    for victim in [&thief, &client] {
        let outcome = victim.request::<SessionOpened, _>("session_open", rpc_params![&replay]).await;
        assert_eq!(code(outcome), RpcError::WRONG_NONCE);
    }
}

#[actix::test]
async fn a_session_seen_before_a_restart_cannot_be_replayed() {
    let (server, receiver) = edge().await;
    let mut seen = None;
    open(&server.client().await, 3, |session| seen = Some(session.clone())).await.unwrap();
    soon(server.end()).await;
    let server = Server::start(&Config::default(), receiver.handle.clone()).await;
    let thief = server.client().await;
    let _: Hello = thief.request("session_hello", rpc_params![]).await.unwrap();
    let replay = signed(3, seen.unwrap());
    let outcome = thief.request::<SessionOpened, _>("session_open", rpc_params![replay]).await;
    assert_eq!(code(outcome), RpcError::WRONG_NONCE);
}

#[actix::test]
async fn a_session_that_is_not_right_is_refused_for_its_reason() {
    let (server, _receiver) = edge().await;
    let client = server.client().await;
    let wrong_server = open(&client, 3, |session| session.server = "aggregator-1".into()).await;
    assert_eq!(code(wrong_server), RpcError::WRONG_SERVER);
    let expired = open(&client, 3, |session| session.expiry = 999).await;
    assert_eq!(code(expired), RpcError::WRONG_EXPIRY);
    let too_long = open(&client, 3, |session| session.expiry += 24 * 3600).await;
    assert_eq!(code(too_long), RpcError::WRONG_EXPIRY);
    assert_eq!(code(open(&client, 10, |_| ()).await), RpcError::NOT_REGISTERED);
    let of_another = open(&client, 3, |session| session.operator_id = operator_id(4)).await;
    assert_eq!(code(of_another), RpcError::WRONG_SIGNATURE);
    assert!(open(&client, 3, |_| ()).await.is_ok());
}

#[actix::test]
async fn a_signature_that_is_no_point_is_refused() {
    let (server, _receiver) = edge().await;
    let client = server.client().await;
    let hello: Hello = client.request("session_hello", rpc_params![]).await.unwrap();
    let session = Session {
        server: NAME.into(),
        nonce: hello.nonce,
        operator_id: operator_id(3),
        expiry: hello.time + 9,
    };
    let open = OpenSession { session, signature: G1Bytes([1; 64].into()) };
    let outcome = client.request::<SessionOpened, _>("session_open", rpc_params![open]).await;
    assert_eq!(code(outcome), RpcError::WRONG_SIGNATURE);
    assert_eq!(server.registry.questions.load(Ordering::SeqCst), 0, "the chain need not be asked");
}

#[actix::test]
async fn the_chain_is_asked_once_for_each_operator() {
    let (server, _receiver) = edge().await;
    for _ in 0..3 {
        drop(server.operator(3).await);
        // The session is free when the server has noticed.
        soon(async { while open(&server.client().await, 3, |_| ()).await.is_err() {} }).await;
    }
    assert_eq!(server.registry.questions.load(Ordering::SeqCst), 1);
}

#[actix::test]
async fn a_session_expires_and_is_renewed_on_the_same_connection() {
    let (server, _receiver) = edge().await;
    let client = server.operator(3).await;
    server.clock.pass(101);
    assert_eq!(code(submit(&client, &submission(3)).await), RpcError::SESSION_EXPIRED);
    open(&client, 3, |_| ()).await.unwrap();
    assert_eq!(submit(&client, &submission(3)).await.unwrap(), SubmitReply::Accepted);
    assert_eq!(code(open(&client, 4, |_| ()).await), RpcError::NOT_YOUR_ID);
}

#[actix::test]
async fn a_second_live_session_is_refused_until_the_first_ends() {
    let (server, _receiver) = edge().await;
    let first = server.operator(3).await;
    let second = server.client().await;
    assert_eq!(code(open(&second, 3, |_| ()).await), RpcError::SECOND_SESSION);
    assert_eq!(server.metrics.refusals("second_session"), 1);
    drop(first);
    soon(async { while open(&second, 3, |_| ()).await.is_err() {} }).await;
}

#[actix::test]
async fn what_is_wrong_with_a_message_is_told_by_its_code() {
    let (server, _receiver) = edge().await;
    let client = server.operator(3).await;
    let call = async |method: &str, envelope: Value| {
        code(client.request::<Value, _>(method, rpc_params![envelope]).await)
    };
    let good = serde_json::to_value(submission(3)).unwrap();
    let name = SubmitSignature::NAME;
    assert_eq!(call("collector_no", json!({"version": 1, "body": good})).await, -32601);
    for version in [0, 2] {
        let other = json!({"version": version, "body": good});
        assert_eq!(call(name, other).await, RpcError::VERSION, "an older one is no better than a newer one");
    }
    assert_eq!(call(name, json!({"version": 1, "body": {}})).await, -32602);
    assert_eq!(call(name, json!({"body": good})).await, -32602);
    assert_eq!(call(name, json!("no envelope")).await, -32602);
    let long = json!({"version": 1, "body": {"more": "x".repeat(1024)}});
    assert_eq!(call(name, long).await, RpcError::TOO_LARGE);
}

#[actix::test]
async fn the_calls_of_a_batch_are_under_way_together() {
    let mut receiver = Receiver::start(1024, 0);
    let server = Server::start(&Config::default(), receiver.handle.clone()).await;
    let client = server.operator(3).await;
    let mut batch = BatchRequestBuilder::new();
    for i in 0..100 {
        // Every tenth is of another operator.
        let envelope = Envelope::seal(&submission(if i % 10 == 9 { 4 } else { 3 })).unwrap();
        batch.insert(SubmitSignature::NAME, rpc_params![envelope]).unwrap();
    }
    let replies = client.batch_request::<SubmitReply>(batch);
    let all_seen = async {
        for _ in 0..90 {
            receiver.seen.recv().await.unwrap();
        }
        receiver.replies.add_permits(90);
    };
    let (replies, ()) = soon(futures::future::join(replies, all_seen)).await;
    let replies: Vec<_> = replies.unwrap().into_iter().collect();
    assert_eq!(replies.len(), 100);
    for (i, reply) in replies.iter().enumerate() {
        assert_eq!(reply.is_err(), i % 10 == 9, "{i}: {reply:?}");
    }
}

#[actix::test]
async fn a_connection_without_a_session_is_closed() {
    let receiver = Receiver::start(1, 1);
    let config = Config { patience_secs: 0, ..Config::default() };
    let server = Server::start(&config, receiver.handle.clone()).await;
    let Ok(client) = WsClientBuilder::new().build(server.url()).await else { return };
    soon(client.on_disconnect()).await;
}

#[actix::test]
async fn strangers_that_fill_their_pool_keep_no_operator_out() {
    let receiver = Receiver::start(1024, 1024);
    let config = Config { most_strangers: 4, ..Config::default() };
    let server = Server::start(&config, receiver.handle.clone()).await;
    let mut strangers = Vec::new();
    for _ in 0..20 {
        strangers.push(server.client().await);
    }
    let client = server.operator(3).await;
    assert_eq!(submit(&client, &submission(3)).await.unwrap(), SubmitReply::Accepted);
    soon(strangers[0].on_disconnect()).await;
    assert!(server.metrics.ended_for("gave_way") >= 16);
    for _ in 0..8 {
        strangers.push(server.client().await);
    }
    assert_eq!(submit(&client, &submission(3)).await.unwrap(), SubmitReply::Accepted);
}

#[actix::test]
async fn knocks_are_rationed_by_address() {
    let receiver = Receiver::start(1024, 1024);
    let config = Config { knocks: 4, knock_refill_ms: 3_600_000, ..Config::default() };
    let server = Server::start(&config, receiver.handle.clone()).await;
    for _ in 0..10 {
        drop(server.operator(3).await);
        soon(async { while server.has_sessions().await {} }).await;
    }
    let client = server.client().await;
    for _ in 0..3 {
        let _: Hello = client.request("session_hello", rpc_params![]).await.unwrap();
    }
    let refused = client.request::<Hello, _>("session_hello", rpc_params![]).await;
    assert_eq!(code(refused), RpcError::TOO_MANY_ATTEMPTS);
    assert!(WsClientBuilder::new().build(server.url()).await.is_err());
    assert_eq!(server.metrics.turned_away_for("knocks_of_address"), 1);
}

#[actix::test]
async fn an_operator_known_before_gets_in_while_the_chain_is_down() {
    let (receiver, store) = (Receiver::start(1024, 1024), Arc::new(MemoryStore::default()));
    let start = async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Server::with_store(listener, &Config::default(), receiver.handle.clone(), store.clone())
    };
    let before = start().await;
    before.operator(3).await;
    soon(before.end()).await;
    let server = start().await;
    server.registry.is_down.store(true, Ordering::SeqCst);
    let unknown = open(&server.client().await, 4, |_| ()).await;
    assert_eq!(code(unknown), RpcError::UNAVAILABLE);
    let client = server.operator(3).await;
    assert_eq!(submit(&client, &submission(3)).await.unwrap(), SubmitReply::Accepted);
    assert_eq!(server.registry.questions.load(Ordering::SeqCst), 1, "only about the other");
}

#[actix::test]
async fn an_operator_that_has_left_its_quorums_loses_its_session() {
    let receiver = Receiver::start(1024, 1024);
    let config = Config { membership_check_secs: 1, ..Config::default() };
    let server = Server::start(&config, receiver.handle.clone()).await;
    let client = server.operator(3).await;
    server.registry.have_left.store(true, Ordering::SeqCst);
    soon(client.on_disconnect()).await;
    let told = async {
        while server.metrics.ended_for("ejected") == 0 {
            tokio::task::yield_now().await;
        }
    };
    soon(told).await;
    assert_eq!(code(open(&server.client().await, 3, |_| ()).await), RpcError::NOT_REGISTERED);
}

#[actix::test]
async fn the_end_of_the_process_answers_what_is_under_way() {
    let mut receiver = Receiver::start(1024, 0);
    let server = Server::start(&Config::default(), receiver.handle.clone()).await;
    let client = server.operator(3).await;
    let message = submission(3);
    let submitted = submit(&client, &message);
    let ended = async {
        receiver.seen.recv().await.unwrap();
        server.stop.cancel();
        receiver.replies.add_permits(1);
    };
    let (reply, ()) = soon(futures::future::join(submitted, ended)).await;
    assert_eq!(reply.unwrap(), SubmitReply::Accepted);
    soon(server.end()).await;
}
