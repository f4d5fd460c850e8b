//! Links between the processes of one aggregator on one machine: Unix sockets in a directory that only their user may
//! enter. Who can connect is trusted; sizes and calls in flight are limited all the same.

use std::fs::{DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anzen_messages::wire::{ActorName, Envelope};
use async_trait::async_trait;
use futures::future::{BoxFuture, FutureExt};
use jsonrpsee::core::client::Client;
use serde_json::value::RawValue;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::connection::serve;
use super::error::RpcError;
use super::json_rpc::{Outcome, Service, envelope};
use super::keeper::{Dial, DialError, Dialled, client_builder};
use super::limits::{Allowances, Limits};
use super::redial::{FIRST_PAUSE_MS, Link, LinkDependencies, LinkStatus, Manners};
use crate::bus::Dispatcher;
use crate::ports::{Transport, TransportError};
use crate::retry::Backoff;

/// The most bytes of a message between processes: the largest message has 4 MiB.
const MOST_BYTES: u32 = 16 * 1024 * 1024;
/// The most calls of one connection that are not answered yet. Most of them wait for the next block.
const MOST_IN_FLIGHT: usize = 4096;
/// Longer than any message's time limit.
const LONGEST_CALL: Duration = Duration::from_secs(300);
/// Between two attempts to connect: the other process is restarted by its supervisor.
const PAUSES: Backoff = Backoff { first_ms: FIRST_PAUSE_MS, longest_ms: 1_000 };
/// How long to wait after the system could not accept a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What `sockaddr_un` holds, less the final zero.
const LONGEST_PATH: usize = 107;

/// Why a socket cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The system's limit.
    #[error(
        "the socket path {path} has {length} bytes and may have {LONGEST_PATH}; choose a shorter directory"
    )]
    TooLong {
        /// The path.
        path: PathBuf,
        /// Its bytes.
        length: usize,
    },
    /// A process that is alive listens there.
    #[error("another process listens on {0}; stop it, or give this one a socket of its own")]
    InUse(PathBuf),
    /// Others than the process's user may enter the directory.
    #[error("others may enter {0}; make it private (chmod 700), for whoever enters may give orders")]
    NotPrivate(PathBuf),
    /// What stands at the path is no socket, and is not removed.
    #[error("{0} is there already and is no socket; remove it, or choose another path")]
    NoSocket(PathBuf),
    /// Anything else that the system reports.
    #[error("cannot listen on {path}: {error}")]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's word.
        error: std::io::Error,
    },
}

/// A socket that this process listens on. The path is free again when it is dropped.
#[derive(Debug)]
pub struct LinkSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Held as long as the process lives: whoever gets it knows that a socket file beside it is stale.
    _lock: File,
}

impl LinkSocket {
    /// Listens on `path`. Its directory is made if it is not there (mode 0700); a socket that a dead process left behind
    /// is replaced.
    ///
    /// # Errors
    /// Where the path is too long or taken, or its directory is open to others.
    pub fn bind(path: &Path) -> Result<Self, SocketError> {
        check_length(path)?;
        let failed = |error| SocketError::Io { path: path.to_owned(), error };
        make_private_directory(path)?;
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.with_extension("lock"))
            .map_err(failed)?;
        if lock.try_lock().is_err() {
            return Err(SocketError::InUse(path.to_owned()));
        }
        remove_stale(path)?;
        let listener = UnixListener::bind(path).map_err(failed)?;
        Ok(Self { listener, path: path.to_owned(), _lock: lock })
    }
}

