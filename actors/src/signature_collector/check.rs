//! Where signatures are checked: the sum of an answer's signatures, once, and the search for bad ones if it fails.

use std::sync::Arc;

use anzen_messages::bls::{
    HashedMessage, PublicKeyG2, Signature, Signed, SignedSum, find_invalid, sum_signatures, verify,
};
use anzen_messages::{OperatorId, OperatorSet};

/// Some operators' signatures of one message. Every operator is in the set.
#[derive(Debug, Clone)]
pub(super) struct CheckJob {
    /// Which collection it is for: one that was built anew takes no results of the one before.
    pub(super) round: u64,
    pub(super) message: HashedMessage,
    pub(super) set: Arc<OperatorSet>,
    pub(super) signatures: Vec<(OperatorId, Signature)>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checked {
    /// As in the job.
    pub(super) round: u64,
    /// Whose signatures are good, ascending.
    pub(super) good: Vec<OperatorId>,
    /// Whose are not.
    pub(super) bad: Vec<OperatorId>,
    /// The sum of the good ones; nothing where there are none.
    pub(super) sum: Option<SignedSum>,
}

impl CheckJob {
    /// One pairing check where all is well; about `k log2(n/k)` more where k of n are bad.
    pub(super) fn run(&self) -> Checked {
        let parts = self.parts();
        let whole = self.sum(&parts, &[]);
        let bad_places = match whole {
            Some(sum) if verify(&self.message, &sum.signature, &sum.key) => Vec::new(),
            _ => find_invalid(&self.message, &parts),
        };
        let sum = if bad_places.is_empty() { whole } else { self.sum(&parts, &bad_places) };
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for (place, (id, _)) in self.signatures.iter().enumerate() {
            if bad_places.binary_search(&place).is_ok() { bad.push(*id) } else { good.push(*id) }
        }
        Checked { round: self.round, good, bad, sum }
    }

    fn parts(&self) -> Vec<Signed> {
        let part = |(id, signature): &(OperatorId, Signature)| {
            let operator = self.set.operators.get(id)?;
            Some(Signed { signature: *signature, key: operator.key.g2(), weight: operator.weight() })
        };
        self.signatures.iter().filter_map(part).collect()
    }

    /// The sum of all parts but those at `without`.
    fn sum(&self, parts: &[Signed], without: &[usize]) -> Option<SignedSum> {
        let kept = |place: &usize| without.binary_search(place).is_err();
        let places = || (0..parts.len()).filter(kept);
        let signature = sum_signatures(places().map(|place| (parts[place].signature, parts[place].weight)))?;
        let signers: Vec<OperatorId> = places().map(|place| self.signatures[place].0).collect();
        Some(SignedSum { signature, key: signers_key(&self.set, &signers)? })
    }
}

/// The aggregate key of `signers` (ascending): the whole set's less the others', who are usually the fewer.
pub(super) fn signers_key(set: &OperatorSet, signers: &[OperatorId]) -> Option<PublicKeyG2> {
    let others = set.operators.iter().filter(|(id, _)| signers.binary_search(id).is_err());
    set.weighted_apk.without(others.map(|(_, operator)| (&operator.key, operator.weight()))).g2()
}
