//! Two signed answers of one operator to one task: what proves the fault to anybody, without the chain and without Anzen.

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};

use crate::bls::{G1Bytes, G2Bytes, PointError, PublicKey, PublicKeyError, Signature, hash_to_g1, verify};
use crate::task::SigningDomain;
use crate::{OperatorId, SafetyFactor, Task, TaskHash, TaskResponse};

/// The name and version of a document's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// The only one so far.
    #[serde(rename = "anzen-evidence-1")]
    V1,
}

/// A document that proves that an operator signed two answers of one task. Everything that the proof needs is in it; which
/// account the operator's key belongs to, the chain's key registry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Evidence {
    /// What form it has.
    pub format: Format,
    /// The chain whose answers they are; it is part of what was signed.
    pub chain_id: u64,
    /// The task manager; it is part of what was signed.
    pub task_manager: Address,
    /// The task: its hash, which was signed, is computed from this.
    pub task: Task,
    /// Who signed.
    pub operator: OperatorKeys,
    /// One answer.
    pub first: SignedAnswer,
    /// Another.
    pub second: SignedAnswer,
}

/// An operator's key, both halves, and the id that follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperatorKeys {
    /// `keccak256(X || Y)` of the G1 half.
    pub id: OperatorId,
    /// The half that registries keep.
    pub g1: G1Bytes,
    /// The half that signatures are checked against.
    pub g2: G2Bytes,
}

impl From<&PublicKey> for OperatorKeys {
    fn from(key: &PublicKey) -> Self {
        Self { id: key.operator_id(), g1: key.g1(), g2: key.g2().to_bytes() }
    }
}

/// An answer and its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignedAnswer {
    /// The answer.
    pub safety_factor: SafetyFactor,
    /// The signature of its digest.
    pub signature: G1Bytes,
}

/// Why a document proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotEvidence {
    /// One answer only.
    #[error("both answers are {0}; the same answer twice is no fault")]
    SameAnswer(SafetyFactor),
    /// The two halves are not a key.
    #[error("the operator's key is none: {0}")]
    Key(#[from] PublicKeyError),
    /// The id belongs to another key.
    #[error("the key is that of operator {actual}, and the document accuses {claimed}")]
    Id {
        /// Whom the document names.
        claimed: OperatorId,
        /// Whose key it is.
        actual: OperatorId,
    },
    /// The bytes are no point.
    #[error("the signature of {answer} is no point of the curve: {error}")]
    Point {
        /// The answer.
        answer: SafetyFactor,
        /// What is wrong with the bytes.
        error: PointError,
    },
    /// The signature is of something else, or somebody else's.
    #[error("the signature of {0} is not the operator's, for this task on this chain and task manager")]
    Signature(SafetyFactor),
}

impl Evidence {
    /// The document about two answers of `key`'s holder.
    pub fn new(
        domain: &SigningDomain,
        task: Task,
        key: &PublicKey,
        first: SignedAnswer,
        second: SignedAnswer,
    ) -> Self {
        Self {
            format: Format::V1,
            chain_id: domain.chain_id(),
            task_manager: domain.task_manager(),
            task,
            operator: key.into(),
            first,
            second,
        }
    }

    /// The task that was answered twice.
    pub fn task_hash(&self) -> TaskHash {
        self.task.hash()
    }

    /// Checks everything; it takes three pairing checks and no knowledge of anything else.
    ///
    /// # Errors
    /// What keeps it from being a proof.
    pub fn verify(&self) -> Result<(), NotEvidence> {
        if self.first.safety_factor == self.second.safety_factor {
            return Err(NotEvidence::SameAnswer(self.first.safety_factor));
        }
        let key = PublicKey::new(self.operator.g1, self.operator.g2)?;
        let (claimed, actual) = (self.operator.id, key.operator_id());
        if claimed != actual {
            return Err(NotEvidence::Id { claimed, actual });
        }
        [self.first, self.second].into_iter().try_for_each(|answer| self.verify_answer(&key, answer))
    }

    fn verify_answer(&self, key: &PublicKey, signed: SignedAnswer) -> Result<(), NotEvidence> {
        let answer = signed.safety_factor;
        let signature =
            Signature::try_from(signed.signature).map_err(|error| NotEvidence::Point { answer, error })?;
        let domain = SigningDomain::new(self.chain_id, self.task_manager);
        let response = TaskResponse { task_hash: self.task_hash(), safety_factor: answer };
        let valid = verify(&hash_to_g1(response.digest(&domain)), &signature, &key.g2());
        if valid { Ok(()) } else { Err(NotEvidence::Signature(answer)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bls::SecretKey;
    use crate::task::tests::a_task;
    use alloy_primitives::I256;

    fn domain() -> SigningDomain {
        SigningDomain::new(31_337, Address::repeat_byte(0xaa))
    }

    fn value(units: i64) -> SafetyFactor {
        SafetyFactor(I256::try_from(units).unwrap())
    }

    fn secret(text: &str) -> SecretKey {
        SecretKey::from_hex(text).unwrap()
    }

    fn signed(secret: &SecretKey, units: i64) -> SignedAnswer {
        let response = TaskResponse { task_hash: a_task().hash(), safety_factor: value(units) };
        let signature = secret.sign(&hash_to_g1(response.digest(&domain()))).to_bytes();
        SignedAnswer { safety_factor: value(units), signature }
    }

    fn evidence() -> Evidence {
        let secret = secret("7");
        let (first, second) = (signed(&secret, 1), signed(&secret, 2));
        Evidence::new(&domain(), a_task(), &secret.public_key(), first, second)
    }

    #[test]
    fn evidence_is_verified_by_who_knows_nothing_else() {
        let text = serde_json::to_string(&evidence()).unwrap();
        let read: Evidence = serde_json::from_str(&text).unwrap();
        assert_eq!(read, evidence());
        assert_eq!(read.verify(), Ok(()));
    }

    #[test]
    fn what_was_changed_in_any_place_proves_nothing() {
        let another = secret("8").public_key();
        let changes: [fn(&mut Evidence); 5] = [
            |document| document.chain_id += 1,
            |document| document.task_manager = Address::ZERO,
            |document| document.task.index += 1,
            |document| document.second.safety_factor = value(3),
            |document| document.second.signature = document.first.signature,
        ];
        for change in changes {
            let mut document = evidence();
            change(&mut document);
            assert!(matches!(document.verify(), Err(NotEvidence::Signature(_))), "{document:?}");
        }
        let mut framed = evidence();
        framed.operator.id = another.operator_id();
        assert!(matches!(framed.verify(), Err(NotEvidence::Id { .. })));
        framed.operator.g1 = another.g1();
        assert_eq!(framed.verify(), Err(NotEvidence::Key(PublicKeyError::Mismatch)));
        framed.operator.g2 = another.g2().to_bytes();
        assert!(matches!(framed.verify(), Err(NotEvidence::Signature(_))));
    }

    #[test]
    fn one_answer_twice_is_no_fault() {
        let mut document = evidence();
        document.second = document.first;
        assert_eq!(document.verify(), Err(NotEvidence::SameAnswer(value(1))));
    }

    #[test]
    fn bytes_that_are_no_point_are_told_and_harm_nothing() {
        let mut document = evidence();
        document.second.signature = G1Bytes(alloy_primitives::B512::repeat_byte(0xff));
        assert!(matches!(document.verify(), Err(NotEvidence::Point { .. })));
        document.operator.g2 = G2Bytes([0xff; 128].into());
        assert!(matches!(document.verify(), Err(NotEvidence::Key(PublicKeyError::Point(_)))));
    }
}
