//! The proof that enough stake signed an answer.

use serde::{Deserialize, Serialize};

use crate::OperatorId;
use crate::bls::{G1Bytes, G2Bytes};

/// Everything of `NonSignerStakesAndSignature` that follows from the signatures and the operator set. The indices into the
/// registries' histories, which only the chain knows, are added when it is posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Certificate {
    /// The operators of the set that did not sign, ascending by id.
    pub non_signers: Vec<NonSigner>,
    /// Each quorum's aggregate key at the reference block, in the order of the task's quorums.
    pub quorum_apks: Vec<G1Bytes>,
    /// The signers' aggregate key, each signer once per quorum that it belongs to.
    pub signers_apk: G2Bytes,
    /// The sum of the signatures, each once per quorum that its signer belongs to.
    pub signature: G1Bytes,
}

/// An operator that was in the set and is not in the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NonSigner {
    /// Its id.
    pub id: OperatorId,
    /// Its key.
    pub key: G1Bytes,
}
