//! Frames sent by hand: what a library never sends, and what it may.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

pub(super) const CONTINUE: u8 = 0;
pub(super) const TEXT: u8 = 1;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;

/// A frame as a client sends it, under a mask of zeros.
pub(super) fn frame(opcode: u8, is_last: bool, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![opcode | if is_last { 0x80 } else { 0 }];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | u8::try_from(length).unwrap()),
        length => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// A WebSocket to the server, of which only the handshake has been done.
pub(super) async fn connect(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    while !reply.ends_with(b"\r\n\r\n") {
        reply.push(soon(stream.read_u8()).await.unwrap());
    }
    assert!(reply.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&reply));
    stream
}

/// Sends frames and returns all that comes until the server closes the connection.
async fn all_after(server: &Server, frames: &[Vec<u8>]) -> String {
    let mut stream = connect(server).await;
    stream.write_all(&frames.concat()).await.unwrap();
    let mut all = Vec::new();
    // It may be reset: the server has no use for the rest.
    let _ = soon(stream.read_to_end(&mut all)).await;
    String::from_utf8_lossy(&all).into_owned()
}

async fn edge() -> (Server, Receiver) {
    let receiver = Receiver::start(16, 16);
    let config = Config { most_message_bytes: 1000, ..Config::default() };
    (Server::start(&config, receiver.handle.clone()).await, receiver)
}

#[actix::test]
async fn a_pong_between_fragments_does_not_lift_the_limit() {
    let (server, _receiver) = edge().await;
    let part = vec![b' '; 600];
    let frames = [
        frame(TEXT, false, &part),
        frame(PONG, true, b""),
        frame(CONTINUE, true, &part),
        frame(CLOSE, true, b""),
    ];
    let all = all_after(&server, &frames).await;
    assert!(all.contains("-32002"), "{all}");
}

#[actix::test]
async fn a_pong_between_fragments_does_not_join_two_messages() {
    let (server, _receiver) = edge().await;
    let part = vec![b' '; 600];
    let frames = [
        frame(TEXT, false, &part),
        frame(PONG, true, b""),
        frame(TEXT, false, &part),
        frame(PONG, true, b""),
        frame(TEXT, true, br#"{"jsonrpc":"2.0","id":1,"method":"x"}"#),
    ];
    let all = all_after(&server, &frames).await;
    assert!(!all.contains("-326"), "a message within another was read: {all}");
}

#[actix::test]
async fn pings_and_pongs_between_fragments_are_none_of_the_message() {
    let (server, _receiver) = edge().await;
    let frames = [
        frame(TEXT, false, br#"{"jsonrpc":"2.0","id":"#),
        frame(PONG, true, b"x"),
        frame(CONTINUE, false, b""),
        frame(PING, true, b"are you there"),
        frame(CONTINUE, true, br#"77,"method":"x"}"#),
        frame(CLOSE, true, b""),
    ];
    let all = all_after(&server, &frames).await;
    assert!(all.contains("\"id\":77") && all.contains("-32601"), "{all}");
    assert!(all.contains("are you there"), "the ping was not answered: {all}");
}
