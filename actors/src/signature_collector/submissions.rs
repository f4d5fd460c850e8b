//! What becomes of a submission: before it is on disk, and after.

use anzen_messages::bls::Signature;
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use anzen_messages::{OperatorId, TaskHash};

use super::collection::{Added, Collection};
use super::collector::{Collector, Entry, Stage};
use super::early::Waiting;
use super::effect::{Effect, Verdict};
use super::seconds::Place;

impl Collector {
    /// What to do with a submission. Where it is to be kept, its place is taken until [`Collector::kept`] or
    /// [`Collector::not_kept`], or [`Collector::second_kept`] or [`Collector::second_not_kept`].
    pub(super) fn receive(&mut self, message: &SubmitSignature, signature: &Signature) -> Verdict {
        let verdict = self.judge(message, signature);
        let place = (message.response.task_hash, message.operator_id);
        match verdict {
            Verdict::Keep => {
                self.writing.entry(place).or_insert((message.response.safety_factor, *signature));
            }
            Verdict::KeepSecond => self.write_second(place, self.record(message, *signature)),
            Verdict::Reply(_) => {}
        }
        verdict
    }

    fn judge(&self, message: &SubmitSignature, signature: &Signature) -> Verdict {
        let (task, value) = (message.response.task_hash, message.response.safety_factor);
        if self.unserved.contains_key(&task) {
            return Verdict::Reply(SubmitReply::NotServed);
        }
        match self.writing.get(&(task, message.operator_id)) {
            Some(same) if *same == (value, *signature) => return Verdict::Keep,
            Some(_) => return self.judge_second(message, signature),
            None => {}
        }
        match self.tasks.get(&task) {
            Some(Entry { stage: Stage::Collecting(collection), deadline, .. }) => {
                self.judge_known(collection, *deadline, message, signature)
            }
            Some(entry) if self.tip > entry.deadline => Verdict::Reply(SubmitReply::TooLate),
            known => self.judge_early(message, signature, known.is_some()),
        }
    }

    /// A signature is taken although the task is answered: a reorg may undo that answer. It is taken although there is a
    /// certificate: that may be worth nothing, because the set is wrong.
    fn judge_known(
        &self,
        collection: &Collection,
        deadline: u64,
        message: &SubmitSignature,
        signature: &Signature,
    ) -> Verdict {
        let in_time = self.tip <= deadline;
        match collection.judge(message.operator_id, message.response.safety_factor, signature) {
            Added::Counted if !in_time => Verdict::Reply(SubmitReply::TooLate),
            Added::Counted => Verdict::Keep,
            // Perhaps it is the set that is wrong.
            Added::NotInSet if in_time && !collection.is_outside(message.operator_id) => Verdict::Keep,
            Added::Differs => self.judge_second(message, signature),
            other => Verdict::Reply(other.into()),
        }
    }

    fn judge_early(&self, message: &SubmitSignature, signature: &Signature, known: bool) -> Verdict {
        let operator = message.operator_id;
        match self.early.get(message.response.task_hash, operator) {
            Some(first) if first.value == message.response.safety_factor && first.signature == *signature => {
                Verdict::Reply(SubmitReply::Duplicate)
            }
            // Who may sign is not known yet, so nothing can be proved: both are kept until it is.
            Some(_) => self.judge_second(message, signature),
            None if known || self.waiting(operator) < self.config.early_per_operator => Verdict::Keep,
            None => Verdict::Reply(SubmitReply::TooManyEarly),
        }
    }

    /// How many signatures of an operator wait for tasks, those that are being written included.
    fn waiting(&self, operator: OperatorId) -> usize {
        let of_operator = |(task, of): &&Place| *of == operator && !self.tasks.contains_key(task);
        self.early.count(operator) + self.writing.keys().filter(of_operator).count()
    }

    /// The form in which a submission is kept.
    pub(super) fn record(&self, message: &SubmitSignature, signature: Signature) -> Waiting {
        Waiting { value: message.response.safety_factor, signature, since: self.tip }
    }

    /// A submission could not be written. Where a second one was, it is the first now.
    pub(super) fn not_kept(&mut self, task: TaskHash, operator: OperatorId) -> Vec<Effect> {
        self.writing.remove(&(task, operator));
        self.contest((task, operator))
    }

    /// Takes in a submission that is on disk.
    pub(super) fn kept(
        &mut self,
        task: TaskHash,
        operator: OperatorId,
        record: Waiting,
    ) -> (SubmitReply, Vec<Effect>) {
        let place = (task, operator);
        self.writing.remove(&place);
        if self.unserved.contains_key(&task) {
            return (SubmitReply::NotServed, vec![Effect::Forget(vec![place])]);
        }
        let alone = self.standing.is_penalised(operator, self.tip);
        match self.tasks.get_mut(&task) {
            Some(Entry { stage: Stage::Collecting(collection), .. }) => {
                let (added, step) = collection.add(operator, record.claim(), alone);
                self.claims_membership(place);
                let mut effects = self.step(task, step);
                effects.extend(self.contest(place));
                (added.into(), effects)
            }
            known => {
                let reply = if known.is_some() { SubmitReply::Accepted } else { SubmitReply::Early };
                self.early.insert(task, operator, record);
                (reply, Vec::new())
            }
        }
    }
}

impl From<Added> for SubmitReply {
    fn from(added: Added) -> Self {
        match added {
            Added::Counted => Self::Accepted,
            Added::Duplicate => Self::Duplicate,
            Added::Differs => Self::SecondAnswer,
            Added::NotInSet => Self::NotInSet,
            Added::Invalid => Self::Invalid,
        }
    }
}
