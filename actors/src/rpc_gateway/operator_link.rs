//! The operator's end of the edge: a link whose every connection opens a session first.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::FixedBytes;
use alloy::transports::http::reqwest::Url;
use anzen_messages::session::{Hello, OpenSession, Session, SessionOpened};
use anzen_messages::task::SigningDomain;
use anzen_messages::wire::{ActorName, Envelope};
use async_trait::async_trait;
use jsonrpsee::core::client::{Client, ClientT, Error as ClientError};
use jsonrpsee::rpc_params;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio_rustls::rustls::ClientConfig;
use tracing::warn;

use super::Identity;
use super::error::short;
use super::keeper::{Dial, DialError, Dialled, client_builder};
use super::redial::{FIRST_PAUSE_MS, Link, LinkDependencies, LinkStatus, Manners};
use super::tls::{TlsError, trust};
use crate::nats::is_loopback;
use crate::ports::{BlsSigner, Clock, Transport, TransportError};
use crate::retry::Backoff;

/// The most bytes that an operator reads or writes at once.
const MOST_BYTES: u32 = 1024 * 1024;
/// Clocks that differ by more are worth a warning, in seconds.
const WORRYING_SKEW: u64 = 60;
/// The shortest time between two sessions on a connection.
const SHORTEST_RENEWAL: Duration = Duration::from_millis(500);

/// How an operator connects to aggregators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OperatorLinkConfig {
    /// How long a session lasts, in seconds; the aggregator's limit is 12 hours unless it is configured otherwise. It is
    /// renewed when four fifths of it have passed.
    pub session_secs: u64,
    /// The longest pause between two attempts to connect, in milliseconds.
    pub longest_pause_ms: u64,
    /// The most submissions that wait for a reply.
    pub most_in_flight: usize,
}

impl Default for OperatorLinkConfig {
    fn default() -> Self {
        Self { session_secs: 4 * 3600, longest_pause_ms: 5_000, most_in_flight: 1024 }
    }
}

/// An aggregator, and the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// What must be found there.
    pub identity: Identity,
    /// `ws://host:port`, or `wss://…`.
    pub url: String,
    /// Who vouches for its certificate, PEM: instead of those whom the system trusts.
    pub ca: Option<PathBuf>,
    /// Whether `ws://` may be used to another machine.
    pub plaintext: bool,
}

/// Why an aggregator is not connected to at all.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The session would be anybody's who sits between.
    #[error(
        "{0} is plain text to another machine, and whoever is between could use the operator's session; use wss://, or \
         set plaintext = true for this aggregator where the network between is your own"
    )]
    Plaintext(String),
    /// The certificates that are to be trusted.
    #[error("the aggregator's ca: {0}")]
    Ca(#[from] TlsError),
}

/// True where `url` is plain text to another machine.
pub fn is_exposed(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    url.scheme() != "wss" && !is_loopback(url.host_str().unwrap_or_default())
}

/// A link from an operator to one aggregator.
pub struct OperatorLink(Link);

impl OperatorLink {
    /// Starts to connect, and goes on for good.
    ///
    /// # Errors
    /// Where it would be plain text and must not be, or the certificates to trust cannot be read.
    pub fn start(
        config: &OperatorLinkConfig,
        upstream: Upstream,
        signer: Arc<dyn BlsSigner>,
        deps: LinkDependencies,
    ) -> Result<Self, UpstreamError> {
        let Upstream { identity: aggregator, url, ca, plaintext } = upstream;
        if !plaintext && is_exposed(&url) {
            return Err(UpstreamError::Plaintext(url));
        }
        let trust = ca.as_deref().map(trust).transpose()?;
        let manners = Manners {
            pauses: Backoff { first_ms: FIRST_PAUSE_MS, longest_ms: config.longest_pause_ms.max(1) },
            most_in_flight: config.most_in_flight.max(1),
        };
        let peer = format!("{} ({url})", aggregator.server);
        let dial = ToAggregator {
            url,
            trust,
            domain: SigningDomain::new(aggregator.chain_id, aggregator.task_manager),
            aggregator,
            signer,
            session_secs: config.session_secs.max(1),
            clock: Arc::clone(&deps.clock),
        };
        Ok(Self(Link::start(peer, dial, manners, deps)))
    }

    /// How the link stands, and every change of it.
    pub fn status(&self) -> watch::Receiver<LinkStatus> {
        self.0.status()
    }
}

