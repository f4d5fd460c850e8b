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

    /// Has the operators read of every task that waits for them.
    fn load_sets(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (task, entry) in &mut self.tasks {
            let Stage::Loading { asked: asked @ false } = &mut entry.stage else { continue };
            // Who the operators were has to be known as well to judge one that gave two answers.
            if (entry.answered.is_some() && !self.seconds.concern(*task)) || !entry.on_chain {
                continue;
            }
            *asked = true;
            effects.push(load_set(*task, entry));
        }
        effects
    }

    /// Has the operators read again of every task whose certificate shows no answer: an endpoint that lagged or lied may
    /// have told other ones than there were.
    fn reread_sets(&mut self) -> Vec<Effect> {
        let tip = self.tip;
        let mut effects = Vec::new();
        for (task, entry) in &mut self.tasks {
            let due = entry.doubted.filter(|(at, _)| tip >= *at && !entry.rereading && entry.is_open(tip));
            let Some((_, pause)) = due else { continue };
            entry.doubted = Some((tip.saturating_add(2 * pause), 2 * pause));
            entry.rereading = true;
            effects.push(load_set(*task, entry));
        }
        if !effects.is_empty() {
            self.sets.distrust();
        }
        effects
    }
}

fn load_set(task: TaskHash, entry: &Entry) -> Effect {
    let (number, hash) = (entry.task.reference_block.into(), entry.task.reference_block_hash);
    let at = anzen_messages::chain::BlockRef { number, hash };
    Effect::LoadSet { task, at, quorums: entry.task.quorum_numbers.to_vec() }
}
