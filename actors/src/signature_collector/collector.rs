//! All tasks: what is known, early, answered, over. No I/O, no clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use anzen_messages::bls::Signature;
use anzen_messages::chain::{BlockRef, ChainBlock, ChainEvent};
use anzen_messages::signature::SubmitReply;
use anzen_messages::task::SigningDomain;
use anzen_messages::{OperatorId, OperatorSet, SafetyFactor, Task, TaskHash, TaskResponse};

use super::Config;
use super::check::Checked;
use super::collection::{Added, Collection, Step};
use super::early::{Early, Waiting};
use super::effect::{Effect, Fault};
use super::sets::SetCache;
use crate::follow::ChainState;
use crate::response_windows::ResponseWindows;

#[derive(Debug)]
pub(super) enum Stage {
    /// The operator set is not known; `asked` while it is being read.
    Loading {
        asked: bool,
    },
    Collecting(Box<Collection>),
}

#[derive(Debug)]
pub(super) struct Entry {
    task: Task,
    pub(super) stage: Stage,
    /// The last block in which it can be answered.
    deadline: u64,
    /// The block with the answer.
    pub(super) answered: Option<BlockRef>,
    /// The creation is part of the chain as it is now.
    on_chain: bool,
    /// The certificate, until the task is answered.
    certificate: bool,
    /// The answer was told: a reorg that brings it again tells nothing new.
    told: bool,
}

/// The collector's state.
#[derive(Debug)]
pub(super) struct Collector {
    pub(super) config: Config,
    domain: SigningDomain,
    windows: ResponseWindows,
    /// The newest block that the watcher told of; 0 before the first. While catching up, blocks below it are applied.
    pub(super) tip: u64,
    pub(super) tasks: BTreeMap<TaskHash, Entry>,
    pub(super) early: Early,
    /// Signatures that are being written to disk: the first of an operator for a task, so that of two that come at once
    /// one is the second.
    pub(super) writing: BTreeMap<(TaskHash, OperatorId), (SafetyFactor, Signature)>,
    sets: SetCache,
}

impl Collector {
    pub(super) fn new(config: Config, domain: SigningDomain, window: u64) -> Self {
        Self {
            config,
            domain,
            windows: ResponseWindows::new(window),
            tip: 0,
            tasks: BTreeMap::new(),
            early: Early::default(),
            writing: BTreeMap::new(),
            sets: SetCache::default(),
        }
    }

    /// Takes in a record of an earlier life of this process.
    pub(super) fn recover(&mut self, task: TaskHash, operator: OperatorId, record: Waiting) {
        self.early.insert(task, operator, record);
    }

    /// True while the task waits for its operators. Where it does not any more, reading them is given up.
    pub(super) fn needs_set(&mut self, task: TaskHash) -> bool {
        let Some(entry) = self.tasks.get_mut(&task) else { return false };
        let needed = entry.answered.is_none() && entry.on_chain;
        match &mut entry.stage {
            Stage::Loading { asked } => {
                *asked &= needed;
                needed
            }
            Stage::Collecting(_) => false,
        }
    }

    /// The operators at a task's reference block, where nothing has changed since they were last read.
    pub(super) fn cached_set(&self, task: TaskHash) -> Option<Arc<OperatorSet>> {
        let task = &self.tasks.get(&task)?.task;
        self.sets.get(task.reference_block.into(), &task.quorum_numbers)
    }

    /// The operators at a task's reference block are known.
    pub(super) fn set_loaded(&mut self, task: TaskHash, set: Arc<OperatorSet>) -> Vec<Effect> {
        let Some(entry) = self.tasks.get_mut(&task) else { return Vec::new() };
        if !matches!(entry.stage, Stage::Loading { .. }) {
            return Vec::new();
        }
        // A set of a block that a reorg has undone says nothing about other blocks.
        if entry.on_chain {
            self.sets.put(entry.task.reference_block.into(), Arc::clone(&set));
        }
        entry.stage =
            Stage::Collecting(Box::new(Collection::new(entry.task.clone(), self.domain.clone(), set)));
        let waiting = self.early.take(task);
        let mut effects = Vec::new();
        for (operator, record) in waiting {
            let (reply, more) = self.kept(task, operator, record);
            effects.extend(more);
            if reply == SubmitReply::NotInSet {
                effects.push(Effect::Forget(vec![(task, operator)]));
            }
        }
        effects
    }

