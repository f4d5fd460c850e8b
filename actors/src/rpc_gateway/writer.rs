//! The writing half of a connection.

use soketto::base::OpCode;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::connection::{End, LAST_CALLS};
use super::frames::put_frame;
use super::limits::Limits;
use super::reader::Held;

/// What is put together before it is written.
const WRITE_BYTES: usize = 64 * 1024;
/// The code of a connection that is closed in good order, as a close frame says it.
const NORMAL_CLOSURE: [u8; 2] = 1000u16.to_be_bytes();

/// A reply, and what its calls hold until it has been written.
pub(super) struct Reply {
    pub(super) text: Option<String>,
    pub(super) held: Held,
}

/// The writing half.
struct Writing<W> {
    socket: W,
    frames: Vec<u8>,
}

/// Writes replies, pings and pongs until there is nothing more to write, or the other end does not read.
pub(super) async fn write<W: AsyncWrite + Unpin>(
    socket: W,
    mut outbox: mpsc::Receiver<Reply>,
    mut pings: watch::Receiver<Option<Vec<u8>>>,
    limits: &Limits,
) -> End {
    let mut writing = Writing { socket, frames: Vec::new() };
    let mut ping = interval_at(Instant::now() + limits.ping_interval, limits.ping_interval);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let write = async {
            tokio::select! {
                biased;
                reply = outbox.recv() => reply.map(Due::Replies),
                Ok(()) = pings.changed() => Some(Due::Pong),
                _ = ping.tick() => Some(Due::Ping),
            }
        };
        let written = match write.await {
            None => break,
            Some(Due::Replies(reply)) => {
                timeout(limits.longest_silence, writing.replies(reply, &mut outbox)).await
            }
            Some(Due::Pong) => {
                let content = pings.borrow_and_update().clone().unwrap_or_default();
                timeout(limits.longest_silence, writing.frame(OpCode::Pong, &content)).await
            }
            Some(Due::Ping) => timeout(limits.longest_silence, writing.frame(OpCode::Ping, &[])).await,
        };
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return End::Broken(error.to_string()),
            Err(_) => return End::Stuck(limits.longest_silence),
        }
    }
    // It may be gone already.
    let _ = timeout(LAST_CALLS, writing.close()).await;
    End::Closed
}

/// What is to be written.
enum Due {
    Replies(Reply),
    Pong,
    Ping,
}

impl<W: AsyncWrite + Unpin> Writing<W> {
    /// Writes a reply and those that wait behind it, together.
    async fn replies(&mut self, mut reply: Reply, outbox: &mut mpsc::Receiver<Reply>) -> std::io::Result<()> {
        // What the calls hold is given back when all has been written.
        let mut held = Vec::new();
        loop {
            held.push(reply.held);
            if let Some(text) = reply.text {
                put_frame(OpCode::Text, text.as_bytes(), &mut self.frames);
            }
            if self.frames.len() >= WRITE_BYTES {
                break;
            }
            match outbox.try_recv() {
                Ok(next) => reply = next,
                Err(_) => break,
            }
        }
        self.flush().await
    }

    async fn frame(&mut self, opcode: OpCode, content: &[u8]) -> std::io::Result<()> {
        put_frame(opcode, content, &mut self.frames);
        self.flush().await
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        // An idle connection holds no buffer.
        let frames = std::mem::take(&mut self.frames);
        self.socket.write_all(&frames).await?;
        self.socket.flush().await
    }

    async fn close(&mut self) -> std::io::Result<()> {
        self.frame(OpCode::Close, &NORMAL_CLOSURE).await?;
        self.socket.shutdown().await
    }
}
