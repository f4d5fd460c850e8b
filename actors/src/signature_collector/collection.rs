//! One task: who signed which answer, when to check, when it is enough. No I/O, no clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy::primitives::U256;
use anzen_messages::aggregation::QuorumReached;
use anzen_messages::bls::{Signature, hash_to_g1};
use anzen_messages::certificate::NonSigner;
use anzen_messages::signature::SignedStake;
use anzen_messages::task::SigningDomain;
use anzen_messages::{Certificate, OperatorId, OperatorSet, SafetyFactor, Task, TaskHash, TaskResponse};

use super::answer::Answer;
use super::check::{CheckJob, Checked};
use super::trial::{Claim, Trial};

/// What is to be done next about a task.
#[derive(Debug)]
pub(super) enum Step {
    /// Check these signatures of this answer; tell the result by [`Collection::checked`].
    Check(SafetyFactor, CheckJob),
    /// Verify this signature of this operator alone; tell the result by [`Collection::tried`].
    Try(OperatorId, Box<Trial>),
    /// Wait for slower operators, then call [`Collection::linger_over`].
    Linger,
    /// The task has its certificate.
    Reached(Box<QuorumReached>),
}

/// What would become of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    Counted,
    Duplicate,
    /// The operator signed otherwise before: another answer, or the same one differently (of which at most one is valid).
    Differs,
    NotInSet,
    Invalid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No answer has its quorum yet.
    Open,
    /// An answer has it, checked; slower operators may join.
    Lingering(SafetyFactor),
    /// The linger is over; one last check is under way.
    Closing(SafetyFactor),
    /// The certificate has been handed on.
    Closed,
}

/// The signatures of one task.
#[derive(Debug)]
pub(super) struct Collection {
    pub(super) task: Task,
    pub(super) hash: TaskHash,
    pub(super) domain: SigningDomain,
    pub(super) set: Arc<OperatorSet>,
    /// Tells it from others of the same task.
    round: u64,
    pub(super) answers: BTreeMap<SafetyFactor, Answer>,
    /// Each operator's first answer: the one that counts.
    pub(super) first: BTreeMap<OperatorId, SafetyFactor>,
    /// Signatures that stand in no sum before they have been verified alone.
    pub(super) aside: BTreeMap<OperatorId, Claim>,
    /// Signatures of those whom the set lacks: another reading of it may know them. One of each operator.
    outside: BTreeMap<OperatorId, Claim>,
    /// How many false signatures each operator sent.
    pub(super) falsehoods: BTreeMap<OperatorId, u8>,
    phase: Phase,
    /// Nothing is begun: the task is answered.
    pub(super) paused: bool,
}

impl Collection {
    pub(super) fn new(task: Task, domain: SigningDomain, set: Arc<OperatorSet>, round: u64) -> Self {
        Self {
            hash: task.hash(),
            task,
            domain,
            set,
            round,
            answers: BTreeMap::new(),
            first: BTreeMap::new(),
            aside: BTreeMap::new(),
            outside: BTreeMap::new(),
            falsehoods: BTreeMap::new(),
            phase: Phase::Open,
            paused: false,
        }
    }

    /// The same task with another set; the signatures are to be added again.
    pub(super) fn again(&self, set: Arc<OperatorSet>, round: u64) -> Self {
        let new = Self::new(self.task.clone(), self.domain.clone(), set, round);
        Self { falsehoods: self.falsehoods.clone(), paused: self.paused, ..new }
    }

    pub(super) fn set(&self) -> &Arc<OperatorSet> {
        &self.set
    }

    /// What would become of a signature, without taking it in.
    pub(super) fn judge(&self, operator: OperatorId, value: SafetyFactor, signature: &Signature) -> Added {
        if !self.set.operators.contains_key(&operator) {
            return Added::NotInSet;
        }
        match self.claim_of(operator) {
            Some(first) if first == (value, *signature) => Added::Duplicate,
            _ if self.is_not_heard(operator) => Added::Invalid,
            Some(_) => Added::Differs,
            None => Added::Counted,
        }
    }

    /// Takes a signature in: into the sum, or to be verified `alone` first. Once there is a certificate it counts with another
    /// set only.
    pub(super) fn add(&mut self, operator: OperatorId, claim: Claim, alone: bool) -> (Added, Option<Step>) {
        let verdict = self.judge(operator, claim.0, &claim.1);
        match verdict {
            Added::Counted | Added::NotInSet => (verdict, self.add_again(operator, claim, alone)),
            _ => (verdict, None),
        }
    }

    /// Takes in a signature that stands, whatever was found of its operator since.
    pub(super) fn add_again(&mut self, operator: OperatorId, claim: Claim, alone: bool) -> Option<Step> {
        if !self.set.operators.contains_key(&operator) {
            self.outside.entry(operator).or_insert(claim);
            return None;
        }
        let (value, signature) = claim;
        self.first.insert(operator, value);
        if alone || self.falsehoods.contains_key(&operator) {
            self.aside.insert(operator, claim);
            let trial = self.trial(operator, claim).filter(|_| self.phase != Phase::Closed);
            return trial.map(|trial| Step::Try(operator, Box::new(trial)));
        }
        self.answers.entry(value).or_default().claim(&self.set, operator, signature);
        self.next_step(value)
    }

    /// Takes in what a check found. Returns whose signatures were bad, and what to do next.
    pub(super) fn checked(
        &mut self,
        value: SafetyFactor,
        result: &Checked,
    ) -> (Vec<OperatorId>, Option<Step>) {
        let Some(answer) = self.answers.get_mut(&value).filter(|_| result.round == self.round) else {
            return (Vec::new(), None);
        };
        let bad = answer.take_in(&self.set, result);
        for operator in &bad {
            self.first.remove(operator);
            self.told_falsely(*operator);
        }
        (bad, self.next_step(value))
    }

