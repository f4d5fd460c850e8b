//! One task, and the answer to it.

use anzen_messages::Task;
use anzen_messages::transaction::SendTransaction;

use super::course::{Course, Execution};
use super::effect::{Report, State, Verdict};
use super::recheck::Recheck;
use super::records::{Answer, Due, Found, Record, Told};
use crate::errand::Errand;

/// No windows of a task are longer, together: EigenLayer's deallocation delay, which they must fit, is 126,000 blocks on mainnet.
const LONGEST: u64 = 1 << 18;

#[derive(Debug)]
pub(super) struct Case {
    pub(super) task: Task,
    pub(super) found: Option<Found>,
    pub(super) recheck: Recheck,
    pub(super) answer: Option<Answer>,
    /// The answer that a reorg, or a restart of the watcher, undid; most come back.
    before: Option<Answer>,
    /// Whether it is answered: an earlier process had it, so its answer may be in a block that nobody tells this one of.
    pub(super) inquiry: Option<Errand<()>>,
    /// It is, and only another start, with more blocks, can tell the answer.
    pub(super) missed: bool,
    /// The creation of the task was undone.
    pub(super) undone: bool,
    pub(super) capture: Errand<()>,
    pub(super) pursuit: Errand<SendTransaction>,
    pub(super) course: Course,
    /// What is on disk is not what is here.
    pub(super) dirty: bool,
}

impl Case {
    pub(super) fn new(task: Task, longest_pause: u64) -> Self {
        Self {
            task,
            found: None,
            recheck: Recheck::default(),
            answer: None,
            before: None,
            inquiry: None,
            missed: false,
            undone: false,
            capture: Errand::new(longest_pause),
            pursuit: Errand::new(longest_pause),
            course: Course::default(),
            dirty: true,
        }
    }

    /// One of an earlier life of this process.
    pub(super) fn recover(record: Record, longest_pause: u64) -> Self {
        let Record { task, found, answer, said, .. } = record;
        let inquiry = answer.is_none().then(|| Errand::new(longest_pause));
        Self {
            found,
            answer,
            inquiry,
            course: Course::resume(said),
            dirty: false,
            ..Self::new(task, longest_pause)
        }
    }

    pub(super) fn record(&self) -> Record {
        Record::new(self.task.clone(), self.found.clone(), self.answer, self.course.said)
    }

    pub(super) fn created(&self) -> u64 {
        u64::from(self.task.created_block)
    }

    /// How the answer compares; nothing without an answer, or before the task is recomputed.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        let (answer, found) = (self.answer.as_ref()?, self.found.as_ref()?);
        let right = found.due == Due::Answer(answer.response.safety_factor);
        Some(if right { Verdict::Right } else { Verdict::Wrong })
    }

    /// What came of comparing, where that is news.
    pub(super) fn tell(&mut self) -> Option<Report> {
        let (verdict, answer) = (self.verdict()?, self.answer?.response.safety_factor);
        let told = if verdict == Verdict::Right || self.is_certain() { Told::Verdict } else { Told::Doubt };
        if self.course.said.verdict >= told {
            return None;
        }
        (self.course.said.verdict, self.dirty) = (told, true);
        let (task, index, due) = (self.task.hash(), self.task.index, self.found.as_ref()?.due.clone());
        Some(match told {
            Told::Verdict => Report::Checked { task, index, verdict, answer, due },
            _ => Report::Doubted { task, index, answer, due },
        })
    }

    /// The chain has an answer.
    pub(super) fn answered(&mut self, answer: Answer) {
        if self.answer == Some(answer) {
            return;
        }
        if self.before.take() != Some(answer) {
            self.course = Course::default();
        }
        self.answer = Some(answer);
        (self.inquiry, self.missed) = (None, false);
        self.dirty = true;
        self.pursuit.settled();
    }

    /// Undoes what is above block `number`.
    pub(super) fn undo_above(&mut self, number: u64) {
        self.undone |= self.created() > number;
        self.course.over_since = None;
        if self.answer.is_some_and(|answer| answer.block > number) {
            self.before = self.answer.take();
            self.dirty = true;
            self.pursuit.settled();
        } else {
            self.pursuit.no_later_than(number);
        }
    }

    /// True where its answer is not checked, and can still be challenged as far as is known.
    pub(super) fn is_unchecked(&self, head: u64) -> bool {
        let open = self.course.challenge_end.is_none_or(|end| head <= end);
        self.answer.is_some() && self.found.is_none() && open
    }

    /// True where less than half of the time is left to check its answer.
    pub(super) fn check_runs_out(&self, head: u64) -> bool {
        let (Some(answer), Some(end)) = (self.answer, self.course.challenge_end) else { return false };
        self.is_unchecked(head) && is_late(head, answer.block, end)
    }

    /// True where its answer is known to be wrong and stands, nobody asks the committee, and less than half of the time to dispute it
    /// is left; of `window` blocks, where the chain has not told.
    pub(super) fn challenge_runs_out(&self, head: u64, window: u64) -> bool {
        let Some(answer) = self.answer.filter(|_| self.is_pursued()) else { return false };
        let end = self.course.challenge_end.unwrap_or_else(|| answer.block.saturating_add(window));
        let disputed =
            self.course.withdrawn || self.course.before_committee || self.course.over_since.is_some();
        !disputed && is_late(head, answer.block, end)
    }

    /// How far its dispute is; at its beginning where the answer could not be looked at yet.
    pub(super) fn state(&self) -> Option<State> {
        self.course.said.state.or(self.is_pursued().then_some(State::Challenging))
    }

    fn is_pursued(&self) -> bool {
        self.verdict() == Some(Verdict::Wrong) && !self.is_doubtful()
    }

    /// True where less than half of the time is left to take stake that is owed.
    pub(super) fn slashing_runs_out(&self, head: u64) -> bool {
        self.course.execution.is_some_and(|Execution { after, end }| is_late(head, after, end))
    }

    /// True where the task is to be recomputed.
    pub(super) fn is_to_be_captured(&self, head: u64) -> bool {
        let over = self.course.deadline.is_some_and(|end| head > end);
        !self.undone && !self.missed && !over && (self.found.is_none() || self.is_to_be_rechecked())
    }

    /// True where the chain is to be asked about its answer.
    pub(super) fn is_to_be_looked_at(&self) -> bool {
        self.answer.is_some()
            && (self.verdict() == Some(Verdict::Wrong) || self.course.challenge_end.is_none())
    }

    /// True where it is kept; `deadline` is the last block in which the task can be answered.
    pub(super) fn is_kept(&self, head: u64, deadline: u64, finality: u64) -> bool {
        let absent = self.course.absent_since.is_some_and(|since| head > since.saturating_add(finality));
        let last = match (self.answer, self.verdict(), self.course.challenge_end) {
            (Some(_), ..) if absent => deadline,
            (None, ..) if self.undone => self.created(),
            (None, ..) if self.inquiry.is_some() || self.missed => self.created().saturating_add(LONGEST),
            (None, ..) => deadline,
            (Some(_), Some(Verdict::Wrong), _) if self.course.finished => return false,
            (Some(_), Some(Verdict::Wrong), _) | (Some(_), _, None) => self.created().saturating_add(LONGEST),
            (Some(_), _, Some(end)) => end,
        };
        head <= last.saturating_add(finality)
    }
}

/// True where less than half is left of the blocks after `start` up to `end`.
fn is_late(head: u64, start: u64, end: u64) -> bool {
    end.saturating_sub(head) < end.saturating_sub(start).div_ceil(2)
}