    /// A check is done.
    pub(super) fn checked(&mut self, task: TaskHash, value: SafetyFactor, result: &Checked) -> Vec<Effect> {
        let Some(Entry { stage: Stage::Collecting(collection), .. }) = self.tasks.get_mut(&task) else {
            return Vec::new();
        };
        let step = collection.checked(value, result);
        let mut effects: Vec<Effect> =
            result.bad.iter().flat_map(|operator| self.blame(task, *operator, Fault::BadSignature)).collect();
        effects.extend(self.step(task, step));
        effects
    }

    /// The time for slower operators has passed.
    pub(super) fn linger_over(&mut self, task: TaskHash) -> Vec<Effect> {
        let step = match self.tasks.get_mut(&task) {
            Some(Entry { stage: Stage::Collecting(collection), .. }) => collection.linger_over(),
            _ => None,
        };
        self.step(task, step)
    }

    /// True while a task's certificate should be handed to the aggregator.
    pub(super) fn wants_posting(&self, task: TaskHash) -> bool {
        self.tasks.get(&task).is_some_and(|entry| entry.certificate && entry.answered.is_none())
    }

    /// Tasks that are known and not over, and early signatures.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.tasks.len(), self.early.len())
    }

    pub(super) fn step(&mut self, task: TaskHash, step: Option<Step>) -> Vec<Effect> {
        match step {
            None => Vec::new(),
            Some(Step::Check(value, job)) => vec![Effect::Check { task, value, job }],
            Some(Step::Linger) => vec![Effect::Linger { task }],
            Some(Step::Reached(reached)) => {
                let mut effects = self.blame_others(task, reached.response.safety_factor);
                if let Some(entry) = self.tasks.get_mut(&task) {
                    entry.certificate = true;
                }
                effects.push(Effect::Reached(reached));
                effects
            }
        }
    }

    pub(super) fn blame(&self, task: TaskHash, operator: OperatorId, fault: Fault) -> Vec<Effect> {
        let index = self.tasks.get(&task).map(|entry| entry.task.index);
        index.map(|index| Effect::Blame { task, index, operator, fault }).into_iter().collect()
    }

    fn blame_others(&self, task: TaskHash, quorum: SafetyFactor) -> Vec<Effect> {
        let Some(Entry { stage: Stage::Collecting(collection), .. }) = self.tasks.get(&task) else {
            return Vec::new();
        };
        let others = collection.signers().filter(|(_, value)| **value != quorum);
        others
            .flat_map(|(operator, its)| self.blame(task, *operator, Fault::OtherAnswer { its: *its, quorum }))
            .collect()
    }

    fn created(&mut self, task: &Task) -> Option<Effect> {
        let hash = task.hash();
        let deadline = self.windows.deadline(u64::from(task.created_block));
        if let Some(entry) = self.tasks.get_mut(&hash) {
            entry.on_chain = true;
            entry.deadline = deadline;
            return None;
        }
        let entry = Entry {
            task: task.clone(),
            stage: Stage::Loading { asked: false },
            deadline,
            answered: None,
            on_chain: true,
            certificate: false,
            told: false,
        };
        self.tasks.insert(hash, entry);
        Some(Effect::Created { task: hash, oracle_index: task.oracle_index })
    }

    fn answered(&mut self, response: &TaskResponse, at: BlockRef) -> Option<Effect> {
        let entry = self.tasks.get_mut(&response.task_hash)?;
        entry.answered = Some(at);
        let first = !std::mem::replace(&mut entry.told, true);
        let (oracle_index, value) = (entry.task.oracle_index, response.safety_factor);
        first.then_some(Effect::Answered { oracle_index, value })
    }

    /// Has the operators read of every task that waits for them.
    fn load_sets(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (hash, entry) in &mut self.tasks {
            let Stage::Loading { asked: asked @ false } = &mut entry.stage else { continue };
            if entry.answered.is_some() || !entry.on_chain {
                continue;
            }
            *asked = true;
            let at =
                BlockRef { number: entry.task.reference_block.into(), hash: entry.task.reference_block_hash };
            let quorums = entry.task.quorum_numbers.to_vec();
            effects.push(Effect::LoadSet { task: *hash, at, quorums });
        }
        effects
    }

    /// Drops the tasks that are over at block `number`.
    fn prune(&mut self, number: u64) -> Vec<Effect> {
        let finality = self.config.finality_blocks;
        let over = |entry: &Entry| match entry.answered {
            Some(block) => number >= block.number + finality,
            None => number > entry.deadline,
        };
        let over: Vec<TaskHash> =
            self.tasks.iter().filter(|(_, entry)| over(entry)).map(|(hash, _)| *hash).collect();
        over.into_iter().flat_map(|hash| self.drop_task(hash)).collect()
    }

    /// Drops signatures whose task has not come for a window. Only at the tip: while catching up it may be about to.
    fn expire_early(&mut self) -> Option<Effect> {
        let tasks = &self.tasks;
        let expired = self
            .early
            .expire(self.tip.saturating_sub(self.windows.longest()), |task| tasks.contains_key(task));
        (!expired.is_empty()).then_some(Effect::Forget(expired))
    }

    fn drop_task(&mut self, hash: TaskHash) -> Vec<Effect> {
        let Some(entry) = self.tasks.remove(&hash) else { return Vec::new() };
        let mut records: Vec<_> =
            self.early.take(hash).into_keys().map(|operator| (hash, operator)).collect();
        let mut stakes = Vec::new();
        if let Stage::Collecting(collection) = &entry.stage {
            records.extend(collection.signers().map(|(operator, _)| (hash, *operator)));
            stakes = collection.best_stakes();
        }
        let unanswered = entry.answered.is_none() && entry.on_chain;
        let Task { index, oracle_index, .. } = entry.task;
        let report = unanswered.then_some(Effect::Unanswered { task: hash, index, oracle_index, stakes });
        report.into_iter().chain([Effect::Forget(records)]).collect()
    }
}

