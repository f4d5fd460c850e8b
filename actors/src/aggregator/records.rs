//! What the aggregator has on disk: the certificates that it took over, until their tasks are over.

use anzen_messages::TaskHash;
use anzen_messages::aggregation::QuorumReached;

use crate::ports::{Space, Store, StoreError, Write};

/// Key: task hash. Value: the message as JSON.
pub(super) const CERTIFICATES: Space = Space("aggregator.certificates");

/// The write that takes a certificate over; nothing where it cannot be encoded, which no message that came can be.
pub(super) fn put(reached: &QuorumReached) -> Option<Write> {
    let value = serde_json::to_vec(reached).ok()?;
    Some(Write::Put { space: CERTIFICATES, key: reached.response.task_hash.0.to_vec(), value })
}

pub(super) fn delete(task: TaskHash) -> Write {
    Write::Delete { space: CERTIFICATES, key: task.0.to_vec() }
}

/// The certificates that are on disk.
///
/// # Errors
/// Where the store cannot be read, or a record of it: what was taken over cannot be left out.
pub(super) async fn certificates(store: &dyn Store) -> Result<Vec<QuorumReached>, StoreError> {
    let records = store.load(CERTIFICATES).await?.into_iter();
    records
        .map(|(key, value)| {
            serde_json::from_slice(&value).map_err(|error| StoreError::damaged(CERTIFICATES.0, &key, &error))
        })
        .collect()
}
