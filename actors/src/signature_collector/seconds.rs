//! Second signatures: an operator signed a task otherwise before. One at a time for a task and an operator is kept, on disk
//! as well, until both have been verified alone.

use std::collections::BTreeMap;

use anzen_messages::bls::Signature;
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use anzen_messages::{OperatorId, TaskHash};

use super::collector::{Collector, Entry, Stage};
use super::early::Waiting;
use super::effect::{Effect, Fault, Verdict};
use super::trial::{Contest, Ruling};

/// Where a signature belongs.
pub(super) type Place = (TaskHash, OperatorId);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Writing,
    OnDisk,
    OnTrial,
}

#[derive(Debug)]
struct Second {
    record: Waiting,
    progress: Progress,
}

/// Bounded as the first signatures are: there is none without a first.
#[derive(Debug, Default)]
pub(super) struct Seconds(BTreeMap<Place, Second>);

impl Seconds {
    pub(super) fn recover(&mut self, place: Place, record: Waiting) {
        self.0.insert(place, Second { record, progress: Progress::OnDisk });
    }

    /// What came before any block was known has waited since `head`.
    pub(super) fn first_block(&mut self, head: u64) {
        for second in self.0.values_mut().filter(|second| second.record.since == 0) {
            second.record.since = head;
        }
    }

    /// True where something of a task is to be judged.
    pub(super) fn concern(&self, task: TaskHash) -> bool {
        self.0.keys().any(|(of, _)| *of == task)
    }

    /// Takes out all of a task.
    pub(super) fn drop_task(&mut self, task: TaskHash) -> Vec<Place> {
        self.drop_where(|(of, _), _| *of == task)
    }

    /// Takes out what has waited since a block before `oldest` for a task that is not `known`.
    pub(super) fn expire(&mut self, oldest: u64, known: impl Fn(&TaskHash) -> bool) -> Vec<Place> {
        self.drop_where(|(task, _), second| second.record.since < oldest && !known(task))
    }

    fn drop_where(&mut self, over: impl Fn(&Place, &Second) -> bool) -> Vec<Place> {
        let dropped: Vec<Place> =
            self.0.iter().filter(|(place, second)| over(place, second)).map(|(place, _)| *place).collect();
        for place in &dropped {
            self.0.remove(place);
        }
        dropped
    }
}

impl Collector {
    /// What to do with a signature that is not the operator's first for the task.
    pub(super) fn judge_second(&self, message: &SubmitSignature, signature: &Signature) -> Verdict {
        let (task, operator) = (message.response.task_hash, message.operator_id);
        if self.convictions.has(task, operator) {
            return Verdict::Reply(SubmitReply::SecondAnswer);
        }
        let claim = (message.response.safety_factor, *signature);
        match self.seconds.0.get(&(task, operator)) {
            None => Verdict::KeepSecond,
            Some(second) if second.record.claim() == claim && second.progress != Progress::Writing => {
                Verdict::Reply(SubmitReply::SecondAnswer)
            }
            // It can come again when that one has been judged.
            Some(_) => Verdict::Reply(SubmitReply::Unavailable),
        }
    }

    pub(super) fn write_second(&mut self, place: Place, record: Waiting) {
        self.seconds.0.insert(place, Second { record, progress: Progress::Writing });
    }

    /// A second signature could not be written.
    pub(super) fn second_not_kept(&mut self, place: Place) {
        self.seconds.0.remove(&place);
    }

    /// A second signature is on disk.
    pub(super) fn second_kept(&mut self, place: Place) -> (SubmitReply, Vec<Effect>) {
        let Some(second) = self.seconds.0.get_mut(&place) else {
            // Its task ended meanwhile.
            return (SubmitReply::TooLate, vec![Effect::ForgetSeconds(vec![place])]);
        };
        second.progress = Progress::OnDisk;
        (SubmitReply::SecondAnswer, self.contest(place))
    }

    /// Has all second signatures of a task judged.
    pub(super) fn contests(&mut self, task: TaskHash) -> Vec<Effect> {
        let places: Vec<Place> = self.seconds.0.keys().filter(|(of, _)| *of == task).copied().collect();
        places.into_iter().flat_map(|place| self.contest(place)).collect()
    }

