//! What strangers can do: little.

use futures::io::{BufReader, BufWriter};
use proptest::prelude::*;
use serde_json::value::RawValue;
use soketto::handshake::{Client as Handshake, ServerResponse};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

use super::super::json_rpc::{Outcome, Service, Work};
use super::super::limits::REPLY_BYTES;
use super::*;

type RawSocket = BufReader<BufWriter<Compat<TcpStream>>>;

/// A WebSocket whose user does everything by hand: it answers no ping unless it reads.
struct Raw {
    sender: soketto::Sender<RawSocket>,
    receiver: soketto::Receiver<RawSocket>,
}

impl Raw {
    async fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let mut handshake = Handshake::new(BufReader::new(BufWriter::new(stream.compat())), "localhost", "/");
        assert!(matches!(handshake.handshake().await.unwrap(), ServerResponse::Accepted { .. }));
        let (sender, receiver) = handshake.into_builder().finish();
        Self { sender, receiver }
    }

    /// With a session of operator 3.
    async fn operator(server: &Server) -> Self {
        let mut raw = Self::connect(server).await;
        let hello: Hello = raw.call("session_hello", ()).await;
        let session = Session {
            server: NAME.into(),
            nonce: hello.nonce,
            operator_id: operator_id(3),
            expiry: hello.time + 100,
        };
        let _: SessionOpened = raw.call("session_open", signed(3, session)).await;
        raw
    }

    async fn send(&mut self, text: &str) {
        self.sender.send_text(text).await.unwrap();
        self.sender.flush().await.unwrap();
    }

    async fn receive(&mut self) -> String {
        let mut message = Vec::new();
        self.receiver.receive_data(&mut message).await.unwrap();
        String::from_utf8(message).unwrap()
    }

    async fn ask(&mut self, text: &str) -> String {
        self.send(text).await;
        soon(self.receive()).await
    }

    async fn call<T: serde::de::DeserializeOwned>(
        &mut self,
        method: &str,
        param: impl serde::Serialize,
    ) -> T {
        let request = serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": [param]});
        let reply: serde_json::Value = serde_json::from_str(&self.ask(&request.to_string()).await).unwrap();
        serde_json::from_value(reply["result"].clone()).unwrap()
    }
}

async fn edge(config: Config) -> (Server, Receiver) {
    let receiver = Receiver::start(1024, 1024);
    (Server::start(&config, receiver.handle.clone()).await, receiver)
}

