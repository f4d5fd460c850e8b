//! The canonical chain, as the facts tell it.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};
use anzen_messages::chain::{ChainBlock, ChainEvent};
use anzen_messages::{Task, TaskHash, TaskResponse};

use super::fact::MinedTx;

/// A task that is on the canonical chain.
#[derive(Debug, Clone)]
pub(super) struct OnChain {
    pub(super) task: Task,
    /// The block with its answer.
    pub(super) answered: Option<u64>,
}

impl OnChain {
    pub(super) fn created(&self) -> u64 {
        self.task.created_block.into()
    }
}

#[derive(Debug, Default)]
pub(super) struct Chain {
    blocks: BTreeMap<u64, ChainBlock>,
    pub(super) tasks: BTreeMap<TaskHash, OnChain>,
    /// Every task that ever was on a canonical chain, with the block of its creation.
    pub(super) ever: BTreeMap<TaskHash, u64>,
    /// The transactions that are mined, by sender and nonce.
    pub(super) mined: BTreeMap<(Address, u64), (u64, B256, bool)>,
    /// The first of the latest quiet blocks in a row.
    quiet_since: Option<u64>,
    /// The highest block that there ever was.
    pub(super) highest: u64,
}

/// What a block's events do that they must not.
#[derive(Debug)]
pub(super) enum Oddity {
    /// The answer is to a task that is not there.
    Unknown(TaskResponse),
    /// The task had an answer.
    Twice(TaskResponse),
}

impl Chain {
    pub(super) fn head(&self) -> u64 {
        self.blocks.last_key_value().map_or(0, |(number, _)| *number)
    }

    pub(super) fn block(&self, number: u64) -> Option<&ChainBlock> {
        self.blocks.get(&number)
    }

    /// The first of the latest quiet blocks in a row, if the newest is one.
    pub(super) fn quiet_since(&self) -> Option<u64> {
        self.quiet_since
    }

    /// Adds a block. Returns the answers in it, and what must not be.
    pub(super) fn add(
        &mut self,
        block: ChainBlock,
        transactions: &[MinedTx],
        quiet: bool,
    ) -> Result<Vec<TaskResponse>, Oddity> {
        let number = block.header.at.number;
        for tx in transactions {
            self.mined.insert((tx.sender, tx.nonce), (number, tx.hash, tx.succeeded));
        }
        self.highest = self.highest.max(number);
        self.quiet_since = quiet.then(|| self.quiet_since.unwrap_or(number));
        let events = block.events.clone();
        self.blocks.insert(number, block);
        let mut answers = Vec::new();
        for event in events {
            match event {
                ChainEvent::TaskCreated { task } => {
                    self.ever.insert(task.hash(), number);
                    self.tasks.insert(task.hash(), OnChain { task, answered: None });
                }
                ChainEvent::TaskResponded { response, .. } => {
                    self.answer(&response, number)?;
                    answers.push(response);
                }
                ChainEvent::OperatorsChanged
                | ChainEvent::ResponseWindowChanged { .. }
                | ChainEvent::QuorumRefreshed { .. } => {}
            }
        }
        Ok(answers)
    }

    fn answer(&mut self, response: &TaskResponse, number: u64) -> Result<(), Oddity> {
        let Some(task) = self.tasks.get_mut(&response.task_hash) else {
            return Err(Oddity::Unknown(*response));
        };
        match task.answered.replace(number) {
            None => Ok(()),
            Some(_) => Err(Oddity::Twice(*response)),
        }
    }

    /// Undoes everything above block `to`.
    pub(super) fn retract(&mut self, to: u64) {
        self.blocks.split_off(&(to + 1));
        self.tasks.retain(|_, task| task.created() <= to);
        for task in self.tasks.values_mut() {
            task.answered = task.answered.filter(|at| *at <= to);
        }
        self.mined.retain(|_, (number, ..)| *number <= to);
        self.quiet_since = None;
    }

    /// The task, where it is on chain, has no answer, and a response in the next block would be in time.
    pub(super) fn open(&self, task: TaskHash, window: u64) -> Option<&OnChain> {
        let head = self.head();
        self.tasks.get(&task).filter(|task| task.answered.is_none() && head < task.created() + window)
    }

    /// How many tasks there were, on any fork, since block `since`, that have no answer on this one.
    pub(super) fn unanswered_since(&self, since: u64) -> usize {
        let answered = |task: &TaskHash| self.tasks.get(task).is_some_and(|task| task.answered.is_some());
        self.ever.iter().filter(|(task, created)| **created >= since && !answered(task)).count()
    }

    /// How many tasks there were, on any fork, since block `since`.
    pub(super) fn tasks_since(&self, since: u64) -> usize {
        self.ever.values().filter(|created| **created >= since).count()
    }
}
