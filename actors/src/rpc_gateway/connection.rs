//! One WebSocket connection, the server's end: reads messages, has their calls carried out side by side, writes replies.
//!
//! What the other end can make this one hold is bounded, in calls and in bytes. A place is taken for each call, and bytes
//! for it and its reply, and given back when the reply has been written. So who does not read its replies is not read from
//! either. (The server of jsonrpsee 0.26 starts a task for each message at once: 16 MB of `{}` from a stranger took
//! 2.1 GB.)

use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{Either, select};
use futures::stream::{self, FuturesUnordered};
use jsonrpsee::types::Id;
use soketto::handshake::{Server, server::Response};
use tokio::io::{AsyncRead, AsyncWrite, split};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::compat::TokioAsyncReadCompatExt;
use tokio_util::sync::CancellationToken;

use super::error::RpcError;
use super::frames::FrameError;
use super::json_rpc::{Service, Work, failure};
use super::limits::Limits;
use super::reader::{Held, Reading};
use super::writer::{Reply, write};

/// At the end of a connection, how long calls may still take to be answered, and replies to be written.
pub(super) const LAST_CALLS: Duration = Duration::from_secs(2);

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum End {
    #[error("the other end closed it")]
    Closed,
    #[error("this process stops")]
    Stopping,
    #[error("no TLS: {0}")]
    Tls(String),
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
    #[error("it gave way to a newer one, there being too many without a session")]
    GaveWay,
    #[error("its operator is in no quorum any more")]
    Ejected,
    #[error("{0}")]
    Broken(String),
}

impl End {
    /// All that [`End::reason`] says.
    pub(super) const REASONS: [&str; 11] = [
        "closed",
        "stopping",
        "tls",
        "handshake",
        "silent",
        "stuck",
        "too_large",
        "no_session",
        "gave_way",
        "ejected",
        "broken",
    ];

    /// As it is counted.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Stopping => "stopping",
            Self::Tls(_) => "tls",
            Self::Handshake(_) => "handshake",
            Self::Silent(_) => "silent",
            Self::Stuck(_) => "stuck",
            Self::TooLarge => "too_large",
            Self::NoSession(_) => "no_session",
            Self::GaveWay => "gave_way",
            Self::Ejected => "ejected",
            Self::Broken(_) => "broken",
        }
    }
}

impl From<FrameError> for End {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::TooLarge => Self::TooLarge,
            FrameError::Broken(what) => Self::Broken(what),
        }
    }
}

/// Serves a connection until it ends.
pub(super) async fn serve<S, V>(stream: S, service: V, limits: &Limits, stop: CancellationToken) -> End
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
    V: Service + Clone + 'static,
{
    let stream = match timeout(limits.handshake, accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(end)) => return end,
        Err(_) => return End::Handshake(format!("it took longer than {:?}", limits.handshake)),
    };
    let (reader, writer) = split(stream);
    let (replies, outbox) = mpsc::channel(limits.known.most_in_flight + 1);
    let (pings, pinged) = watch::channel(None);
    let read = pin!(read(Reading::new(reader, service.clone(), limits, pings), service, replies, stop));
    let write = pin!(write(writer, outbox, pinged, limits));
    match select(read, write).await {
        // The writer ends by itself when the reader has ended and all is written.
        Either::Left((end @ (End::Closed | End::Stopping | End::TooLarge), write)) => {
            let _ = timeout(LAST_CALLS, write).await;
            end
        }
        Either::Left((end, _)) | Either::Right((end, _)) => end,
    }
}

/// The WebSocket's handshake. Its request has at most 8 KiB, and nothing follows it before the answer.
async fn accept<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> Result<S, End> {
    let failed = |error: soketto::handshake::Error| End::Handshake(error.to_string());
    let mut server = Server::new(stream.compat());
    let key = match server.receive_request().await {
        Ok(request) => request.key(),
        Err(error) => {
            // It may be gone already.
            let _ = server.send_response(&Response::Reject { status_code: 400 }).await;
            return Err(failed(error));
        }
    };
    server.send_response(&Response::Accept { key, protocol: None }).await.map_err(failed)?;
    Ok(server.into_inner().into_inner())
}

/// Reads until the connection ends or the process stops; then answers what is under way.
async fn read<R, V>(
    reading: Reading<R, V>,
    service: V,
    replies: mpsc::Sender<Reply>,
    stop: CancellationToken,
) -> End
where
    R: AsyncRead + Unpin,
    V: Service + Clone + 'static,
{
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
                Some(Ok((work, held))) => under_way.push(carry_out(work, held)),
                Some(Err(end)) => break end,
                None => break End::Closed,
            },
        }
    };
    if end == End::TooLarge {
        hand_over(&replies, Reply { text: Some(too_large(&service)), held: Held::default() });
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

async fn carry_out(work: Work, held: Held) -> Reply {
    Reply { text: work.reply.await, held }
}

fn hand_over(replies: &mpsc::Sender<Reply>, reply: Reply) {
    // There is room for as many replies as there are places, and one more. The writer ends after the reader only.
    let _ = replies.try_send(reply);
}

fn too_large(service: &impl Service) -> String {
    let error = RpcError::TooLarge("the message is larger than this connection accepts".into());
    service.refused(&error);
    failure(Id::Null, &error)
}
