//! All tasks: what is known, early, answered, over. No I/O, no clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use anzen_messages::aggregation::QuorumReached;
use anzen_messages::bls::Signature;
use anzen_messages::chain::{BlockRef, ChainBlock, ChainEvent};
use anzen_messages::signature::{SignedStake, SubmitReply, SubmitSignature};
use anzen_messages::task::SigningDomain;
use anzen_messages::{OperatorId, OperatorSet, SafetyFactor, Task, TaskHash};

use super::Config;
use super::check::{CheckJob, Checked};
use super::collection::{Added, Collection, Step};
use super::early::{Early, Waiting};
use super::sets::SetCache;
use crate::follow::ChainState;

/// What is to be done.
#[derive(Debug)]
pub(super) enum Effect {
    /// Read the operators of these quorums at this block; tell them by [`Collector::set_loaded`].
    LoadSet { task: TaskHash, at: BlockRef, quorums: Vec<u8> },
    /// Check signatures; tell the result by [`Collector::checked`].
    Check { task: TaskHash, value: SafetyFactor, job: CheckJob },
    /// Wait for slower operators, then call [`Collector::linger_over`].
    Linger { task: TaskHash },
    /// Hand the certificate to the aggregator.
    Reached(Box<QuorumReached>),
    /// Say who did what.
    Blame { task: u32, operator: OperatorId, fault: Fault },
    /// The window has passed without an answer on chain.
    Unanswered { task: u32, stakes: Vec<SignedStake> },
    /// Remove these records.
    Forget(Vec<(TaskHash, OperatorId)>),
}

/// What an operator did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Its signature is not one of the message.
    BadSignature,
    /// It signed another answer than the one that has the quorum.
    OtherAnswer { its: SafetyFactor, quorum: SafetyFactor },
    /// It signed two answers of one task.
    SecondAnswer,
}

/// What to do with a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Write it down, then call [`Collector::kept`].
    Keep,
    /// Write it down as evidence, then reply [`SubmitReply::SecondAnswer`].
    Evidence,
    /// Reply at once.
    Reply(SubmitReply),
}

#[derive(Debug)]
enum Stage {
    /// The operator set is being read.
    Loading,
    Collecting(Box<Collection>),
}

#[derive(Debug)]
struct Entry {
    task: Task,
    stage: Stage,
    /// The block with the answer.
    answered: Option<BlockRef>,
    /// The creation is part of the chain as it is now.
    on_chain: bool,
    /// The certificate, until the task is answered.
    certificate: bool,
}

/// The collector's state.
#[derive(Debug)]
pub(super) struct Collector {
    config: Config,
    domain: SigningDomain,
    window: u64,
    head: u64,
    tasks: BTreeMap<TaskHash, Entry>,
    early: Early,
    sets: SetCache,
}

impl Collector {
    pub(super) fn new(config: Config, domain: SigningDomain, window: u64) -> Self {
        Self {
            config,
            domain,
            window,
            head: 0,
            tasks: BTreeMap::new(),
            early: Early::default(),
            sets: SetCache::default(),
        }
    }

    /// Takes in a record of an earlier life of this process.
    pub(super) fn recover(&mut self, task: TaskHash, operator: OperatorId, record: Waiting) {
        self.early.insert(task, operator, record);
    }

    /// What to do with a submission. Changes nothing: it is not on disk yet.
    pub(super) fn receive(&self, message: &SubmitSignature, signature: &Signature) -> Verdict {
        let (task, value) = (message.response.task_hash, message.response.safety_factor);
        match self.tasks.get(&task) {
            Some(Entry { stage: Stage::Collecting(collection), answered, .. }) => {
                match collection.judge(message.operator_id, value, signature) {
                    Added::Counted if answered.is_some() => Verdict::Reply(SubmitReply::TooLate),
                    Added::Counted => Verdict::Keep,
                    Added::SecondAnswer => Verdict::Evidence,
                    other => Verdict::Reply(other.into()),
                }
            }
            known => self.receive_early(message, signature, known.is_some()),
        }
    }

    fn receive_early(&self, message: &SubmitSignature, signature: &Signature, known: bool) -> Verdict {
        match self.early.get(message.response.task_hash, message.operator_id) {
            Some(first) if first.value == message.response.safety_factor && first.signature == *signature => {
                Verdict::Reply(SubmitReply::Duplicate)
            }
            Some(_) => Verdict::Evidence,
            None if known || self.early.count(message.operator_id) < self.config.early_per_operator => {
                Verdict::Keep
            }
            None => Verdict::Reply(SubmitReply::TooManyEarly),
        }
    }

    /// The form in which a submission is kept.
    pub(super) fn record(&self, message: &SubmitSignature, signature: Signature) -> Waiting {
        Waiting { value: message.response.safety_factor, signature, since: self.head }
    }

    /// Takes in a submission that is on disk.
    pub(super) fn kept(
        &mut self,
        task: TaskHash,
        operator: OperatorId,
        record: Waiting,
    ) -> (SubmitReply, Vec<Effect>) {
        match self.tasks.get_mut(&task) {
            Some(Entry { stage: Stage::Collecting(collection), .. }) => {
                let (added, step) = collection.add(operator, record.value, record.signature);
                let mut effects = self.step(task, step);
                if added == Added::SecondAnswer {
                    effects.extend(self.blame(task, operator, Fault::SecondAnswer));
                }
                (added.into(), effects)
            }
            known => {
                let reply = if known.is_some() { SubmitReply::Accepted } else { SubmitReply::Early };
                self.early.insert(task, operator, record);
                (reply, Vec::new())
            }
        }
    }

