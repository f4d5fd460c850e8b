//! Reads the chain block by block, tells the ledger, and keeps what the report is about.

use std::collections::{BTreeMap, BTreeSet};

use alloy::eips::BlockId;
use alloy::primitives::{B256, I256};
use alloy::providers::Provider;
use alloy::rpc::types::{Block, Filter, Log};
use alloy::sol_types::SolEvent;
use anzen_messages::chain::{BlockRef, ChainBlock, ChainEvent, Header};
use anzen_messages::{SafetyFactor, Task, TaskHash, TaskResponse};
use tokio::sync::watch;

use super::witness::Witness;
use crate::e2e::abi::{NewTaskCreated, TaskResponded};
use crate::e2e::chain::Chain;
use crate::invariants::Fact;

/// A task as the chain has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) index: u32,
    pub(super) created: u64,
    /// The block with its answer.
    pub(super) answered: Option<u64>,
}

impl Seen {
    /// Blocks from its creation to its answer.
    pub(super) fn delay(&self) -> Option<u64> {
        self.answered.map(|block| block - self.created)
    }
}

/// What there is on chain, and what there was.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) head: u64,
    pub(super) tasks: BTreeMap<TaskHash, Seen>,
    /// The tasks that ever had an index, on any fork.
    pub(super) of_index: BTreeMap<u32, BTreeSet<TaskHash>>,
    /// How deep each reorg was.
    pub(super) reorgs: Vec<u64>,
}

impl Tally {
    pub(super) fn answered(&self) -> usize {
        self.tasks.values().filter(|task| task.answered.is_some()).count()
    }

    /// The task that waited longest for its answer.
    pub(super) fn slowest(&self) -> Option<Seen> {
        self.tasks.values().copied().max_by_key(Seen::delay)
    }
}

/// Follows the chain.
pub(super) struct Observer {
    chain: Chain,
    witness: Witness,
    /// The blocks that were told, the newest last.
    trail: Vec<BlockRef>,
    tally: watch::Sender<Tally>,
    /// The newest task, and its true answer.
    newest: watch::Sender<Option<(B256, I256)>>,
}

impl Observer {
    pub(super) fn new(chain: Chain, witness: Witness) -> Self {
        Self {
            chain,
            witness,
            trail: Vec::new(),
            tally: watch::Sender::default(),
            newest: watch::Sender::new(None),
        }
    }

    pub(super) fn tally(&self) -> watch::Receiver<Tally> {
        self.tally.subscribe()
    }

    /// The newest block that was told.
    pub(super) fn newest(&self) -> Option<BlockRef> {
        self.trail.last().copied()
    }

    /// The newest task, and its true answer, as they come.
    pub(super) fn newest_task(&self) -> watch::Receiver<Option<(B256, I256)>> {
        self.newest.subscribe()
    }

    pub(super) fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Tells all that is new, up to the newest block.
    pub(super) async fn catch_up(&mut self) {
        self.retract().await;
        while let Some(block) = self.block(self.next()).await {
            if self.trail.last().is_some_and(|last| last.hash != block.header.parent_hash) {
                self.retract().await;
            } else {
                self.add(&block).await;
            }
        }
    }

    fn next(&self) -> u64 {
        let first = || self.chain.addresses["deploymentBlock"].as_u64().unwrap();
        self.trail.last().map_or_else(first, |last| last.number + 1)
    }

    async fn block(&self, number: u64) -> Option<Block> {
        self.chain.provider().get_block_by_number(number.into()).await.unwrap()
    }

    /// Goes back to the newest block that is on the chain still.
    async fn retract(&mut self) {
        let before = self.trail.len();
        while let Some(last) = self.trail.last() {
            if self.block(last.number).await.is_some_and(|block| block.header.hash == last.hash) {
                break;
            }
            self.trail.pop();
        }
        if self.trail.len() == before {
            return;
        }
        let to = self.next() - 1;
        self.witness.disturb();
        self.witness.tell(Fact::Reorg { to });
        self.tally.send_modify(|tally| {
            tally.reorgs.push((before - self.trail.len()) as u64);
            tally.tasks.retain(|_, task| task.created <= to);
            for task in tally.tasks.values_mut() {
                task.answered = task.answered.filter(|block| *block <= to);
            }
        });
    }

    async fn add(&mut self, block: &Block) {
        let at = BlockRef { number: block.header.number, hash: block.header.hash };
        let manager = self.chain.address("taskManager");
        let filter = Filter::new().address(manager).at_block_hash(at.hash);
        let logs = self.chain.provider().get_logs(&filter).await.unwrap();
        let events: Vec<ChainEvent> = logs.iter().filter_map(event).collect();
        for event in &events {
            if let ChainEvent::TaskCreated { task } = event {
                self.tell_truth(task).await;
            }
        }
        self.trail.push(at);
        self.note(at.number, &events);
        let header = Header {
            at,
            parent_hash: block.header.parent_hash,
            timestamp: block.header.timestamp,
            base_fee: block.header.base_fee_per_gas.unwrap_or_default().into(),
        };
        self.witness.block(ChainBlock { header, events });
    }

    /// Tells the answer by hand.
    async fn tell_truth(&self, task: &Task) {
        let block = BlockId::hash(task.reference_block_hash);
        let value = self.chain.by_hand_at(task.oracle_index, block).await;
        self.newest.send_replace(Some((task.hash().0, value)));
        self.witness.tell(Fact::Truth { task: task.hash(), value: SafetyFactor(value) });
    }

    fn note(&self, number: u64, events: &[ChainEvent]) {
        self.tally.send_modify(|tally| {
            tally.head = number;
            for event in events {
                match event {
                    ChainEvent::TaskCreated { task } => {
                        let seen = Seen { index: task.index, created: number, answered: None };
                        tally.tasks.insert(task.hash(), seen);
                        tally.of_index.entry(task.index).or_default().insert(task.hash());
                    }
                    ChainEvent::TaskResponded { response, .. } => {
                        if let Some(task) = tally.tasks.get_mut(&response.task_hash) {
                            task.answered = Some(number);
                        }
                    }
                    _ => {}
                }
            }
        });
    }
}

/// What a log says of a task; nothing where it is about something else.
fn event(log: &Log) -> Option<ChainEvent> {
    if let Ok(created) = NewTaskCreated::decode_log(&log.inner) {
        let task = &created.task;
        return Some(ChainEvent::TaskCreated {
            task: Task {
                index: task.index,
                oracle_index: task.oracleIndex,
                model_hash: task.modelHash,
                proposed_safety_factor: SafetyFactor(task.proposedSafetyFactor),
                reference_block: task.referenceBlock,
                reference_block_hash: task.referenceBlockHash,
                created_block: task.createdBlock,
                quorum_numbers: task.quorumNumbers.clone(),
                quorum_threshold_percentage: task.quorumThresholdPercentage,
            },
        });
    }
    let responded = TaskResponded::decode_log(&log.inner).ok()?;
    let response = response(responded.taskHash, responded.response.safetyFactor);
    let transaction = log.transaction_hash.unwrap_or_default();
    Some(ChainEvent::TaskResponded { task_index: responded.taskIndex, response, transaction })
}

fn response(task: B256, value: I256) -> TaskResponse {
    TaskResponse { task_hash: TaskHash(task), safety_factor: SafetyFactor(value) }
}
