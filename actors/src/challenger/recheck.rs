//! Recomputing a task again. A source that hangs looks like one without a value, and may answer again: so what cannot be proved is
//! not certain at first, nor for ever.

use super::case::Case;
use super::decision::Certainty;
use super::effect::Verdict;
use super::records::{Due, Found, Told};
use crate::ports::{ChainError, Recomputed};
use crate::retry::doubled;

/// How many blocks later the same must come out to be certain.
const APART: u64 = 3;

/// For how many blocks that is fresh enough to pay a bond.
const FRESH: u64 = 8;

/// The longest pause, in blocks; nodes keep states for 128.
const LONGEST_PAUSE: u64 = 64;

/// What came of recomputing a task again.
#[derive(Debug, Default)]
pub(super) struct Recheck {
    /// The block in which the outcome came out first; 0 where an earlier process had it.
    since: u64,
    tries: u32,
    /// The block in which another attempt said so, too.
    seconded: Option<u64>,
    /// The last attempt failed, or came to what was answered.
    failed: bool,
}

impl Case {
    /// Takes the first outcome.
    pub(super) fn captured(&mut self, found: Found, head: u64) {
        self.recheck = Recheck { since: head, ..Recheck::default() };
        self.capture.settled();
        self.pursuit.settled();
        (self.found, self.dirty) = (Some(found), true);
        self.pause(head);
    }

    /// Takes an outcome that came later: in place of the first where it can be proved, or where neither can.
    pub(super) fn recaptured(&mut self, result: Result<Recomputed, ChainError>, head: u64) {
        self.pause(head);
        self.recheck.failed = true;
        let (Ok(recomputed), Some(old)) = (result, &self.found) else { return };
        let new = Found::from(recomputed);
        let differs = new.due != old.due;
        let agrees = self.answer.map_or(!differs, |told| new.due != Due::Answer(told.response.safety_factor));
        let replaces = new.witness.is_some() && new != *old || differs && old.witness.is_none();
        self.recheck.failed = !agrees;
        if !agrees {
            self.recheck.seconded = None;
        } else if head >= self.recheck.since.saturating_add(APART) {
            self.recheck.seconded = Some(head);
        }
        if replaces {
            self.replace(new, head);
        }
        // What is under way goes on; what rests is looked at.
        self.pursuit.no_later_than(head);
    }

    fn replace(&mut self, found: Found, head: u64) {
        let before = self.verdict();
        if found.witness.is_none() {
            self.recheck = Recheck { since: head, tries: self.recheck.tries, ..Recheck::default() };
        }
        (self.found, self.dirty, self.course.proof_reverted) = (Some(found), true, false);
        if self.verdict() != before {
            (self.course.said.verdict, self.course.said.state) = (Told::Nothing, None);
        }
    }

    /// True where another outcome may help.
    pub(super) fn is_to_be_rechecked(&self) -> bool {
        let unproved = !self.is_provable() && self.verdict() != Some(Verdict::Right);
        let refused = self.course.proof_reverted && self.verdict() == Some(Verdict::Wrong);
        !self.course.withdrawn && (unproved || refused)
    }

    /// The task is recomputed soon, unless the node does not have the state any more.
    pub(super) fn hurry_recheck(&mut self, head: u64) {
        if !self.recheck.failed {
            self.capture.no_later_than(head.max(self.recheck.since.saturating_add(APART)));
        }
    }

    /// True where a proof was taken, or two attempts some blocks apart came to the same.
    pub(super) fn is_certain(&self) -> bool {
        self.is_provable() || self.recheck.seconded.is_some()
    }

    /// True where a wrong answer may still turn out to be right.
    pub(super) fn is_doubtful(&self) -> bool {
        let settled = self.is_certain() || self.recheck.failed || self.course.withdrawn;
        self.verdict() == Some(Verdict::Wrong) && !settled
    }

    /// Whether money may be put on it.
    pub(super) fn certainty(&self, head: u64) -> Certainty {
        match self.recheck.seconded {
            _ if self.recheck.failed => Certainty::Impossible,
            Some(block) if head <= block.saturating_add(FRESH) => Certainty::Fresh,
            _ => Certainty::Wanted,
        }
    }

    fn is_provable(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.witness.is_some())
    }

    fn pause(&mut self, head: u64) {
        self.recheck.tries = self.recheck.tries.saturating_add(1);
        self.capture.rest(head.saturating_add(doubled(APART, self.recheck.tries, LONGEST_PAUSE)));
    }
}
