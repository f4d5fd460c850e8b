//! What each block brings, as it comes.

use std::collections::VecDeque;

use alloy::{
    eips::BlockNumberOrTag,
    primitives::{Address, B256},
    providers::Provider,
    rpc::types::{Block, Filter, Log},
    sol_types::SolEvent,
    transports::TransportErrorKind,
};
use anzen_contracts::eigenlayer::SlashingRegistryCoordinator;

use super::{
    At, Open, Part, Response, TaskStatus, Tasks, Wanted,
    history::{response_in, task_in},
    open::OpenTasks,
    rpc,
};
use crate::{addresses::Addresses, chain::ChainError};

/// How deep a reorganisation of the chain may be that is noticed, in blocks.
const DEEPEST_REORG: usize = 64;

/// Something to tell.
#[derive(Debug)]
pub enum News {
    /// A task was created.
    Created(Open),
    /// A task was answered.
    Answered(Answered),
    /// A task was not answered in its window.
    Missed(Open),
    /// An operator has registered.
    Joined(Address),
}

/// A task that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The task.
    pub open: Open,
    /// Its answer.
    pub response: Response,
    /// When it was answered.
    pub at: At,
    /// Who could sign and who did.
    pub parts: Vec<Part>,
}

/// A block and what it brought.
#[derive(Debug)]
pub struct BlockNews {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// What it brought, in order.
    pub news: Vec<News>,
}

/// Follows the chain. What was not read because the node failed is read at the next attempt.
#[derive(Debug)]
pub struct Watch {
    tasks: Tasks,
    next: u64,
    open: OpenTasks,
    /// The hashes of the blocks before `next`, the newest last.
    trail: VecDeque<B256>,
}

impl Watch {
    /// Watches the blocks after the newest. The tasks that can be answered now are known, and not told of again.
    pub async fn from_here(tasks: Tasks) -> Result<Self, ChainError> {
        let head = tasks.head().await?.block;
        let wanted = Wanted { status: Some(TaskStatus::Open), last: usize::MAX, ..Wanted::default() };
        let from_block = tasks.oldest_open(head).await?;
        let mut open = OpenTasks::default();
        for record in tasks.latest(&Wanted { from_block, ..wanted }, head).await? {
            let created = tasks.at(u64::from(record.task.created_block).into()).await?;
            let (hash, task, last_block) = (record.hash, record.task, record.last_block);
            open.add(Open { hash, task, created, last_block });
        }
        Ok(Self { tasks, next: head.saturating_add(1), open, trail: VecDeque::new() })
    }

    /// Where everything is.
    pub fn addresses(&self) -> &Addresses {
        self.tasks.addresses()
    }

    /// What the next block brought; nothing where there is none yet.
    pub async fn next_block(&mut self) -> Result<Option<BlockNews>, ChainError> {
        let Some(block) = self.block_that_continues().await? else { return Ok(None) };
        let (number, hash) = (block.header.number, block.header.hash);
        let addresses = self.tasks.addresses();
        let contracts = vec![addresses.task_manager, addresses.registry_coordinator];
        let filter = Filter::new().address(contracts).at_block_hash(hash);
        let logs = self.tasks.provider.get_logs(&filter).await.map_err(rpc("a block's events"))?;
        let mut news = Vec::new();
        for log in &logs {
            news.extend(self.read_log(log, &block).await?);
        }
        // Nothing can fail from here on: what was read is told, once.
        for item in &news {
            self.remember(item);
        }
        news.extend(self.open.expire(number).into_iter().map(News::Missed));
        self.trail.push_back(hash);
        if self.trail.len() > DEEPEST_REORG {
            self.trail.pop_front();
        }
        self.next = number.saturating_add(1);
        Ok(Some(BlockNews { number, hash, news }))
    }

    /// The next block, after going back to where the chain forked.
    async fn block_that_continues(&mut self) -> Result<Option<Block>, ChainError> {
        loop {
            let block = self.tasks.provider.get_block_by_number(self.next.into()).await;
            let block = block.map_err(rpc("a block"))?;
            let Some(block) = block else { return Ok(None) };
            if block.header.number != self.next {
                let error =
                    TransportErrorKind::custom_str("it is another block than the one that was asked for");
                return Err(ChainError::rpc("a block", error));
            }
            match self.trail.back() {
                Some(parent) if *parent != block.header.parent_hash => {
                    self.trail.pop_back();
                    self.next -= 1;
                    self.open.retract_above(self.next - 1);
                }
                _ => return Ok(Some(block)),
            }
        }
    }

    async fn read_log(&self, log: &Log, block: &Block) -> Result<Option<News>, ChainError> {
        let at = At { block: block.header.number, time: block.header.timestamp };
        if let Some(created) = task_in(log) {
            let last_block = self.tasks.last_block(&created.task).await?;
            let open = Open { hash: created.hash, task: created.task, created: at, last_block };
            return Ok(Some(News::Created(open)));
        }
        if let Ok(joined) = SlashingRegistryCoordinator::OperatorRegistered::decode_log(&log.inner) {
            return Ok(Some(News::Joined(joined.operator)));
        }
        let Some((hash, response)) = response_in(log) else { return Ok(None) };
        let Some(open) = self.task(hash, at.block).await? else { return Ok(None) };
        let parts = self.tasks.signers(&open.task, &response).await?;
        Ok(Some(News::Answered(Answered { open, response, at, parts })))
    }

    /// A task that was answered. One that is not known to be open was, before a reorganisation took its answer away.
    async fn task(&self, hash: B256, head: u64) -> Result<Option<Open>, ChainError> {
        if let Some(open) = self.open.get(hash) {
            return Ok(Some(open.clone()));
        }
        let Some(record) = self.tasks.find(hash, head).await? else { return Ok(None) };
        let created = BlockNumberOrTag::Number(record.task.created_block.into());
        let created = self.tasks.at(created).await?;
        Ok(Some(Open { hash, task: record.task, created, last_block: record.last_block }))
    }

    fn remember(&mut self, news: &News) {
        match news {
            News::Created(open) => {
                self.open.add(open.clone());
            }
            News::Answered(answered) => self.open.remove(answered.open.hash),
            News::Missed(_) | News::Joined(_) => {}
        }
    }
}
