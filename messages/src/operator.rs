//! Operators, and the set of them that may answer a task.

use std::collections::BTreeMap;
use std::fmt;

use alloy_primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};

use crate::bls::{AggregateKey, PublicKey};

/// `keccak256(X || Y)` of an operator's G1 key: its id in every registry, and the order of non-signers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperatorId(pub B256);

impl fmt::Display for OperatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for OperatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One operator as it stood at a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Its account in EigenLayer.
    pub address: Address,
    /// Its BLS key, both halves.
    pub key: PublicKey,
    /// Its stake in each quorum that it belonged to (wei of stake weight, uint96).
    pub stakes: BTreeMap<u8, U256>,
}

/// The operators of some quorums at one block, by id (so in the order in which a certificate lists non-signers).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorSet {
    /// The quorums, ascending.
    pub quorums: Vec<u8>,
    /// The operators of at least one of them.
    pub operators: BTreeMap<OperatorId, Operator>,
    /// Each quorum's whole stake: the sum of its operators', which is what its registry keeps.
    pub total_stakes: BTreeMap<u8, U256>,
    /// The sum of all keys, each once per quorum.
    pub weighted_apk: AggregateKey,
    /// Each quorum's sum of keys.
    pub quorum_apks: BTreeMap<u8, AggregateKey>,
}

impl OperatorSet {
    /// A set from its operators; totals and aggregate keys are computed here, once.
    pub fn new(quorums: Vec<u8>, operators: BTreeMap<OperatorId, Operator>) -> Self {
        let members =
            |quorum: u8| operators.values().filter(move |operator| operator.stakes.contains_key(&quorum));
        let total = |quorum: u8| members(quorum).filter_map(|operator| operator.stakes.get(&quorum)).sum();
        let apk = |quorum: u8| AggregateKey::sum(members(quorum).map(|operator| (&operator.key, 1)));
        Self {
            total_stakes: quorums.iter().map(|quorum| (*quorum, total(*quorum))).collect(),
            quorum_apks: quorums.iter().map(|quorum| (*quorum, apk(*quorum))).collect(),
            weighted_apk: AggregateKey::sum(
                operators.values().map(|operator| (&operator.key, operator.weight())),
            ),
            quorums,
            operators,
        }
    }
}

impl Operator {
    /// How many of the set's quorums it belongs to: how often its signature counts in a sum.
    pub fn weight(&self) -> u8 {
        u8::try_from(self.stakes.len()).unwrap_or(u8::MAX)
    }
}
