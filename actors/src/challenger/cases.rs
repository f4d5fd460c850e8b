//! All tasks: what is captured, answered, pursued, over. No I/O, no clock.

use std::collections::BTreeMap;

use alloy::primitives::B256;
use anzen_messages::chain::{BlockRef, ChainBlock, ChainEvent};
use anzen_messages::{Task, TaskHash, TaskResponse};

use super::Config;
use super::case::Case;
use super::effect::{Effect, Report, State};
use super::records::{Answer, Found, Record, Told};
use crate::follow::ChainState;
use crate::ports::{ChainError, Recomputed};
use crate::response_windows::ResponseWindows;

/// The challenger's state.
#[derive(Debug)]
pub(super) struct Cases {
    pub(super) config: Config,
    pub(super) windows: ResponseWindows,
    pub(super) head: u64,
    pub(super) cases: BTreeMap<TaskHash, Case>,
    /// For how many blocks an answer can be challenged, as the chain told last.
    pub(super) challenge_window: Option<u64>,
    /// What is above the block before the next one is told again.
    restarted: bool,
    /// False while blocks are told that have others behind them.
    pub(super) caught_up: bool,
    pub(super) recomputing: usize,
    pub(super) looking: usize,
}

/// What metrics show.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) tasks: usize,
    pub(super) unchecked: usize,
    pub(super) checks_running_out: usize,
    pub(super) challenges_running_out: usize,
    pub(super) slashings_running_out: usize,
    pub(super) disputes: BTreeMap<State, usize>,
}

impl Cases {
    pub(super) fn new(config: Config, response_window: u64) -> Self {
        let windows = ResponseWindows::new(response_window);
        let (cases, head) = Default::default();
        let (challenge_window, recomputing, looking) = Default::default();
        let (restarted, caught_up) = (true, false);
        Self { config, windows, head, cases, challenge_window, restarted, caught_up, recomputing, looking }
    }

    /// Takes a task of an earlier life of this process.
    pub(super) fn recover(&mut self, record: Record) {
        let case = Case::recover(record, self.config.longest_pause);
        self.cases.insert(case.task.hash(), case);
    }

    pub(super) fn tally(&self) -> Tally {
        let count = |is: &dyn Fn(&Case) -> bool| self.cases.values().filter(|case| is(case)).count();
        // Until the chain has told: the time to dispute an answer is hardly shorter than the time to give it.
        let window = self.challenge_window.unwrap_or_else(|| self.windows.latest());
        let mut disputes = BTreeMap::new();
        for state in self.cases.values().filter_map(Case::state) {
            *disputes.entry(state).or_default() += 1;
        }
        Tally {
            tasks: self.cases.len(),
            unchecked: count(&|case| case.is_unchecked(self.head)),
            checks_running_out: count(&|case| case.check_runs_out(self.head)),
            challenges_running_out: count(&|case| case.challenge_runs_out(self.head, window)),
            slashings_running_out: count(&|case| case.slashing_runs_out(self.head)),
            disputes,
        }
    }

    /// A task was recomputed, or not.
    pub(super) fn captured(&mut self, task: TaskHash, result: Result<Recomputed, ChainError>) -> Vec<Effect> {
        self.recomputing = self.recomputing.saturating_sub(1);
        let mut effects = self.take_capture(task, result);
        effects.extend(self.capture());
        effects.extend(self.save());
        effects
    }

    fn take_capture(&mut self, task: TaskHash, result: Result<Recomputed, ChainError>) -> Vec<Effect> {
        let head = self.head;
        let Some(case) = self.cases.get_mut(&task) else { return Vec::new() };
        let index = case.task.index;
        let report = match result {
            Ok(recomputed) if case.found.is_none() => {
                let found = Found::from(recomputed);
                let (due, provable) = (found.due.clone(), found.witness.is_some());
                case.captured(found, head);
                Report::Captured { task, index, due, provable }
            }
            Err(error) if case.found.is_none() => {
                let (again, answered) = (case.capture.failed(head), case.answer.is_some());
                Report::NotCaptured { task, index, error, again, answered }
            }
            result => {
                let error = result.as_ref().err().cloned();
                case.recaptured(result, head);
                Report::Rechecked { task, index, error, certain: case.is_certain() }
            }
        };
        let told = case.tell();
        let mut effects: Vec<Effect> =
            [Some(report), told].into_iter().flatten().map(Effect::Report).collect();
        effects.extend(self.look());
        effects
    }

