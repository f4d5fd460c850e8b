//! How the duties follow the chain.

use anzen_messages::chain::{BlockRef, ChainBlock, ChainEvent};
use anzen_messages::{Task, TaskResponse};

use super::duties::{Duties, ignored};
use super::duty::{Duty, Phase, Ticket};
use super::effect::{Effect, Ignored};
use super::refusal::Refusal;
use crate::follow::ChainState;
use crate::response_windows::ResponseWindows;

impl Duties {
    fn created(&mut self, block: &ChainBlock, task: &Task) -> Vec<Effect> {
        let mut duty =
            Duty::new(self.numbers, task.clone(), self.windows.deadline(u64::from(task.created_block)));
        if !self.is_open(&duty) || self.duties.contains_key(&task.hash()) {
            return Vec::new();
        }
        if let Err(reason) = self.should_answer(block, task) {
            return vec![ignored(task, reason)];
        }
        if let Some(answer) = self.protection.answer(task, &self.terms.domain) {
            // Signing it again yields the same, and what it was computed from may be gone by now.
            duty.phase = Phase::Signing(answer);
        }
        self.numbers += 1;
        self.duties.insert(task.hash(), duty);
        Vec::new()
    }

    /// Whether a task is one for this operator.
    fn should_answer(&self, block: &ChainBlock, task: &Task) -> Result<(), Ignored> {
        self.terms.allow(block, task)?;
        if self.open() >= self.terms.most_open {
            return Err(Ignored::TooMany);
        }
        match self.protection.reaches(task.created_block) {
            Err(Refusal::BeforeStart { barrier, .. }) => Err(Ignored::BeforeStart { barrier }),
            // Another refusal is told when it is to be signed.
            _ => Ok(()),
        }
    }

    fn responded(&mut self, at: u64, response: &TaskResponse) {
        if let Some(duty) = self.duties.get_mut(&response.task_hash) {
            duty.answered_at = Some(at);
        }
    }

    /// After the chain has gone on: starts what has opened, and removes what has long been over.
    pub(super) fn settle(&mut self) -> Vec<Effect> {
        let (mut effects, mut to_sign) = (Vec::new(), Vec::new());
        let (head, finality_blocks) = (self.head, self.terms.finality_blocks);
        for (task, duty) in &mut self.duties {
            if head >= duty.over_from(finality_blocks) {
                effects.extend(duty.missed());
            } else if std::mem::take(&mut duty.parked) {
                // A number of its own: what was under way before does not come back to it.
                duty.number = self.numbers;
                self.numbers += 1;
                let ticket = Ticket { task: *task, number: duty.number };
                match duty.phase {
                    Phase::Signing(_) => to_sign.push(ticket),
                    _ => effects.extend(duty.next_steps(ticket)),
                }
            }
        }
        for ticket in to_sign {
            effects.extend(self.sign(ticket));
        }
        self.duties.retain(|_, duty| head < duty.over_from(finality_blocks).saturating_add(finality_blocks));
        let removed = self.protection.prune(head.saturating_sub(self.terms.keep_records));
        effects.extend((!removed.is_empty()).then_some(Effect::Prune(removed)));
        effects
    }
}

impl ChainState for Duties {
    type Effect = Effect;

    fn restart(&mut self, response_window: u64) -> Vec<Effect> {
        self.duties.clear();
        self.windows = ResponseWindows::new(response_window);
        Vec::new()
    }

    fn retract(&mut self, block: BlockRef) -> Vec<Effect> {
        self.windows.retract(block);
        self.duties.retain(|_, duty| u64::from(duty.task.created_block) <= block.number);
        for duty in self.duties.values_mut() {
            duty.answered_at = duty.answered_at.filter(|at| *at <= block.number);
        }
        Vec::new()
    }

    fn apply(&mut self, block: &ChainBlock, _head: BlockRef) -> Vec<Effect> {
        let mut effects = Vec::new();
        for event in &block.events {
            match event {
                ChainEvent::TaskCreated { task } => effects.extend(self.created(block, task)),
                ChainEvent::TaskResponded { response, .. } => {
                    self.responded(block.header.at.number, response);
                }
                ChainEvent::OperatorsChanged
                | ChainEvent::QuorumRefreshed { .. }
                | ChainEvent::ResponseWindowChanged { .. } => {}
            }
        }
        self.windows.apply(block);
        effects
    }
}
