//! A WebSocket, from its first byte on.

use std::slice::Chunks;
use std::time::Duration;

use serde_json::value::RawValue;
use soketto::base::OpCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_util::sync::CancellationToken;

use super::super::connection::{End, serve};
use super::super::frames::{Frame, FrameError, Frames, put_frame};
use super::super::limits::{Allowances, Limits};
use super::calls::Echo;
use crate::fuzz::finish;

const MOST_MESSAGE: usize = 4 * 1024;
/// Nothing is waited for so long: the input is there, and ends.
const LONG: Duration = Duration::from_secs(60);
const HANDSHAKE: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const HEAD_END: &[u8] = b"\r\n\r\n";

fn limits() -> Limits {
    let known = Allowances {
        most_message_bytes: MOST_MESSAGE,
        most_batch: 8,
        most_in_flight: 16,
        most_waiting_bytes: Some(64 * 1024),
        pace: None,
    };
    Limits {
        stranger: Allowances::of_a_stranger(&known),
        known,
        common: None,
        longest_call: LONG,
        handshake: LONG,
        ping_interval: LONG,
        longest_silence: LONG,
    }
}

/// All that a connection sends. The first byte tells whether the handshake is made for it, whether it has said who it is, and
/// in what pieces the rest comes. Whatever that is: it is answered as HTTP, and then with whole frames of JSON.
pub(crate) fn websocket(data: &[u8]) {
    let Some((how, rest)) = data.split_first() else { return };
    let (shakes_hands, is_known) = (how & 1 == 0, how & 2 == 0);
    let handshake = if shakes_hands { HANDSHAKE } else { &[] };
    let pieces = rest.chunks(usize::from(how >> 2) * 16 + 1);
    let Some((end, said)) = finish(converse(handshake, pieces, is_known)) else { return };
    assert!(End::REASONS.contains(&end.reason()));
    let head = said.windows(HEAD_END.len()).position(|bytes| bytes == HEAD_END);
    let Some(head) = head.map(|at| at + HEAD_END.len()) else {
        return assert!(said.is_empty() && !shakes_hands);
    };
    let is_open = said.starts_with(b"HTTP/1.1 101 ");
    assert!(is_open || said.starts_with(b"HTTP/1.1 400 "));
    assert!(is_open || !shakes_hands);
    for frame in Reading::new(&said[head..], said.len(), usize::MAX >> 3) {
        match frame.expect("the server's own frames can be read") {
            Frame::Message(text) => assert!(serde_json::from_slice::<&RawValue>(&text).is_ok()),
            Frame::Pong | Frame::Ping(_) | Frame::Close => {}
            Frame::Part => unreachable!("the server's messages are whole"),
        }
    }
}

/// What the server says to it.
async fn converse(handshake: &[u8], pieces: Chunks<'_, u8>, is_known: bool) -> (End, Vec<u8>) {
    // More than is ever sent, so that all can be written before anything is read.
    let (mut here, there) = duplex(1 << 20);
    let limits = limits();
    let talk = async {
        let mut said = Vec::new();
        // The server may hang up at any time.
        let _ = here.write_all(handshake).await;
        // Nothing may follow it before the answer.
        while !handshake.is_empty() && !said.ends_with(HEAD_END) {
            let Ok(byte) = here.read_u8().await else { break };
            said.push(byte);
        }
        for piece in pieces {
            let _ = here.write_all(piece).await;
            tokio::task::yield_now().await;
        }
        let _ = here.shutdown().await;
        let _ = here.read_to_end(&mut said).await;
        said
    };
    let served = serve(there, Echo { is_known }, &limits, CancellationToken::new());
    tokio::join!(served, talk)
}

/// Frames. The first byte tells how large a message may be and in what pieces they come, which makes no difference.
pub(crate) fn frames(data: &[u8]) {
    let Some((how, stream)) = data.split_first() else { return };
    let (most, piece) = (usize::from(how >> 4) * 64, usize::from(how & 15) + 1);
    assert!(Reading::new(stream, stream.len(), most).eq(Reading::new(stream, piece, most)));
    let mut written = Vec::new();
    put_frame(OpCode::Text, stream, &mut written);
    let read = Reading::new(&written, 7, stream.len()).next();
    assert!(matches!(read, Some(Ok(Frame::Message(message))) if message == stream));
}

/// The frames of a stream that comes in pieces, up to the first error.
struct Reading<'a> {
    frames: Frames,
    pieces: Chunks<'a, u8>,
    most: usize,
    has_failed: bool,
}

impl<'a> Reading<'a> {
    fn new(stream: &'a [u8], piece: usize, most: usize) -> Self {
        Self { frames: Frames::default(), pieces: stream.chunks(piece.max(1)), most, has_failed: false }
    }
}

impl Iterator for Reading<'_> {
    type Item = Result<Frame, FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.has_failed {
            match self.frames.next(self.most).transpose() {
                Some(frame) => {
                    self.has_failed = frame.is_err();
                    let fits = |frame: &Frame| !matches!(frame, Frame::Message(message) if message.len() > self.most);
                    assert!(frame.as_ref().is_ok_and(fits) || self.has_failed);
                    return Some(frame);
                }
                None => self.frames.fed(0).extend_from_slice(self.pieces.next()?),
            }
        }
        None
    }
}
