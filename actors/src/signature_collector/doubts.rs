//! Operators in doubt: whose signatures are verified alone, and who signed twice. No I/O.

use anzen_messages::OperatorId;
use anzen_messages::bls::hash_to_g1;

use super::collection::{Collection, Step};
use super::trial::{Claim, Contest, Trial};

/// So many false signatures of an operator for a task are looked at; whatever comes after them is refused unseen.
const MOST_FALSE: u8 = 2;

impl Collection {
    /// Takes in what a trial found: true where the signature is good. Nothing where it is not waited for any more.
    pub(super) fn tried(&mut self, operator: OperatorId, claim: Claim, good: bool) -> Option<Option<Step>> {
        if self.aside.get(&operator) != Some(&claim) {
            return None;
        }
        self.aside.remove(&operator);
        if !good {
            self.first.remove(&operator);
            self.told_falsely(operator);
            return Some(None);
        }
        self.answers.entry(claim.0).or_default().prove(&self.set, operator, claim.1);
        Some(self.next_step(claim.0))
    }

    /// What settles which of an operator's two signatures is valid; nothing where it has no first one, or that one is part
    /// of a check under way.
    pub(super) fn contest(&self, operator: OperatorId, second: Claim) -> Option<Contest> {
        let first = self.claim_of(operator).filter(|_| !self.is_being_checked(operator))?;
        let key = self.set.operators.get(&operator)?.key;
        let (task, domain) = (self.task.clone(), self.domain.clone());
        Some(Contest { task, hash: self.hash, domain, key, first, second })
    }

    /// Takes back a signature that stands and is not valid. It stays where it is in a sum that holds.
    pub(super) fn withdraw(&mut self, operator: OperatorId, claim: Claim) {
        let answer = self.answers.get_mut(&claim.0);
        let withdrawn = self.aside.remove(&operator).is_some()
            || answer.is_some_and(|answer| answer.withdraw(&self.set, operator));
        if withdrawn {
            self.first.remove(&operator);
        }
    }

    /// An operator sent a signature that is not valid.
    pub(super) fn told_falsely(&mut self, operator: OperatorId) {
        let count = self.falsehoods.entry(operator).or_default();
        *count = count.saturating_add(1);
    }

    /// True where nothing more of the operator is looked at.
    pub(super) fn is_not_heard(&self, operator: OperatorId) -> bool {
        self.falsehoods.get(&operator).is_some_and(|count| *count >= MOST_FALSE)
    }

    pub(super) fn is_being_checked(&self, operator: OperatorId) -> bool {
        self.answers.values().any(|answer| answer.is_being_checked(&operator))
    }

    pub(super) fn trial(&self, operator: OperatorId, claim: Claim) -> Option<Trial> {
        let message = hash_to_g1(self.response(claim.0).digest(&self.domain));
        Some(Trial { message, key: self.set.operators.get(&operator)?.key, claim })
    }

    /// The signature of an operator that stands.
    pub(super) fn claim_of(&self, operator: OperatorId) -> Option<Claim> {
        let value = *self.first.get(&operator)?;
        let aside = self.aside.get(&operator).copied();
        aside.or_else(|| Some((value, *self.answers.get(&value)?.signature_of(operator)?)))
    }
}
