//! Which tasks are to be posted, being posted, answered. No I/O, no clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use anzen_messages::aggregation::QuorumReached;
use anzen_messages::chain::{BlockRef, ChainBlock, ChainEvent};
use anzen_messages::{Task, TaskHash};

use crate::follow::ChainState;
use crate::response_windows::ResponseWindows;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// Post it; tell the outcome by [`Postings::attempted`].
    Post { reached: Arc<QuorumReached>, not_after: u64 },
    /// The answer is on chain.
    Answered { task: TaskHash, index: u32, block: u64 },
    /// The window has passed, and it is not.
    GivenUp { task: TaskHash, index: u32 },
    /// Remove the record.
    Forget(TaskHash),
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// The transaction is mined, or the task was answered by another; the event will tell the block.
    Settled,
    /// It may work at a later block.
    Failed,
}

#[derive(Debug)]
struct Posting {
    reached: Arc<QuorumReached>,
    /// The last block in which the task can be answered.
    deadline: u64,
    /// The block from which it may be posted: aggregators before this one get so long. Nothing before the first block.
    not_before: Option<u64>,
    under_way: bool,
    /// The block at which an attempt seemed to have settled it; if no answer shows, it is attempted again.
    settled_at: Option<u64>,
    /// The creation of the task was undone by a reorg.
    undone: bool,
    /// That it was not posted in time was told.
    given_up: bool,
    /// The block with the answer that was told.
    told: Option<BlockRef>,
}

/// How long things are waited for, in blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    /// For how many blocks a task can be answered, until the chain tells.
    pub(super) window: u64,
    /// After so many blocks nothing is undone any more.
    pub(super) finality: u64,
    /// What other aggregators get before this one posts.
    pub(super) delay: u64,
}

/// For how many blocks an attempt that seemed to settle a task is believed without its event.
const BELIEVED: u64 = 5;

/// The aggregator's state.
#[derive(Debug)]
pub(super) struct Postings {
    terms: Terms,
    windows: ResponseWindows,
    head: u64,
    postings: BTreeMap<TaskHash, Posting>,
    /// Answers that the chain has, whether posted from here or not.
    answered: BTreeMap<TaskHash, BlockRef>,
}

impl Postings {
    pub(super) fn new(terms: Terms) -> Self {
        let windows = ResponseWindows::new(terms.window);
        Self { terms, windows, head: 0, postings: BTreeMap::new(), answered: BTreeMap::new() }
    }

    /// Takes a certificate that is on disk, answered or not: a reorg may undo an answer. One that differs from the one that
    /// there is comes later, and replaces it.
    pub(super) fn take(&mut self, reached: QuorumReached) -> Vec<Effect> {
        let task = reached.response.task_hash;
        match self.postings.get_mut(&task) {
            None => self.recover(reached),
            Some(posting) if *posting.reached != reached => {
                posting.reached = Arc::new(reached);
                posting.settled_at = None;
            }
            Some(_) => {}
        }
        self.attempt(task).into_iter().collect()
    }

    /// Takes a certificate of an earlier life of this process; the first block brings the first attempt.
    pub(super) fn recover(&mut self, reached: QuorumReached) {
        let task = reached.response.task_hash;
        let deadline = self.windows.deadline(u64::from(reached.task.created_block));
        let mut posting = Posting {
            reached: Arc::new(reached),
            deadline,
            not_before: None,
            under_way: false,
            settled_at: None,
            undone: false,
            given_up: false,
            told: None,
        };
        posting.wait(self.head, self.terms.delay);
        self.postings.insert(task, posting);
    }

    /// An attempt has ended. After a failure the next block brings the next one.
    pub(super) fn attempted(&mut self, task: TaskHash, attempt: Attempt) {
        if let Some(posting) = self.postings.get_mut(&task) {
            posting.under_way = false;
            posting.settled_at = (attempt == Attempt::Settled).then_some(self.head);
        }
    }

    /// Tasks that have a certificate and no answer yet.
    pub(super) fn pending(&self) -> usize {
        self.postings.keys().filter(|task| !self.answered.contains_key(*task)).count()
    }

    fn attempt(&mut self, task: TaskHash) -> Option<Effect> {
        let posting = self.postings.get_mut(&task)?;
        let settled = posting.settled_at.is_some_and(|at| self.head < at.saturating_add(BELIEVED));
        let idle = !posting.under_way && !settled && !posting.undone && !self.answered.contains_key(&task);
        let early = posting.not_before.is_none_or(|first| self.head < first);
        if !idle || early || self.head >= posting.deadline {
            return None;
        }
        posting.under_way = true;
        Some(Effect::Post { reached: Arc::clone(&posting.reached), not_after: posting.deadline })
    }