    /// A record could not be written; it is again with the next block.
    pub(super) fn not_saved(&mut self, task: TaskHash) {
        if let Some(case) = self.cases.get_mut(&task) {
            case.dirty = true;
        }
    }

    fn created(&mut self, task: &Task) {
        let longest_pause = self.config.longest_pause;
        let case = self.cases.entry(task.hash());
        case.or_insert_with(|| Case::new(task.clone(), longest_pause)).undone = false;
    }

    fn answered(&mut self, index: u32, answer: Answer) -> Option<Effect> {
        let task = answer.response.task_hash;
        match self.cases.get_mut(&task) {
            Some(case) => case.answered(answer),
            None => return Some(Effect::Report(Report::Unknown { task, index })),
        }
        None
    }

    fn undo_above(&mut self, number: u64) {
        self.cases.values_mut().for_each(|case| case.undo_above(number));
    }

    fn take(&mut self, block: &ChainBlock) -> Vec<Effect> {
        let mut effects = Vec::new();
        for event in &block.events {
            match event {
                ChainEvent::TaskCreated { task } => self.created(task),
                ChainEvent::TaskResponded { task_index, response, transaction } => {
                    effects.extend(self.answered(*task_index, answer(*response, *transaction, block)));
                }
                _ => {}
            }
        }
        effects
    }

    /// What is to be done at the newest block.
    fn work(&mut self) -> Vec<Effect> {
        let mut effects: Vec<Effect> =
            self.cases.values_mut().filter_map(Case::tell).map(Effect::Report).collect();
        effects.extend(self.prune());
        effects.extend(self.capture());
        effects.extend(self.look());
        effects.extend(self.inquire());
        effects
    }

    fn prune(&mut self) -> Vec<Effect> {
        let (head, finality) = (self.head, self.config.finality_blocks);
        let mut effects = Vec::new();
        for case in self.cases.values_mut() {
            let over = case.course.challenge_end.is_some_and(|end| head > end);
            if over
                && case.found.is_none()
                && case.answer.is_some()
                && case.course.said.verdict != Told::Verdict
            {
                (case.course.said.verdict, case.dirty) = (Told::Verdict, true);
                let (task, index) = (case.task.hash(), case.task.index);
                effects.push(Effect::Report(Report::Unchecked { task, index }));
            }
        }
        let windows = &self.windows;
        self.cases.retain(|task, case| {
            let kept = case.is_kept(head, windows.deadline(case.created()), finality);
            effects.extend((!kept).then_some(Effect::Forget(*task)));
            kept
        });
        effects
    }

    /// What is to be written.
    pub(super) fn save(&mut self) -> Vec<Effect> {
        let dirty = self.cases.values_mut().filter(|case| case.dirty);
        let save = |case: &mut Case| {
            case.dirty = false;
            Effect::Save(Box::new(case.record()))
        };
        dirty.map(save).collect()
    }
}

fn answer(response: TaskResponse, transaction: B256, block: &ChainBlock) -> Answer {
    Answer { response, transaction, block: block.header.at.number }
}

impl ChainState for Cases {
    type Effect = Effect;

    /// Tasks stay. What is told again is undone until it is; of the rest nothing is told.
    fn restart(&mut self, response_window: u64) -> Vec<Effect> {
        self.windows = ResponseWindows::new(response_window);
        self.restarted = true;
        Vec::new()
    }

    /// An answer that is undone is waited for again. What was done about one that was not may be undone.
    fn retract(&mut self, block: BlockRef) -> Vec<Effect> {
        self.windows.retract(block);
        self.caught_up = false;
        self.head = self.head.min(block.number);
        self.undo_above(block.number);
        self.save()
    }

    fn apply(&mut self, block: &ChainBlock, head: BlockRef) -> Vec<Effect> {
        self.head = block.header.at.number;
        if std::mem::take(&mut self.restarted) {
            self.undo_above(self.head.saturating_sub(1));
        }
        self.windows.apply(block);
        let mut effects = self.take(block);
        // While catching up, a later block may undo what this one asks for.
        self.caught_up = block.header.at == head;
        if self.caught_up {
            effects.extend(self.work());
        }
        effects.extend(self.save());
        effects
    }
}