    /// The time for slower operators has passed.
    pub(super) fn linger_over(&mut self) -> Option<Step> {
        let Phase::Lingering(value) = self.phase else { return None };
        self.phase = Phase::Closing(value);
        self.next_step(value)
    }

    /// Goes on after a pause.
    pub(super) fn resume(&mut self) -> Vec<Step> {
        self.paused = false;
        let values: Vec<SafetyFactor> = self.answers.keys().copied().collect();
        values.into_iter().filter_map(|value| self.next_step(value)).collect()
    }

    /// The stake that signed the leading answer, checked or not.
    pub(super) fn best_stakes(&self) -> Vec<SignedStake> {
        let sum = |answer: &Answer| answer.claimed.values().sum::<U256>();
        let best = self.answers.values().max_by_key(|answer| sum(answer));
        self.stakes(&best.map(|answer| answer.claimed.clone()).unwrap_or_default())
    }

    /// Who signed so far, whatever they answered.
    pub(super) fn signers(&self) -> impl Iterator<Item = (&OperatorId, &SafetyFactor)> {
        self.first.iter()
    }

    /// All signatures that stand, to be added to a collection with another set.
    pub(super) fn claims(&self) -> Vec<(OperatorId, Claim)> {
        let claim = |operator: &OperatorId| Some((*operator, self.claim_of(*operator)?));
        let outside = self.outside.iter().map(|(operator, claim)| (*operator, *claim));
        self.first.keys().filter_map(claim).chain(outside).collect()
    }

    /// True where a signature of an operator is kept, and the set lacks it.
    pub(super) fn is_outside(&self, operator: OperatorId) -> bool {
        self.outside.contains_key(&operator)
    }

    /// Whose signatures may be on disk: those that stand, false ones, and those of operators that the set lacks.
    pub(super) fn on_disk(&self) -> impl Iterator<Item = OperatorId> {
        self.members_heard().chain(self.outside.keys().copied())
    }

    /// Who of the set has signed, or tried to.
    fn members_heard(&self) -> impl Iterator<Item = OperatorId> {
        let false_ones = self.falsehoods.keys().filter(move |operator| !self.first.contains_key(*operator));
        self.first.keys().chain(false_ones).copied()
    }

    /// True where all of the set have had their say, and of this answer none waits to be verified alone.
    fn has_everyone(&self, value: SafetyFactor) -> bool {
        // After another reading of the set some are heard of that are in it no more.
        let heard = self.members_heard().filter(|operator| self.set.operators.contains_key(operator)).count();
        let silent = self.set.operators.len().saturating_sub(heard);
        silent == 0 && self.aside.values().all(|(aside, _)| *aside != value)
    }

    pub(super) fn next_step(&mut self, value: SafetyFactor) -> Option<Step> {
        let answer = self.answers.get(&value)?;
        if self.paused || answer.is_checking() {
            return None;
        }
        let all_checked = answer.is_all_checked();
        let (proven, claimed) = (self.reaches(&answer.proven), self.reaches(&answer.claimed));
        let everyone = self.has_everyone(value);
        match self.phase {
            Phase::Open if proven && everyone && all_checked => self.reached(value),
            Phase::Open if proven => {
                self.phase = Phase::Lingering(value);
                Some(Step::Linger)
            }
            Phase::Open if claimed => self.check(value),
            Phase::Lingering(leading) if leading == value && everyone => {
                self.phase = Phase::Closing(value);
                self.next_step(value)
            }
            Phase::Closing(leading) if leading == value && all_checked => self.reached(value),
            Phase::Closing(leading) if leading == value => self.check(value),
            _ => None,
        }
    }

    fn check(&mut self, value: SafetyFactor) -> Option<Step> {
        let message = hash_to_g1(self.response(value).digest(&self.domain));
        let signatures = self.answers.get_mut(&value)?.start_check();
        let (round, set) = (self.round, Arc::clone(&self.set));
        Some(Step::Check(value, CheckJob { round, message, set, signatures }))
    }

    fn reached(&mut self, value: SafetyFactor) -> Option<Step> {
        let answer = self.answers.get(&value)?;
        let sum = answer.sum?;
        self.phase = Phase::Closed;
        let non_signers = self.set.operators.iter().filter(|(id, _)| !answer.has_checked(id));
        let certificate = Certificate {
            non_signers: non_signers.map(|(id, who)| NonSigner { id: *id, key: who.key.g1() }).collect(),
            quorum_apks: self.set.quorums.iter().filter_map(|q| self.set.quorum_apks.get(q)?.g1()).collect(),
            signers_apk: sum.key.to_bytes(),
            signature: sum.signature.to_bytes(),
        };
        Some(Step::Reached(Box::new(QuorumReached {
            task: self.task.clone(),
            response: self.response(value),
            certificate,
            signers: answer.signers(),
            stakes: self.stakes(&answer.proven),
        })))
    }

    pub(super) fn response(&self, value: SafetyFactor) -> TaskResponse {
        TaskResponse { task_hash: self.hash, safety_factor: value }
    }

    fn reaches(&self, signed: &BTreeMap<u8, U256>) -> bool {
        let stakes = self.stakes(signed);
        !stakes.is_empty() && stakes.iter().all(|stake| stake.reaches(self.task.quorum_threshold_percentage))
    }

    fn stakes(&self, signed: &BTreeMap<u8, U256>) -> Vec<SignedStake> {
        let stake = |(quorum, total): (&u8, &U256)| SignedStake {
            quorum: *quorum,
            signed: signed.get(quorum).copied().unwrap_or_default(),
            total: *total,
        };
        self.set.total_stakes.iter().map(stake).collect()
    }
}
