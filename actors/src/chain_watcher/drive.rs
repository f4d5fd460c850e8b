//! Asks the endpoint for the head and the missing blocks, for ever, one thing at a time.

use std::sync::Arc;
use std::time::Duration;

use actix::{Addr, MailboxError, Message};
use anzen_messages::chain::{BlockRef, ChainBlock, Header};

use super::actor::ChainWatcher;
use super::cursor::{AnotherChain, Comparison, Cursor, Parting};
use super::metrics::WatcherMetrics;
use super::records;
use super::tracker::Missing;
use crate::ports::{ChainError, ChainReader, Rng, Store, StoreError, jittered};

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

/// The chain was followed up to this block before. To be sent before the first head; answered with the number of blocks that
/// are too old to be told.
#[derive(Debug, Message)]
#[rtype(result = "u64")]
pub(super) struct Resume {
    pub(super) after: BlockRef,
    pub(super) longest_window: u64,
    pub(super) head: u64,
}

/// The endpoint follows another chain than before.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Replaced;

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
    /// A block that it has, unless it follows another chain.
    pub(super) mark: Option<BlockRef>,
    /// Its newest block was made after those that are known.
    pub(super) is_newer: bool,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Behind(#[from] Behind),
    #[error(transparent)]
    AnotherChain(#[from] AnotherChain),
    #[error("how far the chain was followed cannot be read: {0}")]
    Store(#[from] StoreError),
    #[error("the watcher has stopped")]
    Stopped(#[from] MailboxError),
}

pub(super) struct Driver {
    pub(super) reader: Arc<dyn ChainReader>,
    pub(super) watcher: Addr<ChainWatcher>,
    pub(super) rng: Arc<dyn Rng>,
    pub(super) metrics: WatcherMetrics,
    pub(super) store: Arc<dyn Store>,
}

impl Driver {
    /// Returns when the watcher has stopped.
    pub(super) async fn run(self) {
        let (mut failing, mut resumed) = (false, false);
        loop {
            match self.catch_up(&mut resumed).await {
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
                    let first = !std::mem::replace(&mut failing, true);
                    if first && matches!(failure, Failure::AnotherChain(_)) {
                        tracing::error!(%failure, "not following the chain");
                    } else if first {
                        tracing::warn!(%failure, "not following the chain; trying again");
                    }
                    tokio::time::sleep(jittered(self.rng.as_ref(), LONGEST_PAUSE)).await;
                }
            }
        }
    }

    async fn catch_up(&self, resumed: &mut bool) -> Result<Header, Failure> {
        let head = self.reader.head().await?;
        if !*resumed {
            self.resume(head.at.number).await?;
            *resumed = true;
        }
        let mut missing = match self.watcher.send(HeadSeen(head.clone())).await? {
            Ok(missing) => missing,
            Err(behind) => return Err(self.look_closer(behind).await?.into()),
        };
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

    /// Goes on where an earlier life of this process was, if the endpoint still follows that chain.
    async fn resume(&self, head: u64) -> Result<(), Failure> {
        let cursor = match records::read(&self.store.load(records::CURSOR).await?) {
            Ok(Some(cursor)) => cursor,
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::warn!(%error, "how far the chain was followed is unreadable; reading its recent blocks");
                return Ok(());
            }
        };
        let (Some(tip), Parting::At { block, undone }) = (cursor.tip(), self.part(&cursor).await?) else {
            tracing::warn!("the endpoint has none of the blocks that were followed; reading its recent ones");
            return Ok(());
        };
        if undone > 0 {
            tracing::info!(
                undone,
                block = block.number,
                "the chain has forked, or is behind, since it was followed"
            );
        }
        let resume = Resume { after: block, longest_window: cursor.longest_window, head };
        let untold = self.watcher.send(resume).await?;
        if untold > 0 {
            tracing::warn!(
                untold,
                block = tip.number,
                "the process was away for more blocks than chain_watcher.most_missed_blocks; the oldest are not told"
            );
        }
        Ok(())
    }

    /// The newest block of the cursor that the endpoint has.
    async fn part(&self, cursor: &Cursor) -> Result<Parting, Failure> {
        let mut comparison = Comparison::default();
        let tip = cursor.tip().map_or(0, |tip| tip.number);
        for block in cursor.blocks() {
            let found = self.reader.header(block.number).await?;
            if comparison.agrees(block, found.as_ref()) {
                return Ok(Parting::At { block, undone: tip.saturating_sub(block.number) });
            }
        }
        Ok(comparison.none()?)
    }

    /// An endpoint that is far behind still syncs, or its chain was put back: it has others in place of the blocks that are
    /// known, or its newest was made after them.
    async fn look_closer(&self, behind: Behind) -> Result<Behind, Failure> {
        let mut was_put_back = behind.is_newer;
        if let Some(mark) = behind.mark.filter(|_| !was_put_back) {
            let found = self.reader.header(mark.number).await?;
            was_put_back = found.is_some_and(|found| found.at != mark);
        }
        if was_put_back {
            self.watcher.send(Replaced).await?;
        }
        Ok(behind)
    }
}
