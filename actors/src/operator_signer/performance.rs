//! How well this operator does: the share of the last tasks that it answered in time.

use std::collections::VecDeque;

use anzen_messages::TaskHash;
use anzen_messages::signature::SubmitReply;

use super::effect::{Ignored, Report};

/// How many tasks count.
const WINDOW: usize = 100;

/// The last tasks that this operator should have answered.
#[derive(Debug, Default)]
pub(super) struct Performance(VecDeque<(TaskHash, bool)>);

impl Performance {
    /// An aggregator acknowledged the answer to this task, or it is known that it will have none. One acknowledgement is
    /// enough, whatever else comes of the task.
    pub(super) fn note(&mut self, task: TaskHash, answered: bool) {
        if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| *known == task) {
            *known |= answered;
            return;
        }
        if self.0.len() == WINDOW {
            self.0.pop_front();
        }
        self.0.push_back((task, answered));
    }

    /// Takes in what became of a task.
    pub(super) fn heed(&mut self, fact: &Report) {
        match fact {
            // Nobody can answer that one.
            Report::Ignored { reason: Ignored::NoAnswer(_), .. } | Report::Disagrees { .. } => {}
            Report::Ignored { task, .. } | Report::Missed { task } => self.note(task.hash(), false),
            Report::Refused { task, .. } => self.note(*task, false),
            // Not a task for this operator, or not for that aggregator.
            Report::Settled { reply: SubmitReply::NotInSet | SubmitReply::NotServed, .. } => {}
            Report::Settled { task, reply, .. } => self.note(*task, reply.is_acknowledgement()),
        }
    }

    /// From 0 to 100; 100 before the first task.
    pub(super) fn score(&self) -> f64 {
        let count = |tasks: usize| f64::from(u32::try_from(tasks).unwrap_or(u32::MAX));
        let answered = self.0.iter().filter(|(_, answered)| *answered).count();
        if self.0.is_empty() { 100.0 } else { 100.0 * count(answered) / count(self.0.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::task;

    fn hash(index: u32) -> TaskHash {
        task(index, 1).hash()
    }

    #[test]
    fn the_score_is_the_share_of_the_last_tasks() {
        let mut performance = Performance::default();
        assert!((performance.score() - 100.0).abs() < 1e-9);
        for index in 0..4 {
            performance.note(hash(index), index != 0);
        }
        assert!((performance.score() - 75.0).abs() < 1e-9);
        for index in 4..104 {
            performance.note(hash(index), true);
        }
        assert!((performance.score() - 100.0).abs() < 1e-9, "old tasks do not count");
    }

    #[test]
    fn one_acknowledgement_is_enough() {
        let mut performance = Performance::default();
        performance.note(hash(1), false);
        performance.note(hash(1), true);
        performance.note(hash(1), false);
        assert!((performance.score() - 100.0).abs() < 1e-9);
    }
}
