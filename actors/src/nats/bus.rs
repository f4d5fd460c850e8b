//! A process's place on the bus.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, jetstream};
use futures::StreamExt;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::config::NatsConfig;
use super::connection::connect;
use super::error::NatsError;
use super::metrics::NatsMetrics;
use super::replies::{Reply, Waiting};
use super::subjects::{Subjects, last};
use crate::ports::Rng;

/// How long the server may take to answer.
pub(super) const ANSWER: Duration = Duration::from_secs(5);

/// What the bus needs of its process.
#[derive(Clone)]
pub struct BusDependencies {
    /// Tells this process from others, and each start of it from the one before.
    pub process: String,
    /// Pauses.
    pub rng: Arc<dyn Rng>,
    /// What is counted.
    pub metrics: NatsMetrics,
}

/// A connection to the server, which is made again for as long as this lives.
pub struct Bus {
    pub(super) client: Client,
    pub(super) jetstream: jetstream::Context,
    pub(super) subjects: Subjects,
    pub(super) waiting: Waiting,
    pub(super) config: NatsConfig,
    pub(super) deps: BusDependencies,
    connected: watch::Receiver<bool>,
    replies: AbortHandle,
}

impl Bus {
    /// Starts to connect, and goes on for good. Must be called within a runtime.
    ///
    /// # Errors
    /// Where the configuration cannot be.
    pub async fn connect(config: &NatsConfig, deps: BusDependencies) -> Result<Arc<Self>, NatsError> {
        let subjects =
            Subjects::new(&config.aggregator).ok_or_else(|| NatsError::Name(config.aggregator.clone()))?;
        let (client, connected) = connect(config, &deps).await?;
        let mut jetstream = jetstream::new(client.clone());
        jetstream.set_timeout(ANSWER);
        let waiting = Waiting::default();
        let replies = client.subscribe(subjects.replies(&deps.process)).await;
        let replies = replies.map_err(|error| server_error(config, error))?;
        let replies = tokio::spawn(take_replies(replies, waiting.clone())).abort_handle();
        let config = config.clone();
        Ok(Arc::new(Self { client, jetstream, subjects, waiting, config, deps, connected, replies }))
    }

    /// True while there is a connection.
    pub fn is_connected(&self) -> bool {
        *self.connected.borrow()
    }

    /// Returns once there is a connection.
    pub async fn connection(&self) {
        // Whoever tells lives as long as the client.
        let _ = self.connected.clone().wait_for(|connected| *connected).await;
    }

    pub(super) fn server_error(&self, error: impl std::fmt::Display) -> NatsError {
        server_error(&self.config, error)
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.replies.abort();
    }
}

fn server_error(config: &NatsConfig, error: impl std::fmt::Display) -> NatsError {
    NatsError::Server { url: config.url.to_string(), error: error.to_string() }
}

async fn take_replies(mut replies: async_nats::Subscriber, waiting: Waiting) {
    while let Some(message) = replies.next().await {
        let reply = serde_json::from_slice(&message.payload)
            .unwrap_or_else(|error| Reply::Failed(format!("the reply is malformed: {error}")));
        waiting.arrived(last(&message.subject), reply);
    }
}
