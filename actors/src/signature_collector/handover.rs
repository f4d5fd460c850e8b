//! How certificates get to the aggregator, and what is done where one shows no effect.

use anzen_messages::TaskHash;
use anzen_messages::aggregation::QuorumReached;

use super::collector::{Collector, Entry, Handover, Stage};
use super::effect::Effect;

impl Entry {
    /// An answer of it would be of use.
    pub(super) fn is_open(&self, tip: u64) -> bool {
        self.on_chain && self.answered.is_none() && tip <= self.deadline
    }
}

impl Collector {
    /// True where a task has its certificate, whether the aggregator has taken it or not.
    pub(super) fn is_certified(&self, task: TaskHash) -> bool {
        self.tasks.get(&task).is_some_and(|entry| !matches!(entry.handover, Handover::None))
    }

    /// The certificate of a task that the aggregator has not taken yet.
    pub(super) fn certificate(&self, task: TaskHash) -> Option<&QuorumReached> {
        match &self.tasks.get(&task)?.handover {
            Handover::Due { reached, .. } => Some(reached),
            Handover::None | Handover::Done => None,
        }
    }

    /// Begins to hand a certificate over, where there is one and it is of use.
    pub(super) fn hand_over(&mut self, task: TaskHash) -> Option<Effect> {
        let tip = self.tip;
        let entry = self.tasks.get_mut(&task).filter(|entry| entry.is_open(tip))?;
        match &mut entry.handover {
            Handover::Due { under_way: under_way @ false, .. } => {
                *under_way = true;
                Some(Effect::HandOver { task })
            }
            _ => None,
        }
    }

    /// What is to be handed over now. Where it is of no use at present, that ends; it begins again when a reorg undoes the
    /// answer.
    pub(super) fn due_for_handover(&mut self, task: TaskHash) -> Option<Box<QuorumReached>> {
        let tip = self.tip;
        let entry = self.tasks.get_mut(&task)?;
        let open = entry.is_open(tip);
        match &mut entry.handover {
            Handover::Due { reached, .. } if open => Some(reached.clone()),
            Handover::Due { under_way, .. } => {
                *under_way = false;
                None
            }
            Handover::None | Handover::Done => None,
        }
    }

    /// The aggregator has taken it. Another certificate may have been made meanwhile.
    pub(super) fn handed_over(&mut self, reached: &QuorumReached) -> Option<Effect> {
        let task = reached.response.task_hash;
        let entry = self.tasks.get_mut(&task)?;
        match &mut entry.handover {
            Handover::Due { reached: due, under_way } if **due != *reached => *under_way = false,
            handover => *handover = Handover::Done,
        }
        self.hand_over(task)
    }

    /// What was put off while tasks were answered, or not on the chain.
    pub(super) fn catch_up(&mut self) -> Vec<Effect> {
        let mut effects = self.load_sets();
        effects.extend(self.reread_sets());
        let tip = self.tip;
        let open = self.tasks.iter().filter(|(_, entry)| entry.is_open(tip));
        let open: Vec<TaskHash> = open.map(|(task, _)| *task).collect();
        for task in open {
            effects.extend(self.resume(task));
            effects.extend(self.hand_over(task));
        }
        effects
    }

    fn resume(&mut self, task: TaskHash) -> Vec<Effect> {
        let steps = match self.tasks.get_mut(&task) {
            Some(Entry { stage: Stage::Collecting(collection), .. }) if collection.paused => {
                collection.resume()
            }
            _ => Vec::new(),
        };
        steps.into_iter().flat_map(|step| self.step(task, Some(step))).collect()
    }
}
