//! What the collector has on disk: accepted signatures until their task is over, second ones until they are judged,
//! penalties, and evidence for good.

use alloy::primitives::{B256, B512, I256};
use anzen_messages::bls::{G1Bytes, Signature};
use anzen_messages::evidence::Evidence;
use anzen_messages::{OperatorId, SafetyFactor, TaskHash};

use super::early::Waiting;
use super::seconds::Place;
use super::standing::Penalty;
use crate::ports::{Space, Store, StoreError, Write};

/// Key: task hash, operator id. Value: answer, signature, block.
pub(super) const SIGNATURES: Space = Space("collector.signatures");
/// The same, of an operator that signed the task otherwise before.
pub(super) const SECONDS: Space = Space("collector.seconds");
/// Key: operator id, task hash. Value: the document as JSON.
pub(super) const EVIDENCE: Space = Space("collector.equivocations");
/// Key: operator id. Value: how often its penalty has doubled, and the block in which it ends.
pub(super) const PENALTIES: Space = Space("collector.penalties");

const VALUE_BYTES: usize = 32 + 64 + 8;

pub(super) fn put(place: Place, record: &Waiting) -> Write {
    Write::Put { space: SIGNATURES, key: key(place), value: encode(record) }
}

pub(super) fn delete(place: Place) -> Write {
    Write::Delete { space: SIGNATURES, key: key(place) }
}

pub(super) fn put_second(place: Place, record: &Waiting) -> Write {
    Write::Put { space: SECONDS, key: key(place), value: encode(record) }
}

pub(super) fn delete_second(place: Place) -> Write {
    Write::Delete { space: SECONDS, key: key(place) }
}

/// The writes that put a proof in the place of a second signature and of the older proofs about `dropped`. Nothing but
/// deletions where it cannot be encoded, which no document that was made here can be.
pub(super) fn put_evidence(evidence: &Evidence, dropped: &[TaskHash]) -> Vec<Write> {
    let (task, operator) = (evidence.task_hash(), evidence.operator.id);
    let value = serde_json::to_vec(evidence).ok();
    let put = value.map(|value| Write::Put { space: EVIDENCE, key: evidence_key(operator, task), value });
    let delete = |task: &TaskHash| Write::Delete { space: EVIDENCE, key: evidence_key(operator, *task) };
    put.into_iter().chain([delete_second((task, operator))]).chain(dropped.iter().map(delete)).collect()
}

pub(super) fn put_penalty(operator: OperatorId, penalty: Penalty) -> Write {
    let value = [&[penalty.doublings][..], &penalty.until.to_be_bytes()].concat();
    Write::Put { space: PENALTIES, key: operator.0.to_vec(), value }
}

pub(super) fn delete_penalty(operator: OperatorId) -> Write {
    Write::Delete { space: PENALTIES, key: operator.0.to_vec() }
}

/// The signatures of a space.
///
/// # Errors
/// Where the store cannot be read, or a record of it.
pub(super) async fn signatures(store: &dyn Store, space: Space) -> Result<Vec<(Place, Waiting)>, StoreError> {
    load(store, space, decode).await
}

/// The penalties.
///
/// # Errors
/// The same.
pub(super) async fn penalties(store: &dyn Store) -> Result<Vec<(OperatorId, Penalty)>, StoreError> {
    load(store, PENALTIES, |key, value| {
        let (doublings, until) = value.split_first()?;
        let until = u64::from_be_bytes(until.try_into().ok()?);
        Some((OperatorId(B256::try_from(key).ok()?), Penalty { doublings: *doublings, until }))
    })
    .await
}

/// The proofs of contradicting answers that a collector has kept in `store`, by operator.
///
/// # Errors
/// Where the store cannot be read, or a record of it.
pub async fn evidence_in(store: &dyn Store) -> Result<Vec<Evidence>, StoreError> {
    load(store, EVIDENCE, |_, value| serde_json::from_slice(value).ok()).await
}

async fn load<T>(
    store: &dyn Store,
    space: Space,
    read: impl Fn(&[u8], &[u8]) -> Option<T>,
) -> Result<Vec<T>, StoreError> {
    let records = store.load(space).await?.into_iter();
    records
        .map(|(key, value)| {
            read(&key, &value).ok_or_else(|| StoreError::damaged(space.0, &key, &"it cannot be read"))
        })
        .collect()
}

fn key((task, operator): Place) -> Vec<u8> {
    [task.0.as_slice(), operator.0.as_slice()].concat()
}

fn evidence_key(operator: OperatorId, task: TaskHash) -> Vec<u8> {
    [operator.0.as_slice(), task.0.as_slice()].concat()
}

fn encode(record: &Waiting) -> Vec<u8> {
    let mut value = Vec::with_capacity(VALUE_BYTES);
    value.extend_from_slice(&record.value.0.to_be_bytes::<32>());
    value.extend_from_slice(record.signature.to_bytes().0.as_slice());
    value.extend_from_slice(&record.since.to_be_bytes());
    value
}

/// Reads a record; nothing where it is not one (the disk, or another version, wrote something else).
fn decode(key: &[u8], value: &[u8]) -> Option<(Place, Waiting)> {
    if key.len() != 64 || value.len() != VALUE_BYTES {
        return None;
    }
    let signature = Signature::try_from(G1Bytes(B512::from_slice(&value[32..96]))).ok()?;
    let record = Waiting {
        value: SafetyFactor(I256::try_from_be_slice(&value[..32])?),
        signature,
        since: u64::from_be_bytes(value[96..].try_into().ok()?),
    };
    let place = (TaskHash(B256::from_slice(&key[..32])), OperatorId(B256::from_slice(&key[32..])));
    Some((place, record))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anzen_messages::bls::{SecretKey, hash_to_g1};

    use crate::testing::world::MemoryStore;

    #[test]
    fn a_record_survives_the_disk_and_a_truncated_one_is_none() {
        let place = (TaskHash(B256::repeat_byte(1)), OperatorId(B256::repeat_byte(2)));
        let signature = SecretKey::from_hex("7").unwrap().sign(&hash_to_g1(B256::ZERO));
        let record = Waiting { value: SafetyFactor(I256::MINUS_ONE), signature, since: 9 };
        let Write::Put { key, value, .. } = put(place, &record) else { panic!() };
        assert_eq!(decode(&key, &value), Some((place, record)));
        assert_eq!(decode(&key, &value[1..]), None);
        assert_eq!(decode(&key[1..], &value), None);
    }

    #[tokio::test]
    async fn a_penalty_survives_the_disk() {
        let (store, operator) = (MemoryStore::default(), OperatorId(B256::repeat_byte(2)));
        let penalty = Penalty { doublings: 3, until: 77 };
        store.commit(vec![put_penalty(operator, penalty)]).await.unwrap();
        assert_eq!(penalties(&store).await.unwrap(), [(operator, penalty)]);
    }
}