    /// Has a second signature judged, as soon as that is possible: the operators are known, and the first is on disk.
    pub(super) fn contest(&mut self, place: Place) -> Vec<Effect> {
        let (task, operator) = place;
        let waits = self.seconds.0.get(&place).filter(|second| second.progress == Progress::OnDisk);
        let Some(record) = waits.map(|second| second.record) else { return Vec::new() };
        if self.writing.contains_key(&place) {
            return Vec::new();
        }
        let Some(Entry { stage: Stage::Collecting(collection), .. }) = self.tasks.get(&task) else {
            let has_first = self.early.get(task, operator).is_some();
            return if has_first { Vec::new() } else { self.promote(place, record) };
        };
        // Whom the set lacks may be in it when it is read again.
        if collection.is_being_checked(operator) || collection.is_outside(operator) {
            return Vec::new();
        }
        // Sent again when the first had been found bad, it has taken the first's place itself.
        if collection.claim_of(operator) == Some(record.claim()) {
            self.seconds.0.remove(&place);
            return vec![Effect::ForgetSeconds(vec![place])];
        }
        let Some(contest) = collection.contest(operator, record.claim()) else {
            return self.promote(place, record);
        };
        if let Some(second) = self.seconds.0.get_mut(&place) {
            second.progress = Progress::OnTrial;
        }
        vec![Effect::Contest(Box::new(contest))]
    }

    /// There is no first signature any more: the second takes its place.
    fn promote(&mut self, place: Place, record: Waiting) -> Vec<Effect> {
        self.seconds.0.remove(&place);
        let mut effects = vec![Effect::Promote { place, record }];
        effects.extend(self.kept(place.0, place.1, record).1);
        effects
    }

    /// Takes in which of two signatures are valid.
    pub(super) fn contested(&mut self, contest: &Contest, ruling: Ruling) -> Vec<Effect> {
        let place = (contest.hash, contest.operator());
        if ruling == (Ruling { first: true, second: true }) {
            self.seconds.0.remove(&place);
            return self.convict(contest);
        }
        let mut effects = Vec::new();
        if !ruling.first {
            effects.extend(self.withdraw_first(contest, place));
        }
        if !ruling.second {
            effects.extend(self.fault(place, Fault::BadSignature));
            self.told_falsely(place);
        }
        effects.extend(self.settle_second(place, ruling));
        effects
    }

    fn convict(&mut self, contest: &Contest) -> Vec<Effect> {
        let place = (contest.hash, contest.operator());
        if self.convictions.has(place.0, place.1) {
            return vec![Effect::ForgetSeconds(vec![place])];
        }
        let evidence = Box::new(contest.evidence());
        let dropped = self.convictions.add(&evidence);
        let mut effects = vec![Effect::KeepEvidence { evidence, dropped }];
        effects.extend(self.fault(place, Fault::SecondAnswer));
        effects
    }

    /// The first signature is not valid. Where it is part of a sum already, it stays: that sum holds. Where it is being
    /// checked, that check will find it.
    fn withdraw_first(&mut self, contest: &Contest, place: Place) -> Vec<Effect> {
        let collection = match self.tasks.get_mut(&place.0) {
            Some(Entry { stage: Stage::Collecting(collection), .. }) => collection,
            _ => return Vec::new(),
        };
        let stood = collection.claim_of(place.1) == Some(contest.first);
        if !stood || collection.is_being_checked(place.1) {
            return Vec::new();
        }
        collection.withdraw(place.1, contest.first);
        collection.told_falsely(place.1);
        self.fault(place, Fault::BadSignature)
    }

    fn told_falsely(&mut self, place: Place) {
        if let Some(Entry { stage: Stage::Collecting(collection), .. }) = self.tasks.get_mut(&place.0) {
            collection.told_falsely(place.1);
        }
    }

    /// Where the second is the valid one it takes the first's place, or waits until the first is out of its check.
    fn settle_second(&mut self, place: Place, ruling: Ruling) -> Vec<Effect> {
        let Some(second) = self.seconds.0.get_mut(&place) else {
            return vec![Effect::ForgetSeconds(vec![place])];
        };
        let stands = match self.tasks.get(&place.0) {
            Some(Entry { stage: Stage::Collecting(collection), .. }) => {
                collection.claim_of(place.1).is_some() && !collection.is_being_checked(place.1)
            }
            _ => true,
        };
        if !ruling.second || stands {
            self.seconds.0.remove(&place);
            return vec![Effect::ForgetSeconds(vec![place])];
        }
        second.progress = Progress::OnDisk;
        self.contest(place)
    }
}
