//! HTTP for whoever asks, strangers too: who is slow, or stays, or comes in numbers, costs little.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// The most connections of a listener. One more takes the place of the oldest.
const MOST_CONNECTIONS: usize = 128;
/// How long a request may take to arrive.
const LONGEST_HEADER: Duration = Duration::from_secs(5);
/// How long a connection may last, whatever it is used for.
const LONGEST_CONNECTION: Duration = Duration::from_secs(60);
/// The most bytes of a connection that are read ahead.
const MOST_BUFFERED: usize = 16 * 1024;
/// How long a connection may take to end.
const LAST_REPLY: Duration = Duration::from_secs(2);
/// How long to wait after the system could not accept a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` until `stop`.
pub(super) async fn serve_http(
    what: &'static str,
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) {
    let mut connections = JoinSet::new();
    let mut oldest: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let (stream, _) = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {
                oldest.retain(|connection| !connection.is_finished());
                continue;
            }
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "a connection to {what} could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        if oldest.len() >= MOST_CONNECTIONS
            && let Some(connection) = oldest.pop_front()
        {
            connection.abort();
        }
        oldest.push_back(connections.spawn(serve(stream, router.clone(), stop.clone())));
    }
    connections.join_all().await;
}

/// Serves one connection.
pub(super) async fn serve<S>(stream: S, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(LONGEST_HEADER).max_buf_size(MOST_BUFFERED);
    let connection = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let served = tokio::select! {
        served = &mut connection => served,
        () = async { tokio::select! { () = stop.cancelled() => {}, () = sleep(LONGEST_CONNECTION) => {} } } => {
            connection.as_mut().graceful_shutdown();
            timeout(LAST_REPLY, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = served {
        debug!(%error, "a connection ended");
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::task::JoinHandle;

    use super::*;

    async fn server() -> (SocketAddr, CancellationToken, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let router = Router::new().route("/", get(async || "well"));
        (address, stop.clone(), tokio::spawn(serve_http("a test", listener, router, stop)))
    }

    async fn ask(address: SocketAddr) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        reply
    }

    #[tokio::test]
    async fn those_who_never_finish_a_request_keep_nobody_out() {
        let (address, stop, served) = server().await;
        let mut slow = Vec::new();
        for _ in 0..MOST_CONNECTIONS + 10 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
            slow.push(stream);
        }
        assert!(ask(address).await.ends_with("well"));
        // The oldest gave way.
        assert!(matches!(slow.remove(0).read(&mut [0; 1]).await, Ok(0) | Err(_)));
        stop.cancel();
        served.await.unwrap();
    }

    #[tokio::test]
    async fn a_request_that_does_not_arrive_ends() {
        let (address, _stop, _served) = server().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
        assert!(!all.windows(4).any(|bytes| bytes == b"well"));
    }
}
