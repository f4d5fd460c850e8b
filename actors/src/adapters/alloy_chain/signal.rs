//! When to look for a new block: a subscription tells, polling is behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use alloy::providers::{Provider, ProviderBuilder};
use alloy::rpc::client::{RpcClient, WsConnect};
use alloy::transports::TransportError;
use anzen_messages::chain::BlockRef;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::ChainConfig;
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::metrics::RpcMetrics;
use crate::ports::{ChainError, Rng, jittered};

/// The longest pause between two attempts to subscribe.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How long it may take to connect and subscribe.
const CONNECT: Duration = Duration::from_secs(15);
/// By how many blocks polling may be ahead before a subscription counts as silent.
const TOLERATED: u64 = 2;

/// Tells when there may be a new block. It is only a hint: what is there is asked over HTTP.
pub(super) struct Signal {
    poll: Duration,
    slow_poll: Duration,
    subscription: Option<(Arc<Subscription>, JoinHandle<()>)>,
}

/// What the task that listens, and who waits for it, have in common.
struct Subscription {
    endpoint: Endpoint,
    rng: Arc<dyn Rng>,
    metrics: RpcMetrics,
    /// A block came. It keeps one notice for who is not waiting at the moment.
    news: Notify,
    /// Polling saw blocks that the subscription did not tell of.
    silent: Notify,
    alive: AtomicBool,
    newest: AtomicU64,
    /// The newest block that has already been a reason to look at once. The other endpoint may be behind: then it is
    /// polled, and not asked without a pause until it catches up.
    looked_for: AtomicU64,
}

impl Signal {
    pub(super) fn new(config: &ChainConfig, rng: Arc<dyn Rng>, metrics: RpcMetrics) -> Self {
        let subscription = config.ws_url.clone().map(|endpoint| {
            let subscription = Arc::new(Subscription {
                endpoint,
                rng,
                metrics,
                news: Notify::new(),
                silent: Notify::new(),
                alive: AtomicBool::new(false),
                newest: AtomicU64::new(0),
                looked_for: AtomicU64::new(0),
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
        let newest = subscription.newest.load(Ordering::SeqCst);
        let behind = newest > known.number;
        if behind && subscription.looked_for.swap(newest, Ordering::SeqCst) != newest {
            return;
        }
        let alive = subscription.alive.load(Ordering::SeqCst);
        let pause = if alive && !behind { self.slow_poll } else { self.poll };
        // Elapsing is no failure: then it is time to look without having been told.
        let _ = tokio::time::timeout(pause, subscription.news.notified()).await;
    }

    /// Polling saw block `number`.
    pub(super) fn polled(&self, number: u64) {
        let Some((subscription, _)) = &self.subscription else { return };
        let newest = subscription.newest.load(Ordering::SeqCst);
        if number >= newest.saturating_add(TOLERATED) && subscription.alive.swap(false, Ordering::SeqCst) {
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
    /// Subscribes, and again whenever that ends.
    async fn run(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let before = self.newest.load(Ordering::SeqCst);
            let ended = self.listen().await;
            self.metrics.subscribed(false);
            self.alive.store(false, Ordering::SeqCst);
            self.news.notify_one();
            let reason = ended.err().map_or_else(|| "it ended".into(), |error| error.to_string());
            tracing::warn!(endpoint = %self.endpoint, %reason, "the subscription to new blocks is down; polling");
            let worked = self.newest.load(Ordering::SeqCst) != before;
            pause = if worked { FIRST_PAUSE } else { LONGEST_PAUSE.min(pause * 2) };
            tokio::time::sleep(jittered(self.rng.as_ref(), pause)).await;
        }
    }

    async fn listen(&self) -> Result<(), ChainError> {
        let subscribe = tokio::time::timeout(CONNECT, self.subscribe());
        let (_connection, mut blocks) = subscribe.await.unwrap_or(Err(Failure::Timeout))?;
        loop {
            tokio::select! {
                header = blocks.recv() => match header {
                    Ok(header) => self.told(header.number),
                    Err(error) => return Err(ChainError::Endpoint(error.to_string())),
                },
                () = self.silent.notified() => {
                    return Err(ChainError::Endpoint("it has told of no block while there were some".into()));
                }
            }
        }
    }

    /// The subscription, and the connection that it ends with.
    async fn subscribe(&self) -> Result<(impl Provider, Blocks), Failure> {
        // Connecting again is done here, where it can be seen.
        let connect = WsConnect::new(self.endpoint.url().as_str()).with_max_retries(0);
        let connected: Result<RpcClient, TransportError> = RpcClient::connect_pubsub(connect).await;
        let provider = ProviderBuilder::new().disable_recommended_fillers().connect_client(connected?);
        let blocks = provider.subscribe_blocks().await?;
        Ok((provider, blocks))
    }

    fn told(&self, number: u64) {
        self.newest.store(number, Ordering::SeqCst);
        if !self.alive.swap(true, Ordering::SeqCst) {
            self.metrics.subscribed(true);
            tracing::info!(endpoint = %self.endpoint, block = number, "subscribed to new blocks");
        }
        self.news.notify_one();
    }
}

type Blocks = alloy::pubsub::Subscription<alloy::rpc::types::Header>;
