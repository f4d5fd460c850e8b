//! How the collector follows the chain.

use anzen_messages::chain::{BlockRef, ChainBlock, ChainEvent};
use anzen_messages::{Task, TaskHash, TaskResponse};

use super::collector::{Collector, Entry, Handover, Stage};
use super::effect::Effect;
use super::operators::Doubt;
use crate::follow::ChainState;
use crate::response_windows::ResponseWindows;

impl Collector {
    fn created(&mut self, task: &Task) -> Vec<Effect> {
        let hash = task.hash();
        let deadline = self.windows.deadline(u64::from(task.created_block));
        if let Some(entry) = self.tasks.get_mut(&hash) {
            entry.on_chain = true;
            entry.deadline = deadline;
            return Vec::new();
        }
        if !self.config.serves(task.oracle_index) {
            let known =
                self.unserved.insert(hash, deadline.saturating_add(self.config.finality_blocks)).is_some();
            return if known { Vec::new() } else { self.forget_early(hash) };
        }
        let entry = Entry {
            task: task.clone(),
            stage: Stage::Loading { asked: false },
            deadline,
            answered: None,
            on_chain: true,
            handover: Handover::None,
            doubt: Doubt::default(),
            told: false,
            missed: false,
        };
        self.tasks.insert(hash, entry);
        vec![Effect::Created { task: hash, oracle_index: task.oracle_index }]
    }

    fn answered(&mut self, response: &TaskResponse, at: BlockRef) -> Option<Effect> {
        let entry = self.tasks.get_mut(&response.task_hash)?;
        entry.answered = Some(at);
        if let Stage::Collecting(collection) = &mut entry.stage {
            collection.paused = true;
        }
        let first = !std::mem::replace(&mut entry.told, true);
        let (oracle_index, value) = (entry.task.oracle_index, response.safety_factor);
        first.then_some(Effect::Answered { oracle_index, value })
    }

    /// Tells, once, of the tasks whose window has passed at block `number`, and drops those that no reorg can bring back.
    fn prune(&mut self, number: u64) -> Vec<Effect> {
        let finality = self.config.finality_blocks;
        let mut effects = Vec::new();
        let mut over: Vec<TaskHash> = Vec::new();
        for (hash, entry) in &mut self.tasks {
            let missed = entry.on_chain && entry.answered.is_none() && number > entry.deadline;
            if missed && !std::mem::replace(&mut entry.missed, true) {
                effects.push(entry.unanswered(*hash));
            }
            let last = entry.answered.map_or(entry.deadline.saturating_add(1), |block| block.number);
            if number >= last.saturating_add(finality) {
                over.push(*hash);
            }
        }
        // Perhaps because of whom the collector took for operators.
        if !effects.is_empty() {
            self.sets.distrust();
        }
        self.unserved.retain(|_, until| number <= *until);
        effects.extend(over.into_iter().flat_map(|hash| self.drop_task(hash)));
        effects
    }

    fn drop_task(&mut self, hash: TaskHash) -> Vec<Effect> {
        let Some(entry) = self.tasks.remove(&hash) else { return Vec::new() };
        let mut effects = self.forget_early(hash);
        if let Stage::Collecting(collection) = &entry.stage {
            effects.push(Effect::Forget(collection.on_disk().map(|operator| (hash, operator)).collect()));
        }
        effects
    }

    fn forget_early(&mut self, hash: TaskHash) -> Vec<Effect> {
        let early = self.early.take(hash).into_keys().map(|operator| (hash, operator)).collect();
        some([Effect::Forget(early), Effect::ForgetSeconds(self.seconds.drop_task(hash))])
    }

    /// Drops signatures whose task has not come for a window. Only at the tip: while catching up it may be about to.
    fn expire(&mut self) -> Vec<Effect> {
        let (tasks, oldest) = (&self.tasks, self.tip.saturating_sub(self.windows.longest()));
        let early = self.early.expire(oldest, |task| tasks.contains_key(task));
        let seconds = self.seconds.expire(oldest, |task| tasks.contains_key(task));
        let penalties = self.standing.forget(self.tip);
        some([Effect::Forget(early), Effect::ForgetSeconds(seconds), Effect::ForgetPenalties(penalties)])
    }
}

/// Those that ask for something.
fn some(effects: impl IntoIterator<Item = Effect>) -> Vec<Effect> {
    let is_nothing = |effect: &Effect| match effect {
        Effect::Forget(places) | Effect::ForgetSeconds(places) => places.is_empty(),
        Effect::ForgetPenalties(operators) => operators.is_empty(),
        _ => false,
    };
    effects.into_iter().filter(|effect| !is_nothing(effect)).collect()
}

impl Entry {
    fn unanswered(&self, task: TaskHash) -> Effect {
        let stakes = match &self.stage {
            Stage::Collecting(collection) => collection.best_stakes(),
            Stage::Loading { .. } => Vec::new(),
        };
        let Task { index, oracle_index, .. } = self.task;
        Effect::Unanswered { task, index, oracle_index, stakes }
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
        self.catch_up()
    }

    fn apply(&mut self, block: &ChainBlock, head: BlockRef) -> Vec<Effect> {
        let number = block.header.at.number;
        if self.tip == 0 {
            self.early.first_block(head.number);
            self.seconds.first_block(head.number);
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
            effects.extend(self.expire());
            effects.extend(self.catch_up());
        }
        effects
    }
}
