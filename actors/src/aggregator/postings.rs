//! Which tasks are to be posted, being posted, answered. No I/O, no clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use anzen_messages::TaskHash;
use anzen_messages::aggregation::QuorumReached;
use anzen_messages::chain::{BlockRef, ChainBlock, ChainEvent};

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
    under_way: bool,
    /// The block at which an attempt seemed to have settled it; if no answer shows, it is attempted again.
    settled_at: Option<u64>,
}

/// For how many blocks an attempt that seemed to settle a task is believed without its event.
const BELIEVED: u64 = 5;

/// The aggregator's state.
#[derive(Debug)]
pub(super) struct Postings {
    windows: ResponseWindows,
    finality: u64,
    head: u64,
    postings: BTreeMap<TaskHash, Posting>,
    /// Answers that the chain has, whether posted from here or not.
    answered: BTreeMap<TaskHash, BlockRef>,
}

impl Postings {
    pub(super) fn new(window: u64, finality: u64) -> Self {
        Self {
            windows: ResponseWindows::new(window),
            finality,
            head: 0,
            postings: BTreeMap::new(),
            answered: BTreeMap::new(),
        }
    }

    /// True where the task is known: posted, being posted, or answered.
    pub(super) fn knows(&self, task: TaskHash) -> bool {
        self.postings.contains_key(&task) || self.answered.contains_key(&task)
    }

    /// Takes a certificate that is on disk.
    pub(super) fn take(&mut self, reached: QuorumReached) -> Vec<Effect> {
        let task = reached.response.task_hash;
        if self.knows(task) {
            return Vec::new();
        }
        self.recover(reached);
        self.attempt(task).into_iter().collect()
    }

    /// Takes a certificate of an earlier life of this process; the first block brings the first attempt.
    pub(super) fn recover(&mut self, reached: QuorumReached) {
        let task = reached.response.task_hash;
        let deadline = self.windows.deadline(u64::from(reached.task.created_block));
        let posting = Posting { reached: Arc::new(reached), deadline, under_way: false, settled_at: None };
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
        let settled = posting.settled_at.is_some_and(|at| self.head < at + BELIEVED);
        let idle = !posting.under_way && !settled && !self.answered.contains_key(&task);
        if !idle || self.head >= posting.deadline {
            return None;
        }
        posting.under_way = true;
        Some(Effect::Post { reached: Arc::clone(&posting.reached), not_after: posting.deadline })
    }

    fn answered(&mut self, task: TaskHash, at: BlockRef) -> Option<Effect> {
        let first = self.answered.insert(task, at).is_none();
        let posting = self.postings.get(&task)?;
        first.then(|| Effect::Answered { task, index: posting.reached.task.index, block: at.number })
    }

    /// A certificate may be older than what is known of the window of its task: it is on disk, or the watcher is behind.
    fn set_deadlines(&mut self) {
        for posting in self.postings.values_mut() {
            posting.deadline = self.windows.deadline(u64::from(posting.reached.task.created_block));
        }
    }

    fn prune(&mut self) -> Vec<Effect> {
        let (head, finality) = (self.head, self.finality);
        let over = |task: &TaskHash, posting: &Posting| match self.answered.get(task) {
            Some(at) => head >= at.number + finality,
            None => head > posting.deadline,
        };
        let over: Vec<TaskHash> = self
            .postings
            .iter()
            .filter(|(task, posting)| over(task, posting))
            .map(|(task, _)| *task)
            .collect();
        let effects = over.into_iter().flat_map(|task| self.forget(task)).collect();
        self.answered.retain(|_, at| head < at.number + finality);
        effects
    }