#[async_trait]
impl Transport for OperatorLink {
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

struct ToAggregator {
    url: String,
    /// Instead of the system's.
    trust: Option<ClientConfig>,
    aggregator: Identity,
    domain: SigningDomain,
    signer: Arc<dyn BlsSigner>,
    session_secs: u64,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Dial for ToAggregator {
    async fn dial(&self) -> Result<Dialled, DialError> {
        let mut builder = client_builder(MOST_BYTES);
        if let Some(trust) = &self.trust {
            builder = builder.with_custom_cert_store(trust.clone());
        }
        let client = builder.build(&self.url).await;
        let client = client.map_err(|error| DialError::Connect(short(&error.to_string())))?;
        let renew_after = self.renew(&client).await?;
        Ok(Dialled { client, renew_after })
    }

    async fn renew(&self, client: &Client) -> Result<Option<Duration>, DialError> {
        let hello: Hello = client.request("session_hello", rpc_params![]).await.map_err(refused)?;
        self.compare(&hello)?;
        let now = self.clock.now().seconds();
        let session = Session {
            server: self.aggregator.server.clone(),
            nonce: hello.nonce,
            operator_id: self.signer.operator_id(),
            expiry: now.saturating_add(self.session_secs),
        };
        let signature = self.signer.sign(&session.message(&self.domain)).await?.to_bytes();
        let open = OpenSession { session, signature };
        let opened: SessionOpened =
            client.request("session_open", rpc_params![open]).await.map_err(refused)?;
        Ok(Some(renewal(opened.expiry, now, self.session_secs)))
    }
}

impl ToAggregator {
    /// Whether this is the aggregator that the operator means. A session for another one is not signed.
    fn compare(&self, hello: &Hello) -> Result<(), DialError> {
        let Identity { server, chain_id, task_manager } = &self.aggregator;
        let wrong = |what: String| Err(DialError::NotTheOne(what));
        if hello.server != *server {
            return wrong(format!("is {:?}, not {server:?}", short(&hello.server)));
        }
        if hello.chain_id != *chain_id {
            return wrong(format!("is on chain {}, not {chain_id}", hello.chain_id));
        }
        if hello.task_manager != FixedBytes::from(*task_manager) {
            return wrong(format!("serves task manager {}, not {task_manager}", hello.task_manager));
        }
        let skew = hello.time.abs_diff(self.clock.now().seconds());
        if skew > WORRYING_SKEW {
            warn!(aggregator = %server, seconds = skew, "the aggregator's clock and this one differ; check both");
        }
        Ok(())
    }
}

/// When a session is to be renewed: when four fifths of it have passed. The aggregator's word for how long it lasts is not
/// believed where it is longer than what was asked for, or so short that sessions would be signed without a pause.
fn renewal(expiry: u64, now: u64, asked: u64) -> Duration {
    let lasts = expiry.saturating_sub(now).min(asked);
    Duration::from_millis(lasts.saturating_mul(800)).max(SHORTEST_RENEWAL)
}

fn refused(error: ClientError) -> DialError {
    match error {
        ClientError::Call(error) => DialError::Refused(short(error.message())),
        other => DialError::Connect(short(&other.to_string())),
    }
}

#[cfg(any(test, feature = "fuzz"))]
#[path = "fuzz/session_replies.rs"]
pub(crate) mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_for_this_machine() {
        let here =
            ["ws://127.0.0.1:1", "ws://localhost:1", "ws://[::1]:1/x", "ws://127.9.9.9", "wss://far.org"];
        assert_eq!(here.map(is_exposed), [false; 5]);
        let exposed = [
            "ws://10.0.0.1:1",
            "ws://far.org",
            "ws://localhost.far.org",
            "ws://0.0.0.0:1",
            "ws://[2001:db8::1]:1",
        ];
        assert_eq!(exposed.map(is_exposed), [true; 5]);
    }

    #[test]
    fn an_expiry_out_of_range_neither_panics_nor_spins() {
        let seconds = |expiry| renewal(expiry, 1_000, 100).as_secs_f64();
        assert_eq!([1_100, 1_050, 1_200, u64::MAX].map(seconds), [80.0, 40.0, 80.0, 80.0]);
        assert_eq!([0, 999, 1_000].map(seconds), [0.5; 3]);
        // Whatever the configuration asks for.
        assert!(renewal(u64::MAX, 0, u64::MAX) > Duration::from_secs(1 << 50));
    }
}
