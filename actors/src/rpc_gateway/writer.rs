//! The writing half of a connection.

use futures::io::{BufReader, BufWriter};
use soketto::Sender;
use soketto::data::ByteSlice125;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::compat::Compat;

use super::connection::{End, LAST_CALLS, Limits};

/// Replies that are written before the socket is flushed.
const FLUSH_AFTER_BYTES: usize = 64 * 1024;

pub(super) type Socket<S> = BufReader<BufWriter<Compat<S>>>;

/// A reply, and the permits of its calls.
pub(super) struct Reply {
    pub(super) text: Option<String>,
    pub(super) permits: Option<OwnedSemaphorePermit>,
}

/// Writes replies and pings until there is nothing more to write, or the other end does not read.
pub(super) async fn write<S>(
    mut sender: Sender<Socket<S>>,
    mut outbox: mpsc::Receiver<Reply>,
    limits: &Limits,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut ping = interval_at(Instant::now() + limits.ping_interval, limits.ping_interval);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let written = tokio::select! {
            biased;
            reply = outbox.recv() => match reply {
                Some(reply) => timeout(limits.longest_silence, write_replies(&mut sender, reply, &mut outbox)).await,
                None => break,
            },
            _ = ping.tick() => timeout(limits.longest_silence, write_ping(&mut sender)).await,
        };
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error.into(),
            Err(_) => return End::Stuck(limits.longest_silence),
        }
    }
    // It may be gone already.
    let _ = timeout(LAST_CALLS, sender.close()).await;
    End::Closed
}

/// Writes a reply and those that wait behind it, then flushes once.
async fn write_replies<S: AsyncRead + AsyncWrite + Unpin>(
    sender: &mut Sender<Socket<S>>,
    mut reply: Reply,
    outbox: &mut mpsc::Receiver<Reply>,
) -> Result<(), soketto::connection::Error> {
    let mut permits = Vec::new();
    let mut bytes = 0;
    loop {
        permits.extend(reply.permits);
        if let Some(text) = reply.text {
            bytes += text.len();
            sender.send_text_owned(text).await?;
        }
        if bytes >= FLUSH_AFTER_BYTES {
            break;
        }
        match outbox.try_recv() {
            Ok(next) => reply = next,
            Err(_) => break,
        }
    }
    sender.flush().await
}

async fn write_ping<S: AsyncRead + AsyncWrite + Unpin>(
    sender: &mut Sender<Socket<S>>,
) -> Result<(), soketto::connection::Error> {
    sender
        .send_ping(ByteSlice125::try_from(&[][..]).map_err(|_| soketto::connection::Error::Closed)?)
        .await?;
    sender.flush().await
}
