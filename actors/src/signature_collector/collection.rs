//! One task: who signed which answer, when to check, when it is enough. No I/O, no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy::primitives::U256;
use anzen_messages::aggregation::QuorumReached;
use anzen_messages::bls::{HashedMessage, PublicKeyG2, Signature, SignedSum, hash_to_g1};
use anzen_messages::certificate::NonSigner;
use anzen_messages::signature::SignedStake;
use anzen_messages::task::SigningDomain;
use anzen_messages::{Certificate, OperatorId, OperatorSet, SafetyFactor, Task, TaskHash, TaskResponse};

use super::check::{CheckJob, Checked};

/// What is to be done next about a task.
#[derive(Debug)]
pub(super) enum Step {
    /// Check these signatures of this answer; tell the result by [`Collection::checked`].
    Check(SafetyFactor, CheckJob),
    /// Wait for slower operators, then call [`Collection::linger_over`].
    Linger,
    /// The task has its certificate.
    Reached(Box<QuorumReached>),
}

/// A second answer: what is needed to verify it, and to keep both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Suspicion {
    pub(super) first: (SafetyFactor, Signature),
    pub(super) message: HashedMessage,
    pub(super) key: PublicKeyG2,
}

/// What became of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    Counted,
    Duplicate,
    SecondAnswer,
    /// Of the answer that it signed before, but not the same signature: one of the two is not valid.
    OtherSignature,
    NotInSet,
    Invalid,
    TooLate,
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

/// One answer: its signatures, of which some have been checked.
#[derive(Debug, Default)]
struct Answer {
    unchecked: BTreeMap<OperatorId, Signature>,
    checking: BTreeMap<OperatorId, Signature>,
    checked: BTreeMap<OperatorId, Signature>,
    sum: Option<SignedSum>,
    /// Stake of all of them, by quorum, and of the checked ones.
    claimed: BTreeMap<u8, U256>,
    proven: BTreeMap<u8, U256>,
}

/// The signatures of one task.
#[derive(Debug)]
pub(super) struct Collection {
    task: Task,
    hash: TaskHash,
    domain: SigningDomain,
    set: Arc<OperatorSet>,
    answers: BTreeMap<SafetyFactor, Answer>,
    /// Each operator's first answer: the one that counts.
    first: BTreeMap<OperatorId, SafetyFactor>,
    invalid: BTreeSet<OperatorId>,
    /// Those of whom two answers are kept.
    convicted: BTreeSet<OperatorId>,
    phase: Phase,
}

impl Collection {
    pub(super) fn new(task: Task, domain: SigningDomain, set: Arc<OperatorSet>) -> Self {
        Self {
            hash: task.hash(),
            task,
            domain,
            set,
            answers: BTreeMap::new(),
            first: BTreeMap::new(),
            invalid: BTreeSet::new(),
            convicted: BTreeSet::new(),
            phase: Phase::Open,
        }
    }

    /// What would become of a signature, without taking it in.
    pub(super) fn judge(&self, operator: OperatorId, value: SafetyFactor, signature: &Signature) -> Added {
        if !self.set.operators.contains_key(&operator) {
            return Added::NotInSet;
        }
        if self.invalid.contains(&operator) {
            return Added::Invalid;
        }
        match self.first.get(&operator) {
            Some(first) if *first != value => Added::SecondAnswer,
            Some(_) if self.signature_of(operator, value) == Some(signature) => Added::Duplicate,
            // BLS signatures are unique: of two for one message, at most one is valid. The first stands.
            Some(_) => Added::OtherSignature,
            None if self.phase == Phase::Closed => Added::TooLate,
            None => Added::Counted,
        }
    }

    /// Takes a signature in.
    pub(super) fn add(
        &mut self,
        operator: OperatorId,
        value: SafetyFactor,
        signature: Signature,
    ) -> (Added, Option<Step>) {
        let verdict = self.judge(operator, value, &signature);
        if verdict != Added::Counted {
            return (verdict, None);
        }
        self.first.insert(operator, value);
        let answer = self.answers.entry(value).or_default();
        answer.unchecked.insert(operator, signature);
        count(&mut answer.claimed, &self.set, operator);
        (verdict, self.next_step(value))
    }

