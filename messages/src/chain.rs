//! What actors learn from ChainWatcher.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use crate::wire::{ActorName, Wire};
use crate::{Task, TaskResponse};

/// A block, named so that a reorg cannot confuse it with another of the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlockRef {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
}

/// What actors need of a block's header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Header {
    /// The block.
    pub at: BlockRef,
    /// The hash of the one before it.
    pub parent_hash: B256,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// Wei per gas.
    pub base_fee: u128,
}

/// One thing that happened on chain and concerns Anzen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "event", deny_unknown_fields)]
pub enum ChainEvent {
    /// A task was created.
    #[serde(rename_all = "camelCase")]
    TaskCreated {
        /// The task.
        task: Task,
    },
    /// A task was answered.
    #[serde(rename_all = "camelCase")]
    TaskResponded {
        /// Its index.
        task_index: u32,
        /// The answer.
        response: TaskResponse,
        /// The transaction that posted it.
        transaction: B256,
    },
    /// Someone registered or left, or a recorded stake changed: operator sets after this block differ from before.
    OperatorsChanged,
    /// Governance changed the windows: tasks of later blocks can be answered for so many blocks.
    #[serde(rename_all = "camelCase")]
    ResponseWindowChanged {
        /// The last block in which a task can be answered is this many after its creation.
        blocks: u64,
    },
    /// A quorum's stakes were refreshed whole.
    #[serde(rename_all = "camelCase")]
    QuorumRefreshed {
        /// The quorum.
        quorum: u8,
    },
}

/// A block and what happened in it, in the order of its logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChainBlock {
    /// The block.
    pub header: Header,
    /// What concerns Anzen, in order.
    pub events: Vec<ChainEvent>,
}

/// How the chain went on after a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChainDelta {
    /// From where to apply `blocks`.
    pub base: DeltaBase,
    /// The blocks that follow, ascending, at most [`ChainDelta::MOST_BLOCKS`]; ask again for more.
    pub blocks: Vec<ChainBlock>,
    /// The newest block that the watcher knows: how far behind the receiver is.
    pub head: BlockRef,
}

impl ChainDelta {
    /// The most blocks that one answer carries.
    pub const MOST_BLOCKS: usize = 64;
}

/// Where a [`ChainDelta`] starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", deny_unknown_fields)]
pub enum DeltaBase {
    /// At the block that was named in the request.
    Continues,
    /// The chain has forked: undo everything above this block, then apply.
    #[serde(rename_all = "camelCase")]
    RetractTo {
        /// The last block that both forks have.
        block: BlockRef,
    },
    /// The watcher does not know the block, or none was named: forget everything and build up from `blocks`, which reach
    /// far enough back to hold every task that can still be answered.
    #[serde(rename_all = "camelCase")]
    Restart {
        /// For how many blocks the tasks of the first of `blocks` can be answered; later changes are among the events.
        response_window: u64,
    },
}

/// Asks ChainWatcher for the blocks after `after`. Sent by every actor that follows the chain.
///
/// The reply comes when there is a block to tell of, or after `wait_ms` with no blocks; so the sender sets the pace, and
/// nothing is lost while it is away. Full: ask again; the position is the sender's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NextBlocks {
    /// The last block that the sender has applied; nothing at the start.
    pub after: Option<BlockRef>,
    /// How long to wait for a block, in milliseconds; at most [`NextBlocks::LONGEST_WAIT_MS`].
    pub wait_ms: u64,
}

impl NextBlocks {
    /// The longest that a watcher lets a request wait.
    pub const LONGEST_WAIT_MS: u64 = 30_000;
}

impl actix::Message for NextBlocks {
    type Result = Result<ChainDelta, NotFollowing>;
}

impl Wire for NextBlocks {
    type Reply = Result<ChainDelta, NotFollowing>;
    const NAME: &'static str = "chain_nextBlocks";
    const VERSION: u16 = 2;
    const TO: ActorName = ActorName::ChainWatcher;
    const MOST_BYTES: usize = 1024;
    const TIMEOUT_MS: u64 = Self::LONGEST_WAIT_MS + 10_000;
}

/// The watcher has not reached the chain yet. Ask again; its log and metrics say why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the chain watcher has not reached its RPC endpoint yet; check the endpoint in its configuration")]
pub struct NotFollowing;
