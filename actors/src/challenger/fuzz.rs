//! What the disk may give back, for `just fuzz`.

use anzen_messages::chain::{ChainDelta, DeltaBase};
use futures::FutureExt;

use super::Config;
use super::cases::Cases;
use super::effect::Effect;
use super::records::{TASKS, load};
use crate::follow::ChainState;
use crate::fuzz;
use crate::ports::{ChainError, Store, Write};
use crate::testing::block;
use crate::testing::world::MemoryStore;

/// Records of tasks. What is written of one is read as the same, and blocks go on over whatever was read.
pub(crate) fn records(data: &[u8]) {
    let store = MemoryStore::default();
    let put_as_is = |(key, value)| Write::Put { space: TASKS, key, value };
    let writes = fuzz::records(data).into_iter().map(put_as_is).collect();
    assert_eq!(store.commit(writes).now_or_never(), Some(Ok(())));
    let Some(Ok(read)) = load(&store).now_or_never() else { return };
    let again = read.iter().filter_map(super::records::Record::put).collect();
    assert_eq!(store.commit(again).now_or_never(), Some(Ok(())));
    assert_eq!(load(&store).now_or_never(), Some(Ok(read.clone())));
    let mut cases = Cases::new(Config::default(), 30);
    let created: Vec<u64> = read.iter().map(|record| u64::from(record.task.created_block)).collect();
    read.into_iter().for_each(|record| cases.recover(record));
    let numbers = created.into_iter().flat_map(|number| [number, number + 1, number + 100]);
    for number in numbers.chain([u64::MAX]) {
        let block = block(number, Vec::new());
        let head = block.header.at;
        for effect in cases.advance(&ChainDelta { base: DeltaBase::Continues, blocks: vec![block], head }) {
            let gone = || Err(ChainError::NoSuchBlock(String::new()));
            match effect {
                Effect::Recompute(task) => drop(cases.captured(task.hash(), gone())),
                Effect::Look { task, ticket, .. } => drop(cases.looked(task.hash(), ticket, Ok(None))),
                _ => {}
            }
        }
    }
}