#[actix::test]
async fn garbage_is_answered_as_json_rpc_says() {
    let (server, _receiver) = edge(Config::default()).await;
    let mut raw = Raw::connect(&server).await;
    let parse = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"this is not JSON"}}"#;
    for garbage in ["", " ", "no", "{", "[", "[1,", "\u{0}", "{\"jsonrpc\":\"2.0\",\"id\":1,"] {
        assert_eq!(raw.ask(garbage).await, parse, "{garbage:?}");
    }
    for garbage in ["1", "null", "{}", "[]", "\"x\"", r#"{"jsonrpc":"1.0","id":1,"method":"x"}"#, r#"[[]]"#] {
        assert!(raw.ask(garbage).await.contains("-32600"), "{garbage:?}");
    }
    let bad_id = raw.ask(r#"{"jsonrpc":"2.0","id":{},"method":"session_hello"}"#).await;
    assert!(bad_id.contains("-32600"), "{bad_id}");
    // Notifications are not answered: what comes is the answer to the next call.
    let mut raw = Raw::operator(&server).await;
    raw.send(r#"{"jsonrpc":"2.0","method":"session_hello"}"#).await;
    raw.send(r#"[{"jsonrpc":"2.0","method":"session_hello"}]"#).await;
    let mixed =
        raw.ask(r#"[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","id":"b","method":"c"},7]"#).await;
    let mixed: Vec<serde_json::Value> = serde_json::from_str(&mixed).unwrap();
    assert_eq!(mixed.len(), 2);
    assert_eq!((&mixed[0]["id"], &mixed[0]["error"]["code"]), (&"b".into(), &(-32601).into()));
    assert_eq!(mixed[1]["error"]["code"], -32600);
}

#[actix::test]
async fn bytes_that_are_no_text_are_no_json() {
    let (server, _receiver) = edge(Config::default()).await;
    let mut raw = Raw::connect(&server).await;
    raw.sender.send_binary([0xff, 0xfe]).await.unwrap();
    raw.sender.flush().await.unwrap();
    assert!(soon(raw.receive()).await.contains("-32700"));
}

#[actix::test]
async fn what_is_no_websocket_is_turned_away() {
    let (server, _receiver) = edge(Config::default()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut reply = String::new();
    soon(stream.read_to_string(&mut reply)).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 400"), "{reply}");
}

#[actix::test]
async fn a_message_or_a_batch_that_is_too_large_is_refused() {
    let config = Config { most_message_bytes: 1000, most_batch: 3, ..Config::default() };
    let (server, _receiver) = edge(config).await;
    let mut raw = Raw::connect(&server).await;
    let batch = format!("[{}]", [r#"{"jsonrpc":"2.0","id":1,"method":"x"}"#; 4].join(","));
    assert!(raw.ask(&batch).await.contains("-32002"));
    let message = raw.ask(&format!("{{\"x\":\"{}\"}}", "x".repeat(1000))).await;
    assert!(message.contains("-32002"), "{message}");
    assert!(soon(raw.receiver.receive_data(&mut Vec::new())).await.is_err(), "and the connection is closed");
}

#[actix::test]
async fn attempts_from_one_address_are_limited_whatever_they_claim() {
    let config = Config { attempts: 5, ..Config::default() };
    let (server, _receiver) = edge(config).await;
    for i in 0..5 {
        let outcome = open(&server.client().await, 3, |session| session.operator_id = operator_id(i)).await;
        assert!(i == 3 || code(outcome) == RpcError::WRONG_SIGNATURE);
    }
    assert_eq!(code(open(&server.client().await, 20, |_| ()).await), RpcError::NOT_REGISTERED);
    assert_eq!(code(open(&server.client().await, 6, |_| ()).await), RpcError::TOO_MANY_ATTEMPTS);
}

#[actix::test]
async fn too_many_connections_are_turned_away() {
    let config = Config { most_strangers_per_address: 2, ..Config::default() };
    let (server, _receiver) = edge(config).await;
    let first = server.client().await;
    let _second = server.client().await;
    assert!(WsClientBuilder::new().build(server.url()).await.is_err());
    drop(first);
    soon(async { while WsClientBuilder::new().build(server.url()).await.is_err() {} }).await;
}

#[actix::test]
async fn a_dead_peer_loses_its_session() {
    let config = Config { ping_interval_secs: 1, longest_silence_secs: 2, ..Config::default() };
    let (server, _receiver) = edge(config).await;
    let raw = Raw::operator(&server).await;
    // From here on it reads nothing, so it answers no ping. Its socket stays open.
    let again = server.client().await;
    assert_eq!(code(open(&again, 3, |_| ()).await), RpcError::SECOND_SESSION);
    soon(async { while open(&again, 3, |_| ()).await.is_err() {} }).await;
    drop(raw);
}

#[actix::test]
async fn who_reads_no_replies_is_not_read_from() {
    let config = Config { longest_silence_secs: 2, calls_per_second: 0, ..Config::default() };
    let (server, _receiver) = edge(config).await;
    let mut raw = Raw::connect(&server).await;
    let mut sent = 0;
    // Ends when the server gives the connection up.
    soon(async {
        while raw.sender.send_text("{}").await.is_ok() {
            sent += 8;
        }
    })
    .await;
    // What the kernel buffers on the way, both ways. It would go on for ever if the server went on reading.
    assert!(sent < 20_000_000, "{sent} bytes were taken");
}

#[actix::test]
async fn calls_are_read_at_a_pace() {
    let config = Config { calls_per_second: 20, ..Config::default() };
    let (server, _receiver) = edge(config).await;
    let notification = r#"{"jsonrpc":"2.0","method":"x"}"#.to_owned();
    let one_by_one = vec![notification.clone(); 50];
    let batch = vec![format!("[{}]", one_by_one.join(","))];
    for flood in [one_by_one, batch] {
        soon(async { while server.has_sessions().await {} }).await;
        let mut raw = Raw::operator(&server).await;
        let start = std::time::Instant::now();
        for message in flood {
            raw.send(&message).await;
        }
        assert!(raw.ask(r#"{"jsonrpc":"2.0","id":1,"method":"x"}"#).await.contains("-32601"));
        // 50 before it, of which 40 are a burst.
        assert!(start.elapsed() >= Duration::from_millis(500), "{:?}", start.elapsed());
    }
}

#[actix::test]
async fn an_echo_is_short() {
    let (server, _receiver) = edge(Config::default()).await;
    let mut raw = Raw::operator(&server).await;
    // DEL may stand in JSON as it is, and is written as 6 characters where text is shown.
    let (long, field) = ("\u{7f}".repeat(200_000), "\\u0001".repeat(20_000));
    let asked = [
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{long}"}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":"{long}","method":"x"}}"#),
        format!(r#"{{"jsonrpc":"1.0","id":"{long}","method":"x"}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"session_open","params":[{{"{field}":1}}]}}"#),
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"collector_submitSignature","params":[{{"{field}":1}}]}}"#
        ),
    ];
    for text in asked {
        let reply = raw.ask(&text).await;
        assert!(reply.contains("\"error\"") && reply.len() <= REPLY_BYTES, "{} bytes", reply.len());
    }
}

#[actix::test]
async fn a_stranger_says_little_at_a_time() {
    let (server, _receiver) = edge(Config::default()).await;
    let mut raw = Raw::connect(&server).await;
    let two = r#"[{"jsonrpc":"2.0","id":1,"method":"x"},{"jsonrpc":"2.0","id":2,"method":"x"}]"#;
    assert!(raw.ask(two).await.contains("-32002"));
    assert!(raw.ask(&format!("{{\"x\":\"{}\"}}", "x".repeat(4096))).await.contains("-32002"));
    assert!(soon(raw.receiver.receive_data(&mut Vec::new())).await.is_err(), "and the connection is closed");
}

#[actix::test]
async fn a_strangers_pings_and_empty_fragments_are_read_at_a_pace() {
    let (server, _receiver) = edge(Config::default()).await;
    for opcode in [fragments::PING, fragments::PONG, fragments::CONTINUE] {
        let mut stream = fragments::connect(&server).await;
        let start = std::time::Instant::now();
        let mut frames = vec![fragments::frame(fragments::TEXT, false, b"{}")];
        frames.extend((0..40).map(|_| fragments::frame(opcode, opcode != fragments::CONTINUE, b"")));
        frames.push(fragments::frame(fragments::CONTINUE, true, b""));
        stream.write_all(&frames.concat()).await.unwrap();
        let mut reply = Vec::new();
        while !String::from_utf8_lossy(&reply).contains("-32600") {
            assert_ne!(soon(stream.read_buf(&mut reply)).await.unwrap(), 0);
        }
        // 41 before the last, of which 32 are a burst; then ten a second.
        assert!(start.elapsed() >= Duration::from_millis(500), "{:?}", start.elapsed());
    }
}

#[derive(Clone)]
struct Nothing;

impl Service for Nothing {
    fn call(&self, method: &str, _params: Option<&RawValue>) -> futures::future::BoxFuture<'static, Outcome> {
        Box::pin(std::future::ready(Err(RpcError::UnknownMethod(method.to_owned()))))
    }

    fn is_known(&self) -> bool {
        false
    }

    fn refused(&self, _error: &RpcError) {}
}

fn answer(message: &[u8]) -> Option<String> {
    let work = Work::read(message, 256, Duration::from_secs(15), &Nothing);
    futures::executor::block_on(async {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _guard = runtime.enter();
        work.reply.await
    })
}

proptest! {
    /// Every message is answered with JSON, or not at all.
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(reply) = answer(&bytes) {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&reply).is_ok());
        }
    }

    #[test]
    fn no_damage_to_a_call_panics(place in 0..120usize, byte: u8, cut in 0..140usize) {
        let call = r#"[{"jsonrpc":"2.0","id":"\u0041","method":"session_open","params":[{"session":{},"signature":"0x"}]},{"id":1}]"#;
        let mut bytes = call.as_bytes().to_vec();
        if let Some(target) = bytes.get_mut(place) {
            *target = byte;
        }
        bytes.truncate(cut);
        if let Some(reply) = answer(&bytes) {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&reply).is_ok());
        }
    }
}
