//! The operator's end of the edge: a link whose every connection opens a session first.

use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::FixedBytes;
use anzen_messages::session::{Hello, OpenSession, Session, SessionOpened};
use anzen_messages::task::SigningDomain;
use anzen_messages::wire::{ActorName, Envelope};
use async_trait::async_trait;
use jsonrpsee::core::client::{Client, ClientT, Error as ClientError};
use jsonrpsee::rpc_params;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::watch;
use tracing::warn;

use super::Identity;
use super::keeper::{Dial, DialError, Dialled, client_builder};
use super::redial::{Link, LinkDependencies, LinkStatus, Manners};
use crate::ports::{BlsSigner, Clock, Transport, TransportError};

/// The most bytes that an operator reads or writes at once.
const MOST_BYTES: u32 = 1024 * 1024;
/// Clocks that differ by more are worth a warning, in seconds.
const WORRYING_SKEW: u64 = 60;

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

/// A link from an operator to one aggregator.
pub struct OperatorLink(Link);

impl OperatorLink {
    /// Starts to connect to `url` (`ws://host:port` or `wss://…`), and goes on for good. `aggregator` is what must be
    /// found there.
    pub fn start(
        config: &OperatorLinkConfig,
        url: String,
        aggregator: Identity,
        signer: Arc<dyn BlsSigner>,
        deps: LinkDependencies,
    ) -> Self {
        let manners = Manners {
            longest_pause: Duration::from_millis(config.longest_pause_ms.max(1)),
            most_in_flight: config.most_in_flight.max(1),
        };
        let peer = format!("{} ({url})", aggregator.server);
        let dial = ToAggregator {
            url,
            domain: SigningDomain::new(aggregator.chain_id, aggregator.task_manager),
            aggregator,
            signer,
            session_secs: config.session_secs.max(1),
            clock: Arc::clone(&deps.clock),
        };
        Self(Link::start(peer, dial, manners, deps))
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
    aggregator: Identity,
    domain: SigningDomain,
    signer: Arc<dyn BlsSigner>,
    session_secs: u64,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Dial for ToAggregator {
    async fn dial(&self) -> Result<Dialled, DialError> {
        let client = client_builder(MOST_BYTES)
            .build(&self.url)
            .await
            .map_err(|error| DialError::Connect(error.to_string()))?;
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
            expiry: now + self.session_secs,
        };
        let signature = self.signer.sign(&session.message(&self.domain)).await?.to_bytes();
        let open = OpenSession { session, signature };
        let opened: SessionOpened =
            client.request("session_open", rpc_params![open]).await.map_err(refused)?;
        Ok(Some(Duration::from_secs(opened.expiry.saturating_sub(now)) * 4 / 5))
    }
}

impl ToAggregator {
    /// Whether this is the aggregator that the operator means. A session for another one is not signed.
    fn compare(&self, hello: &Hello) -> Result<(), DialError> {
        let Identity { server, chain_id, task_manager } = &self.aggregator;
        let wrong = |what: String| Err(DialError::NotTheOne(what));
        if hello.server != *server {
            return wrong(format!("is {:?}, not {server:?}", hello.server));
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

fn refused(error: ClientError) -> DialError {
    match error {
        ClientError::Call(error) => DialError::Refused(error.message().to_owned()),
        other => DialError::Connect(other.to_string()),
    }
}
