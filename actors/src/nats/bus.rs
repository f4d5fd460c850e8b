//! The connection, and what is set up on the server.

use std::sync::Arc;
use std::time::Duration;

use anzen_messages::wire::ActorName;
use async_nats::connection::State;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, pull};
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, kv};
use async_nats::{Client, ConnectOptions, Event};
use futures::StreamExt;
use tokio::task::AbortHandle;
use tracing::{info, warn};

use super::config::NatsConfig;
use super::lease::LEASE;
use super::metrics::NatsMetrics;
use super::replies::{Reply, Waiting};
use super::subjects::{Subjects, last};
use crate::retry::doubled;

/// The largest message, a reached quorum, with what surrounds it. The server's `max_payload` must allow it.
pub(super) const MOST_MESSAGE_BYTES: i32 = 5 * 1024 * 1024;
/// How long a message is kept that nobody takes: longer than any task is open.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Within this time a message that is sent again under its own number counts once.
const SAME_MESSAGE: Duration = Duration::from_secs(120);
/// A receiver that says nothing of a message for so long has lost it; it is handed out again.
pub(super) const ACK_WAIT: Duration = Duration::from_secs(10);
/// The most messages that one actor has in hand.
pub(super) const MOST_IN_HAND: usize = 1024;
/// The longest pause between two attempts to connect.
const LONGEST_PAUSE_MS: u64 = 2_000;
const FIRST_PAUSE_MS: u64 = 50;
/// How long the server may take to answer.
pub(super) const ANSWER: Duration = Duration::from_secs(5);

/// Why the bus cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// The aggregator's name.
    #[error("nats.aggregator is {0:?}; it may have letters, digits, '-' and '_', at most 64")]
    Name(String),
    /// A file of the configuration.
    #[error("{setting}: {path} cannot be used: {error}")]
    File {
        /// The setting.
        setting: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it.
        error: String,
    },
    /// The server does not answer, or not as it should.
    #[error("the NATS server at {url}: {error}; check nats.url, and that the server runs with JetStream")]
    Server {
        /// Where it is.
        url: String,
        /// What it said.
        error: String,
    },
    /// What is on the server was made for something else.
    #[error(
        "the stream {stream} on the NATS server is not one of Anzen's: {difference}; remove it, or choose another nats.aggregator"
    )]
    Stream {
        /// Its name.
        stream: String,
        /// What differs.
        difference: String,
    },
    /// The server lets no message of the size pass that Anzen's may have.
    #[error(
        "the NATS server takes messages of {most} bytes; set its max_payload to {MOST_MESSAGE_BYTES} or more"
    )]
    Payload {
        /// What it takes.
        most: usize,
    },
    /// Another process runs an actor that this one ran.
    #[error("another process has taken over {0}; one of them must go")]
    Taken(ActorName),
}

/// What the bus needs of its process.
#[derive(Debug, Clone)]
pub struct BusDependencies {
    /// Tells this process from others, and is the same after a restart.
    pub process: String,
    /// What is counted.
    pub metrics: NatsMetrics,
}

