//! Strangers from several addresses, who connect again and again, and send what costs most to read.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::Sent;

/// How many connections each kind of stranger has at once.
const EACH: u8 = 4;
/// Between two connections: whoever is shut out at once would only keep this machine busy.
const PAUSE: Duration = Duration::from_millis(2);

const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
                         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Floods for good. `known` is the id of an operator that is registered.
pub(super) async fn flood(edge: SocketAddr, known: String, sent: Sent) {
    let mut crowd = JoinSet::new();
    for (number, (shakes_hands, what)) in (2..).zip(kinds(&known)) {
        for _ in 0..EACH {
            crowd.spawn(shout(
                edge,
                Ipv4Addr::new(127, 0, 0, number),
                shakes_hands,
                what.clone(),
                sent.clone(),
            ));
        }
    }
    crowd.join_all().await;
}

/// Whether it makes a WebSocket first, and what it sends then, over and over.
fn kinds(known: &str) -> Vec<(bool, Vec<u8>)> {
    let session = format!(
        r#"[{{"session":{{"server":"local-aggregator","nonce":"0x{:064x}","operatorId":"{known}","expiry":4000000000}},"signature":"0x{:0128x}"}}]"#,
        7, 3
    );
    let (text, ping, pong) =
        (OpCode::Data(Data::Text), OpCode::Control(Control::Ping), OpCode::Control(Control::Pong));
    let more = OpCode::Data(Data::Continue);
    vec![
        (false, b"GET / HTTP/1.1\r\nX: ".to_vec()),
        (false, b"\x00\xff rubbish \r\n\r\n".to_vec()),
        // The beginning of a TLS handshake.
        (false, vec![0x16, 3, 1, 2, 0, 1, 0]),
        (true, frame(ping, true, &[7; 125])),
        (true, [frame(text, false, b"{"), frame(pong, true, b"")].concat()),
        (true, [frame(text, false, b"{"), frame(more, false, b"")].concat()),
        (true, frame(text, true, &[b' '; 60_000])),
        (true, call("session_hello", "[]")),
        (true, [call("session_hello", "[]"), call("session_open", &session)].concat()),
        (true, call(&"\u{7f}".repeat(3_000), "[]")),
    ]
}

fn call(method: &str, params: &str) -> Vec<u8> {
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
    frame(OpCode::Data(Data::Text), true, text.as_bytes())
}

/// A frame as a client sends it.
fn frame(kind: OpCode, is_last: bool, content: &[u8]) -> Vec<u8> {
    let content = content.to_vec();
    let mut frame = match kind {
        OpCode::Control(Control::Ping) => Frame::ping(content),
        OpCode::Control(_) => Frame::pong(content),
        OpCode::Data(_) => Frame::message(content, kind, is_last),
    };
    frame.header_mut().mask = Some([0; 4]);
    let mut bytes = Vec::new();
    frame.format(&mut bytes).unwrap();
    bytes
}

/// Sends the same for good, from one connection after the other, and reads nothing.
async fn shout(edge: SocketAddr, from: Ipv4Addr, shakes_hands: bool, what: Vec<u8>, sent: Sent) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let Ok(mut stream) = socket.connect(edge).await else { continue };
        if shakes_hands {
            let _ = stream.write_all(UPGRADE).await;
            let _ = stream.read(&mut [0; 1024]).await;
        }
        while stream.write_all(&what).await.is_ok() {
            sent.more(1);
        }
    }
}
