//! One WebSocket connection, the server's end: reads messages, has their calls carried out side by side, writes replies.
//!
//! What the other end can make this one hold is bounded. A permit stands for a call: it is taken before a message is
//! read, and given back when the reply has been written. So who does not read its replies is not read from either. (The
//! server of jsonrpsee 0.26 starts a task for each message at once: 16 MB of `{}` from a stranger took 2.1 GB.)

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{Either, select};
use futures::io::{BufReader, BufWriter};
use futures::stream::{self, FuturesUnordered};
use jsonrpsee::types::Id;
use soketto::handshake::{Server, server::Response};
use soketto::{Incoming, Receiver, Sender};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::compat::TokioAsyncReadCompatExt;
use tokio_util::sync::CancellationToken;

use super::bucket::{Allowance, Bucket};
use super::error::RpcError;
use super::json_rpc::{Service, Work, failure};
use super::writer::{Reply, Socket, write};

/// What each direction of a socket buffers.
const BUFFER_BYTES: usize = 16 * 1024;
/// The bytes of a message that count as one call where calls are read at a pace.
const PACED_BYTES: usize = 1024;
/// At the end of the process, how long calls may still take to be answered.
pub(super) const LAST_CALLS: Duration = Duration::from_secs(2);

/// What a connection is held to.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    /// The most bytes of a message.
    pub(super) most_message_bytes: usize,
    /// The most calls in a batch; not above `most_in_flight`.
    pub(super) most_batch: usize,
    /// The most calls that are read and not answered.
    pub(super) most_in_flight: usize,
    /// How many calls a second are read; nothing for all that come.
    pub(super) pace: Option<Allowance>,
    /// After this, a call is answered with `Unavailable`.
    pub(super) longest_call: Duration,
    /// How often the other end is pinged.
    pub(super) ping_interval: Duration,
    /// How long the other end may be silent, or take to send one message, or not read what is written to it.
    pub(super) longest_silence: Duration,
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum End {
    #[error("the other end closed it")]
    Closed,
    #[error("this process stops")]
    Stopping,
    #[error("no WebSocket handshake: {0}")]
    Handshake(String),
    #[error("nothing whole came for {0:?}")]
    Silent(Duration),
    #[error("nothing was read for {0:?}")]
    Stuck(Duration),
    #[error("a message was too large")]
    TooLarge,
    #[error("it had no session for {0:?}")]
    NoSession(Duration),
    #[error("{0}")]
    Broken(String),
}

impl From<soketto::connection::Error> for End {
    fn from(error: soketto::connection::Error) -> Self {
        use soketto::connection::Error;
        match error {
            Error::Closed => Self::Closed,
            Error::MessageTooLarge { .. } => Self::TooLarge,
            other => Self::Broken(other.to_string()),
        }
    }
}

/// Serves a connection until it ends.
pub(super) async fn serve<S, V>(stream: S, service: V, limits: &Limits, stop: CancellationToken) -> End
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
    V: Service + Clone + 'static,
{
    let socket =
        BufReader::with_capacity(BUFFER_BYTES, BufWriter::with_capacity(BUFFER_BYTES, stream.compat()));
    let (sender, receiver) = match timeout(limits.longest_silence, accept(socket, limits)).await {
        Ok(Ok(halves)) => halves,
        Ok(Err(end)) => return end,
        Err(_) => return End::Silent(limits.longest_silence),
    };
    let (replies, outbox) = mpsc::channel(limits.most_in_flight + 1);
    let read = pin!(read(Reading::new(receiver, service, limits), replies, stop));
    let write = pin!(write(sender, outbox, limits));
    match select(read, write).await {
        // The writer ends by itself when the reader has ended and all is written.
        Either::Left((end @ (End::Stopping | End::TooLarge), write)) => {
            write.await;
            end
        }
        Either::Left((end, _)) | Either::Right((end, _)) => end,
    }
}

async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    socket: Socket<S>,
    limits: &Limits,
) -> Result<(Sender<Socket<S>>, Receiver<Socket<S>>), End> {
    let failed = |error: soketto::handshake::Error| End::Handshake(error.to_string());
    let mut server = Server::new(socket);
    let key = match server.receive_request().await {
        Ok(request) => request.key(),
        Err(error) => {
            // It may be gone already.
            let _ = server.send_response(&Response::Reject { status_code: 400 }).await;
            return Err(failed(error));
        }
    };
    server.send_response(&Response::Accept { key, protocol: None }).await.map_err(failed)?;
    let mut builder = server.into_builder();
    builder.set_max_message_size(limits.most_message_bytes);
    // What is somewhat too large is read and thrown away, so that the sender gets to see the reason.
    builder.set_max_frame_size(limits.most_message_bytes.saturating_mul(4));
    Ok(builder.finish())
}

