//! One task that this operator has to answer, and how far it is.

use std::collections::{BTreeMap, BTreeSet};

use anzen_messages::chain::ChainBlock;
use anzen_messages::model::NoAnswer;
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use anzen_messages::task::SigningDomain;
use anzen_messages::{OperatorId, SafetyFactor, Task, TaskHash};

use super::effect::{Effect, Ignored, Report};
use super::protection::Answer;

/// What does not change while the process runs.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Who signs.
    pub operator: OperatorId,
    /// When the process started, in seconds since 1970.
    pub started: u64,
    /// What signatures are bound to.
    pub domain: SigningDomain,
    /// The protocols that are answered for.
    pub protocols: BTreeSet<u32>,
    /// The protocols that each aggregator serves; all of them where there is none.
    pub aggregators: Vec<BTreeSet<u32>>,
    /// The most tasks that are open at once.
    pub most_open: usize,
    /// After how many blocks something on chain is final.
    pub finality_blocks: u64,
    /// For how many blocks after its creation a task's signing record is kept.
    pub keep_records: u64,
}

impl Terms {
    /// Whether a task that came with a block is what the contract emits, and is about a protocol that is answered for.
    pub(super) fn allow(&self, block: &ChainBlock, task: &Task) -> Result<(), Ignored> {
        let fits = u64::from(task.created_block) == block.header.at.number
            && task.reference_block.checked_add(1) == Some(task.created_block)
            && task.reference_block_hash == block.header.parent_hash;
        if !self.protocols.contains(&task.oracle_index) {
            Err(Ignored::UnknownProtocol)
        } else if !fits {
            Err(Ignored::Inconsistent)
        } else if self.serving(task.oracle_index).next().is_none() {
            Err(Ignored::NotServed)
        } else {
            Ok(())
        }
    }

    /// The numbers of the aggregators that serve a protocol.
    pub(super) fn serving(&self, oracle_index: u32) -> impl Iterator<Item = usize> {
        let serves = move |served: &BTreeSet<u32>| served.is_empty() || served.contains(&oracle_index);
        self.aggregators
            .iter()
            .enumerate()
            .filter(move |(_, served)| serves(served))
            .map(|(number, _)| number)
    }
}

/// What came of reading a task's inputs and evaluating them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Computed {
    /// The answer.
    Answer(SafetyFactor),
    /// There is none, for nobody.
    NoAnswer(NoAnswer),
    /// The chain could not be read.
    Failed,
}

/// Names a duty in what comes back to it. A task that a reorg removed and brought back is another duty: what was under way
/// for the first one does not touch the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// The task.
    pub task: TaskHash,
    pub(super) number: u64,
}

/// What can be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Read the inputs and evaluate.
    Compute,
    /// Ask again for leave to sign: a record did not reach the disk, or the signer failed.
    Sign,
    /// Submit to the aggregator with this number.
    Submit(usize),
}

/// How far a duty is.
#[derive(Debug)]
pub(super) enum Phase {
    /// The inputs are being read.
    Computing,
    /// The answer is being recorded or signed.
    Signing(Answer),
    /// The signature is being submitted to those that are left; with the failures of each.
    Submitting { message: SubmitSignature, left: BTreeMap<usize, u32> },
    /// Nothing more can be done.
    Over,
}

/// A task and how far it is.
#[derive(Debug)]
pub(super) struct Duty {
    pub(super) number: u64,
    pub(super) task: Task,
    /// The last block in which it can be answered.
    pub(super) deadline: u64,
    pub(super) answered_at: Option<u64>,
    pub(super) phase: Phase,
    pub(super) failures: u32,
    /// A step was due while the task was not open, or none has been made yet.
    pub(super) parked: bool,
    pub(super) acknowledged: bool,
    pub(super) reported_missed: bool,
}

impl Duty {
    pub(super) fn new(number: u64, task: Task, deadline: u64) -> Self {
        Self {
            number,
            task,
            deadline,
            answered_at: None,
            phase: Phase::Computing,
            failures: 0,
            parked: true,
            acknowledged: false,
            reported_missed: false,
        }
    }

    /// The block from which on nothing is owed: the task has expired, or its answer is final.
    pub(super) fn over_from(&self, finality_blocks: u64) -> u64 {
        let expired = self.deadline.saturating_add(1);
        self.answered_at.map_or(expired, |block| block.saturating_add(finality_blocks).min(expired))
    }

    /// What is to be done next, as far as the duty is.
    pub(super) fn next_steps(&self, ticket: Ticket) -> Vec<Effect> {
        match &self.phase {
            Phase::Computing => vec![Effect::Compute { ticket, task: self.task.clone() }],
            Phase::Signing(_) => vec![Effect::Pause { ticket, step: Step::Sign, failures: 0 }],
            Phase::Submitting { message, left } => {
                let submit = |to: &usize| Effect::Submit { ticket, to: *to, message: message.clone() };
                left.keys().map(submit).collect()
            }
            Phase::Over => Vec::new(),
        }
    }

    /// That the task is over and nobody has this operator's answer, said once.
    pub(super) fn missed(&mut self) -> Option<Effect> {
        let unfinished = match &self.phase {
            Phase::Computing | Phase::Signing(_) => true,
            Phase::Submitting { left, .. } => !left.is_empty() && !self.acknowledged,
            Phase::Over => false,
        };
        let first = !std::mem::replace(&mut self.reported_missed, true);
        (unfinished && first).then(|| Effect::Report(Report::Missed { task: self.task.clone() }))
    }

    /// An aggregator has answered for good.
    pub(super) fn settled(&mut self, to: usize, reply: SubmitReply) {
        if let Phase::Submitting { left, .. } = &mut self.phase {
            left.remove(&to);
        }
        self.acknowledged |= reply.is_acknowledgement();
    }

    /// Counts a failure of the step that is under way.
    pub(super) fn failed(&mut self) -> u32 {
        self.failures = self.failures.saturating_add(1);
        self.failures
    }
}
