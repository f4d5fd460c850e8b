//! The tasks that this operator has to answer, and what is to be done about each: no I/O and no clock.

use std::collections::BTreeMap;

use anzen_messages::bls::Signature;
use anzen_messages::chain::ChainDelta;
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use anzen_messages::{Task, TaskHash};

use super::duty::{Computed, Duty, Phase, Step, Terms, Ticket};
use super::effect::{Effect, Ignored, Report};
use super::protection::{Answer, Protection, Verdict};
use crate::follow::ChainState;
use crate::response_windows::ResponseWindows;

/// The report that a task is not answered.
pub(super) fn ignored(task: &Task, reason: Ignored) -> Effect {
    Effect::Report(Report::Ignored { task: task.clone(), reason })
}

/// All duties.
#[derive(Debug)]
pub struct Duties {
    pub(super) terms: Terms,
    pub(super) protection: Protection,
    pub(super) duties: BTreeMap<TaskHash, Duty>,
    pub(super) windows: ResponseWindows,
    pub(super) head: u64,
    pub(super) numbers: u64,
}

impl Duties {
    /// No duties yet. `window` is the response window, in blocks, until the chain watcher tells it.
    pub fn new(terms: Terms, protection: Protection, window: u64) -> Self {
        Self {
            terms,
            protection,
            duties: BTreeMap::new(),
            windows: ResponseWindows::new(window),
            head: 0,
            numbers: 0,
        }
    }

    /// Takes in an answer of the chain watcher.
    pub fn follow(&mut self, delta: &ChainDelta) -> Vec<Effect> {
        self.head = delta.head.number;
        // An endpoint that is behind, or is still being synced, tells of old blocks: they say nothing of this start.
        if delta.blocks.last().is_some_and(|last| last.header.timestamp >= self.terms.started) {
            self.protection.begin(self.head);
        }
        let mut effects = self.advance(delta);
        effects.extend(self.settle());
        effects
    }

    /// The inputs of a task were read, or could not be.
    pub fn computed(&mut self, ticket: Ticket, computed: &Computed) -> Vec<Effect> {
        let domain = self.terms.domain.clone();
        let Some(duty) = self.at_work(ticket).filter(|duty| matches!(duty.phase, Phase::Computing)) else {
            return Vec::new();
        };
        match computed {
            Computed::Failed => vec![Effect::Pause { ticket, step: Step::Compute, failures: duty.failed() }],
            Computed::NoAnswer(reason) => {
                duty.phase = Phase::Over;
                vec![ignored(&duty.task, Ignored::NoAnswer(*reason))]
            }
            Computed::Answer(value) => {
                duty.failures = 0;
                duty.phase = Phase::Signing(Answer::new(&duty.task, *value, &domain));
                let disagrees = *value != duty.task.proposed_safety_factor;
                let report = Report::Disagrees { task: duty.task.clone(), computed: *value };
                let mut effects: Vec<Effect> =
                    disagrees.then_some(Effect::Report(report)).into_iter().collect();
                effects.extend(self.sign(ticket));
                effects
            }
        }
    }

    /// The record of a task's answer is on disk, or could not be written.
    pub fn recorded(&mut self, ticket: Ticket, on_disk: bool) -> Vec<Effect> {
        if on_disk {
            // Whatever has become of the duty: what is on disk is on disk.
            self.protection.recorded(ticket.task);
            return self.sign(ticket);
        }
        self.pause_signing(ticket)
    }

    /// The answer was signed; nothing where the signer failed.
    pub fn signed(&mut self, ticket: Ticket, signature: Option<Signature>) -> Vec<Effect> {
        let Some(signature) = signature else {
            return self.pause_signing(ticket);
        };
        let operator_id = self.terms.operator;
        let Some(oracle_index) = self.at_work(ticket).map(|duty| duty.task.oracle_index) else {
            return Vec::new();
        };
        let left = self.terms.serving(oracle_index).map(|to| (to, 0)).collect();
        let Some(duty) = self.current(ticket) else {
            return Vec::new();
        };
        let Phase::Signing(answer) = &duty.phase else {
            return Vec::new();
        };
        let message =
            SubmitSignature { operator_id, response: answer.response(), signature: signature.to_bytes() };
        duty.phase = Phase::Submitting { message, left };
        duty.next_steps(ticket)
    }

