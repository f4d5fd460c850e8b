//! An operator that floods and strangers of every kind, beside operators that do as they should: these notice nothing.

use std::net::{IpAddr, Ipv4Addr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::super::keys::Keys;
use super::fragments::{CONTINUE, PING, PONG, TEXT, frame};
use super::*;
use crate::ports::Store;

/// What each victim sends.
const SUBMISSIONS: usize = 100;
/// What the whole process may grow by meanwhile; other tests run in it too.
const MOST_GROWTH_KIB: u64 = 256 * 1024;

/// A connection from another address of this machine.
pub(super) async fn stream_from(address: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((IpAddr::from(Ipv4Addr::from(address)), 0).into()).unwrap();
    socket.connect(to).await.unwrap()
}

/// A client from another address of this machine than the strangers have.
async fn client_from(address: [u8; 4], server: &Server) -> Client {
    let stream = stream_from(address, server.address).await;
    WsClientBuilder::new().build_with_stream("ws://localhost/", stream).await.unwrap()
}

/// Sends the same for good, from one connection after the other, and reads nothing.
async fn shout(address: SocketAddr, shake_hands: bool, what: Vec<u8>) {
    loop {
        let Ok(mut stream) = TcpStream::connect(address).await else { continue };
        if shake_hands {
            let request = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
                           Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
            let _ = stream.write_all(request.as_bytes()).await;
            let _ = stream.read(&mut [0; 1024]).await;
        }
        while stream.write_all(&what).await.is_ok() {}
        tokio::task::yield_now().await;
    }
}

fn call(method: &str, params: &str) -> Vec<u8> {
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
    frame(TEXT, true, text.as_bytes())
}

/// Strangers of every kind, each with several connections.
fn strangers(address: SocketAddr, crowd: &mut JoinSet<()>) {
    let open = serde_json::to_string(&[signed(
        0,
        Session {
            server: NAME.into(),
            nonce: Default::default(),
            operator_id: operator_id(3),
            expiry: 1_050,
        },
    )])
    .unwrap();
    let kinds = [
        (false, b"GET / HTTP/1.1\r\nX: ".to_vec()),
        (false, vec![0x16, 3, 1, 2, 0, 1, 0]),
        (true, frame(PING, true, &[7; 125])),
        (true, [frame(TEXT, false, b"{"), frame(PONG, true, b"")].concat()),
        (true, [frame(TEXT, false, b"{"), frame(CONTINUE, false, b"")].concat()),
        (true, frame(TEXT, true, &[b' '; 60_000])),
        (true, call("session_hello", "[]")),
        (true, [call("session_hello", "[]"), call("session_open", &open)].concat()),
        (true, call(&"\u{7f}".repeat(3000), "[]")),
    ];
    for (shake_hands, what) in kinds {
        for _ in 0..4 {
            crowd.spawn(shout(address, shake_hands, what.clone()));
        }
    }
}

/// An operator that sends batches as fast as they are taken. Every second one reads no replies.
async fn flood(client: Arc<Client>, i: usize) {
    let mut batch = jsonrpsee::core::params::BatchRequestBuilder::new();
    for _ in 0..200 {
        let envelope = Envelope::seal(&submission(i)).unwrap();
        batch.insert("collector_submitSignature", rpc_params![envelope]).unwrap();
    }
    loop {
        let _ = client.batch_request::<SubmitReply>(batch.clone()).await;
        tokio::task::yield_now().await;
    }
}

/// The keys of `count` operators that were here before, from this machine's usual address.
async fn acquainted(count: usize) -> Arc<MemoryStore> {
    let (store, mut keys) = (Arc::new(MemoryStore::default()), Keys::default());
    let here = Ipv4Addr::LOCALHOST.into();
    let learn = |i| keys.learn(operator_id(i), secret(i).public_key().g2(), here);
    store.commit((0..count).filter_map(learn).collect()).await.unwrap();
    store
}

#[actix::test]
async fn two_hundred_operators_behind_one_address_are_back_after_a_restart() {
    let receiver = Receiver::start(1024, 1024);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = acquainted(200).await;
    let server = Server::with_store(listener, &Config::default(), receiver.handle.clone(), store);
    // All at once. The aggregator takes 64 strangers of an address at a time and closes the others, who come again.
    let back = async |i| loop {
        let Ok(client) = WsClientBuilder::new().build(server.url()).await else { continue };
        match open(&client, i, |_| ()).await {
            Ok(_) => break client,
            Err(ClientError::Call(error)) => panic!("operator {i}: {error}"),
            Err(_) => {}
        }
    };
    let clients = soon(futures::future::join_all((0..200).map(back))).await;
    assert_eq!(server.metrics.open_sessions(), 200);
    drop(clients);
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[actix::test]
async fn who_does_as_it_should_is_answered_whatever_the_others_do() {
    let mut receiver = Receiver::start(4096, Semaphore::MAX_PERMITS >> 1);
    let server = Server::start(&Config::default(), receiver.handle.clone()).await;
    let early = server.operator(3).await;
    let flooding = Arc::new(server.operator(4).await);
    let before = resident_kib();
    let (address, over) = (server.address, CancellationToken::new());
    // On a thread of their own: they are others, and not the actors' burden.
    let crowd = std::thread::spawn({
        let over = over.clone();
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let mut crowd = JoinSet::new();
                strangers(address, &mut crowd);
                for _ in 0..4 {
                    crowd.spawn(flood(flooding.clone(), 4));
                }
                over.cancelled().await;
            });
        }
    });
    // The flood is there.
    for _ in 0..1_000 {
        soon(receiver.seen.recv()).await.unwrap();
    }
    // And so are the strangers.
    let are_there = || ["handshake", "too_large"].iter().all(|reason| server.metrics.ended_for(reason) > 0);
    soon(async {
        while !are_there() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // One has its session already; the other comes now, from elsewhere.
    let late = client_from([127, 0, 0, 2], &server).await;
    soon(open(&late, 5, |_| ())).await.unwrap();
    let mut answered = 0;
    for _ in 0..SUBMISSIONS {
        for (client, i) in [(&early, 3), (&late, 5)] {
            answered +=
                usize::from(soon(submit(client, &submission(i))).await.unwrap() == SubmitReply::Accepted);
        }
        while receiver.seen.try_recv().is_ok() {}
    }
    assert_eq!(answered, 2 * SUBMISSIONS);
    let growth = resident_kib().saturating_sub(before);
    assert!(growth < MOST_GROWTH_KIB, "the process grew by {growth} KiB");
    over.cancel();
    crowd.join().unwrap();
}