impl ChainState for Collector {
    type Effect = Effect;

    /// Tasks and signatures stay: a task is named by its hash, and one that the chain no longer has expires by its window.
    /// What the chain has of them is told again.
    fn restart(&mut self, response_window: u64) -> Vec<Effect> {
        self.windows = ResponseWindows::new(response_window);
        self.sets.restart();
        for entry in self.tasks.values_mut() {
            entry.on_chain = false;
            entry.answered = None;
        }
        Vec::new()
    }

    fn retract(&mut self, block: BlockRef) -> Vec<Effect> {
        self.sets.retract(block);
        self.windows.retract(block);
        for entry in self.tasks.values_mut() {
            entry.on_chain &= u64::from(entry.task.created_block) <= block.number;
            entry.answered = entry.answered.filter(|at| at.number <= block.number);
        }
        self.load_sets()
    }

    fn apply(&mut self, block: &ChainBlock, head: BlockRef) -> Vec<Effect> {
        let number = block.header.at.number;
        if self.tip == 0 {
            self.early.first_block(head.number);
        }
        self.tip = head.number;
        self.sets.apply(number, block.events.contains(&ChainEvent::OperatorsChanged));
        let mut effects = Vec::new();
        for event in &block.events {
            match event {
                ChainEvent::TaskCreated { task } => effects.extend(self.created(task)),
                ChainEvent::TaskResponded { response, .. } => {
                    effects.extend(self.answered(response, block.header.at));
                }
                ChainEvent::OperatorsChanged
                | ChainEvent::QuorumRefreshed { .. }
                | ChainEvent::ResponseWindowChanged { .. } => {}
            }
        }
        self.windows.apply(block);
        effects.extend(self.prune(number));
        if block.header.at == head {
            effects.extend(self.expire_early());
            effects.extend(self.load_sets());
        }
        effects
    }
}

impl From<Added> for SubmitReply {
    fn from(added: Added) -> Self {
        match added {
            Added::Counted => Self::Accepted,
            Added::Duplicate => Self::Duplicate,
            Added::SecondAnswer | Added::OtherSignature => Self::SecondAnswer,
            Added::NotInSet => Self::NotInSet,
            Added::Invalid => Self::Invalid,
            Added::TooLate => Self::TooLate,
        }
    }
}