    /// An aggregator has replied; nothing where the submission, or the reply, did not arrive.
    pub fn replied(&mut self, ticket: Ticket, to: usize, reply: Option<SubmitReply>) -> Vec<Effect> {
        let Some(duty) = self.current(ticket) else {
            return Vec::new();
        };
        let Phase::Submitting { left, .. } = &mut duty.phase else {
            return Vec::new();
        };
        match reply.filter(|reply| !reply.is_temporary()) {
            Some(reply) => {
                duty.settled(to, reply);
                vec![Effect::Report(Report::Settled { task: ticket.task, to, reply })]
            }
            None => left
                .get_mut(&to)
                .map(|failures| {
                    *failures = failures.saturating_add(1);
                    Effect::Pause { ticket, step: Step::Submit(to), failures: *failures }
                })
                .into_iter()
                .collect(),
        }
    }

    /// A pause is over.
    pub fn resume(&mut self, ticket: Ticket, step: Step) -> Vec<Effect> {
        let Some(duty) = self.at_work(ticket) else {
            return Vec::new();
        };
        match (step, &duty.phase) {
            (Step::Compute, Phase::Computing) => duty.next_steps(ticket),
            (Step::Sign, Phase::Signing(_)) => self.sign(ticket),
            (Step::Submit(to), Phase::Submitting { message, left }) if left.contains_key(&to) => {
                vec![Effect::Submit { ticket, to, message: message.clone() }]
            }
            _ => Vec::new(),
        }
    }

    /// The writes of [`Effect::Prune`] are on disk, or failed.
    pub fn pruned(&mut self, on_disk: bool) {
        self.protection.pruned(on_disk);
    }

    /// How many tasks are open.
    pub fn open(&self) -> usize {
        self.duties.values().filter(|duty| self.is_open(duty)).count()
    }

    /// The block up to which nothing is signed because the signing records may lack it.
    pub fn barrier(&self) -> Option<u32> {
        self.protection.barrier()
    }

    /// How many signing records there are.
    pub fn records(&self) -> usize {
        self.protection.len()
    }

    /// Asks for leave to sign the answer that was computed, and does what that says.
    pub(super) fn sign(&mut self, ticket: Ticket) -> Vec<Effect> {
        let Some(answer) = self.at_work(ticket).and_then(|duty| match duty.phase {
            Phase::Signing(answer) => Some(answer),
            _ => None,
        }) else {
            return Vec::new();
        };
        match self.protection.may_sign(&answer) {
            Ok(Verdict::Sign(permit)) => vec![Effect::Sign { ticket, permit }],
            Ok(Verdict::RecordFirst(writes)) => vec![Effect::Record { ticket, writes }],
            Err(refusal) => {
                if let Some(duty) = self.current(ticket) {
                    duty.phase = Phase::Over;
                }
                vec![Effect::Report(Report::Refused { task: ticket.task, refusal })]
            }
        }
    }

    fn pause_signing(&mut self, ticket: Ticket) -> Vec<Effect> {
        let duty = self.at_work(ticket).filter(|duty| matches!(duty.phase, Phase::Signing(_)));
        let pause = duty.map(|duty| Effect::Pause { ticket, step: Step::Sign, failures: duty.failed() });
        pause.into_iter().collect()
    }

    /// The duty that a ticket names, if it is still there.
    fn current(&mut self, ticket: Ticket) -> Option<&mut Duty> {
        self.duties.get_mut(&ticket.task).filter(|duty| duty.number == ticket.number)
    }

    /// The same, if its task is open; else it waits for a reorg that opens the task again.
    fn at_work(&mut self, ticket: Ticket) -> Option<&mut Duty> {
        let (head, finality_blocks) = (self.head, self.terms.finality_blocks);
        let duty = self.current(ticket)?;
        let is_open = head < duty.over_from(finality_blocks);
        duty.parked |= !is_open;
        is_open.then_some(duty)
    }

    pub(super) fn is_open(&self, duty: &Duty) -> bool {
        self.head < duty.over_from(self.terms.finality_blocks)
    }
}