/// A connection to the server, which is made again for as long as this lives.
pub struct Bus {
    pub(super) client: Client,
    pub(super) jetstream: jetstream::Context,
    pub(super) subjects: Subjects,
    pub(super) process: String,
    pub(super) waiting: Waiting,
    pub(super) metrics: NatsMetrics,
    config: NatsConfig,
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
        let client = options(config, &deps).await?.connect(servers(config)?).await;
        let client = client.map_err(|error| server_error(config, error))?;
        let mut jetstream = jetstream::new(client.clone());
        jetstream.set_timeout(ANSWER);
        let waiting = Waiting::default();
        // A process that was restarted is not answered what it asked before: its numbers begin anew.
        let process =
            format!("{}-{}", deps.process, client.new_inbox().rsplit('.').next().unwrap_or_default());
        let replies = client.subscribe(subjects.replies(&process)).await;
        let replies = replies.map_err(|error| server_error(config, error))?;
        let replies = tokio::spawn(take_replies(replies, waiting.clone())).abort_handle();
        let (metrics, config) = (deps.metrics, config.clone());
        Ok(Arc::new(Self { client, jetstream, subjects, process, waiting, metrics, config, replies }))
    }

    /// True while there is a connection.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// The stream that keeps messages; made if it is not there.
    ///
    /// # Errors
    /// Where the server does not answer, or has another stream of that name.
    pub(super) async fn stream(&self) -> Result<stream::Stream, NatsError> {
        let wanted = self.stream_config();
        let stream = self.jetstream.get_or_create_stream(wanted.clone()).await;
        let stream = stream.map_err(|error| self.server_error(error))?;
        let most = self.client.server_info().max_payload;
        if most < usize::try_from(MOST_MESSAGE_BYTES).unwrap_or(usize::MAX) {
            return Err(NatsError::Payload { most });
        }
        let found = &stream.cached_info().config;
        let same = found.retention == wanted.retention
            && found.discard == wanted.discard
            && found.subjects == wanted.subjects;
        if same {
            return Ok(stream);
        }
        let difference = format!("it has {:?}, {:?}, {:?}", found.retention, found.discard, found.subjects);
        Err(NatsError::Stream { stream: wanted.name, difference })
    }

    /// How many messages the server keeps that no actor has answered yet.
    ///
    /// # Errors
    /// Where the server does not answer.
    pub async fn kept(&self) -> Result<u64, NatsError> {
        let mut stream = self.stream().await?;
        let info = stream.info().await.map_err(|error| self.server_error(error))?;
        Ok(info.state.messages)
    }

    fn stream_config(&self) -> stream::Config {
        stream::Config {
            name: self.subjects.stream(),
            subjects: vec![self.subjects.kept()],
            retention: RetentionPolicy::WorkQueue,
            storage: StorageType::File,
            // A sender learns that there is no room; nothing that was taken is dropped for something newer.
            discard: DiscardPolicy::New,
            max_bytes: i64::try_from(self.config.most_bytes).unwrap_or(i64::MAX),
            max_age: KEPT,
            max_message_size: MOST_MESSAGE_BYTES,
            duplicate_window: SAME_MESSAGE,
            num_replicas: self.config.replicas,
            ..stream::Config::default()
        }
    }

    /// What hands an actor its messages; made if it is not there.
    pub(super) async fn consumer(&self, actor: ActorName) -> Result<Consumer<pull::Config>, NatsError> {
        let config = pull::Config {
            durable_name: Some(actor.to_string()),
            filter_subject: self.subjects.kept_for(actor),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: i64::try_from(MOST_IN_HAND).unwrap_or(i64::MAX),
            ..pull::Config::default()
        };
        let consumer = self.stream().await?.get_or_create_consumer(actor.as_str(), config).await;
        consumer.map_err(|error| self.server_error(error))
    }

    /// Where the leases are; made if it is not there.
    pub(super) async fn leases(&self) -> Result<kv::Store, NatsError> {
        let bucket = self.subjects.leases();
        if let Ok(store) = self.jetstream.get_key_value(&bucket).await {
            return Ok(store);
        }
        // As the client's own way of making a bucket does, which asks servers for more than 2.9 can tell.
        let config = stream::Config {
            name: format!("KV_{bucket}"),
            subjects: vec![format!("$KV.{bucket}.>")],
            max_messages_per_subject: 1,
            discard: DiscardPolicy::New,
            max_age: LEASE,
            num_replicas: self.config.replicas,
            allow_rollup: true,
            deny_delete: true,
            allow_direct: true,
            ..stream::Config::default()
        };
        self.jetstream.get_or_create_stream(config).await.map_err(|error| self.server_error(error))?;
        self.jetstream.get_key_value(&bucket).await.map_err(|error| self.server_error(error))
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
    NatsError::Server { url: config.url.clone(), error: error.to_string() }
}

fn servers(config: &NatsConfig) -> Result<Vec<async_nats::ServerAddr>, NatsError> {
    let one = |url: &str| url.trim().parse().map_err(|error: std::io::Error| server_error(config, error));
    config.url.split(',').map(one).collect()
}

async fn options(config: &NatsConfig, deps: &BusDependencies) -> Result<ConnectOptions, NatsError> {
    let (metrics, url) = (deps.metrics.clone(), config.url.clone());
    metrics.connected(&url, false);
    let mut options = ConnectOptions::new()
        .name(format!("anzen {}", deps.process))
        .retry_on_initial_connect()
        .max_reconnects(None)
        .reconnect_delay_callback(|attempts| {
            let failures = u32::try_from(attempts).unwrap_or(u32::MAX);
            Duration::from_millis(doubled(FIRST_PAUSE_MS, failures, LONGEST_PAUSE_MS))
        })
        .event_callback(move |event| {
            note(&metrics, &url, &event);
            std::future::ready(())
        });
    if let Some(path) = &config.credentials_file {
        let failed = |error| file_error("nats.credentials_file", path, &error);
        options = options.credentials_file(path).await.map_err(failed)?;
    }
    if let Some(path) = &config.password_file {
        let text = tokio::fs::read_to_string(path).await;
        let text = text.map_err(|error| file_error("nats.password_file", path, &error))?;
        let mut lines = text.lines().map(str::to_owned);
        let (Some(user), Some(password)) = (lines.next(), lines.next()) else {
            let error = std::io::Error::other("it has no two lines: a user name, and a password");
            return Err(file_error("nats.password_file", path, &error));
        };
        options = options.user_and_password(user, password);
    }
    if let Some(path) = &config.ca {
        options = options.add_root_certificates(path.clone());
    }
    Ok(options)
}

fn file_error(setting: &'static str, path: &std::path::Path, error: &std::io::Error) -> NatsError {
    NatsError::File { setting, path: path.display().to_string(), error: error.to_string() }
}

fn note(metrics: &NatsMetrics, server: &str, event: &Event) {
    match event {
        Event::Connected => {
            metrics.connected(server, true);
            info!("connected to the NATS server");
        }
        // By this process itself, which tries for good otherwise.
        Event::Closed => {
            metrics.connected(server, false);
            info!("left the NATS server");
        }
        Event::Disconnected => {
            metrics.connected(server, false);
            warn!(%event, "no connection to the NATS server; it is being made again");
        }
        _ => warn!(%event, "the NATS server"),
    }
}

async fn take_replies(mut replies: async_nats::Subscriber, waiting: Waiting) {
    while let Some(message) = replies.next().await {
        let reply = serde_json::from_slice(&message.payload)
            .unwrap_or_else(|error| Reply::Failed(format!("the reply is malformed: {error}")));
        waiting.arrived(last(&message.subject), reply);
    }
}