    fn answered(&mut self, task: TaskHash, at: BlockRef) -> Option<Effect> {
        self.answered.insert(task, at);
        let posting = self.postings.get_mut(&task)?;
        // After a restart of the watcher the same is heard again.
        let is_news = posting.told.replace(at) != Some(at);
        is_news.then(|| Effect::Answered { task, index: posting.reached.task.index, block: at.number })
    }

    /// A certificate may be older than what is known of the window of its task: it is on disk, or the watcher is behind.
    fn set_deadlines(&mut self) {
        for posting in self.postings.values_mut() {
            posting.deadline = self.windows.deadline(u64::from(posting.reached.task.created_block));
        }
    }

    /// Tells, once, what was not posted in time, and drops what no reorg can bring back.
    fn prune(&mut self) -> Vec<Effect> {
        let (head, finality) = (self.head, self.terms.finality);
        let mut effects = Vec::new();
        for (task, posting) in &mut self.postings {
            let answered = self.answered.get(task);
            let late = answered.is_none() && !posting.undone && head > posting.deadline;
            if late && !std::mem::replace(&mut posting.given_up, true) {
                effects.push(Effect::GivenUp { task: *task, index: posting.reached.task.index });
            }
            let over = answered.map_or(posting.deadline.saturating_add(1), |at| at.number);
            if head >= over.saturating_add(finality) {
                effects.push(Effect::Forget(*task));
            }
        }
        for effect in &effects {
            if let Effect::Forget(task) = effect {
                self.postings.remove(task);
            }
        }
        self.answered.retain(|_, at| head < at.number.saturating_add(finality));
        effects
    }

    /// A task is on the chain.
    fn created(&mut self, task: &Task) {
        if let Some(posting) = self.postings.get_mut(&task.hash()) {
            posting.undone = false;
        }
    }
}

impl Posting {
    /// Leaves it to others for `delay` blocks from `head`, and half of the task's window at most.
    fn wait(&mut self, head: u64, delay: u64) {
        let created = u64::from(self.reached.task.created_block);
        let latest = created + self.deadline.saturating_sub(created) / 2;
        self.not_before = (head > 0).then_some(head.saturating_add(delay).min(latest));
    }
}

impl ChainState for Postings {
    type Effect = Effect;

    /// Certificates stay; which of them are answered is told again, as far as the chain still has it.
    fn restart(&mut self, response_window: u64) -> Vec<Effect> {
        self.answered.clear();
        self.windows = ResponseWindows::new(response_window);
        for posting in self.postings.values_mut() {
            posting.settled_at = None;
            posting.undone = false;
        }
        self.set_deadlines();
        Vec::new()
    }

    /// An answer that a reorg undid is posted again; the other aggregators, too, get their time again. A task that a reorg
    /// undid is left alone until it is created again.
    fn retract(&mut self, block: BlockRef) -> Vec<Effect> {
        self.windows.retract(block);
        self.set_deadlines();
        let undone = self.answered.split_off_by(|at| at.number > block.number);
        for posting in self.postings.values_mut() {
            posting.undone |= u64::from(posting.reached.task.created_block) > block.number;
        }
        for task in undone {
            if let Some(posting) = self.postings.get_mut(&task) {
                posting.settled_at = None;
                posting.wait(block.number, self.terms.delay);
            }
        }
        Vec::new()
    }

    fn apply(&mut self, block: &ChainBlock, head: BlockRef) -> Vec<Effect> {
        let first = self.head == 0;
        self.head = block.header.at.number;
        // Of what was over before the first block, nobody here knows whether it was answered.
        for posting in self.postings.values_mut().filter(|_| first) {
            posting.given_up = self.head > posting.deadline;
        }
        let mut effects = Vec::new();
        for event in &block.events {
            match event {
                ChainEvent::TaskCreated { task } => self.created(task),
                ChainEvent::TaskResponded { response, .. } => {
                    effects.extend(self.answered(response.task_hash, block.header.at));
                }
                _ => {}
            }
        }
        self.windows.apply(block);
        self.set_deadlines();
        effects.extend(self.prune());
        // While catching up, a later block may hold the answer.
        if block.header.at == head {
            for posting in self.postings.values_mut().filter(|posting| posting.not_before.is_none()) {
                posting.wait(self.head, self.terms.delay);
            }
            let tasks: Vec<TaskHash> = self.postings.keys().copied().collect();
            effects.extend(tasks.into_iter().filter_map(|task| self.attempt(task)));
        }
        effects
    }
}

/// Takes out the entries that match.
trait SplitOffBy {
    fn split_off_by(&mut self, matches: impl Fn(&BlockRef) -> bool) -> Vec<TaskHash>;
}

impl SplitOffBy for BTreeMap<TaskHash, BlockRef> {
    fn split_off_by(&mut self, matches: impl Fn(&BlockRef) -> bool) -> Vec<TaskHash> {
        let out: Vec<TaskHash> = self.iter().filter(|(_, at)| matches(at)).map(|(task, _)| *task).collect();
        self.retain(|_, at| !matches(at));
        out
    }
}
