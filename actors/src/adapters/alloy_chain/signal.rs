//! When to look for a new block: a subscription tells, polling is behind it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy::providers::{Provider, ProviderBuilder};
use alloy::rpc::client::{RpcClient, WsConnect};
use alloy::transports::TransportError;
use alloy::transports::ws::WebSocketConfig;
use anzen_messages::chain::BlockRef;
use futures::FutureExt;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::config::ChainConfig;
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::hearing::Hearing;
use super::metrics::RpcMetrics;
use crate::ports::{ChainError, Rng, jittered};

/// The longest pause between two attempts to subscribe.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How long it may take to connect and subscribe.
const CONNECT: Duration = Duration::from_secs(15);
/// The longest message of a node, in bytes: headers are small.
const LONGEST_MESSAGE: usize = 1 << 20;

/// Tells when there may be a new block. It is only a hint: what is there is asked over HTTP.
pub(super) struct Signal {
    poll: Duration,
    slow_poll: Duration,
    subscription: Option<(Arc<Subscription>, JoinHandle<()>)>,
}

/// What the task that listens, and who waits for it, have in common.
struct Subscription {
    endpoints: Vec<Endpoint>,
    chain_id: u64,
    rng: Arc<dyn Rng>,
    metrics: RpcMetrics,
    /// A block came. It keeps one notice for who is not waiting at the moment.
    news: Notify,
    /// Polling saw blocks that the subscription did not tell of.
    silent: Notify,
    hearing: Mutex<Hearing>,
}

impl Signal {
    pub(super) fn new(config: &ChainConfig, chain_id: u64, rng: Arc<dyn Rng>, metrics: RpcMetrics) -> Self {
        let endpoints = config.ws_endpoints();
        let subscription = (!endpoints.is_empty()).then(|| {
            let subscription = Arc::new(Subscription {
                endpoints,
                chain_id,
                rng,
                metrics,
                news: Notify::new(),
                silent: Notify::new(),
                hearing: Mutex::default(),
            });
            (Arc::clone(&subscription), tokio::spawn(async move { subscription.run().await }))
        });
        Self {
            poll: Duration::from_millis(config.poll_interval_ms),
            slow_poll: Duration::from_millis(config.slow_poll_interval_ms.max(config.poll_interval_ms)),
            subscription,
        }
    }

    /// Returns when there may be a block after `known`.
    pub(super) async fn changed(&self, known: BlockRef) {
        let Some((subscription, _)) = &self.subscription else { return tokio::time::sleep(self.poll).await };
        let Some(is_up_to_date) = subscription.hearing().is_up_to_date(known.number) else { return };
        let pause = if is_up_to_date { self.slow_poll } else { self.poll };
        // Elapsing is no failure: then it is time to look without having been told.
        let _ = tokio::time::timeout(pause, subscription.news.notified()).await;
    }

    /// Polling saw block `number`.
    pub(super) fn polled(&self, number: u64) {
        let Some((subscription, _)) = &self.subscription else { return };
        if subscription.hearing().polled(number) {
            subscription.silent.notify_one();
        }
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        if let Some((_, task)) = &self.subscription {
            task.abort();
        }
    }
}

impl Subscription {
    fn hearing(&self) -> MutexGuard<'_, Hearing> {
        self.hearing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Subscribes, and again whenever that ends: to one endpoint after the other, with longer and longer pauses where none of
    /// them tells of anything.
    async fn run(&self) {
        let mut pause = FIRST_PAUSE;
        for endpoint in self.endpoints.iter().cycle() {
            let ended = self.listen(endpoint).await;
            self.metrics.subscribed(false);
            let worked = self.hearing().ended();
            self.news.notify_one();
            let reason = ended.err().map_or_else(|| "it ended".into(), |error| error.to_string());
            tracing::warn!(%endpoint, %reason, "the subscription to new blocks is down; polling");
            pause = if worked { FIRST_PAUSE } else { LONGEST_PAUSE.min(pause * 2) };
            tokio::time::sleep(jittered(self.rng.as_ref(), pause)).await;
        }
    }

    async fn listen(&self, endpoint: &Endpoint) -> Result<(), Ended> {
        let subscribe = tokio::time::timeout(CONNECT, self.subscribe(endpoint));
        let subscribed = subscribe.await.unwrap_or(Err(Failure::Timeout));
        let (_connection, mut blocks) = subscribed.map_err(ChainError::from)?;
        self.hearing().subscribed();
        // What was said of the one before.
        let _ = self.silent.notified().now_or_never();
        loop {
            tokio::select! {
                header = blocks.recv() => match header {
                    Ok(header) => self.told(endpoint, header.number),
                    Err(error) => return Err(ChainError::Endpoint(error.to_string()).into()),
                },
                () = self.silent.notified() => return Err(Ended::Silent),
            }
        }
    }

    /// The subscription, and the connection that it ends with.
    async fn subscribe(&self, endpoint: &Endpoint) -> Result<(impl Provider, Blocks), Failure> {
        // Connecting again is done here, where it can be seen.
        let limits = WebSocketConfig::default().max_message_size(Some(LONGEST_MESSAGE));
        let connect = WsConnect::new(endpoint.url().as_str()).with_max_retries(0).with_config(limits);
        let connected: Result<RpcClient, TransportError> = RpcClient::connect_pubsub(connect).await;
        let provider = ProviderBuilder::new().disable_recommended_fillers().connect_client(connected?);
        let (found, expected) = (provider.get_chain_id().await?, self.chain_id);
        if found != expected {
            return Err(Failure::OtherChain { found, expected });
        }
        let blocks = provider.subscribe_blocks().await?;
        Ok((provider, blocks))
    }

    fn told(&self, endpoint: &Endpoint, number: u64) {
        if self.hearing().told(number) {
            self.metrics.subscribed(true);
            tracing::info!(%endpoint, block = number, "subscribed to new blocks");
        }
        self.news.notify_one();
    }
}

/// Why a subscription is over.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("it has told of no block while there were some")]
    Silent,
    #[error(transparent)]
    Chain(#[from] ChainError),
}

type Blocks = alloy::pubsub::Subscription<alloy::rpc::types::Header>;
