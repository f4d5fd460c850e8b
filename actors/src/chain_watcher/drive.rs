//! Asks the endpoint for the head and the missing blocks, for ever, one thing at a time.

use std::sync::Arc;
use std::time::Duration;

use actix::{Addr, MailboxError, Message};
use anzen_messages::chain::{ChainBlock, Header};

use super::actor::ChainWatcher;
use super::metrics::WatcherMetrics;
use super::tracker::Missing;
use crate::ports::{ChainError, ChainReader, Rng, jittered};

/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The endpoint's newest block; answered with the blocks to fetch next.
#[derive(Debug, Message)]
#[rtype(result = "Result<Option<Missing>, Behind>")]
pub(super) struct HeadSeen(pub(super) Header);

/// Blocks that were fetched; answered with the blocks to fetch next.
#[derive(Debug, Message)]
#[rtype(result = "Option<Missing>")]
pub(super) struct Fetched {
    pub(super) blocks: Vec<ChainBlock>,
    /// The response windows that were wanted, by block.
    pub(super) windows: Vec<(u64, u64)>,
}

/// The endpoint was not followed.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct NotFollowed(pub(super) String);

/// The endpoint is far behind of what is known already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the endpoint is at block {head}, and {known} is known; wait until it has synced, or use another")]
pub(super) struct Behind {
    pub(super) head: u64,
    pub(super) known: u64,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Behind(#[from] Behind),
    #[error("the watcher has stopped")]
    Stopped(#[from] MailboxError),
}

pub(super) struct Driver {
    pub(super) reader: Arc<dyn ChainReader>,
    pub(super) watcher: Addr<ChainWatcher>,
    pub(super) rng: Arc<dyn Rng>,
    pub(super) metrics: WatcherMetrics,
}

impl Driver {
    /// Returns when the watcher has stopped.
    pub(super) async fn run(self) {
        let mut failing = false;
        loop {
            match self.catch_up().await {
                Ok(head) => {
                    if std::mem::take(&mut failing) {
                        tracing::info!(block = head.at.number, "following the chain again");
                    }
                    self.reader.changed(head.at).await;
                }
                Err(Failure::Stopped(_)) => return,
                Err(failure) => {
                    self.metrics.failed();
                    self.watcher.do_send(NotFollowed(failure.to_string()));
                    // Once per outage: the counter tells how long it lasts.
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%failure, "not following the chain; trying again");
                    }
                    tokio::time::sleep(jittered(self.rng.as_ref(), LONGEST_PAUSE)).await;
                }
            }
        }
    }

    async fn catch_up(&self) -> Result<Header, Failure> {
        let head = self.reader.head().await?;
        let mut missing = self.watcher.send(HeadSeen(head.clone())).await??;
        while let Some(Missing { range, windows_of }) = missing {
            let (from, to) = range.into_inner();
            let windows = self.reader.response_windows(&windows_of).await?;
            let windows = windows_of.into_iter().zip(windows).collect();
            let blocks = self.reader.blocks(from, to).await?;
            if blocks.is_empty() {
                return Err(ChainError::NoSuchBlock(from.to_string()).into());
            }
            missing = self.watcher.send(Fetched { blocks, windows }).await?;
        }
        Ok(head)
    }
}
