//! What is recomputed and looked at next: a few at a time, the most urgent first, and the next as soon as one is done.

use std::cmp::Reverse;

use anzen_messages::TaskHash;

use super::case::Case;
use super::cases::Cases;
use super::effect::{Effect, Report, Verdict};
use crate::errand::Next;
use crate::ports::ChainError;

impl Cases {
    /// The newest first: the states of others may be gone already.
    pub(super) fn capture(&mut self) -> Vec<Effect> {
        let (head, room) = (self.head, self.room(self.recomputing));
        let mut cases: Vec<&mut Case> =
            self.cases.values_mut().filter(|case| case.is_to_be_captured(head)).collect();
        cases.sort_unstable_by_key(|case| Reverse((case.found.is_none(), case.created(), case.task.index)));
        let due =
            cases.into_iter().filter_map(|case| case.capture.next(head, true).map(|_| case.task.clone()));
        let effects: Vec<Effect> = due.take(room).map(Effect::Recompute).collect();
        self.recomputing += effects.len();
        effects
    }

    /// The most urgent first.
    pub(super) fn look(&mut self) -> Vec<Effect> {
        let (head, mut room) = (self.head, self.room(self.looking));
        if !self.caught_up {
            return Vec::new();
        }
        let mut cases: Vec<&mut Case> = self.cases.values_mut().collect();
        cases.sort_by_key(|case| urgency(case));
        let mut effects = Vec::new();
        for case in cases {
            let Some(answer) = case.answer else { continue };
            match case.pursuit.next(head, room > 0 && case.is_to_be_looked_at()) {
                Some(Next::Prepare(ticket)) => {
                    (self.looking, room) = (self.looking + 1, room - 1);
                    let (task, transaction) = (case.task.clone(), answer.transaction);
                    effects.push(Effect::Look { task, transaction, ticket });
                }
                Some(Next::Send(ticket, request)) => {
                    effects.push(Effect::Send { task: case.task.hash(), ticket, request });
                }
                None => {}
            }
        }
        effects
    }

    /// Tasks of an earlier process that can be answered no more, and no answer was told.
    pub(super) fn inquire(&mut self) -> Vec<Effect> {
        let (head, most) = (self.head, self.config.at_a_time.max(1));
        let windows = &self.windows;
        let over = |case: &&mut Case| head > windows.deadline(case.created()) && !case.undone;
        let due = self.cases.values_mut().filter(over).filter_map(|case| {
            let next = case.inquiry.as_mut()?.next(head, true);
            next.map(|_| Effect::Inquire(case.task.clone()))
        });
        due.take(most).collect()
    }

    /// Whether a task is answered was asked.
    pub(super) fn inquired(&mut self, task: TaskHash, answered: Result<bool, ChainError>) -> Vec<Effect> {
        let head = self.head;
        let Some(case) = self.cases.get_mut(&task) else { return Vec::new() };
        let index = case.task.index;
        let report = match (answered, &mut case.inquiry) {
            (Err(error), Some(inquiry)) => {
                let again = inquiry.failed(head);
                Report::Hindered { task, obstacle: error.into(), again }
            }
            (Ok(true), Some(_)) => {
                (case.inquiry, case.missed) = (None, true);
                Report::Missed { task, index }
            }
            _ => {
                case.inquiry = None;
                return Vec::new();
            }
        };
        vec![Effect::Report(report)]
    }

    fn room(&self, busy: usize) -> usize {
        let most = if self.caught_up { self.config.at_a_time.max(1) } else { 0 };
        most.saturating_sub(busy)
    }
}

/// What is looked at first: answers that are wrong and stand, then those that are withdrawn, then those that may be right; of
/// each, the one whose window runs out first. So whoever has many disputes opened does not shield another answer.
fn urgency(case: &Case) -> (bool, bool, u64) {
    let block = case.answer.map_or(0, |answer| answer.block);
    (case.verdict() != Some(Verdict::Wrong), case.course.withdrawn, case.course.deadline.unwrap_or(block))
}