    /// An operator's second answer is on disk.
    pub(super) fn second_answer(&self, task: TaskHash, operator: OperatorId) -> Vec<Effect> {
        self.blame(task, operator, Fault::SecondAnswer)
    }

    /// True while the task waits for its operators.
    pub(super) fn needs_set(&self, task: TaskHash) -> bool {
        self.tasks
            .get(&task)
            .is_some_and(|entry| matches!(entry.stage, Stage::Loading) && entry.answered.is_none())
    }

    /// The operators at a task's reference block, where nothing has changed since they were last read.
    pub(super) fn cached_set(&self, task: TaskHash) -> Option<Arc<OperatorSet>> {
        let task = &self.tasks.get(&task)?.task;
        self.sets.get(task.reference_block.into(), &task.quorum_numbers)
    }

    /// The operators at a task's reference block are known.
    pub(super) fn set_loaded(&mut self, task: TaskHash, set: Arc<OperatorSet>) -> Vec<Effect> {
        let Some(entry) = self.tasks.get_mut(&task) else { return Vec::new() };
        if !matches!(entry.stage, Stage::Loading) {
            return Vec::new();
        }
        self.sets.put(entry.task.reference_block.into(), Arc::clone(&set));
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

    fn step(&mut self, task: TaskHash, step: Option<Step>) -> Vec<Effect> {
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

    fn blame(&self, task: TaskHash, operator: OperatorId, fault: Fault) -> Vec<Effect> {
        let entry = self.tasks.get(&task);
        entry.map(|entry| Effect::Blame { task: entry.task.index, operator, fault }).into_iter().collect()
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

    fn created(&mut self, task: &Task) -> Vec<Effect> {
        let hash = task.hash();
        if let Some(entry) = self.tasks.get_mut(&hash) {
            entry.on_chain = true;
            return Vec::new();
        }
        let at = BlockRef { number: task.reference_block.into(), hash: task.reference_block_hash };
        let quorums = task.quorum_numbers.to_vec();
        let entry = Entry {
            task: task.clone(),
            stage: Stage::Loading,
            answered: None,
            on_chain: true,
            certificate: false,
        };
        self.tasks.insert(hash, entry);
        vec![Effect::LoadSet { task: hash, at, quorums }]
    }

    /// Drops what is over.
    fn prune(&mut self) -> Vec<Effect> {
        let (head, window, finality) = (self.head, self.window, self.config.finality_blocks);
        let over = |entry: &Entry| match entry.answered {
            Some(block) => head >= block.number + finality,
            None => head > u64::from(entry.task.created_block) + window,
        };
        let over: Vec<TaskHash> =
            self.tasks.iter().filter(|(_, entry)| over(entry)).map(|(hash, _)| *hash).collect();
        let mut effects: Vec<Effect> = over.into_iter().flat_map(|hash| self.drop_task(hash)).collect();
        let expired = self.early.expire(head.saturating_sub(window));
        if !expired.is_empty() {
            effects.push(Effect::Forget(expired));
        }
        effects
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
        let report = unanswered.then_some(Effect::Unanswered { task: entry.task.index, stakes });
        report.into_iter().chain([Effect::Forget(records)]).collect()
    }
}

impl ChainState for Collector {
    type Effect = Effect;

    /// Nothing is forgotten: a task is named by its hash, and one that the chain no longer has expires by its window.
    fn restart(&mut self) -> Vec<Effect> {
        self.sets.restart();
        Vec::new()
    }

    fn retract(&mut self, block: BlockRef) -> Vec<Effect> {
        self.sets.retract(block);
        for entry in self.tasks.values_mut() {
            entry.on_chain &= u64::from(entry.task.created_block) <= block.number;
            entry.answered = entry.answered.filter(|at| at.number <= block.number);
        }
        Vec::new()
    }

    fn apply(&mut self, block: &ChainBlock, _head: BlockRef) -> Vec<Effect> {
        if self.head == 0 {
            self.early.first_block(block.header.at.number);
        }
        self.head = block.header.at.number;
        self.sets.apply(self.head, block.events.contains(&ChainEvent::OperatorsChanged));
        let mut effects = Vec::new();
        for event in &block.events {
            match event {
                ChainEvent::TaskCreated { task } => effects.extend(self.created(task)),
                ChainEvent::TaskResponded { response, .. } => {
                    if let Some(entry) = self.tasks.get_mut(&response.task_hash) {
                        entry.answered = Some(block.header.at);
                    }
                }
                ChainEvent::OperatorsChanged | ChainEvent::QuorumRefreshed { .. } => {}
            }
        }
        effects.extend(self.prune());
        effects
    }
}

impl From<Added> for SubmitReply {
    fn from(added: Added) -> Self {
        match added {
            Added::Counted => Self::Accepted,
            Added::Duplicate => Self::Duplicate,
            Added::SecondAnswer => Self::SecondAnswer,
            Added::NotInSet => Self::NotInSet,
            Added::Invalid => Self::Invalid,
            Added::TooLate => Self::TooLate,
        }
    }
}
