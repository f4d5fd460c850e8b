//! What the disk may give back, for `just fuzz`.

use anzen_messages::chain::{ChainDelta, ChainEvent, DeltaBase};
use futures::FutureExt;

use super::postings::{Attempt, Effect, Postings, Terms};
use super::records::{CERTIFICATES, certificates, put};
use crate::follow::ChainState;
use crate::fuzz;
use crate::ports::{Store, Write};
use crate::testing::world::MemoryStore;
use crate::testing::{block, responded};

/// Records of certificates. They are posted, or given up; and what is written of one is read as the same.
pub(crate) fn records(data: &[u8]) {
    let store = MemoryStore::default();
    let put_as_is = |(key, value)| Write::Put { space: CERTIFICATES, key, value };
    let writes = fuzz::records(data).into_iter().map(put_as_is).collect();
    assert_eq!(store.commit(writes).now_or_never(), Some(Ok(())));
    let Some(Ok(read)) = certificates(&store).now_or_never() else { return };
    let mut state = Postings::new(Terms { window: 30, finality: 64, delay: 2 });
    for reached in &read {
        if let Some(Write::Put { value, .. }) = put(reached) {
            assert!(
                serde_json::from_slice(&value)
                    .is_ok_and(|again: anzen_messages::aggregation::QuorumReached| again == *reached)
            );
        }
        state.recover(reached.clone());
    }
    let created = read.iter().map(|reached| u64::from(reached.task.created_block));
    let numbers: Vec<u64> =
        created.flat_map(|number| [number, number + 1, number + 31]).chain([u64::MAX]).collect();
    for number in numbers {
        let answered = read.first().map(|reached| responded(reached.task.index, reached.response.task_hash));
        let events: Vec<ChainEvent> = answered.into_iter().filter(|_| number % 4 == 3).collect();
        let block = block(number, events);
        let head = block.header.at;
        for effect in state.advance(&ChainDelta { base: DeltaBase::Continues, blocks: vec![block], head }) {
            if let Effect::Post { reached, not_after } = effect {
                assert!(number < not_after, "it would be too late");
                let attempt = if number % 2 == 0 { Attempt::Settled } else { Attempt::Failed };
                state.attempted(reached.response.task_hash, attempt);
            }
        }
    }
}
