//! What the collector has on disk: accepted signatures until their task is over, and second answers as evidence.

use alloy::primitives::{B256, B512, I256};
use anzen_messages::bls::{G1Bytes, Signature};
use anzen_messages::{OperatorId, SafetyFactor, TaskHash};

use super::early::Waiting;
use crate::ports::{Space, Write};

/// Key: task hash, operator id. Value: answer, signature, block.
pub(super) const SIGNATURES: Space = Space("collector.signatures");
/// The same key. Value: two such records, the operator's first answer and another, whose signature was verified alone.
/// One for a task and an operator at most; it is kept for good, being what proves the fault.
pub(super) const EVIDENCE: Space = Space("collector.evidence");

const VALUE_BYTES: usize = 32 + 64 + 8;

pub(super) fn key(task: TaskHash, operator: OperatorId) -> Vec<u8> {
    [task.0.as_slice(), operator.0.as_slice()].concat()
}

pub(super) fn put(task: TaskHash, operator: OperatorId, record: &Waiting) -> Write {
    Write::Put { space: SIGNATURES, key: key(task, operator), value: encode(record) }
}

pub(super) fn put_evidence(task: TaskHash, operator: OperatorId, first: &Waiting, second: &Waiting) -> Write {
    Write::Put { space: EVIDENCE, key: key(task, operator), value: [encode(first), encode(second)].concat() }
}

fn encode(record: &Waiting) -> Vec<u8> {
    let mut value = Vec::with_capacity(VALUE_BYTES);
    value.extend_from_slice(&record.value.0.to_be_bytes::<32>());
    value.extend_from_slice(record.signature.to_bytes().0.as_slice());
    value.extend_from_slice(&record.since.to_be_bytes());
    value
}

pub(super) fn delete(task: TaskHash, operator: OperatorId) -> Write {
    Write::Delete { space: SIGNATURES, key: key(task, operator) }
}

/// Reads a record; nothing where it is not one (the disk, or another version, wrote something else).
pub(super) fn decode(key: &[u8], value: &[u8]) -> Option<(TaskHash, OperatorId, Waiting)> {
    if key.len() != 64 || value.len() != VALUE_BYTES {
        return None;
    }
    let signature = Signature::try_from(G1Bytes(B512::from_slice(&value[32..96]))).ok()?;
    let record = Waiting {
        value: SafetyFactor(I256::try_from_be_slice(&value[..32])?),
        signature,
        since: u64::from_be_bytes(value[96..].try_into().ok()?),
    };
    Some((TaskHash(B256::from_slice(&key[..32])), OperatorId(B256::from_slice(&key[32..])), record))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anzen_messages::bls::{SecretKey, hash_to_g1};

    #[test]
    fn a_record_survives_the_disk_and_a_truncated_one_is_none() {
        let (task, operator) = (TaskHash(B256::repeat_byte(1)), OperatorId(B256::repeat_byte(2)));
        let signature = SecretKey::from_hex("7").unwrap().sign(&hash_to_g1(B256::ZERO));
        let record = Waiting { value: SafetyFactor(I256::MINUS_ONE), signature, since: 9 };
        let Write::Put { key, value, .. } = put(task, operator, &record) else { panic!() };
        assert_eq!(decode(&key, &value), Some((task, operator, record)));
        assert_eq!(decode(&key, &value[1..]), None);
        assert_eq!(decode(&key[1..], &value), None);
    }
}