/// The reading end.
struct Reading<S, V> {
    receiver: Receiver<Socket<S>>,
    service: V,
    limits: Limits,
    permits: Arc<Semaphore>,
    bucket: Bucket,
    started: Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin, V: Service + Clone + 'static> Reading<S, V> {
    fn new(receiver: Receiver<Socket<S>>, service: V, limits: &Limits) -> Self {
        let permits = Arc::new(Semaphore::new(limits.most_in_flight));
        let (limits, bucket, started) = (limits.clone(), Bucket::full(), Instant::now());
        Self { receiver, service, limits, permits, bucket, started }
    }

    /// The next message's work, once there is room for it.
    async fn next(&mut self) -> Result<(Work, OwnedSemaphorePermit), End> {
        let mut permits = self.room(1).await?;
        let message = self.receive().await?;
        let work = Work::read(&message, &self.limits, &self.service);
        if work.calls > 1 {
            permits.merge(self.room(work.calls - 1).await?);
        }
        self.keep_pace(work.calls.max(message.len() / PACED_BYTES)).await;
        Ok((work, permits))
    }

    async fn room(&self, calls: usize) -> Result<OwnedSemaphorePermit, End> {
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        let permits = Arc::clone(&self.permits).acquire_many_owned(calls).await;
        permits.map_err(|_| End::Stopping)
    }

    async fn receive(&mut self) -> Result<Vec<u8>, End> {
        let mut message = Vec::new();
        loop {
            let received = timeout(self.limits.longest_silence, self.receiver.receive(&mut message)).await;
            match received.map_err(|_| End::Silent(self.limits.longest_silence))?? {
                Incoming::Data(_) => return Ok(message),
                Incoming::Pong(_) => {}
                Incoming::Closed(_) => return Err(End::Closed),
            }
        }
    }

    /// Waits until as many calls may be read. A long message counts as several.
    async fn keep_pace(&mut self, calls: usize) {
        let Some(pace) = self.limits.pace else { return };
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        while let Err(wait) = self.bucket.take(pace, calls, self.started.elapsed()) {
            sleep(wait).await;
        }
    }
}

/// Reads until the connection ends or the process stops; then answers what is under way.
async fn read<S, V>(reading: Reading<S, V>, replies: mpsc::Sender<Reply>, stop: CancellationToken) -> End
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
    V: Service + Clone + 'static,
{
    let service = reading.service.clone();
    // Reading is not cancel-safe, so it is a stream that is polled on.
    let incoming = stream::unfold(reading, async |mut reading| Some((reading.next().await, reading)));
    let mut incoming = pin!(incoming);
    let mut under_way = FuturesUnordered::new();
    let end = loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break End::Stopping,
            Some(reply) = under_way.next() => hand_over(&replies, reply),
            next = incoming.next() => match next {
                Some(Ok((work, permits))) => under_way.push(carry_out(work, permits)),
                Some(Err(end)) => break end,
                None => break End::Closed,
            },
        }
    };
    if end == End::TooLarge {
        hand_over(&replies, Reply { text: Some(too_large(&service)), permits: None });
    }
    if matches!(end, End::Stopping | End::TooLarge) {
        let rest = async {
            while let Some(reply) = under_way.next().await {
                hand_over(&replies, reply);
            }
        };
        // Those that take longer are asked again by whoever sent them.
        let _ = timeout(LAST_CALLS, rest).await;
    }
    end
}

async fn carry_out(work: Work, permits: OwnedSemaphorePermit) -> Reply {
    Reply { text: work.reply.await, permits: Some(permits) }
}

fn hand_over(replies: &mpsc::Sender<Reply>, reply: Reply) {
    // There is room for as many replies as there are permits, and one more. The writer ends after the reader only.
    let _ = replies.try_send(reply);
}

fn too_large(service: &impl Service) -> String {
    let error = RpcError::TooLarge("the message is larger than this connection accepts".into());
    service.refused(&error);
    failure(Id::Null, &error)
}