    /// Takes in what a check found. Returns whose signatures were bad, and what to do next.
    pub(super) fn checked(&mut self, value: SafetyFactor, result: &Checked) -> Option<Step> {
        let answer = self.answers.get_mut(&value)?;
        for id in &result.good {
            if let Some(signature) = answer.checking.remove(id) {
                answer.checked.insert(*id, signature);
                count(&mut answer.proven, &self.set, *id);
            }
        }
        for id in &result.bad {
            if answer.checking.remove(id).is_some() {
                self.invalid.insert(*id);
                discount(&mut answer.claimed, &self.set, *id);
            }
        }
        answer.sum = match (answer.sum, result.sum) {
            (Some(before), Some(more)) => before.merge(&more),
            (before, more) => before.or(more),
        };
        self.next_step(value)
    }

    /// The time for slower operators has passed.
    pub(super) fn linger_over(&mut self) -> Option<Step> {
        let Phase::Lingering(value) = self.phase else { return None };
        self.phase = Phase::Closing(value);
        self.next_step(value)
    }

    /// The operator's first answer and what a second one is to be verified with; nothing where both are kept already.
    pub(super) fn evidence_against(&self, operator: OperatorId, second: SafetyFactor) -> Option<Suspicion> {
        if self.convicted.contains(&operator) {
            return None;
        }
        let first = *self.first.get(&operator)?;
        Some(Suspicion {
            first: (first, *self.signature_of(operator, first)?),
            message: hash_to_g1(self.response(second).digest(&self.domain)),
            key: self.set.operators.get(&operator)?.key.g2(),
        })
    }

    /// Two answers of the operator are kept. True the first time.
    pub(super) fn convict(&mut self, operator: OperatorId) -> bool {
        self.convicted.insert(operator)
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

    /// How many of the set have not signed anything.
    pub(super) fn missing(&self) -> usize {
        self.set.operators.len().saturating_sub(self.first.len())
    }

    fn next_step(&mut self, value: SafetyFactor) -> Option<Step> {
        let answer = self.answers.get(&value)?;
        if !answer.checking.is_empty() {
            return None;
        }
        let all_checked = answer.unchecked.is_empty();
        let (proven, claimed) = (self.reaches(&answer.proven), self.reaches(&answer.claimed));
        let everyone = self.missing() == 0;
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
        let answer = self.answers.get_mut(&value)?;
        answer.checking = std::mem::take(&mut answer.unchecked);
        let signatures = answer.checking.iter().map(|(id, signature)| (*id, *signature)).collect();
        Some(Step::Check(value, CheckJob { message, set: Arc::clone(&self.set), signatures }))
    }

    fn reached(&mut self, value: SafetyFactor) -> Option<Step> {
        self.phase = Phase::Closed;
        let answer = self.answers.get(&value)?;
        let sum = answer.sum?;
        let non_signers = self.set.operators.iter().filter(|(id, _)| !answer.checked.contains_key(*id));
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
            signers: answer.checked.keys().copied().collect(),
            stakes: self.stakes(&answer.proven),
        })))
    }

    fn response(&self, value: SafetyFactor) -> TaskResponse {
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

    fn signature_of(&self, operator: OperatorId, value: SafetyFactor) -> Option<&Signature> {
        let answer = self.answers.get(&value)?;
        [&answer.checked, &answer.checking, &answer.unchecked]
            .into_iter()
            .find_map(|part| part.get(&operator))
    }
}

fn count(stakes: &mut BTreeMap<u8, U256>, set: &OperatorSet, id: OperatorId) {
    for (quorum, stake) in set.operators.get(&id).iter().flat_map(|operator| &operator.stakes) {
        *stakes.entry(*quorum).or_default() += *stake;
    }
}

fn discount(stakes: &mut BTreeMap<u8, U256>, set: &OperatorSet, id: OperatorId) {
    for (quorum, stake) in set.operators.get(&id).iter().flat_map(|operator| &operator.stakes) {
        let entry = stakes.entry(*quorum).or_default();
        *entry = entry.saturating_sub(*stake);
    }
}