impl Drop for LinkSocket {
    fn drop(&mut self) {
        // If it stays, the next process replaces it.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn check_length(path: &Path) -> Result<(), SocketError> {
    let length = path.as_os_str().len();
    if length > LONGEST_PATH {
        return Err(SocketError::TooLong { path: path.to_owned(), length });
    }
    Ok(())
}

fn make_private_directory(path: &Path) -> Result<(), SocketError> {
    let failed = |error| SocketError::Io { path: path.to_owned(), error };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    let mode = std::fs::metadata(directory).map_err(failed)?.mode();
    if mode & 0o077 != 0 {
        return Err(SocketError::NotPrivate(directory.to_owned()));
    }
    Ok(())
}

fn remove_stale(path: &Path) -> Result<(), SocketError> {
    use std::os::unix::fs::FileTypeExt;
    let failed = |error| SocketError::Io { path: path.to_owned(), error };
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => std::fs::remove_file(path).map_err(failed),
        Ok(_) => Err(SocketError::NoSocket(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// Hands messages from other processes to the actors of this one, until `stop`.
pub async fn serve_links(socket: LinkSocket, dispatcher: Dispatcher, stop: CancellationToken) {
    let service = LinkService(Arc::new(dispatcher));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = socket.listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_link(stream, service.clone(), stop.clone()));
                }
                Err(error) => {
                    warn!(%error, "could not accept a link");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    connections.join_all().await;
}

async fn serve_link(stream: UnixStream, service: LinkService, stop: CancellationToken) {
    let known = Allowances {
        most_message_bytes: usize::try_from(MOST_BYTES).unwrap_or(usize::MAX),
        most_batch: MOST_IN_FLIGHT,
        most_in_flight: MOST_IN_FLIGHT,
        most_waiting_bytes: None,
        pace: None,
    };
    let limits = Limits {
        common: None,
        stranger: Allowances::of_a_stranger(&known),
        known,
        longest_call: LONGEST_CALL,
        handshake: Duration::from_secs(5),
        ping_interval: Duration::from_secs(5),
        longest_silence: Duration::from_secs(15),
    };
    let end = serve(stream, service, &limits, stop).await;
    debug!(%end, "a link ended");
}

#[derive(Clone)]
struct LinkService(Arc<Dispatcher>);

impl Service for LinkService {
    fn call(&self, method: &str, params: Option<&RawValue>) -> BoxFuture<'static, Outcome> {
        let (dispatcher, name, envelope) = (Arc::clone(&self.0), method.to_owned(), envelope(params));
        async move { Ok(dispatcher.dispatch(&name, envelope?).await?) }.boxed()
    }

    /// Who may enter the directory.
    fn is_known(&self) -> bool {
        true
    }

    fn refused(&self, error: &RpcError) {
        debug!(%error, "a call through a link was refused");
    }
}

/// A link to another process of the same aggregator.
pub struct LinkTransport(Link);

impl LinkTransport {
    /// Starts to connect to the socket at `path`, and goes on for good.
    ///
    /// # Errors
    /// Where no socket can have such a path.
    pub fn start(path: &Path, deps: LinkDependencies) -> Result<Self, SocketError> {
        check_length(path)?;
        let manners = Manners { pauses: PAUSES, most_in_flight: MOST_IN_FLIGHT };
        Ok(Self(Link::start(path.display().to_string(), ToSocket(path.to_owned()), manners, deps)))
    }

    /// How the link stands, and every change of it.
    pub fn status(&self) -> watch::Receiver<LinkStatus> {
        self.0.status()
    }
}

#[async_trait]
impl Transport for LinkTransport {
    async fn call(
        &self,
        _to: ActorName,
        name: &'static str,
        message: Envelope,
        timeout_ms: u64,
    ) -> Result<Box<RawValue>, TransportError> {
        self.0.call(name, &message, timeout_ms).await
    }

    fn is_connected(&self) -> bool {
        self.0.is_connected()
    }
}

struct ToSocket(PathBuf);

#[async_trait]
impl Dial for ToSocket {
    async fn dial(&self) -> Result<Dialled, DialError> {
        let failed = |error: &dyn std::fmt::Display| DialError::Connect(error.to_string());
        let stream = UnixStream::connect(&self.0).await.map_err(|error| failed(&error))?;
        // The host is not used: the stream is there already.
        let client = client_builder(MOST_BYTES).build_with_stream("ws://localhost/", stream).await;
        Ok(Dialled { client: client.map_err(|error| failed(&error))?, renew_after: None })
    }

    async fn renew(&self, _client: &Client) -> Result<Option<Duration>, DialError> {
        Ok(None)
    }
}
