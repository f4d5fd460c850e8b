//! One answer of one task: its signatures, how far they are checked, how much stake is behind them.

use std::collections::BTreeMap;

use alloy::primitives::U256;
use anzen_messages::bls::{AggregateKey, Signature, SignedSum, sum_signatures};
use anzen_messages::{OperatorId, OperatorSet};

use super::check::Checked;

/// The signatures of an answer that stand in its sum. Those that are verified alone come in when they have been.
#[derive(Debug, Default)]
pub(super) struct Answer {
    unchecked: BTreeMap<OperatorId, Signature>,
    checking: BTreeMap<OperatorId, Signature>,
    checked: BTreeMap<OperatorId, Signature>,
    /// Of the checked ones; nothing where there are none, or where they cancel each other.
    pub(super) sum: Option<SignedSum>,
    /// Stake of all of them, by quorum.
    pub(super) claimed: BTreeMap<u8, U256>,
    /// Stake of the checked ones.
    pub(super) proven: BTreeMap<u8, U256>,
}

impl Answer {
    /// Takes in a signature that is to be checked in the sum.
    pub(super) fn claim(&mut self, set: &OperatorSet, id: OperatorId, signature: Signature) {
        self.unchecked.insert(id, signature);
        count(&mut self.claimed, set, id);
    }

    /// Takes in a signature that has been verified alone.
    pub(super) fn prove(&mut self, set: &OperatorSet, id: OperatorId, signature: Signature) {
        self.checked.insert(id, signature);
        count(&mut self.claimed, set, id);
        count(&mut self.proven, set, id);
        self.merge(alone(set, id, signature));
    }

    /// Takes out a signature that turned out to be bad elsewhere. False where it is part of a sum already, or about to be:
    /// errors may cancel there.
    pub(super) fn withdraw(&mut self, set: &OperatorSet, id: OperatorId) -> bool {
        let withdrawn = self.unchecked.remove(&id).is_some();
        if withdrawn {
            discount(&mut self.claimed, set, id);
        }
        withdrawn
    }

    /// What is to be checked next; until [`Answer::take_in`] it is being checked.
    pub(super) fn start_check(&mut self) -> Vec<(OperatorId, Signature)> {
        self.checking = std::mem::take(&mut self.unchecked);
        self.checking.iter().map(|(id, signature)| (*id, *signature)).collect()
    }

    /// Takes in what a check found. Returns whose signatures are bad.
    pub(super) fn take_in(&mut self, set: &OperatorSet, result: &Checked) -> Vec<OperatorId> {
        for id in &result.good {
            if let Some(signature) = self.checking.remove(id) {
                self.checked.insert(*id, signature);
                count(&mut self.proven, set, *id);
            }
        }
        let bad = result.bad.iter().filter(|id| self.checking.remove(*id).is_some());
        let bad: Vec<OperatorId> = bad.copied().collect();
        for id in &bad {
            discount(&mut self.claimed, set, *id);
        }
        self.merge(result.sum);
        bad
    }

    pub(super) fn is_checking(&self) -> bool {
        !self.checking.is_empty()
    }

    pub(super) fn is_being_checked(&self, id: &OperatorId) -> bool {
        self.checking.contains_key(id)
    }

    pub(super) fn is_all_checked(&self) -> bool {
        self.unchecked.is_empty() && self.checking.is_empty()
    }

    pub(super) fn has_checked(&self, id: &OperatorId) -> bool {
        self.checked.contains_key(id)
    }

    /// Whose signatures are checked, ascending.
    pub(super) fn signers(&self) -> Vec<OperatorId> {
        self.checked.keys().copied().collect()
    }

    pub(super) fn signature_of(&self, id: OperatorId) -> Option<&Signature> {
        [&self.checked, &self.checking, &self.unchecked].into_iter().find_map(|part| part.get(&id))
    }

    fn merge(&mut self, more: Option<SignedSum>) {
        self.sum = match (self.sum, more) {
            (Some(before), Some(more)) => before.merge(&more),
            (before, more) => before.or(more),
        };
    }
}

/// The sum of one signature: once for each quorum that its signer belongs to.
fn alone(set: &OperatorSet, id: OperatorId, signature: Signature) -> Option<SignedSum> {
    let operator = set.operators.get(&id)?;
    let signature = sum_signatures([(signature, operator.weight())])?;
    let key = AggregateKey::sum([(&operator.key, operator.weight())]).g2()?;
    Some(SignedSum { signature, key })
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
