//! Keeping a connection: made again whenever it is lost, and renewed before it runs out.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jsonrpsee::core::client::Client;
use jsonrpsee::ws_client::{PingConfig, WsClientBuilder};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info, warn};

use super::error::short;
use super::redial::{Current, LinkDependencies, LinkStatus};
use crate::ports::SignerError;
use crate::retry::Pauses;

/// How long one attempt to connect may take, session and all.
const DIAL_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the other end is pinged, and after how long a silent one is given up.
const PING_INTERVAL: Duration = Duration::from_secs(5);
const LONGEST_SILENCE: Duration = Duration::from_secs(15);
/// Longer than any message's time limit, each of which is kept here.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(600);
/// The pause after a renewal failed. The session goes on meanwhile.
const RENEW_AGAIN: Duration = Duration::from_secs(10);

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DialError {
    #[error("{0}")]
    Connect(String),
    #[error("nothing answered within {DIAL_TIMEOUT:?}")]
    TimedOut,
    #[error("the aggregator there {0}; check its url and name in the configuration, and the addresses file")]
    NotTheOne(String),
    #[error("the session was refused: {0}")]
    Refused(String),
    #[error(transparent)]
    Signer(#[from] SignerError),
}

/// A connection that was made.
pub(super) struct Dialled {
    pub(super) client: Client,
    /// After how long [`Dial::renew`] is due.
    pub(super) renew_after: Option<Duration>,
}

/// Makes connections to one peer.
#[async_trait]
pub(super) trait Dial: Send + Sync + 'static {
    /// Makes one that calls can be sent on.
    async fn dial(&self) -> Result<Dialled, DialError>;

    /// Renews what would run out; says after how long to do it again.
    async fn renew(&self, client: &Client) -> Result<Option<Duration>, DialError>;
}

/// The client's settings, whatever is beneath it.
pub(super) fn client_builder(most_bytes: u32) -> WsClientBuilder {
    WsClientBuilder::new()
        .connection_timeout(DIAL_TIMEOUT)
        .request_timeout(CLIENT_TIMEOUT)
        .max_request_size(most_bytes)
        .max_response_size(most_bytes)
        .enable_ws_ping(PingConfig::new().ping_interval(PING_INTERVAL).inactive_limit(LONGEST_SILENCE))
}

/// Keeps the connection.
pub(super) struct Keeper<D> {
    pub(super) peer: String,
    pub(super) dial: D,
    pub(super) pauses: Pauses,
    pub(super) current: watch::Sender<Current>,
    pub(super) status: watch::Sender<LinkStatus>,
    /// The last generation whose session the peer says is over.
    pub(super) stale: watch::Receiver<u64>,
    pub(super) deps: LinkDependencies,
}

impl<D: Dial> Keeper<D> {
    /// Connects, holds the connection, and connects again, for good.
    pub(super) async fn run(mut self) {
        loop {
            match timeout(DIAL_TIMEOUT, self.dial.dial()).await.unwrap_or(Err(DialError::TimedOut)) {
                Ok(dialled) => {
                    let start = Instant::now();
                    let generation = self.connected(dialled.client);
                    let error = self.hold(generation, dialled.renew_after).await;
                    self.lost(&error);
                    self.pauses.lasted(start.elapsed());
                }
                Err(error) => self.failed(&error.to_string()),
            }
            sleep(self.pauses.next(self.deps.rng.as_ref())).await;
        }
    }

    fn connected(&self, client: Client) -> u64 {
        info!(peer = %self.peer, "connected");
        self.deps.metrics.dialled(&self.peer, "connected");
        self.deps.metrics.connected(&self.peer, true);
        self.current.send_modify(|current| {
            current.generation += 1;
            current.client = Some(Arc::new(client));
        });
        let since = self.deps.clock.now();
        self.status.send_modify(|status| {
            status.connected = true;
            status.since = since;
        });
        self.current.borrow().generation
    }

    /// Holds the connection until it breaks or its session is over, and says why.
    async fn hold(&self, generation: u64, mut renew_after: Option<Duration>) -> String {
        let client = self.current.borrow().client.clone();
        let Some(client) = client else { return "there is no connection".into() };
        let mut stale = self.stale.clone();
        loop {
            let renewal = sleep(renew_after.unwrap_or(Duration::MAX));
            let over = async { drop(stale.wait_for(|stale| *stale >= generation).await) };
            tokio::select! {
                error = client.on_disconnect() => return short(&error.to_string()),
                () = over => return "the session is over".into(),
                () = renewal => renew_after = self.renew(&client).await,
            }
        }
    }

    async fn renew(&self, client: &Client) -> Option<Duration> {
        match timeout(DIAL_TIMEOUT, self.dial.renew(client)).await.unwrap_or(Err(DialError::TimedOut)) {
            Ok(next) => next,
            Err(error) => {
                warn!(peer = %self.peer, %error, "the session was not renewed; trying again");
                Some(RENEW_AGAIN)
            }
        }
    }

    fn lost(&self, error: &str) {
        warn!(peer = %self.peer, error, "the connection was lost; connecting again");
        self.deps.metrics.connected(&self.peer, false);
        self.current.send_modify(|current| current.client = None);
        let since = self.deps.clock.now();
        self.status.send_modify(|status| {
            *status = LinkStatus { connected: false, since, last_error: Some(error.to_owned()) };
        });
    }

    fn failed(&self, error: &str) {
        self.deps.metrics.dialled(&self.peer, "failed");
        let is_news = self.status.borrow().last_error.as_deref() != Some(error);
        if is_news {
            warn!(peer = %self.peer, error, "no connection; trying again for good");
            self.status.send_modify(|status| status.last_error = Some(error.to_owned()));
        } else {
            debug!(peer = %self.peer, error, "still no connection");
        }
    }
}