    fn forget(&mut self, task: TaskHash) -> Vec<Effect> {
        let Some(posting) = self.postings.remove(&task) else { return Vec::new() };
        let unanswered = !self.answered.contains_key(&task);
        let given_up = unanswered.then_some(Effect::GivenUp { task, index: posting.reached.task.index });
        given_up.into_iter().chain([Effect::Forget(task)]).collect()
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
        }
        self.set_deadlines();
        Vec::new()
    }

    /// An answer that a reorg undid is posted again.
    fn retract(&mut self, block: BlockRef) -> Vec<Effect> {
        self.windows.retract(block);
        self.set_deadlines();
        let undone = self.answered.split_off_by(|at| at.number > block.number);
        for task in undone {
            if let Some(posting) = self.postings.get_mut(&task) {
                posting.settled_at = None;
            }
        }
        Vec::new()
    }

    fn apply(&mut self, block: &ChainBlock, head: BlockRef) -> Vec<Effect> {
        self.head = block.header.at.number;
        let mut effects = Vec::new();
        for event in &block.events {
            if let ChainEvent::TaskResponded { response, .. } = event {
                effects.extend(self.answered(response.task_hash, block.header.at));
            }
        }
        self.windows.apply(block);
        self.set_deadlines();
        effects.extend(self.prune());
        // While catching up, a later block may hold the answer.
        if block.header.at == head {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{block, reached, responded};

    const WINDOW: u64 = 30;
    const FINALITY: u64 = 10;

    fn at(number: u64, events: Vec<ChainEvent>) -> ChainBlock {
        block(number, events)
    }

    fn apply(state: &mut Postings, blocks: &[ChainBlock]) -> Vec<Effect> {
        blocks.iter().flat_map(|block| state.apply(block, block.header.at)).collect()
    }

    /// A state at block 101 with the certificate of a task that was created there, its first attempt under way.
    fn posting() -> (Postings, TaskHash) {
        let mut state = Postings::new(WINDOW, FINALITY);
        apply(&mut state, &[at(101, vec![])]);
        let certificate = reached(0, 101);
        let task = certificate.response.task_hash;
        let effects = state.take(certificate);
        assert!(matches!(effects[..], [Effect::Post { not_after: 131, .. }]), "{effects:?}");
        (state, task)
    }

    #[test]
    fn a_certificate_that_comes_twice_is_posted_once() {
        let (mut state, _) = posting();
        assert_eq!(state.take(reached(0, 101)), []);
    }

    #[test]
    fn a_failed_attempt_is_repeated_at_the_next_block() {
        let (mut state, task) = posting();
        assert_eq!(apply(&mut state, &[at(102, vec![])]), [], "one is still under way");
        state.attempted(task, Attempt::Failed);
        assert!(matches!(apply(&mut state, &[at(103, vec![])])[..], [Effect::Post { .. }]));
    }

    #[test]
    fn somebody_elses_answer_ends_it() {
        let (mut state, task) = posting();
        state.attempted(task, Attempt::Failed);
        let effects = apply(&mut state, &[at(102, vec![responded(0, task)])]);
        assert_eq!(effects, [Effect::Answered { task, index: 0, block: 102 }]);
        assert_eq!(state.pending(), 0);
    }

    #[test]
    fn a_success_that_never_shows_is_not_believed_for_long() {
        let (mut state, task) = posting();
        state.attempted(task, Attempt::Settled);
        let quiet: Vec<ChainBlock> = (102..106).map(|number| at(number, vec![])).collect();
        assert_eq!(apply(&mut state, &quiet), []);
        assert!(matches!(apply(&mut state, &[at(106, vec![])])[..], [Effect::Post { .. }]));
    }

    /// A task keeps the window of its creation, whatever is in force now.
    #[test]
    fn a_restart_after_the_window_was_shortened_keeps_open_tasks() {
        let mut state = Postings::new(5, FINALITY);
        let certificate = reached(0, 101);
        let task = certificate.response.task_hash;
        state.recover(certificate);
        state.restart(WINDOW);
        let shortened = at(105, vec![ChainEvent::ResponseWindowChanged { blocks: 5 }]);
        let (early, late) = (at(101, vec![]), at(120, vec![]));
        let head = late.header.at;
        let effects: Vec<Effect> =
            [early, shortened, late].iter().flat_map(|block| state.apply(block, head)).collect();
        assert!(matches!(effects[..], [Effect::Post { not_after: 131, .. }]), "{effects:?}");
        assert!(state.knows(task));
    }

    #[test]
    fn a_restart_of_the_watcher_forgets_answers_that_the_chain_may_have_lost() {
        let (mut state, task) = posting();
        state.attempted(task, Attempt::Settled);
        apply(&mut state, &[at(102, vec![responded(0, task)])]);
        state.restart(WINDOW);
        assert!(matches!(apply(&mut state, &[at(102, vec![])])[..], [Effect::Post { .. }]));
    }

    #[test]
    fn an_answer_that_a_reorg_undid_is_posted_again() {
        let (mut state, task) = posting();
        state.attempted(task, Attempt::Settled);
        apply(&mut state, &[at(102, vec![responded(0, task)])]);
        state.retract(at(101, vec![]).header.at);
        assert!(matches!(apply(&mut state, &[at(102, vec![])])[..], [Effect::Post { .. }]));
    }

    #[test]
    fn what_is_final_or_hopeless_is_forgotten() {
        let (mut state, task) = posting();
        apply(&mut state, &[at(102, vec![responded(0, task)])]);
        assert_eq!(apply(&mut state, &[at(112, vec![])]), [Effect::Forget(task)]);
        assert!(!state.knows(task));

        let (mut state, task) = posting();
        let effects = apply(&mut state, &[at(132, vec![])]);
        assert_eq!(effects, [Effect::GivenUp { task, index: 0 }, Effect::Forget(task)]);
    }

    #[test]
    fn nothing_is_tried_while_catching_up() {
        let (mut state, task) = posting();
        state.attempted(task, Attempt::Failed);
        let (old, new) = (at(102, vec![]), at(103, vec![responded(0, task)]));
        let head = new.header.at;
        assert_eq!(state.apply(&old, head), []);
        assert_eq!(state.apply(&new, head), [Effect::Answered { task, index: 0, block: 103 }]);
    }
}
