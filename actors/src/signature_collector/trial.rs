//! Signatures that are verified alone: those of an operator in doubt, and two that contradict each other.

use anzen_messages::bls::{HashedMessage, PublicKey, Signature, hash_to_g1, verify};
use anzen_messages::evidence::{Evidence, SignedAnswer};
use anzen_messages::task::SigningDomain;
use anzen_messages::{OperatorId, SafetyFactor, Task, TaskHash, TaskResponse};

/// An answer and its signature, neither checked against the other.
pub(super) type Claim = (SafetyFactor, Signature);

/// One signature of one operator.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    pub(super) message: HashedMessage,
    pub(super) key: PublicKey,
    pub(super) claim: Claim,
}

/// Two signatures of one operator for one task that are not the same. Holds all that evidence needs, so that it can be kept
/// whatever becomes of the task meanwhile.
#[derive(Debug, Clone)]
pub(super) struct Contest {
    pub(super) task: Task,
    pub(super) hash: TaskHash,
    pub(super) domain: SigningDomain,
    pub(super) key: PublicKey,
    /// The one that stands.
    pub(super) first: Claim,
    /// The one that came later.
    pub(super) second: Claim,
}

/// Which of two signatures are valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ruling {
    pub(super) first: bool,
    pub(super) second: bool,
}

impl Trial {
    /// One pairing check: true where the signature is the operator's.
    pub(super) fn run(&self) -> bool {
        verify(&self.message, &self.claim.1, &self.key.g2())
    }
}

impl Contest {
    pub(super) fn operator(&self) -> OperatorId {
        self.key.operator_id()
    }

    /// Two pairing checks.
    pub(super) fn run(&self) -> Ruling {
        let is_valid = |(value, signature): &Claim| {
            let response = TaskResponse { task_hash: self.hash, safety_factor: *value };
            verify(&hash_to_g1(response.digest(&self.domain)), signature, &self.key.g2())
        };
        Ruling { first: is_valid(&self.first), second: is_valid(&self.second) }
    }

    /// The proof, where both are valid. (BLS signatures are unique, so they are of two answers then.)
    pub(super) fn evidence(&self) -> Evidence {
        let [first, second] = [self.first, self.second].map(|(safety_factor, signature)| SignedAnswer {
            safety_factor,
            signature: signature.to_bytes(),
        });
        Evidence::new(&self.domain, self.task.clone(), &self.key, first, second)
    }
}
