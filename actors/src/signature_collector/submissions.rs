//! What becomes of a submission: before it is on disk, and after.

use anzen_messages::bls::Signature;
use anzen_messages::signature::{SubmitReply, SubmitSignature};
use anzen_messages::{OperatorId, TaskHash};

use super::collection::{Added, Collection};
use super::collector::{Collector, Entry, Stage};
use super::early::Waiting;
use super::effect::{Effect, Fault, Verdict};

impl Collector {
    /// What to do with a submission. Where it is to be kept, its place is taken until [`Collector::kept`] or
    /// [`Collector::not_kept`].
    pub(super) fn receive(&mut self, message: &SubmitSignature, signature: &Signature) -> Verdict {
        let verdict = self.judge(message, signature);
        if verdict == Verdict::Keep {
            let place = (message.response.task_hash, message.operator_id);
            self.writing.entry(place).or_insert((message.response.safety_factor, *signature));
        }
        verdict
    }

    fn judge(&self, message: &SubmitSignature, signature: &Signature) -> Verdict {
        let (task, value) = (message.response.task_hash, message.response.safety_factor);
        match self.writing.get(&(task, message.operator_id)) {
            Some(same) if *same == (value, *signature) => return Verdict::Keep,
            // The first is not acknowledged yet, and this one comes beside it: it can come again.
            Some(_) => return Verdict::Reply(SubmitReply::Unavailable),
            None => {}
        }
        match self.tasks.get(&task) {
            Some(Entry { stage: Stage::Collecting(collection), answered, .. }) => {
                judge_known(collection, answered.is_some(), message, signature)
            }
            known => self.judge_early(message, signature, known.is_some()),
        }
    }

    fn judge_early(&self, message: &SubmitSignature, signature: &Signature, known: bool) -> Verdict {
        let operator = message.operator_id;
        match self.early.get(message.response.task_hash, operator) {
            Some(first) if first.value == message.response.safety_factor && first.signature == *signature => {
                Verdict::Reply(SubmitReply::Duplicate)
            }
            // Who may sign is not known yet, so nothing can be proved; the first stands.
            Some(_) => Verdict::Reply(SubmitReply::SecondAnswer),
            None if known || self.waiting(operator) < self.config.early_per_operator => Verdict::Keep,
            None => Verdict::Reply(SubmitReply::TooManyEarly),
        }
    }

    /// How many signatures of an operator wait for tasks, those that are being written included.
    fn waiting(&self, operator: OperatorId) -> usize {
        let of_operator =
            |(task, of): &&(TaskHash, OperatorId)| *of == operator && !self.tasks.contains_key(task);
        self.early.count(operator) + self.writing.keys().filter(of_operator).count()
    }

    /// The form in which a submission is kept.
    pub(super) fn record(&self, message: &SubmitSignature, signature: Signature) -> Waiting {
        Waiting { value: message.response.safety_factor, signature, since: self.tip }
    }

    /// A submission could not be written.
    pub(super) fn not_kept(&mut self, task: TaskHash, operator: OperatorId) {
        self.writing.remove(&(task, operator));
    }

    /// Takes in a submission that is on disk.
    pub(super) fn kept(
        &mut self,
        task: TaskHash,
        operator: OperatorId,
        record: Waiting,
    ) -> (SubmitReply, Vec<Effect>) {
        self.writing.remove(&(task, operator));
        match self.tasks.get_mut(&task) {
            Some(Entry { stage: Stage::Collecting(collection), .. }) => {
                let (added, step) = collection.add(operator, record.value, record.signature);
                let mut effects = self.step(task, step);
                if matches!(added, Added::TooLate | Added::NotInSet) {
                    effects.push(Effect::Forget(vec![(task, operator)]));
                }
                (added.into(), effects)
            }
            known => {
                let reply = if known.is_some() { SubmitReply::Accepted } else { SubmitReply::Early };
                self.early.insert(task, operator, record);
                (reply, Vec::new())
            }
        }
    }

    /// Two answers of an operator are on disk.
    pub(super) fn convict(&mut self, task: TaskHash, operator: OperatorId) -> Vec<Effect> {
        let Some(Entry { stage: Stage::Collecting(collection), .. }) = self.tasks.get_mut(&task) else {
            return Vec::new();
        };
        if collection.convict(operator) {
            self.blame(task, operator, Fault::SecondAnswer)
        } else {
            Vec::new()
        }
    }
}

fn judge_known(
    collection: &Collection,
    answered: bool,
    message: &SubmitSignature,
    signature: &Signature,
) -> Verdict {
    let (operator, value) = (message.operator_id, message.response.safety_factor);
    match collection.judge(operator, value, signature) {
        Added::Counted if answered => Verdict::Reply(SubmitReply::TooLate),
        Added::Counted => Verdict::Keep,
        Added::SecondAnswer => collection
            .evidence_against(operator, value)
            .map_or(Verdict::Reply(SubmitReply::SecondAnswer), |suspicion| {
                Verdict::Evidence(Box::new(suspicion))
            }),
        other => Verdict::Reply(other.into()),
    }
}
